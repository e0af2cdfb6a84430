import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { SimulatedHost } from "@reddwarf/illumos-sim"
import { RegistryClient } from "@reddwarf/images"
import { PodSandbox, ZoneInstanceKind } from "@reddwarf/node-agent"
import type { ZoneInstance } from "@reddwarf/plans"
import { ZoneName, ZoneRuntime } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type * as Scope from "effect/Scope"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import * as crash from "./support/crashes.js"
import * as h from "./support/harness.js"
import { imagesLayer, missing, pushBusybox, registry } from "./support/imageRegistry.js"

const kind = ZoneInstanceKind.zoneInstance
const forever = h.sh("while :; do sleep 1; done")
const ref = (name: string) => ({ namespace: "default", name })
const api = FakeApi.layer({ kinds: [...Kinds.all, kind] })
const quiet = Logger.withMinimumLogLevel(LogLevel.None)

const onNode = <E>(body: (folders: h.Directories, crashes: crash.Crashes) => Effect.Effect<void, E, h.World | Scope.Scope>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    const whole = Effect.gen(function*() {
      yield* h.emptyAtEnd
      yield* h.supervisorFiber(folders)
      yield* body(folders, yield* crash.make(folders))
    })
    yield* whole.pipe(Effect.scoped, Effect.provide(h.hostLayer(folders)))
  }).pipe(Effect.provide(api), Effect.scoped, quiet)

const withImages = <E>(
  body: (folders: h.Directories, crashes: crash.Crashes, host: string) => Effect.Effect<void, E, h.World | RegistryClient.RegistryClient | Scope.Scope>
) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    const host = yield* registry
    const whole = Effect.gen(function*() {
      yield* h.emptyAtEnd
      yield* h.supervisorFiber(folders)
      yield* body(folders, yield* crash.make(folders), host)
    })
    const services = imagesLayer(folders).pipe(Layer.provideMerge(Layer.merge(h.hostLayer(folders), RegistryClient.layer())))
    yield* whole.pipe(Effect.scoped, Effect.provide(services))
  }).pipe(Effect.provide(api), Effect.scoped, quiet)

const program = { entrypoint: ["/bin/sh", "-c", "cat version; while :; do sleep 1; done"], env: ["PATH=/bin"], workingDir: "/" }

const instanceOf = (name: string) => Effect.map(FakeApi.FakeApi, (api) => api.get(kind, ref(name)))

/** Waits until the last plan of each pod is a complete one of this type, and nothing is under way. */
const untilPlanned = (pods: ReadonlyArray<CoreV1.Pod>, type: string) =>
  Effect.gen(function*() {
    let last: ReadonlyArray<ZoneInstance.ZoneInstance | undefined> = []
    return yield* h.until(
      `plans ${type} of all pods to be complete`,
      Effect.map(Effect.forEach(pods, ({ metadata: { name = "" } }) => instanceOf(name)), (found) => {
        last = found.filter((one) => !(one?.status?.lastPlan?.type === type && one.status.lastPlan.outcome === "Complete" && one.status.plan === undefined))
        return last.length === 0 ? true : undefined
      }),
      30
    ).pipe(Effect.mapError(({ seconds, what }) => new h.WaitedInVain({ what, seconds, last: JSON.stringify(last.map((one) => [one?.metadata.name, one?.spec, one?.status])) })))
  })

/** How often zones of this host were booted: each boot gives a new id. */
const boots = Effect.flatMap(SimulatedHost.SimulatedHost, (host) => Effect.map(host.state, ({ nextZoneId }) => nextZoneId - 1))

const untilReady = (pods: ReadonlyArray<CoreV1.Pod>, restarts: number) =>
  Effect.forEach(pods, ({ metadata: { name = "" } }) =>
    h.untilPod(name, `ready with ${restarts} restarts`, (pod) => h.isReady(pod) && h.container(pod, "c")?.restartCount === restarts, 20))

const deleteAll = (folders: h.Directories, pods: ReadonlyArray<CoreV1.Pod>) =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    yield* Effect.forEach(pods, ({ metadata: { name = "" } }) => client.delete(Kinds.pod, ref(name), { gracePeriodSeconds: 1 }), { discard: true })
    yield* h.until(
      "everything to be gone",
      Effect.map(FakeApi.FakeApi, (api) => api.list(Kinds.pod, "default").length + api.list(kind, "default").length === 0 ? true : undefined),
      30
    )
    yield* h.until("the records to be gone", Effect.sync(() => {
      const ledger = join(folders.dataDir, "ledger/pods")
      return !existsSync(ledger) || readdirSync(ledger).length === 0 ? true : undefined
    }))
    assert.deepStrictEqual(yield* h.leftovers(folders), h.nothing)
  })

const uidOf = ({ metadata: { uid = "" } }: CoreV1.Pod) => uid

/** One pod for each, in the order of the names. */
const createPods = (count: number, container: Partial<CoreV1.Container> = { command: forever }) =>
  Effect.forEach(Array.from({ length: count }, (_, at) => `p${at}`), (name) => h.createPod(h.draft(name, [{ name: "c", ...container }])))

/** Gives the places to the pods by turns; the last pod has them as defects that the same agent survives. */
const spread = (crashes: crash.Crashes, pods: ReadonlyArray<CoreV1.Pod>, places: ReadonlyArray<crash.Place>, struck: ReadonlyArray<string>) =>
  Effect.sync(() => {
    const [last, ...others] = pods.toReversed()
    for (const [index, pod] of others.entries()) crashes.at.set(uidOf(pod), places.filter((_, place) => place % others.length === index))
    if (last !== undefined) crashes.at.set(uidOf(last), crash.places(...struck).map((place) => ({ ...place, dies: true })))
  })

