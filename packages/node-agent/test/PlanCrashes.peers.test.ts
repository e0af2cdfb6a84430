import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { SimulatedHost } from "@reddwarf/illumos-sim"
import { RegistryClient } from "@reddwarf/images"
import { ZoneInstanceKind } from "@reddwarf/node-agent"
import { Plan } from "@reddwarf/plans"
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
import { type Images, podCompanions, type Scenario, scenarios, untilGone } from "./support/planScenarios.js"

/**
 * Every place of every type of plan comes from the planner's own table: before and after each task, at the beginning and the end. `pnpm
 * kill-matrix` runs it whole: places met by one pod, then dealt out to several, and every task struck; else it is one of the two, and only
 * tasks that must not be cut off are struck.
 */
const whole = process.env["REDDWARF_KILL_MATRIX"] === "whole"

/** So many plans may take a workload away at the same time; one that stops in the middle keeps its place. */
const mostAtOnce = 4

const kind = ZoneInstanceKind.zoneInstance
const ref = (name: string) => ({ namespace: "default", name })
const api = FakeApi.layer({ kinds: [...Kinds.all, kind] })
const quiet = Logger.withMinimumLogLevel(LogLevel.None)

type Body<R, E> = (folders: h.Directories, crashes: crash.Crashes, images: Images) => Effect.Effect<void, E, h.World | R | Scope.Scope>

const onNode = <E>(body: Body<never, E>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    const all = Effect.gen(function*() {
      yield* h.emptyAtEnd
      yield* h.supervisorFiber(folders)
      yield* body(folders, yield* crash.make(folders), { first: "busybox:1", second: "busybox:2", bad: "busybox:bad" })
    })
    yield* all.pipe(Effect.scoped, Effect.provide(h.hostLayer(folders)))
  }).pipe(Effect.provide(api), Effect.scoped, quiet)

const program = (script: string) => ({ entrypoint: ["/bin/sh", "-c", script], env: ["PATH=/bin"], workingDir: "/" })

const withImages = <E>(body: Body<RegistryClient.RegistryClient, E>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    const host = yield* registry
    const all = Effect.gen(function*() {
      yield* h.emptyAtEnd
      yield* h.supervisorFiber(folders)
      const images = { first: `${host}/team/app:1`, second: `${host}/team/app:2`, bad: `${host}/team/app:bad` }
      const forever = "cat version; while :; do sleep 1; done"
      yield* pushBusybox(images.first, program(forever), { texts: { version: "1\n" } })
      yield* pushBusybox(images.second, program(forever), { texts: { version: "2\n" } })
      yield* pushBusybox(images.bad, program("exit 1"), { texts: { version: "bad\n" } })
      yield* body(folders, yield* crash.make(folders), images)
    })
    const services = imagesLayer(folders).pipe(Layer.provideMerge(Layer.merge(h.hostLayer(folders), RegistryClient.layer())))
    yield* all.pipe(Effect.scoped, Effect.provide(services))
  }).pipe(Effect.provide(api), Effect.scoped, quiet)

const instanceOf = (name: string) => Effect.map(FakeApi.FakeApi, (api) => api.get(kind, ref(name)))

/** Waits until the last plan of each pod is a complete one of this type, and nothing is under way. */
const untilPlanned = (pods: ReadonlyArray<CoreV1.Pod>, type: string) =>
  Effect.gen(function*() {
    let last: ReadonlyArray<Effect.Effect.Success<ReturnType<typeof instanceOf>>> = []
    return yield* h.until(
      `plans ${type} of all pods to be complete`,
      Effect.map(Effect.forEach(pods, ({ metadata: { name = "" } }) => instanceOf(name)), (found) => {
        last = found.filter((one) => !(one?.status?.lastPlan?.type === type && one.status.lastPlan.outcome === "Complete" && one.status.plan === undefined))
        return last.length === 0 ? true : undefined
      }),
      60
    ).pipe(Effect.mapError(({ seconds, what }) => new h.WaitedInVain({ what, seconds, last: JSON.stringify(last.map((one) => [one?.metadata.name, one?.spec, one?.status])) })))
  })

/** How often zones of this host were booted: each boot gives a new id. */
const boots = Effect.flatMap(SimulatedHost.SimulatedHost, (host) => Effect.map(host.state, ({ nextZoneId }) => nextZoneId - 1))

