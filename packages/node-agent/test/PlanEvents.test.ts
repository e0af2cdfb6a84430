import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds, PodPhase } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { Faults, SimulatedHost } from "@reddwarf/illumos-sim"
import { PodSandbox, ZoneInstanceKind } from "@reddwarf/node-agent"
import type { ZoneInstance } from "@reddwarf/plans"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type * as Scope from "effect/Scope"
import { rmSync } from "node:fs"
import { join } from "node:path"
import * as h from "./support/harness.js"

const kind = ZoneInstanceKind.zoneInstance
const ref = { namespace: "default", name: "web" }

const withNode = <E>(body: (folders: h.Directories) => Effect.Effect<void, E, h.World | Scope.Scope>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    yield* Effect.zipRight(h.emptyAtEnd, Effect.zipRight(h.supervisorFiber(folders), body(folders))).pipe(Effect.scoped, Effect.provide(h.hostLayer(folders)))
  }).pipe(Effect.provide(FakeApi.layer({ kinds: [...Kinds.all, kind] })), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.None))

const forever = h.sh("while :; do sleep 0.1; done")

const untilInstance = (what: string, test: (instance: ZoneInstance.ZoneInstance) => boolean) =>
  h.until(`the ZoneInstance to be ${what}`, Effect.map(FakeApi.FakeApi, (api) => {
    const found = api.get(kind, ref)
    return found !== undefined && test(found) ? found : undefined
  }))

const conditionOf = ({ status }: ZoneInstance.ZoneInstance, type: string) => {
  const found = status?.conditions?.find((condition) => condition.type === type)
  return found === undefined ? undefined : `${found.status}/${found.reason}`
}

/** What was told of a reason so far, each time once; all of it about the pod. */
const told = (...reasons: ReadonlyArray<string>) =>
  Effect.map(FakeApi.FakeApi, (api) =>
    api.list<CoreV1.Event>(Kinds.event, "default")
      .filter(({ involvedObject, reason = "" }) => involvedObject.kind === "Pod" && involvedObject.name === "web" && reasons.includes(reason))
      .flatMap(({ count = 1, message, reason, type }) => Array.from({ length: count }, () => `${type} ${reason}: ${message}`)))

const untilTold = (count: number, ...reasons: ReadonlyArray<string>) =>
  h.until(`${count} events ${reasons.join(", ")}`, Effect.map(told(...reasons), (all) => all.length >= count ? all.toSorted() : undefined))

