import { assert, describe, it } from "@effect/vitest"
import { type BatchV1, Kinds } from "../src/index.js"
import { cellsOf, make, refusals, updateRefusals } from "./pods.js"

const metadata = { name: "pi", namespace: "default", uid: "u-1" }
const container = { name: "c", image: "perl:5" }
const template = (spec: object = {}) => ({ spec: { restartPolicy: "Never", containers: [container], ...spec } })
const job = (spec: object = {}) => ({ metadata, spec: { template: template(), ...spec } })
const own = { "controller-uid": "u-1", "job-name": "pi", "batch.kubernetes.io/controller-uid": "u-1", "batch.kubernetes.io/job-name": "pi" }

describe("Job", () => {
  const stored = make(Kinds.job, job())

  it("gets its defaults, and labels that no other job's pods have", () => {
    const { template: pods, ...spec } = stored.spec ?? { template: {} }
    assert.deepStrictEqual(spec, {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      completionMode: "NonIndexed",
      suspend: false,
      manualSelector: false,
      podReplacementPolicy: "TerminatingOrFailed",
      selector: { matchLabels: { "batch.kubernetes.io/controller-uid": "u-1" } }
    })
    assert.deepStrictEqual(pods.metadata?.labels, own)
    assert.deepStrictEqual(stored.status, {})
    assert.deepStrictEqual(refusals(Kinds.job, job()), [])
  })

  it("has no fixed number of completions when only its workers are counted", () => {
    const queue = make(Kinds.job, job({ parallelism: 3 })).spec
    assert.strictEqual(queue?.parallelism, 3)
    assert.isUndefined(queue?.completions)
    assert.strictEqual(make(Kinds.job, job({ completions: 5 })).spec?.parallelism, 1)
    assert.strictEqual(make(Kinds.job, job({ completions: 5, completionMode: "Indexed", backoffLimitPerIndex: 1 })).spec?.backoffLimit, 2_147_483_647)
    assert.strictEqual(make(Kinds.job, job({ podFailurePolicy: { rules: [] } })).spec?.podReplacementPolicy, "Failed")
  })

  it("takes over the labels of its template", () => {
    assert.deepStrictEqual(stored.metadata.labels, own)
    assert.deepStrictEqual(make(Kinds.job, job({ template: { ...template(), metadata: { labels: { a: "b" } } } })).metadata.labels, { a: "b" })
  })

  it.each([
    [{ template: template({ restartPolicy: undefined }) }, `spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"`],
    [{ template: template({ restartPolicy: "Magic" }) }, `spec.template.spec.restartPolicy: Unsupported value: "Magic": supported values: "OnFailure", "Never"`],
    [{ parallelism: -1 }, "spec.parallelism: Invalid value: -1: must be greater than or equal to 0"],
    [{ ttlSecondsAfterFinished: -1 }, "spec.ttlSecondsAfterFinished: Invalid value: -1: must be greater than or equal to 0"],
    [{ completionMode: "Magic" }, `spec.completionMode: Unsupported value: "Magic": supported values: "NonIndexed", "Indexed"`],
    [{ completionMode: "Indexed", parallelism: 2 }, "spec.completions: Required value: when completion mode is Indexed"],
    [{ backoffLimitPerIndex: 1 }, "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"],
    [{ completionMode: "Indexed", completions: 2, maxFailedIndexes: 1 }, "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified"],
    [{ successPolicy: { rules: [{ succeededCount: 1 }] } }, `spec.successPolicy: Invalid value: {"rules":[{"succeededCount":1}]}: requires indexed completion mode`],
    [
      { completionMode: "Indexed", completions: 2, successPolicy: { rules: [{ succeededIndexes: "0,2" }] } },
      `spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0,2": error parsing succeededIndexes: too large index: "2"`
    ],
    [{ podReplacementPolicy: "Magic" }, `spec.podReplacementPolicy: Unsupported value: "Magic": supported values: "Failed", "TerminatingOrFailed"`],
    [
      { podFailurePolicy: { rules: [{ action: "FailJob", onExitCodes: { operator: "In", values: [0] } }] } },
      "spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator"
    ],
    [
      { podFailurePolicy: { rules: [{ action: "Magic", onPodConditions: [{ type: "DisruptionTarget" }] }] } },
      `spec.podFailurePolicy.rules[0].action: Unsupported value: "Magic": supported values: "Count", "FailIndex", "FailJob", "Ignore"`
    ],
    [
      { podFailurePolicy: { rules: [] }, template: template({ restartPolicy: "OnFailure" }) },
      `spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified`
    ],
    [{ manualSelector: true }, "spec.selector: Required value"],
    [
      { selector: { matchLabels: { "batch.kubernetes.io/controller-uid": "u-0" } } },
      `spec.selector: Invalid value: {"matchLabels":{"batch.kubernetes.io/controller-uid":"u-0"}}: \`selector\` not auto-generated`
    ]
  ])("refuses %j", (spec, problem) => {
    assert.include(refusals(Kinds.job, job(spec)), problem)
  })

  it("is copied without its selector only", () => {
    const copy = job({ template: { ...template(), metadata: { labels: { "controller-uid": "u-0" } } } })
    assert.deepStrictEqual(refusals(Kinds.job, copy), [`spec.template.metadata.labels[controller-uid]: Invalid value: ${JSON.stringify({ ...own, "controller-uid": "u-0" })}: must be 'u-1'`])
  })

  it("changes in its size, unless it is indexed only together with its workers", () => {
    const next = (spec: object) => ({ ...stored, spec: { ...stored.spec, ...spec } })
    assert.deepStrictEqual(updateRefusals(Kinds.job, next({ parallelism: 3, suspend: true, backoffLimit: 1 }), stored), [])
    assert.deepStrictEqual(updateRefusals(Kinds.job, next({ completions: 2 }), stored), ["spec.completions: Invalid value: 2: field is immutable"])
    const indexed = make(Kinds.job, job({ completionMode: "Indexed", completions: 2, parallelism: 2 }))
    const resized = (completions: number, parallelism: number) => ({ ...indexed, spec: { ...indexed.spec, completions, parallelism } })
    assert.deepStrictEqual(updateRefusals(Kinds.job, resized(3, 3), indexed), [])
    assert.deepStrictEqual(updateRefusals(Kinds.job, resized(3, 2), indexed), ["spec.completions: Invalid value: 3: can only be modified in tandem with parallelism"])
  })

  it("moves while it is suspended and not started", () => {
    const moved = (old: BatchV1.Job) => ({
      ...old,
      spec: { ...old.spec, template: { ...old.spec?.template, spec: { ...old.spec?.template.spec, nodeSelector: { zone: "b" } } } }
    })
    assert.match(updateRefusals(Kinds.job, moved(stored), stored).join(), /^spec.template: Invalid value: .*: field is immutable$/)
    const suspended = make(Kinds.job, job({ suspend: true }))
    assert.deepStrictEqual(updateRefusals(Kinds.job, moved(suspended), suspended), [])
    const started = { ...suspended, status: { startTime: "2026-11-20T21:00:00Z" } }
    assert.lengthOf(updateRefusals(Kinds.job, moved(started), started), 1)
  })

  it.each<readonly [BatchV1.JobStatus, object, readonly [string, string, string]]>([
    [{}, {}, ["Running", "0/1", ""]],
    [{ startTime: "2026-11-20T21:58:00Z", succeeded: 1 }, { parallelism: 2 }, ["Running", "1/1 of 2", "2m"]],
    [{ startTime: "2026-11-20T21:58:00Z", completionTime: "2026-11-20T21:58:30Z", succeeded: 3, conditions: [{ type: "SuccessCriteriaMet", status: "True" }, { type: "Complete", status: "True" }] }, { completions: 3 }, ["Complete", "3/3", "30s"]],
    [{ conditions: [{ type: "FailureTarget", status: "True" }] }, {}, ["FailureTarget", "0/1", ""]],
    [{ conditions: [{ type: "Suspended", status: "True" }] }, {}, ["Suspended", "0/1", ""]],
    [{ conditions: [{ type: "Suspended", status: "False" }, { type: "Failed", status: "True" }] }, {}, ["Failed", "0/1", ""]]
  ])("shows %j", (status, spec, cells) => {
    const { Completions, Containers, Duration, Images, Selector, Status } = cellsOf(Kinds.job, { ...make(Kinds.job, job(spec)), status })
    assert.deepStrictEqual([Status, Completions, Duration], [...cells])
    assert.deepStrictEqual([Containers, Images, Selector], ["c", "perl:5", "batch.kubernetes.io/controller-uid=u-1"])
  })

  it("is found by its successes", () => {
    assert.strictEqual(Kinds.job.selectableFields["status.successful"]?.({ ...stored, status: { succeeded: 2 } }), "2")
  })
})