const untilReady = (pods: ReadonlyArray<CoreV1.Pod>, restarts: number) =>
  Effect.forEach(pods, ({ metadata: { name = "" } }) =>
    h.untilPod(name, `ready with ${restarts} restarts`, (pod) => h.isReady(pod) && h.container(pod, "c")?.restartCount === restarts, 30))

const deletePods = (pods: ReadonlyArray<CoreV1.Pod>) =>
  Effect.flatMap(ApiClient.ApiClient, (client) =>
    Effect.forEach(pods, ({ metadata: { name = "" } }) => client.delete(Kinds.pod, ref(name), { gracePeriodSeconds: 1 }), { discard: true }))

const nothingLeft = (folders: h.Directories) =>
  Effect.gen(function*() {
    yield* untilGone
    yield* h.until("the records to be gone", Effect.sync(() => {
      const ledger = join(folders.dataDir, "ledger/pods")
      return !existsSync(ledger) || readdirSync(ledger).length === 0 ? true : undefined
    }))
    assert.deepStrictEqual(yield* h.leftovers(folders), h.nothing)
  })

const uidOf = ({ metadata: { uid = "" } }: CoreV1.Pod) => uid

/** Deals the places out to the pods; the last pod has some as defects that the same agent survives. */
const deal = (crashes: crash.Crashes, type: Plan.PlanType, pods: ReadonlyArray<CoreV1.Pod>) =>
  Effect.sync(() => {
    const places = crash.placesOf(type)
    const [last, ...others] = pods.toReversed()
    for (const [index, pod] of others.entries()) crashes.at.set(uidOf(pod), places.filter((_, place) => place % others.length === index))
    if (last !== undefined) crashes.at.set(uidOf(last), crash.strikesOf(type, whole).map((place) => ({ ...place, dies: true })))
  })

/** Runs a scenario with so many pods that meet the end of their agent, and one that is struck and goes on. */
const play = (type: Plan.PlanType, scenario: Scenario, struckPods: number) =>
  (folders: h.Directories, crashes: crash.Crashes, images: Images) =>
    Effect.gen(function*() {
      yield* scenario.before ?? Effect.void
      const changes = scenario.companions === true ? { podCompanions, resyncInterval: "500 millis" } as const : {}
      const pods = yield* Effect.forEach(Array.from({ length: struckPods + 1 }, (_, at) => `p${at}`), (name) => {
        const draft = h.draft(name, [{ name: "c", ...scenario.container(images) }])
        return h.createPod({ ...draft, metadata: { ...draft.metadata, annotations: { ...scenario.annotations } } })
      })
      let first: Effect.Effect.Success<ReturnType<typeof crash.life>> | undefined
      let running: ReadonlyArray<CoreV1.Pod> = pods
      if (scenario.trigger !== undefined) {
        first = yield* crash.life(folders, crashes, changes)
        yield* untilPlanned(pods, "init")
        running = yield* untilReady(pods, 0)
        if (scenario.settled !== undefined) yield* scenario.settled(running)
      }
      const before = yield* boots
      yield* deal(crashes, type, pods)
      if (scenario.trigger !== undefined) yield* scenario.trigger(running, images)
      yield* crash.lives(folders, crashes, first, changes)
      yield* scenario.ends === true ? untilGone : untilPlanned(pods, type)
      assert.deepStrictEqual(crashes.left(), [], "places that no plan came to")
      if (scenario.restarts !== undefined) yield* untilReady(pods, scenario.restarts)
      assert.strictEqual((yield* boots) - before, pods.length * scenario.boots, "boots")
      if (scenario.check !== undefined) yield* scenario.check(folders, running, images)
      if (scenario.ends !== true) yield* deletePods(pods)
      yield* nothingLeft(folders)
    })

describe("an agent that ends at any place of a plan", () => {
  for (const type of Plan.PlanType.literals) {
    const scenario = scenarios[type]
    for (const struckPods of whole ? [1, mostAtOnce] : [scenario.dealtTo ?? mostAtOnce]) {
      const body = play(type, scenario, struckPods)
      const name = `${scenario.says} (${type}, ${struckPods + 1} pods)`
      if (scenario.needsImages === true) {
        it.live.skipIf(missing)(`${name} (skipped unless run as root with REDDWARF_PEERS naming a folder with bin/docker-registry and bin/busybox)`, () => withImages(body), 600_000)
      } else it.live(name, () => onNode(body), 600_000)
    }
  }
})
