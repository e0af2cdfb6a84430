import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { PodEvents, PodStatus, type SupervisorFiles } from "@reddwarf/node-agent"

const now = 1_795_000_000_000

const exit = (attempt: number, exitCode: number): SupervisorFiles.ExitRecord => ({
  schema: 1,
  id: `z/c/${attempt}`,
  attempt,
  startedAt: now - 2_000,
  finishedAt: now - 1_000,
  exitCode,
  reason: exitCode === 0 ? "Completed" : "Error"
})

const state = (name: string, fields: Partial<SupervisorFiles.ContainerState>): SupervisorFiles.ContainerState => ({
  name,
  phase: "waiting",
  attempt: -1,
  backOffMillis: 0,
  exits: [],
  ...fields
})

const makePod = (spec: Partial<CoreV1.PodSpec> = {}, status?: CoreV1.PodStatus): CoreV1.Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "default", uid: "u", labels: { app: "web" } },
  spec: { restartPolicy: "Always", containers: [{ name: "c", image: "i" }], ...spec },
  ...(status === undefined ? {} : { status })
})

const observe = (
  pod: CoreV1.Pod,
  containers: ReadonlyArray<SupervisorFiles.ContainerState>,
  fields: Partial<PodStatus.Observation> & { readonly stopped?: boolean } = {}
): CoreV1.PodStatus =>
  PodStatus.of(pod, {
    zone: "z",
    sandboxReady: true,
    hostIP: "10.0.0.1",
    state: { schema: 1, uid: "u", containers, ...(fields.stopped === true ? { stop: { requestId: "r", deadline: now } } : {}) },
    ...fields
  }, now)

const reasonOf = (status: CoreV1.PodStatus, index = 0): string => {
  const shown = status.containerStatuses?.[index]?.state
  return shown?.running === undefined ? shown?.waiting?.reason ?? shown?.terminated?.reason ?? "" : "running"
}

const init: Partial<CoreV1.PodSpec> = { initContainers: [{ name: "i", image: "i" }] }

describe("PodStatus", () => {
  interface Row {
    readonly what: string
    readonly spec?: Partial<CoreV1.PodSpec>
    readonly containers: ReadonlyArray<SupervisorFiles.ContainerState>
    readonly stopped?: boolean
    readonly phase: string
    readonly reason: string
    readonly ready: string
  }
  const rows: ReadonlyArray<Row> = [
    { what: "nothing was started", containers: [], phase: "Pending", reason: "ContainerCreating", ready: "False" },
    { what: "an init container runs", spec: init, containers: [state("i", { phase: "running", attempt: 0 }), state("c", {})], phase: "Pending", reason: "PodInitializing", ready: "False" },
    { what: "an init container failed for good", spec: { ...init, restartPolicy: "Never" }, containers: [state("i", { phase: "finished", attempt: 0, exits: [exit(0, 1)] }), state("c", { phase: "finished" })], phase: "Failed", reason: "PodInitializing", ready: "False" },
    { what: "it runs", containers: [state("c", { phase: "running", attempt: 0, startedAt: now })], phase: "Running", reason: "running", ready: "True" },
    { what: "it waits to be restarted", containers: [state("c", { phase: "backOff", attempt: 1, exits: [exit(1, 3)], backOffUntil: now + 9_000 })], phase: "Running", reason: "CrashLoopBackOff", ready: "False" },
    { what: "it is restarted at once", containers: [state("c", { phase: "backOff", attempt: 0, exits: [exit(0, 3)], backOffUntil: now - 1_000 })], phase: "Running", reason: "Error", ready: "False" },
    { what: "it could not be started", containers: [state("c", { problem: { reason: "RunContainerError", message: "no" } })], phase: "Pending", reason: "RunContainerError", ready: "False" },
    { what: "it completed", spec: { restartPolicy: "OnFailure" }, containers: [state("c", { phase: "finished", attempt: 0, exits: [exit(0, 0)] })], phase: "Succeeded", reason: "Completed", ready: "False" },
    { what: "it failed", spec: { restartPolicy: "Never" }, containers: [state("c", { phase: "finished", attempt: 0, exits: [exit(0, 2)] })], phase: "Failed", reason: "Error", ready: "False" },
    { what: "it was stopped", containers: [state("c", { phase: "finished", attempt: 0, exits: [exit(0, 143)] })], stopped: true, phase: "Failed", reason: "Error", ready: "False" },
    { what: "it was stopped before it was started", containers: [state("c", { phase: "finished" })], stopped: true, phase: "Failed", reason: "ContainerStatusUnknown", ready: "False" }
  ]
  it.each(rows)("$what", ({ containers, phase, ready, reason, spec, stopped }) => {
    const status = observe(makePod(spec), containers, { stopped: stopped === true })
    assert.deepStrictEqual(
      [status.phase, reasonOf(status), status.conditions?.find(({ type }) => type === "Ready")?.status],
      [phase, reason, ready]
    )
  })

  it("keeps transition times, start time, address and the conditions of others", () => {
    const running = [state("c", { phase: "running", attempt: 0, startedAt: now })]
    const first = observe(makePod(), running, { podIPs: ["10.88.0.2"] })
    const foreign = { type: "example.com/gate", status: "True" }
    const shown = makePod({}, { ...first, conditions: [...first.conditions ?? [], foreign] })
    const later = PodStatus.of(shown, { zone: "z", sandboxReady: true, hostIP: "10.0.0.1", state: { schema: 1, uid: "u", containers: running } }, now + 60_000)
    assert.deepStrictEqual(later, shown.status)
  })

  it("never leaves a final phase", () => {
    const over = makePod({}, { phase: "Succeeded" })
    assert.strictEqual(observe(over, [state("c", { phase: "running", attempt: 0 })]).phase, "Succeeded")
  })
})

describe("PodEvents", () => {
  it("tells of starts and back-off once", () => {
    const pod = makePod()
    const running = observe(pod, [state("c", { phase: "running", attempt: 0, startedAt: now })])
    const crashed = observe(pod, [state("c", { phase: "backOff", attempt: 0, exits: [exit(0, 1)], backOffUntil: now + 9_000 })])
    const reasons = (before: CoreV1.PodStatus | undefined, after: CoreV1.PodStatus) => PodEvents.between(pod, before, after).map(({ reason }) => reason)
    assert.deepStrictEqual(reasons(undefined, running), ["Created", "Started"])
    assert.deepStrictEqual(reasons(running, crashed), ["BackOff"])
    assert.deepStrictEqual(reasons(crashed, crashed), [])
  })
})