describe("CronJob", () => {
  const cronJob = (spec: object = {}) => ({ metadata, spec: { schedule: "*/5 * * * *", jobTemplate: { spec: { template: template() } }, ...spec } })

  it("gets its defaults, but its template not those of a job", () => {
    const { spec, status } = make(Kinds.cronJob, cronJob())
    const { jobTemplate, ...rest } = spec
    assert.deepStrictEqual(rest, { schedule: "*/5 * * * *", concurrencyPolicy: "Allow", suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 })
    assert.deepStrictEqual(Object.keys(jobTemplate.spec ?? {}), ["template"])
    assert.strictEqual(jobTemplate.spec?.template.spec?.dnsPolicy, "ClusterFirst")
    assert.deepStrictEqual(status, {})
  })

  it.each(["0 0 * * *", "@hourly", "@every 1h30m", "0 9-17/2 * jan-mar MON,fri", "5/10 ? * * *"])("takes the schedule %s", (schedule) => {
    assert.deepStrictEqual(refusals(Kinds.cronJob, cronJob({ schedule })), [])
  })

  it.each([
    ["", "Required value"],
    ["* * * *", `Invalid value: "* * * *": expected exactly 5 fields, found 4: [* * * *]`],
    ["60 * * * *", `Invalid value: "60 * * * *": end of range (60) above maximum (59): 60`],
    ["* * 0 * *", `Invalid value: "* * 0 * *": beginning of range (0) below minimum (1): 0`],
    ["5-1 * * * *", `Invalid value: "5-1 * * * *": beginning of range (5) beyond end of range (1): 5-1`],
    ["*/0 * * * *", `Invalid value: "*/0 * * * *": step of range should be a positive number: */0`],
    ["x * * * *", `Invalid value: "x * * * *": failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax`],
    ["1-2-3 * * * *", `Invalid value: "1-2-3 * * * *": too many hyphens: 1-2-3`],
    ["1/2/3 * * * *", `Invalid value: "1/2/3 * * * *": too many slashes: 1/2/3`],
    ["@sometimes", `Invalid value: "@sometimes": unrecognized descriptor: @sometimes`],
    ["TZ=UTC * * * * *", `Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead`]
  ])("refuses the schedule %s", (schedule, problem) => {
    assert.deepStrictEqual(refusals(Kinds.cronJob, cronJob({ schedule })), [`spec.schedule: ${problem}`])
  })

  it.each([
    [{ timeZone: "" }, `spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string`],
    [{ timeZone: "Local" }, `spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones`],
    [{ timeZone: "Mars/Olympus" }, `spec.timeZone: Invalid value: "Mars/Olympus": unknown time zone Mars/Olympus`],
    [{ concurrencyPolicy: "Magic" }, `spec.concurrencyPolicy: Unsupported value: "Magic": supported values: "Allow", "Forbid", "Replace"`],
    [{ jobTemplate: { spec: { template: template({ restartPolicy: "Always" }) } } }, `spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"`],
    [{ jobTemplate: { spec: { template: template(), selector: {} } } }, "spec.jobTemplate.spec.selector: Invalid value: {}: `selector` will be auto-generated"]
  ])("refuses %j", (spec, problem) => {
    assert.deepStrictEqual(refusals(Kinds.cronJob, cronJob(spec)), [problem])
  })

  it("has a name with room for a time", () => {
    const name = "x".repeat(53)
    assert.deepStrictEqual(refusals(Kinds.cronJob, { ...cronJob(), metadata: { ...metadata, name } }), [`metadata.name: Invalid value: "${name}": must be no more than 52 characters`])
  })

  it("shows when it ran", () => {
    const object = make(Kinds.cronJob, cronJob())
    assert.deepStrictEqual(cellsOf(Kinds.cronJob, { ...object, status: { active: [{}], lastScheduleTime: "2026-11-20T21:59:00Z" } }), {
      Name: "pi", Schedule: "*/5 * * * *", Timezone: "<none>", Suspend: "False", Active: 1, "Last Schedule": "60s", Age: "5m", Containers: "c", Images: "perl:5", Selector: "<none>"
    })
    assert.strictEqual(cellsOf(Kinds.cronJob, object)["Last Schedule"], "<none>")
  })
})
