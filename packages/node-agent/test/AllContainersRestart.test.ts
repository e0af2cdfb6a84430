/** How the status of a pod shows that all its containers start anew. */
import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { PodRestart, PodStatus, type SupervisorFiles } from "@reddwarf/node-agent"

const rules: ReadonlyArray<CoreV1.ContainerRestartRule> = [{ action: "RestartAllContainers", exitCodes: { operator: "In", values: [42] } }]

const pod: CoreV1.Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "default", uid: "u" },
  spec: {
    restartPolicy: "Never",
    initContainers: [{ name: "i" }],
    containers: [{ name: "a", restartPolicy: "Never", restartPolicyRules: rules }, { name: "b" }]
  }
}

const exit = (attempt: number, exitCode: number, more: Partial<SupervisorFiles.ExitRecord> = {}): SupervisorFiles.ExitRecord => ({
  schema: 1, id: `z/c/${attempt}`, attempt, startedAt: 1000, finishedAt: 2000, exitCode, reason: exitCode === 0 ? "Completed" : "Error", ...more
})
const container = (name: string, more: Partial<SupervisorFiles.ContainerState>): SupervisorFiles.ContainerState => ({
  name, phase: "waiting", attempt: 0, backOffMillis: 0, exits: [], ...more
})
const killed = exit(0, 137, { reason: PodRestart.reason, message: PodRestart.message, signal: 9 })

const shown = (containers: ReadonlyArray<SupervisorFiles.ContainerState>, more: Partial<SupervisorFiles.PodState> = {}, of = pod) =>
  PodStatus.of(of, { zone: "z", sandboxReady: true, hostIP: "10.0.0.1", state: { schema: 1, uid: "u", containers, ...more } }, 10_000)
const condition = (status: CoreV1.PodStatus, name: string) => {
  const found = status.conditions?.find(({ type }) => type === name)
  return [found?.status, found?.reason, found?.message]
}
const stateOf = (status: CoreV1.PodStatus, name: string) => status.containerStatuses?.find((one) => one.name === name)

describe("AllContainersRestarting", () => {
  it("is True while containers are being ended", () => {
    const status = shown([
      container("i", { phase: "finished", exits: [exit(0, 0)] }),
      container("a", { phase: "backOff", backOffUntil: 2000, exits: [exit(0, 42)] }),
      container("b", { phase: "running", startedAt: 1000 })
    ], { restarting: { container: "a", attempt: 0 } })
    assert.deepStrictEqual(condition(status, "AllContainersRestarting"), ["True", "RestartAllContainersStarted", "container exited with restart policy rule"])
    assert.strictEqual(status.phase, "Running")
    assert.deepStrictEqual(stateOf(status, "a")?.state, { waiting: { reason: "RestartingAllContainers", message: "The container is removed because RestartAllContainers in place" } })
    assert.strictEqual(stateOf(status, "a")?.lastState?.terminated?.exitCode, 42)
    assert.isDefined(stateOf(status, "b")?.state?.running)
  })

  it("is False when they start again; the pod stays what it was", () => {
    const status = shown([
      container("i", { phase: "running", attempt: 1, startedAt: 3000, exits: [exit(0, 0)] }),
      container("a", { exits: [exit(0, 42)] }),
      container("b", { exits: [killed] })
    ])
    assert.deepStrictEqual(condition(status, "AllContainersRestarting"), ["False", undefined, undefined])
    assert.strictEqual(condition(status, "Initialized")[0], "True")
    assert.strictEqual(condition(status, "Ready")[0], "False")
    assert.strictEqual(status.phase, "Running")
    assert.deepStrictEqual(stateOf(status, "b")?.state, { waiting: { reason: "PodInitializing" } })
    const last = stateOf(status, "b")?.lastState?.terminated
    assert.deepStrictEqual([last?.exitCode, last?.reason, last?.message], [137, "RestartingAllContainers", "The container is removed because RestartAllContainers in place"])
    assert.strictEqual(status.initContainerStatuses?.[0]?.restartCount, 1)
  })

  it("says how the pod ended, and is not there for pods without such a rule", () => {
    const over = [container("i", { phase: "finished", exits: [exit(0, 0)] }), container("a", { phase: "finished", exits: [exit(0, 0)] }), container("b", { phase: "finished", exits: [exit(0, 0)] })]
    assert.deepStrictEqual(condition(shown(over), "AllContainersRestarting"), ["False", "PodCompleted", undefined])
    const plain = { ...pod, spec: { containers: [{ name: "a" }] } }
    assert.deepStrictEqual(condition(shown([container("a", { phase: "running" })], {}, plain), "AllContainersRestarting"), [undefined, undefined, undefined])
  })
})
