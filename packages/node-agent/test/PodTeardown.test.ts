import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { Faults, SimulatedHost } from "@reddwarf/illumos-sim"
import { WantedInstance, ZoneInstanceKind } from "@reddwarf/node-agent"
import { PlanLedger, type ZoneInstance } from "@reddwarf/plans"
import { ZoneRuntime } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type * as Scope from "effect/Scope"
import { existsSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import * as h from "./support/harness.js"

const kind = ZoneInstanceKind.zoneInstance
const ref = (name: string) => ({ namespace: "default", name })

const withNode = <E>(body: (folders: h.Directories) => Effect.Effect<void, E, h.World | Scope.Scope>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    yield* Effect.zipRight(h.emptyAtEnd, Effect.zipRight(h.supervisorFiber(folders), body(folders))).pipe(Effect.scoped, Effect.provide(h.hostLayer(folders)))
  }).pipe(Effect.provide(FakeApi.layer({ kinds: [...Kinds.all, kind] })), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.None))

const remove = (name: string, gracePeriodSeconds: number) =>
  Effect.flatMap(ApiClient.ApiClient, (client) => client.delete(Kinds.pod, ref(name), { gracePeriodSeconds }))

const untilInstance = (name: string, what: string, test: (instance: ZoneInstance.ZoneInstance) => boolean) =>
  h.until(`ZoneInstance ${name} to be ${what}`, Effect.map(FakeApi.FakeApi, (api) => {
    const found = api.get(kind, ref(name))
    return found !== undefined && test(found) ? found : undefined
  }))

const untilGone = (folders: h.Directories, name: string) =>
  Effect.gen(function*() {
    yield* h.until("pod and instance to be gone", Effect.map(FakeApi.FakeApi, (api) => api.get(Kinds.pod, ref(name)) === undefined && api.get(kind, ref(name)) === undefined ? true : undefined))
    const ledger = join(folders.dataDir, "ledger/pods")
    yield* h.until("its records to be gone", Effect.sync(() => !existsSync(ledger) || readdirSync(ledger).length === 0 ? true : undefined))
    // A pod that was over is out of the API at once; what is left of it here goes after that.
    yield* h.until("nothing to be left", Effect.map(h.leftovers(folders), (left) => isDeepStrictEqual(left, h.nothing) ? true : undefined))
  })

const zoneCount = Effect.flatMap(ZoneRuntime.ZoneRuntime, ({ list }) => Effect.map(list, ({ length }) => length))
const events = (reason: string) =>
  Effect.map(FakeApi.FakeApi, (api) => api.list<CoreV1.Event>(Kinds.event, "default").filter((event) => event.reason === reason))

