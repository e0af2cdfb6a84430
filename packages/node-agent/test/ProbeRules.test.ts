import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { PodStatus, ProbeRules, SupervisorFiles } from "@reddwarf/node-agent"
import { ProbeOutcome } from "@reddwarf/probes"

const pod = (spec: CoreV1.PodSpec, metadata: Partial<CoreV1.Pod["metadata"]> = {}, status?: CoreV1.PodStatus): CoreV1.Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "default", uid: "u", ...metadata },
  spec,
  ...(status === undefined ? {} : { status })
})

const readinessProbe: CoreV1.Probe = { tcpSocket: { port: 80 } }

const running = (name: string, changes: Partial<SupervisorFiles.ContainerState> = {}): SupervisorFiles.ContainerState => ({
  ...SupervisorFiles.initialContainer(name),
  phase: "running",
  attempt: 2,
  startedAt: 5_000,
  ...changes
})

describe("ProbeRules", () => {
  it("finds who has probes: main containers and sidecars", () => {
    const probed = ProbeRules.probed(pod({
      initContainers: [{ name: "init" }, { name: "side", restartPolicy: "Always", readinessProbe }],
      containers: [{ name: "a", readinessProbe }, { name: "b" }]
    }))
    assert.deepStrictEqual(probed.map(({ name }) => name), ["side", "a"])
  })

  it("keeps only readiness of a pod that is asked to stop", () => {
    const container: CoreV1.Container = { name: "a", readinessProbe, livenessProbe: readinessProbe, startupProbe: readinessProbe }
    const kinds = (of: CoreV1.Pod) => ProbeRules.probesOf(of, container, "10.0.0.1").map(({ kind }) => kind)
    assert.deepStrictEqual(kinds(pod({ containers: [container] })), ["startup", "liveness", "readiness"])
    assert.deepStrictEqual(kinds(pod({ containers: [container] }, { deletionTimestamp: "2026-01-01T00:00:00Z" })), ["readiness"])
  })

  it("takes a container without a probe for started and ready", () => {
    assert.deepStrictEqual(ProbeRules.verdict({}), { started: true, ready: true })
    assert.deepStrictEqual(ProbeRules.verdict({ startup: "Unknown", readiness: "Success" }), { started: false, ready: false })
    assert.deepStrictEqual(ProbeRules.verdict({ startup: "Success", readiness: "Failure" }), { started: true, ready: false })
  })

  it("tells attempts in the words of a kubelet, and nothing of good ones", () => {
    assert.isUndefined(ProbeRules.eventOf("c", "liveness", ProbeOutcome.success))
    assert.deepStrictEqual(ProbeRules.eventOf("c", "readiness", ProbeOutcome.failure("HTTP probe failed with statuscode: 500")), {
      type: "Warning",
      reason: "Unhealthy",
      message: "Readiness probe failed: HTTP probe failed with statuscode: 500",
      container: "c"
    })
    assert.strictEqual(ProbeRules.eventOf("c", "startup", ProbeOutcome.unknown("no zone"))?.message, "Startup probe errored and resulted in unknown state: no zone")
    assert.strictEqual(ProbeRules.eventOf("c", "liveness", ProbeOutcome.ProbeOutcome.Success({ warning: "elsewhere" }))?.reason, "ProbeWarning")
    assert.strictEqual(ProbeRules.eventOf("c", "liveness", ProbeOutcome.failure("x".repeat(5_000)))?.message.length, 1_024)
  })

  it("gives the time of the probe before that of the pod to a container that is restarted", () => {
    const container: CoreV1.Container = { name: "c", livenessProbe: { ...readinessProbe, terminationGracePeriodSeconds: 4 }, startupProbe: readinessProbe }
    const of = pod({ containers: [container], terminationGracePeriodSeconds: 9 })
    assert.deepStrictEqual(ProbeRules.restartRequest(of, container, running("c"), "liveness", 77), {
      requestId: "c/2/liveness",
      container: "c",
      attempt: 2,
      requestedAt: 77,
      graceSeconds: 4
    })
    assert.strictEqual(ProbeRules.restartRequest(of, container, running("c"), "startup", 77).graceSeconds, 9)
  })

  it("says why a container is ended, and whether it comes back", () => {
    const container: CoreV1.Container = { name: "c" }
    const message = (spec: Partial<CoreV1.PodSpec>) => ProbeRules.killing(pod({ containers: [container], ...spec }), container, "liveness").message
    assert.strictEqual(message({}), "Container c failed liveness probe, will be restarted")
    assert.strictEqual(message({ restartPolicy: "Never" }), "Container c failed liveness probe")
    assert.strictEqual(ProbeRules.killing(pod({ containers: [] }), { name: "s", restartPolicy: "Always" }, "startup").message, "Init container s failed startup probe, will be restarted")
  })

  it("believes the status of the same run of a container when the record is lost", () => {
    const container = { name: "c", ready: true, restartCount: 2, image: "", imageID: "", state: { running: {} }, containerID: "zone://z/c/2" }
    const shown = (changes: Partial<CoreV1.ContainerStatus>) =>
      ProbeRules.shown(pod({ containers: [{ name: "c" }] }, {}, { containerStatuses: [{ ...container, ...changes }] }), "c", running("c"))
    assert.strictEqual(shown({})?.readiness?.result, "Success")
    assert.isUndefined(shown({ ready: false }))
    assert.isUndefined(shown({ containerID: "zone://z/c/1" }))
    assert.isUndefined(shown({ state: { waiting: {} } }))
  })
})

describe("the status of a pod with probes", () => {
  const of = pod({
    initContainers: [{ name: "side", restartPolicy: "Always" }],
    containers: [{ name: "a" }, { name: "b" }]
  })
  const show = (probes: ReadonlyMap<string, ProbeRules.Verdict>, names = ["side", "a", "b"]) =>
    PodStatus.of(of, {
      zone: "z",
      sandboxReady: true,
      hostIP: "127.0.0.1",
      state: { schema: 1, uid: "u", containers: names.map((name) => running(name)) },
      probes
    }, 0)
  const condition = (status: CoreV1.PodStatus, type: string) => status.conditions?.find((one) => one.type === type)

  it("shows what they say in started, ready and the conditions", () => {
    const status = show(new Map([["a", { started: true, ready: false }], ["b", { started: false, ready: false }]]))
    assert.deepStrictEqual(status.containerStatuses?.map(({ ready, started }) => [started, ready]), [[true, false], [false, false]])
    assert.deepStrictEqual([condition(status, "Ready")?.status, condition(status, "ContainersReady")?.status], ["False", "False"])
    assert.strictEqual(condition(status, "Ready")?.message, "containers with unready status: [a b]")
    assert.strictEqual(condition(show(new Map()), "Ready")?.status, "True")
  })

  it("counts a sidecar as initialized when it has started, and for good when what waits for it has begun", () => {
    const initialized = (isStarted: boolean, names: Array<string>) =>
      condition(show(new Map([["side", { started: isStarted, ready: false }]]), names), "Initialized")?.status
    assert.strictEqual(initialized(false, ["side"]), "False")
    assert.strictEqual(initialized(true, ["side"]), "True")
    assert.strictEqual(initialized(false, ["side", "a", "b"]), "True")
  })
})
