import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import type { ZoneInstance } from "@reddwarf/plans"
import { Either } from "effect"
import { GateAnnotations, PlanConditions, PodHandOver, PodStatus, type SupervisorFiles, WantedInstance, ZoneCaps } from "../src/index.js"
import * as Option from "effect/Option"

const pod = (annotations: Record<string, string> = {}, spec: Partial<CoreV1.PodSpec> = {}): CoreV1.Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", namespace: "default", uid: "u-1", annotations },
  spec: { containers: [{ name: "app", image: "app:1" }, { name: "agent", image: "agent:1" }], ...spec }
})

describe("gate annotations", () => {
  it("are the reference controller's sidecar gate unless they say otherwise", () => {
    assert.deepStrictEqual(GateAnnotations.of(pod()), Either.right([]))
    assert.deepStrictEqual(Either.getOrThrow(GateAnnotations.of(pod({ "reddwarf.io/sidecar-gate": "agent" }))), [{
      name: "sidecar",
      probe: { httpGet: { port: 7777, path: "/v0/healthz" } },
      approve: { httpPost: { port: 7777, path: "/v0/tasks", format: "task" } },
      approval: "Always"
    }])
    const [changed] = Either.getOrThrow(GateAnnotations.of(pod({
      "reddwarf.io/sidecar-gate": "agent",
      "reddwarf.io/sidecar-gate-port": "9000",
      "reddwarf.io/sidecar-gate-health-path": "/h",
      "reddwarf.io/sidecar-gate-approve-path": "/a",
      "reddwarf.io/sidecar-gate-approve-format": "empty",
      "reddwarf.io/sidecar-gate-approval": "Manual"
    })))
    assert.deepStrictEqual(changed, {
      name: "sidecar",
      probe: { httpGet: { port: 9000, path: "/h" } },
      approve: { httpPost: { port: 9000, path: "/a", format: "empty" } },
      approval: "Manual"
    })
  })

  it("that cannot be used say what is wrong", () => {
    const wrong: ReadonlyArray<readonly [Record<string, string>, RegExp]> = [
      [{ "reddwarf.io/sidecar-gate": "none" }, /no container "none"/],
      [{ "reddwarf.io/sidecar-gate": "agent", "reddwarf.io/sidecar-gate-port": "http" }, /sidecar-gate: .*port/],
      [{ "reddwarf.io/sidecar-gate": "agent", "reddwarf.io/sidecar-gate-port": "70000" }, /port/],
      [{ "reddwarf.io/sidecar-gate": "agent", "reddwarf.io/sidecar-gate-approval": "Perhaps" }, /approval/],
      [{ "reddwarf.io/gates": "{" }, /annotation reddwarf.io\/gates/],
      [{ "reddwarf.io/gates": "[{}]" }, /name/],
      [{
        "reddwarf.io/sidecar-gate": "agent",
        "reddwarf.io/gates": JSON.stringify([{ name: "sidecar", probe: { exec: { container: "app", command: ["x"] } }, approve: { exec: { container: "app", command: ["y"] } }, approval: "Always" }])
      }, /two gates have the name "sidecar"/]
    ]
    for (const [annotations, expected] of wrong) {
      assert.isTrue(GateAnnotations.hasGates(pod(annotations)))
      assert.match(Either.getOrThrow(Either.flip(GateAnnotations.of(pod(annotations)))), expected)
    }
  })
})

const facts: WantedInstance.Facts = { nodeName: "n1", brand: "lx", caps: { cpuShares: 2 }, gates: [], digests: { app: "d1" }, addresses: ["10.0.0.2"], owner: "u-1" }

describe("the wanted ZoneInstance", () => {
  it("belongs to its pod, its node and its agent", () => {
    const made = WantedInstance.instanceOf(pod(), facts)
    assert.deepStrictEqual(made.metadata.finalizers, ["reddwarf.io/zone-cleanup"])
    assert.deepStrictEqual(made.metadata.labels, { "reddwarf.io/node": "n1" })
    assert.deepStrictEqual(made.metadata.ownerReferences, [{ apiVersion: "v1", kind: "Pod", name: "web", uid: "u-1", controller: true, blockOwnerDeletion: true }])
    assert.deepStrictEqual(made.spec.containers, [{ name: "app", image: "app:1", digest: "d1" }, { name: "agent", image: "agent:1" }])
  })

  it("is another one by image, caps and gates, and by nothing else of the pod", () => {
    const hash = (pod: CoreV1.Pod, more: Partial<WantedInstance.Facts> = {}) => WantedInstance.specOf(pod, { ...facts, ...more }).specHash
    const first = hash(pod())
    assert.strictEqual(hash(pod({ note: "x" }, { terminationGracePeriodSeconds: 5 })), first)
    assert.strictEqual(hash(pod(), { digests: {}, addresses: [] }), first)
    assert.notStrictEqual(hash(pod({}, { containers: [{ name: "app", image: "app:2" }, { name: "agent", image: "agent:1" }] })), first)
    assert.notStrictEqual(hash(pod(), { caps: { cpuShares: 3 } }), first)
  })

  it("has the bounds of the zone as numbers", () => {
    assert.deepStrictEqual(
      ZoneCaps.of({ cpuPercent: 50, cpuShares: 512, physicalMemory: 1024n, swap: 2048n, lockedMemory: 1024n, maxLwps: 100, maxProcesses: 200 }),
      { cpuCap: 50, cpuShares: 512, physicalMemory: 1024, swap: 2048, lockedMemory: 1024, lwps: 100, processes: 200 }
    )
  })
})