describe("the end of a pod", () => {
  it.live("is shown as a plan from its first step on, and another agent goes on with it", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const first = yield* h.agent(folders)
        const go = join(folders.root, "go")
        yield* h.createPod(h.draft("web", [{ name: "c", command: h.sh(`trap 'until [ -e ${go} ]; do sleep 0.1; done; exit 3' TERM; while :; do sleep 0.1; done`) }]))
        yield* h.untilPod("web", "ready", h.isReady)
        yield* remove("web", 25)
        const { status } = yield* untilInstance("web", "on its way down", ({ status }) => status?.plan?.type === "teardown")
        assert.deepStrictEqual([status?.phase, status?.plan?.currentTask], ["Terminating", "pre-stop"])
        assert.deepStrictEqual(status?.plan?.tasks.map(({ type }) => type), [
          "pre-stop", "halt-zone", "uninstall-zone", "delete-zonecfg", "remove-network", "destroy-datasets"
        ])
        const { id } = status?.plan ?? {}
        yield* first.stop
        yield* h.agent(folders)
        assert.strictEqual((yield* untilInstance("web", "on its way down", ({ status }) => status?.plan !== undefined)).status?.plan?.id, id)
        assert.strictEqual(yield* zoneCount, 1)
        writeFileSync(go, "")
        yield* untilGone(folders, "web")
        assert.isNotEmpty(yield* events("PlanCompleted"))
      })), 60_000)

  it.live("does what it can past what fails, says what that is, and ends when it can be done", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const host = yield* SimulatedHost.SimulatedHost
        yield* h.agent(folders)
        yield* h.createPod(h.draft("web", [{ name: "c", command: h.sh("while :; do sleep 1; done") }]))
        yield* h.untilPod("web", "ready", h.isReady)
        yield* host.inject(Faults.failNext({ program: "dladm", match: "delete-vnic", times: 5, stderr: "dladm: vnic deletion failed: operation not supported" }))
        yield* remove("web", 1)
        const { status } = yield* untilInstance("web", "past the links", ({ status }) =>
          status?.plan?.tasks.some(({ status, type }) => type === "destroy-datasets" && status === "Complete") === true)
        assert.include(status?.plan?.tasks.find(({ type }) => type === "remove-network")?.error ?? "", "operation not supported")
        const [event] = yield* h.until("the event", Effect.map(events("FailedKillPod"), (found) => found.length > 0 ? found : undefined))
        assert.include(event?.message ?? "", "operation not supported")
        yield* untilGone(folders, "web")
      })), 60_000)

  it.live("does not wait for the API, which hears of it when it answers", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const api = yield* FakeApi.FakeApi
        yield* h.agent(folders)
        const go = join(folders.root, "go")
        yield* h.createPod(h.draft("web", [{ name: "c", command: h.sh(`trap 'until [ -e ${go} ]; do sleep 0.1; done; exit 3' TERM; while :; do sleep 0.1; done`) }]))
        yield* h.untilPod("web", "ready", h.isReady)
        yield* remove("web", 25)
        yield* untilInstance("web", "on its way down", ({ status }) => status?.plan?.type === "teardown")
        api.injectFaults(() => ({ type: "fail" }))
        writeFileSync(go, "")
        yield* h.until("the zone to be gone", Effect.map(zoneCount, (count) => count === 0 ? true : undefined))
        yield* h.until("all of it to be gone", Effect.map(h.leftovers(folders), ({ datasets, leases, links }) => datasets.length + leases.length + links.length === 0 ? true : undefined))
        assert.isDefined(api.get(Kinds.pod, ref("web")))
        api.injectFaults(() => undefined)
        yield* untilGone(folders, "web")
      })), 60_000)

  it.live("gives the host back when its containers have ended, and needs no plan for the rest", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.agent(folders)
        yield* h.createPod(h.draft("job", [{ name: "c", command: h.sh("exit 0") }], { restartPolicy: "Never" }))
        yield* h.untilPod("job", "over", ({ status }) => status?.phase === "Succeeded")
        yield* h.until("the zone to be gone", Effect.map(zoneCount, (count) => count === 0 ? true : undefined))
        yield* h.until("its instance to be gone", Effect.map(FakeApi.FakeApi, (api) => api.get(kind, ref("job")) === undefined ? true : undefined))
        const before = (yield* events("PlanCreated")).length
        yield* remove("job", 1)
        yield* untilGone(folders, "job")
        assert.strictEqual((yield* events("PlanCreated")).length, before)
      })), 60_000)

  it.live("is found to be over when only its record is left, and the record goes as well", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const folder = join(folders.dataDir, "ledger/pods")
        const gone = WantedInstance.bare({ namespace: "default", name: "gone", uid: "7d2f7c56-93a1-4b0e-8f0b-1d5a0c3e2b11" }, h.nodeName)
        const ended = { ...gone, metadata: { ...gone.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } }
        yield* Effect.flatMap(PlanLedger.PlanLedger, (ledger) => ledger.save(ended)).pipe(Effect.provide(PlanLedger.layer({ folder })))
        assert.isNotEmpty(readdirSync(folder))
        yield* h.agent(folders)
        yield* h.until("the record to be gone", Effect.sync(() => readdirSync(folder).length === 0 ? true : undefined))
      })), 60_000)
})