describe("an agent that ends at any place of a plan", () => {
  it.live("brings pods up: each zone is booted once", () =>
    onNode((folders, crashes) =>
      Effect.gen(function*() {
        const places = crash.places("intent", "pull-image", "ensure-datasets", "ensure-network", "write-zonecfg", "install-zone", "boot-zone", "open-gates", "end")
        const pods = yield* createPods(places.length + 1)
        yield* spread(crashes, pods, places, ["install-zone", "boot-zone", "end"])
        yield* crash.lives(folders, crashes)
        yield* untilPlanned(pods, "init")
        assert.deepStrictEqual(crashes.left(), [])
        yield* untilReady(pods, 0)
        assert.strictEqual(yield* boots, pods.length)
        yield* deleteAll(folders, pods)
      })), 60_000)

  it.live("boots zones again that were halted, each of them once", () =>
    onNode((folders, crashes) =>
      Effect.gen(function*() {
        const pods = yield* createPods(5)
        const first = yield* crash.life(folders, crashes)
        yield* untilPlanned(pods, "init")
        yield* untilReady(pods, 0)
        const before = yield* boots
        yield* spread(crashes, pods, crash.places("intent", "ensure-network", "boot-zone", "open-gates", "end"), ["boot-zone", "end"])
        const zones = yield* ZoneRuntime.ZoneRuntime
        yield* Effect.forEach(pods, (pod) => zones.halt(ZoneName.make(PodSandbox.namesOf(PodSandbox.identityOf(pod)).zone)), { concurrency: 5 })
        yield* crash.lives(folders, crashes, first)
        yield* untilPlanned(pods, "restart")
        assert.deepStrictEqual(crashes.left(), [])
        yield* untilReady(pods, 1)
        assert.strictEqual((yield* boots) - before, pods.length)
        yield* deleteAll(folders, pods)
      })), 60_000)

  it.live("gives running zones other bounds: nothing is booted or started anew", () =>
    onNode((folders, crashes) =>
      Effect.gen(function*() {
        const amounts = (cpu: string) => ({ requests: { cpu, memory: "16Mi" }, limits: { cpu, memory: "16Mi" } })
        const pods = yield* createPods(5, { command: forever, resources: amounts("20m") })
        const first = yield* crash.life(folders, crashes)
        yield* untilPlanned(pods, "init")
        yield* untilReady(pods, 0)
        const before = yield* boots
        yield* spread(crashes, pods, crash.places("intent", "set-caps-live", "persist-zonecfg", "end"), ["set-caps-live", "end"])
        const client = yield* ApiClient.ApiClient
        yield* Effect.forEach(pods, ({ metadata: { name = "" }, spec }) =>
          client.patch(
            Kinds.pod,
            ref(name),
            { spec: { containers: spec?.containers.map((container) => ({ ...container, resources: amounts("10m") })) } },
            { type: "merge", subresource: "resize" }
          ), { discard: true })
        yield* crash.lives(folders, crashes, first)
        yield* untilPlanned(pods, "caps-update")
        assert.deepStrictEqual(crashes.left(), [])
        yield* untilReady(pods, 0)
        yield* Effect.forEach(pods, ({ metadata: { name = "" } }) =>
          h.untilPod(name, "shown with its new bounds", (pod) => h.container(pod, "c")?.resources?.limits?.["cpu"] === "10m", 20))
        assert.strictEqual(yield* boots, before)
        yield* deleteAll(folders, pods)
      })), 60_000)

  it.live.skipIf(missing)("replaces images: each zone is booted once more, each container started once more (skipped unless run as root with REDDWARF_PEERS naming a folder with bin/docker-registry and bin/busybox)", () =>
    withImages((folders, crashes, host) =>
      Effect.gen(function*() {
        const [one, two] = [`${host}/team/app:1`, `${host}/team/app:2`]
        yield* pushBusybox(one, program, { texts: { version: "1\n" } })
        const digest = yield* pushBusybox(two, program, { texts: { version: "2\n" } })
        const pods = yield* createPods(5, { image: one })
        const first = yield* crash.life(folders, crashes)
        yield* untilPlanned(pods, "init")
        const ready = yield* untilReady(pods, 0)
        const before = yield* boots
        const places = crash.places(
          "intent", "pull-image", "snapshot-root", "stage-root", "pre-stop", "halt-zone", "swap-root", "ensure-network", "boot-zone", "open-gates", "soak", "commit", "end"
        )
        yield* spread(crashes, pods, places, ["stage-root", "swap-root", "boot-zone", "end"])
        const client = yield* ApiClient.ApiClient
        yield* Effect.forEach(pods, ({ metadata: { name = "" } }) =>
          Effect.zipRight(
            client.patch(kind, ref(name), { spec: { updatePolicy: { soakSeconds: 0, keepPrevious: 0 } } }, { type: "merge" }),
            client.patch(Kinds.pod, ref(name), { spec: { containers: [{ name: "c", image: two }] } }, { type: "merge" })
          ), { discard: true })
        yield* crash.lives(folders, crashes, first)
        yield* untilPlanned(pods, "image-update")
        assert.deepStrictEqual(crashes.left(), [])
        const after = yield* untilReady(pods, 1)
        assert.strictEqual((yield* boots) - before, pods.length)
        assert.deepStrictEqual(after.map((pod) => pod.status?.podIP), ready.map((pod) => pod.status?.podIP))
        for (const pod of after) {
          assert.strictEqual(h.container(pod, "c")?.imageID, `${host}/team/app@${digest}`)
          yield* h.until("its output", Effect.sync(() => h.logText(folders, pod, "c", 1) === "2\n" ? true : undefined))
        }
        yield* deleteAll(folders, pods)
      })), 120_000)
})