const instance = (status: ZoneInstance.Status): ZoneInstance.ZoneInstance => ({ ...WantedInstance.instanceOf(pod(), facts), status })
const gates = (status: "True" | "False" | "Unknown") =>
  instance({ conditions: [{ type: "GatesOpen", status, reason: "R", message: "m", lastTransitionTime: "2026-01-01T00:00:00Z" }] })

describe("conditions of a pod with gates", () => {
  const shown = (pod: CoreV1.Pod, from: ZoneInstance.ZoneInstance | undefined) =>
    PodStatus.of(pod, {
      zone: "z",
      sandboxReady: true,
      hostIP: "127.0.0.1",
      plans: PlanConditions.of(pod, from),
      state: { schema: 1, uid: "u-1", containers: ["app", "agent"].map((name) => ({ name, phase: "running", attempt: 0, startedAt: 1, backOffMillis: 0, exits: [] })) }
    }, 1_000).conditions?.map(({ status, type }) => `${type}=${status}`).filter((text) => /Ready=|GatesOpen|Plan/.test(text)) ?? []
  const gate = { "reddwarf.io/sidecar-gate": "agent" }

  it("are the gate state, and decide about readiness with or without the readiness gate", () => {
    const admitted = pod(gate, { readinessGates: [{ conditionType: "reddwarf.io/GatesOpen" }] })
    assert.deepStrictEqual(shown(admitted, undefined), ["Ready=False", "ContainersReady=True", "reddwarf.io/GatesOpen=Unknown"])
    assert.deepStrictEqual(shown(admitted, gates("False")), ["Ready=False", "ContainersReady=True", "reddwarf.io/GatesOpen=False"])
    assert.deepStrictEqual(shown(admitted, gates("True")), ["Ready=True", "ContainersReady=True", "reddwarf.io/GatesOpen=True"])
    assert.deepStrictEqual(shown(pod(gate), gates("False")), ["Ready=False", "ContainersReady=False", "reddwarf.io/GatesOpen=False"])
    assert.deepStrictEqual(shown(pod(gate), gates("True")), ["Ready=True", "ContainersReady=True", "reddwarf.io/GatesOpen=True"])
    assert.deepStrictEqual(shown(pod({ "reddwarf.io/sidecar-gate": "none" }), gates("True")), ["Ready=False", "ContainersReady=False", "reddwarf.io/GatesOpen=False"])
    assert.deepStrictEqual(shown(pod(), gates("False")), ["Ready=True", "ContainersReady=True"])
  })
})

describe("whether a pod is held", () => {
  const supervised = (desired: SupervisorFiles.Desired, held?: string) =>
    Option.some({
      spec: {
        schema: 1 as const,
        pod: { namespace: "default", name: "web", uid: "u-1" },
        zone: "z" as SupervisorFiles.PodSpec["zone"],
        restartPolicy: "Always" as const,
        containers: [],
        backOff: { initialMillis: 1, maxMillis: 1, resetMillis: 1 },
        logs: { directory: "/l", maxBytes: 1, maxFiles: 1 },
        desired
      },
      state: Option.some({ schema: 1 as const, uid: "u-1", containers: [], ...(held === undefined ? {} : { held }) })
    })
  const hold: SupervisorFiles.Desired = { state: "hold", requestId: "p1", requestedAt: 0, graceSeconds: 10 }

  it("is what its supervisor says, or that nobody says so in time", () => {
    assert.isTrue(PodHandOver.isHeld(Option.none(), "p1", 0))
    assert.isFalse(PodHandOver.isHeld(supervised({ state: "run" }), "p1", 1e9))
    assert.isFalse(PodHandOver.isHeld(supervised(hold), "p1", 15_000))
    assert.isTrue(PodHandOver.isHeld(supervised(hold), "p1", 15_001))
    assert.isTrue(PodHandOver.isHeld(supervised(hold, "p1"), "p1", 0))
    assert.isFalse(PodHandOver.isHeld(supervised(hold, "p0"), "p1", 0))
  })
})
