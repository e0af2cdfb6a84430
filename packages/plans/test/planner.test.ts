import { assert, describe, it } from "@effect/vitest"
import { Conditions, type Drift, Executor, Gate, Observation, Plan, Planner, PlanOutcome, PlanTask, Precedence, TaskHandler, type ZoneInstance } from "@reddwarf/plans"
import { FastCheck } from "effect"
import { gate, instanceOf, typesOf } from "./support/simCluster.js"

const now = Date.UTC(2026, 0, 1)

const healthy: Observation.Observation = {
  zone: Observation.known({ state: "running", name: "z1", shouldRun: true }),
  digests: Observation.known({ app: "sha256:1" }),
  resolved: Observation.known({}),
  network: Observation.known({ vnic: "net0", ip: "10.0.0.7", faults: [] }),
  config: Observation.known({ current: "c1", wanted: "c1", apply: true }),
  caps: Observation.known({ live: { cpuCap: 100 } }),
  companions: Observation.known([{ name: "logs" }])
}

const running: ZoneInstance.Status = { phase: "Running", current: { containers: [{ name: "app", digest: "sha256:1" }], specHash: "h1" } }

let ids = 0

const inputOf = (more: Partial<Planner.Input> = {}): Planner.Input => ({
  instance: instanceOf({ caps: { cpuCap: 100 }, gates: [gate("ready")] }),
  status: running,
  observation: healthy,
  now,
  newId: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`,
  jitter: 0,
  rulesOf: (type) => TaskHandler.defaultRules[type],
  graceSeconds: 30,
  deadlineOf: () => "30 minutes",
  ...more
})

const closed = (reason = "NotReady", status: "True" | "False" | "Unknown" = "False"): ZoneInstance.Status =>
  Conditions.set(running, { type: "Gate.ready", status, reason, message: "" }, 1, now)

/** What makes each drift appear. */
const drifts: Readonly<Record<Exclude<Drift.DriftKind, "power">, Partial<Observation.Observation>>> = {
  missing: { zone: Observation.known({ state: "installed", name: "z1", shouldRun: true }) },
  image: { digests: Observation.known({ app: "sha256:0" }) },
  network: { network: Observation.known({ faults: ["no link"] }) },
  config: { config: Observation.known({ current: "c1", wanted: "c2", apply: true }) },
  caps: { caps: Observation.known({ live: { cpuCap: 50 } }) },
  gate: {},
  companion: { companions: Observation.known([{ name: "logs", fault: "maintenance" }]) }
}

const withDrifts = (kinds: ReadonlyArray<Drift.DriftKind>, more: Partial<Planner.Input> = {}) =>
  inputOf({
    observation: Object.assign({}, healthy, ...kinds.map((kind) => kind === "power" ? {} : drifts[kind])),
    status: kinds.includes("gate") ? closed() : running,
    ...more
  })

const created = (input: Planner.Input): Plan.Plan => {
  const { decision } = Planner.resolve(input)
  if (decision._tag !== "Created") throw new Error(`no plan: ${decision._tag}`)
  return decision.plan
}

describe("planner", () => {
  it("finds nothing to do in a healthy zone, and leaves its status as it is", () => {
    const first = Planner.resolve(inputOf())
    assert.strictEqual(first.decision._tag, "Steady")
    const second = Planner.resolve(inputOf({ status: first.status }))
    assert.strictEqual(second.status, first.status)
  })

  for (const [what, waitsAt] of [["its init", "wait-init"], ["the gates", "open-gates"]] as const) {
    it(`gives a restart up when its zone goes down while ${what} is waited for, and comes back after a while`, () => {
      const plan = created(withDrifts(["missing"]))
      const at = plan.tasks.findIndex(({ type }) => type === waitsAt)
      const tasks = plan.tasks.map((task, index) => index >= at ? task : { ...task, status: "Complete" as const })
      const waits: ZoneInstance.Status = { ...running, plan: { ...plan, tasks, currentTask: waitsAt } }
      assert.strictEqual(Planner.resolve(inputOf({ status: waits })).decision._tag, "Execute")
      const { decision, status } = Planner.resolve(withDrifts(["missing"], { status: waits }))
      assert.strictEqual(decision._tag, "Ended")
      assert.deepStrictEqual([status.lastPlan?.outcome, status.lastPlan?.failedTask?.reason], ["Failed", "ZoneDown"])
      assert.isDefined(status.nextPlanNotBefore)
    })
  }

  const expected: ReadonlyArray<readonly [Exclude<Drift.DriftKind, "power">, Plan.PlanType, ReadonlyArray<PlanTask.TaskType>]> = [
    ["missing", "restart", ["ensure-network", "boot-zone", "wait-init", "open-gates"]],
    ["image", "image-update", [
      "pull-image",
      "snapshot-root",
      "stage-root",
      "pre-stop",
      "halt-zone",
      "swap-root",
      "ensure-network",
      "boot-zone",
      "observe-image",
      "open-gates",
      "soak",
      "commit"
    ]],
    ["network", "network-repair", ["ensure-vnic", "ensure-address", "ensure-filter"]],
    ["config", "config-update", ["render-files", "reload-or-restart", "open-gates"]],
    ["caps", "caps-update", ["set-caps-live", "persist-zonecfg", "observe-caps"]],
    ["gate", "gate-reapproval", ["approve-gate"]],
    ["companion", "companion-repair", ["repair-companion"]]
  ]
  for (const [kind, type, tasks] of expected) {
    it(`repairs ${kind} by ${type}`, () => {
      const plan = created(withDrifts([kind]))
      assert.strictEqual(plan.type, type)
      assert.strictEqual(plan.phase, "Active")
      assert.deepStrictEqual(typesOf(plan.tasks), tasks)
      for (const [index, task] of plan.tasks.entries()) {
        assert.strictEqual(task.status, "Pending")
        assert.strictEqual(task.id, PlanTask.idOf(plan.id, task.type, index))
        assert.strictEqual(task.maxRetries, TaskHandler.defaultRules[task.type].maxRetries)
        assert.strictEqual(task.retryCount, 0)
        assert.isTrue(Buffer.byteLength(JSON.stringify(task.params)) <= 4096)
      }
      assert.deepStrictEqual(plan.reason.map(({ kind }) => kind), [kind])
      assert.deepStrictEqual(plan.target, {
        specHash: "h1",
        digests: { app: "sha256:1" },
        caps: { cpuCap: 100 },
        gates: [gate("ready")],
        powerState: "Running"
      })
      assert.strictEqual(plan.failedPhase, undefined)
      assert.strictEqual(plan.targetPhase, undefined)
    })
  }

  it("provisions what was never there, up to Running, or Failed", () => {
    const plan = created(inputOf({ status: {}, observation: { ...healthy, zone: Observation.known({ state: "absent", shouldRun: true }) } }))
    assert.strictEqual(plan.type, "init")
    assert.deepStrictEqual(typesOf(plan.tasks), Precedence.rules.init.tasks)
    assert.deepStrictEqual([plan.targetPhase, plan.failedPhase], ["Running", "Failed"])
  })

  it("takes the plan that mends most of what is worst, for every set of drifts", () => {
    const kinds = expected.map(([kind]) => kind)
    const types = new Map(expected.map(([kind, type]) => [kind, type]))
    for (let set = 1; set < 2 ** kinds.length; set++) {
      const chosen = kinds.filter((_, bit) => (set & (1 << bit)) !== 0)
      const [worst] = chosen
      assert.isDefined(worst)
      const wanted = chosen.includes("image") && worst === "missing" ? "image-update" : types.get(worst)
      assert.strictEqual(Precedence.select(chosen), wanted, chosen.join())
      assert.strictEqual(created(withDrifts(chosen)).type, wanted, chosen.join())
    }
  })

  it("prefers a new image to a closed gate: its plan opens the gate as well", () => {
    assert.strictEqual(created(withDrifts(["gate", "image"])).type, "image-update")
  })

  it("stops a zone that shall not run, and then wants nothing else of it", () => {
    const stopped = instanceOf({ powerState: "Stopped" })
    assert.deepStrictEqual(typesOf(created(withDrifts(["image"], { instance: stopped })).tasks), ["pre-stop", "halt-zone"])
    assert.strictEqual(Planner.resolve(withDrifts(["missing", "image"], { instance: stopped })).decision._tag, "Steady")
  })

  for (
    const [name, status] of [
      ["open", closed("Ready", "True")],
      ["not known", closed("Unreachable", "Unknown")],
      ["never asked", running],
      ["closed for another reason", closed("SomethingElse")]
    ] as const
  ) {
    it(`leaves a gate alone that is ${name}`, () => assert.strictEqual(Planner.resolve(inputOf({ status })).decision._tag, "Steady"))
  }

  it("approves a gate of its owner once per approval, and one that is manual once per annotation", () => {
    const owned = instanceOf({ gates: [gate("ready", "Owner")] })
    assert.strictEqual(Planner.resolve(inputOf({ instance: owned, status: closed() })).decision._tag, "Steady")
    const approved = Conditions.set(closed(), { type: "ReadinessApproved", status: "True", reason: "Rollout", message: "" }, 1, now)
    const used = Planner.resolve(inputOf({ instance: owned, status: approved }))
    assert.strictEqual(used.decision._tag, "Created")
    assert.strictEqual(Conditions.get(used.status, "ReadinessApproved")?.status, "False")
    const manual = instanceOf({ gates: [gate("ready", "Manual")] })
    assert.strictEqual(Planner.resolve(inputOf({ instance: manual, status: closed() })).decision._tag, "Steady")
    const asked = { ...manual, metadata: { ...manual.metadata, annotations: { "reddwarf.io/approve-gate": "ready" } } }
    const { decision } = Planner.resolve(inputOf({ instance: asked, status: closed() }))
    assert.isTrue(decision._tag === "Created" && decision.consumed.length === 1)
  })

  it("never plans from what cannot be seen", () => {
    const unknown: Observation.Observation = {
      zone: Observation.unknown("x"),
      digests: Observation.unknown("x"),
      resolved: Observation.unknown("x"),
      network: Observation.unknown("x"),
      config: Observation.unknown("x"),
      caps: Observation.unknown("x"),
      companions: Observation.unknown("x")
    }
    for (const status of [running, {}]) {
      assert.strictEqual(Planner.resolve(inputOf({ observation: unknown, status })).decision._tag, "Steady")
    }
  })

  it("notes the digest of a root that has none, instead of replacing it", () => {
    const { decision, status } = Planner.resolve(inputOf({
      status: { phase: "Running" },
      observation: { ...healthy, digests: Observation.known({}) }
    }))
    assert.strictEqual(decision._tag, "Steady")
    assert.deepStrictEqual(status.current?.containers, [{ name: "app", digest: "sha256:1" }])
  })

  it("resumes an active plan as it is, to the byte", () => {
    const first = Planner.resolve(withDrifts(["image"]))
    const second = Planner.resolve(withDrifts(["image", "network"], { status: first.status }))
    assert.isTrue(second.decision._tag === "Execute" && second.decision.plan === first.status.plan)
    assert.strictEqual(JSON.stringify(second.status.plan), JSON.stringify(first.status.plan))
  })

  it("puts an ended plan away with its condition and history, and waits after a failure", () => {
    const begun = Planner.resolve(withDrifts(["image"])).status
    assert.isDefined(begun.plan)
    const task: Plan.Plan = { ...begun.plan, phase: "Failed", failedTaskIndex: 0, failedTaskDetail: {
      type: "pull-image",
      id: begun.plan.tasks[0]?.id ?? "",
      error: "no such image",
      retryCount: 5,
      maxRetries: 5
    } }
    const ended = Planner.resolve(withDrifts(["image"], { status: { ...begun, plan: task } }))
    assert.strictEqual(ended.status.plan, undefined)
    assert.deepInclude(Conditions.get(ended.status, "UpdateInProgress"), { status: "False", reason: "UpdateFailed", message: "pull-image: no such image" })
    assert.deepInclude(ended.status.lastPlan, { outcome: "Failed", id: task.id, error: "no such image" })
    assert.notProperty(ended.status.lastPlan?.tasks[0], "params")
    const waiting = Planner.resolve(withDrifts(["image"], { status: ended.status, now: now + 9999 }))
    assert.deepInclude(Conditions.get(waiting.status, "PlanBlocked"), { status: "True", reason: "Backoff" })
    const next = created(withDrifts(["image"], { status: waiting.status, now: now + 10_000 }))
    assert.notStrictEqual(next.id, task.id)
    const other = withDrifts(["image"], { status: waiting.status, instance: instanceOf({ specHash: "h2" }) })
    assert.strictEqual(created(other).type, "image-update")
  })

  it("keeps five plans, newest first", () => {
    let status: ZoneInstance.Status = running
    const seen: Array<string> = []
    for (let round = 0; round < 8; round++) {
      const begun = Planner.resolve(withDrifts(["network"], { status }))
      assert.isDefined(begun.status.plan)
      seen.unshift(begun.status.plan.id)
      status = PlanOutcome.finish({ ...inputOf(), status: { ...begun.status, plan: { ...begun.status.plan, phase: "Complete" } } })
    }
    assert.deepStrictEqual(status.planHistory?.map(({ id }) => id), seen.slice(0, 5))
  })

  it("leaves UpdateInProgress alone when another plan ends", () => {
    const updating = Conditions.set(running, { type: "UpdateInProgress", status: "False", reason: "UpdateComplete", message: "m" }, 1, now - 5000)
    const begun = Planner.resolve(withDrifts(["network"], { status: updating })).status
    assert.isDefined(begun.plan)
    const ended = PlanOutcome.finish({ ...inputOf(), status: { ...begun, plan: { ...begun.plan, phase: "Complete" } } })
    assert.strictEqual(Conditions.get(ended, "UpdateInProgress"), Conditions.get(updating, "UpdateInProgress"))
  })

  it("fails a plan at its deadline", () => {
    const begun = Planner.resolve(withDrifts(["image"])).status
    const { decision, status } = Planner.resolve(withDrifts(["image"], { status: begun, now: now + 1_800_001 }))
    assert.isTrue(decision._tag === "Ended" && decision.ended.phase === "Failed")
    assert.include(status.lastPlan?.error, "PlanDeadlineExceeded")
  })

  it("doubles the wait after failures, with a tenth of jitter, up to five minutes", () => {
    assert.deepStrictEqual([1, 2, 3, 5, 6, 50].map((failures) => PlanOutcome.backoff(failures, 0)), [10_000, 20_000, 40_000, 160_000, 300_000, 300_000])
    assert.strictEqual(PlanOutcome.backoff(1, 1), 11_000)
  })

  it("rejects a plan over a limit and stores nothing", () => {
    const gates = Array.from({ length: 40 }, (_, index) => gate(`g${index}`))
    let status: ZoneInstance.Status = running
    for (const { name } of gates) {
      status = Conditions.set(status, { type: Gate.conditionType(name), status: "False", reason: "NotReady", message: "" }, 1, now)
    }
    const many = Planner.resolve(inputOf({ instance: instanceOf({ gates }), status }))
    assert.deepInclude(Conditions.get(many.status, "PlanRejected"), { status: "True", reason: "PlanTooLarge" })
    assert.strictEqual(many.status.plan, undefined)
    const long = instanceOf({ containers: Array.from({ length: 60 }, (_, index) => ({ name: `c${index}`, image: "i".repeat(200), digest: "d" })) })
    const large = Planner.resolve(inputOf({ instance: long, observation: { ...healthy, digests: Observation.known({ c0: "old" }) } }))
    assert.deepInclude(Conditions.get(large.status, "PlanRejected"), { status: "True", reason: "PlanTooLarge" })
    const full: ZoneInstance.Status = { ...running, conditions: Array.from({ length: 60 }, (_, index) => ({
      type: `t${index}`,
      status: "True" as const,
      reason: "r",
      message: "m".repeat(1200),
      lastTransitionTime: "2026-01-01T00:00:00Z"
    })) }
    assert.isTrue(Conditions.isTrue(Planner.resolve(withDrifts(["network"], { status: full })).status, "PlanRejected"))
  })

  it("gives every plan and task an id of its own", () => {
    const seen = new Set<string>()
    for (let round = 0; round < 10_000; round++) {
      const plan = created(withDrifts(["caps"], { newId: () => crypto.randomUUID() }))
      seen.add(plan.id)
      for (const { id } of plan.tasks) seen.add(id)
    }
    assert.strictEqual(seen.size, 40_000)
  })

  it("has the task ids of the vectors", () => {
    const plan = "11111111-2222-4333-8444-555555555555"
    assert.strictEqual(PlanTask.idOf(plan, "approve-gate", 0), "5853ffa5-0880-59bf-bc6a-5a0fb59b9a02")
    assert.strictEqual(PlanTask.idOf(plan, "approve-gate", 1), "b2c622ef-82a6-53fa-be67-0429ccab39d8")
  })

  it("never makes a plan out of bounds", () => {
    FastCheck.assert(FastCheck.property(
      FastCheck.subarray(expected.map(([kind]) => kind), { minLength: 1 }),
      FastCheck.string({ maxLength: 3000, unit: "grapheme" }),
      (kinds, text) => {
        const input = withDrifts(kinds)
        const { status } = Planner.resolve({
          ...input,
          observation: { ...input.observation, network: Observation.known({ faults: [text] }) }
        })
        assert.isAtMost(Buffer.byteLength(JSON.stringify(status)), Plan.PlanLimits.statusBytes)
        assert.isAtMost(status.plan?.tasks.length ?? 0, Plan.PlanLimits.tasks)
        for (const { detail } of status.plan?.reason ?? []) assert.isAtMost(Buffer.byteLength(detail), 1024)
      }
    ), { numRuns: 100 })
  })
})

describe("waits of tasks", () => {
  it("are 10, 20, 30, 30 s", () => assert.deepStrictEqual([1, 2, 3, 4].map(Executor.retryDelay), [10_000, 20_000, 30_000, 30_000]))
})

