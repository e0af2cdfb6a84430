import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { SimulatedHost } from "@reddwarf/illumos-sim"
import { ZoneInstanceKind } from "@reddwarf/node-agent"
import type { ZoneInstance } from "@reddwarf/plans"
import { ZoneName, ZoneRuntime } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type * as Scope from "effect/Scope"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import * as h from "./support/harness.js"

const kind = ZoneInstanceKind.zoneInstance
const served = FakeApi.layer({ kinds: [...Kinds.all, kind] })
const ref = (name: string) => ({ namespace: "default", name })

const withNode = <E>(body: (folders: h.Directories) => Effect.Effect<void, E, h.World | Scope.Scope>, api = served) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    yield* Effect.zipRight(h.emptyAtEnd, Effect.zipRight(h.supervisorFiber(folders), body(folders))).pipe(Effect.scoped, Effect.provide(h.hostLayer(folders)))
  }).pipe(Effect.provide(api), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Error))

const forever = h.sh("while :; do sleep 1; done")

const instance = (name: string) => Effect.map(FakeApi.FakeApi, (api) => api.get(kind, ref(name)))

const untilInstance = (name: string, what: string, test: (instance: ZoneInstance.ZoneInstance) => boolean, seconds = 20) =>
  Effect.gen(function*() {
    let last: ZoneInstance.ZoneInstance | undefined
    return yield* h.until(
      `ZoneInstance ${name} to be ${what}`,
      Effect.map(instance(name), (found) => {
        last = found
        return found !== undefined && test(found) ? found : undefined
      }),
      seconds
    ).pipe(Effect.mapError(({ seconds, what }) => new h.WaitedInVain({ what, seconds, last: JSON.stringify(last) })))
  })

const zoneOf = Effect.gen(function*() {
  const [zone] = (yield* (yield* SimulatedHost.SimulatedHost).state).zones
  return zone === undefined ? yield* Effect.dieMessage("there is no zone") : ZoneName.make(zone.name)
})

const isDone = (type: string) => ({ status }: ZoneInstance.ZoneInstance) => status?.lastPlan?.type === type && status.plan === undefined

const events = (reason: string) =>
  Effect.map(FakeApi.FakeApi, (api) => api.list<CoreV1.Event>(Kinds.event, "default").filter((event) => event.reason === reason))