describe("events of the plans of a pod", () => {
  it.live("PhaseTransition tells of each phase, from none to the end", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.agent(folders)
        yield* h.createPod(h.draft("web", [{ name: "c", command: forever }]))
        yield* h.untilPod("web", "ready", h.isReady)
        yield* Effect.flatMap(ApiClient.ApiClient, (client) => client.delete(Kinds.pod, ref, { gracePeriodSeconds: 1 }))
        yield* h.until("it to be gone", Effect.map(FakeApi.FakeApi, (api) => api.get(Kinds.pod, ref) === undefined ? true : undefined))
        assert.deepStrictEqual(yield* untilTold(3, "PhaseTransition"), [
          "Normal PhaseTransition: phase Initializing -> Running",
          "Normal PhaseTransition: phase Running -> Terminating",
          "Normal PhaseTransition: phase none -> Initializing"
        ])
      })), 60_000)

  it.live("PlanSuperseded tells of a plan that makes way for something else", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const client = yield* ApiClient.ApiClient
        const host = yield* SimulatedHost.SimulatedHost
        yield* host.inject(Faults.failNext({ program: "zfs", match: "zones/default-web", times: 10_000, stderr: "cannot create dataset: out of space" }))
        yield* h.agent(folders)
        yield* h.createPod(h.draft("web", [{ name: "c", command: forever }]))
        const { status } = yield* untilInstance("held up", ({ status }) => status?.plan?.currentTask === "ensure-datasets")
        yield* client.patch(Kinds.pod, ref, { spec: { containers: [{ name: "c", image: "busybox:2", command: forever }] } }, { type: "merge" })
        const other = yield* untilInstance("given another plan", (instance) => instance.status?.plan !== undefined && instance.status.plan.id !== status?.plan?.id)
        assert.deepStrictEqual([other.status?.lastPlan?.id, other.status?.lastPlan?.outcome], [status?.plan?.id, "Superseded"])
        assert.deepStrictEqual(yield* untilTold(1, "PlanSuperseded"), ["Normal PlanSuperseded: plan init makes way: something else is wanted"])
        yield* host.clearFaults
        yield* h.untilPod("web", "ready", h.isReady)
        assert.strictEqual((yield* told("PlanSuperseded")).length, 1)
      })), 60_000)

  it.live("GateLost and GateRestored tell of a gate that is closed and open; not knowing is neither", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const host = yield* SimulatedHost.SimulatedHost
        yield* h.agent(folders, { gateProbeInterval: "300 millis" })
        const draft = h.draft("web", [{ name: "c", command: forever }], { readinessGates: [{ conditionType: "reddwarf.io/GatesOpen" }] })
        const gates = [{
          name: "open",
          probe: { exec: { container: "c", command: ["sh", "-c", "test -e broken && exit 2; test -e open"] } },
          approve: { exec: { container: "c", command: ["true"] } },
          approval: "Manual"
        }]
        const pod = yield* h.createPod({ ...draft, metadata: { ...draft.metadata, annotations: { "reddwarf.io/gates": JSON.stringify(gates) } } })
        const drop = (file: string) =>
          Effect.gen(function*() {
            const { zone } = PodSandbox.namesOf(PodSandbox.identityOf(pod))
            const zonepath = (yield* host.state).zones.find(({ name }) => name === zone)?.configuration.properties["zonepath"] ?? ""
            rmSync(join(host.realPath(zonepath), "root", file))
          })
        const untilGate = (shown: string) => untilInstance(`${shown} at its gate`, (instance) => conditionOf(instance, "Gate.open") === shown)
        yield* untilGate("False/NotReady")
        yield* h.touchInZone(pod, "open")
        yield* untilGate("True/Ready")
        yield* drop("open")
        yield* untilGate("False/NotReady")
        yield* h.touchInZone(pod, "broken")
        yield* untilGate("Unknown/Unreachable")
        yield* drop("broken")
        yield* untilGate("False/NotReady")
        yield* h.touchInZone(pod, "broken")
        yield* untilGate("Unknown/Unreachable")
        yield* h.touchInZone(pod, "open")
        yield* drop("broken")
        yield* untilGate("True/Ready")
        yield* h.untilPod("web", "ready", h.isReady)
        assert.deepStrictEqual(yield* untilTold(4, "GateLost", "GateRestored"), [
          "Normal GateRestored: gate open is open again",
          "Normal GateRestored: gate open is open again",
          "Warning GateLost: gate open is closed",
          "Warning GateLost: gate open is closed"
        ])
        assert.deepStrictEqual(yield* told("SidecarReadinessLost", "SidecarReadinessRestored"), [])
      })), 60_000)

  it.live("GateConfigInvalid is a condition that says what is wrong, and keeps the pod from being ready", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const client = yield* ApiClient.ApiClient
        yield* h.agent(folders)
        const draft = h.draft("web", [{ name: "c", command: forever }])
        yield* h.createPod({ ...draft, metadata: { ...draft.metadata, annotations: { "reddwarf.io/gates": "[{" } } })
        const instance = yield* untilInstance("found invalid", (instance) => instance.status?.phase === "Running" && conditionOf(instance, "GateConfigInvalid") === "True/Invalid")
        const message = instance.status?.conditions?.find(({ type }) => type === "GateConfigInvalid")?.message ?? ""
        assert.include(message, "reddwarf.io/gates")
        assert.strictEqual(conditionOf(instance, "GatesOpen"), "False/GateClosed")
        const pod = yield* h.untilPod("web", "held up by it", (pod) => PodPhase.condition(pod, "reddwarf.io/GatesOpen")?.reason === "GateConfigInvalid")
        assert.strictEqual(PodPhase.condition(pod, "reddwarf.io/GatesOpen")?.message, message)
        assert.isFalse(h.isReady(pod))
        yield* client.patch(Kinds.pod, ref, { metadata: { annotations: { "reddwarf.io/gates": null } } }, { type: "merge" })
        yield* untilInstance("found valid", (instance) => conditionOf(instance, "GateConfigInvalid") === "False/Valid")
        yield* h.untilPod("web", "ready", h.isReady)
      })), 60_000)
})