describe("plans of pods", () => {
  it.live("bring a pod up and are shown; nothing is left of them when it is gone", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.agent(folders)
        const client = yield* ApiClient.ApiClient
        yield* h.createPod(h.draft("web", [{ name: "c", command: forever }]))
        const pod = yield* h.untilPod("web", "ready", h.isReady)
        const shown = yield* untilInstance("web", "brought up", isDone("init"))
        const { metadata, spec, status } = shown
        assert.deepStrictEqual([spec.podUID, spec.nodeName, metadata.ownerReferences?.[0]?.uid], [pod.metadata.uid, h.nodeName, pod.metadata.uid])
        assert.deepStrictEqual([status?.phase, status?.lastPlan?.outcome, status?.current?.specHash], ["Running", "Complete", spec.specHash])
        assert.deepStrictEqual(status?.lastPlan?.tasks.map(({ type }) => type), [
          "resolve-image", "pull-image", "ensure-datasets", "ensure-network", "write-zonecfg", "install-zone", "boot-zone", "wait-init", "open-gates"
        ])
        assert.isTrue(status?.lastPlan?.tasks.every(({ retryCount, status }) => status === "Complete" && retryCount === 0))
        // A pod that simply starts is not told of more than it was before there were plans.
        assert.isUndefined((yield* h.getPod("web"))?.status?.conditions?.find(({ type }) => type.startsWith("reddwarf.io/")))
        yield* client.delete(Kinds.pod, ref("web"), { gracePeriodSeconds: 1 })
        yield* h.until("everything to be gone", Effect.map(Effect.all([h.getPod("web"), instance("web")]), (found) => found.every((one) => one === undefined) ? true : undefined))
        yield* h.until("its records to be gone", Effect.sync(() => {
          const ledger = join(folders.dataDir, "ledger/pods")
          return !existsSync(ledger) || readdirSync(ledger).length === 0 ? true : undefined
        }))
        assert.deepStrictEqual(yield* h.leftovers(folders), h.nothing)
      })), 60_000)

  it.live("boot a zone again that was halted, once, and say so", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.agent(folders)
        yield* h.createPod(h.draft("web", [{ name: "c", command: forever }]))
        yield* h.untilPod("web", "ready", h.isReady)
        yield* untilInstance("web", "brought up", isDone("init"))
        const zones = yield* ZoneRuntime.ZoneRuntime
        yield* zones.halt(yield* zoneOf)
        const shown = yield* untilInstance("web", "restarted", isDone("restart"))
        assert.deepStrictEqual(shown.status?.planHistory?.map(({ outcome, type }) => [type, outcome]), [["restart", "Complete"], ["init", "Complete"]])
        yield* h.untilPod("web", "ready again", h.isReady)
        assert.strictEqual((yield* events("PlanCompleted")).length, 1)
      })), 60_000)

  it.live("wait while the instance is paused, and not when its power is off", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.agent(folders)
        const client = yield* ApiClient.ApiClient
        yield* h.createPod(h.draft("web", [{ name: "c", command: forever }]))
        yield* untilInstance("web", "brought up", isDone("init"))
        yield* client.patch(kind, ref("web"), { spec: { paused: true } }, { type: "merge" })
        yield* untilInstance("web", "told to be paused", ({ spec }) => spec.paused === true)
        const zone = yield* zoneOf
        const zones = yield* ZoneRuntime.ZoneRuntime
        yield* zones.halt(zone)
        yield* untilInstance("web", "blocked", ({ status }) =>
          status?.conditions?.some(({ reason, status, type }) => type === "PlanBlocked" && status === "True" && reason === "Paused") === true)
        assert.strictEqual((yield* zones.list)[0]?.state, "installed")
        yield* client.patch(kind, ref("web"), { spec: { paused: null } }, { type: "merge" })
        yield* untilInstance("web", "restarted", isDone("restart"))
        yield* client.patch(kind, ref("web"), { spec: { powerState: "Stopped" } }, { type: "merge" })
        yield* untilInstance("web", "stopped", isDone("stop"))
        assert.strictEqual((yield* zones.list)[0]?.state, "installed")
        yield* client.patch(kind, ref("web"), { spec: { powerState: "Running" } }, { type: "merge" })
        yield* untilInstance("web", "started", isDone("restart"))
        assert.strictEqual((yield* zones.list)[0]?.state, "running")
        yield* h.untilPod("web", "ready again", h.isReady)
      })), 90_000)

  it.live("change bounds of a running zone", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.agent(folders)
        const client = yield* ApiClient.ApiClient
        const amounts = (cpu: string) => ({ requests: { cpu, memory: "64Mi" }, limits: { cpu, memory: "64Mi" } })
        yield* h.createPod(h.draft("web", [{ name: "c", command: forever, resources: amounts("500m") }]))
        yield* h.untilPod("web", "ready", h.isReady)
        const pid = (yield* h.podState(folders, yield* h.untilPod("web", "ready", h.isReady)))?.containers[0]?.pid
        const pod = yield* client.get(Kinds.pod, ref("web"))
        const containers = pod.spec?.containers.map((container) => ({ ...container, resources: amounts("250m") })) ?? []
        yield* client.patch(Kinds.pod, ref("web"), { spec: { containers } }, { type: "merge", subresource: "resize" })
        const shown = yield* untilInstance("web", "changed", isDone("caps-update"))
        assert.strictEqual(shown.status?.current?.caps?.["cpuCap"], 25)
        const after = yield* h.untilPod("web", "resized", (pod) => h.container(pod, "c")?.resources?.limits?.["cpu"] === "250m")
        assert.strictEqual((yield* h.podState(folders, after))?.containers[0]?.pid, pid)
      })), 60_000)

  it.live("go on where an agent ended, and are kept where the API does not know them", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const first = yield* h.agent(folders)
        yield* h.createPod(h.draft("web", [{ name: "c", command: forever }]))
        const before = yield* h.untilPod("web", "ready", h.isReady)
        yield* first.stop
        yield* h.agent(folders)
        const zones = yield* ZoneRuntime.ZoneRuntime
        const zone = yield* zoneOf
        yield* zones.halt(zone)
        yield* h.until("the zone to run again", Effect.map(zones.list, ([zone]) => zone?.state === "running" ? true : undefined), 20)
        const after = yield* h.untilPod("web", "ready again", h.isReady)
        assert.strictEqual(after.status?.podIP, before.status?.podIP)
        assert.isNotEmpty(readdirSync(join(folders.dataDir, "ledger/pods")))
      }), FakeApi.layer()), 60_000)
})
