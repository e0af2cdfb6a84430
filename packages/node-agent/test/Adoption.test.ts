import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { SimulatedHost } from "@reddwarf/illumos-sim"
import { NodeAgentOptions, NodeShutdown, PodSandbox } from "@reddwarf/node-agent"
import { ZoneName, ZoneRuntime } from "@reddwarf/runtime-illumos"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as h from "./support/harness.js"

const withNode = <E>(body: (folders: h.Directories) => Effect.Effect<void, E, h.World | Scope.Scope>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    yield* Effect.zipRight(h.emptyAtEnd, body(folders)).pipe(Effect.scoped, Effect.provide(h.hostLayer(folders)))
  }).pipe(Effect.provide(FakeApi.layer()), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Error))

const sleeps = h.sh("while :; do sleep 1; done")

/** Everything of the host that a command could have changed. */
const hostState = Effect.flatMap(SimulatedHost.SimulatedHost, (host) =>
  Effect.map(host.state, ({ datasets, interfaces, links, zones }) => JSON.stringify({
    links,
    interfaces,
    zones: zones.map(({ configuration, indexState, kernel, name }) => [name, indexState, kernel?.state, kernel?.boot, configuration]),
    // What is used changes by what containers write.
    datasets: datasets.map(({ name }) => name)
  })))

const zoneStates = Effect.flatMap(ZoneRuntime.ZoneRuntime, (zones) => Effect.map(zones.list, (list) => new Map(list.map(({ name, state }) => [String(name), state]))))

const conditions = Effect.map(FakeApi.FakeApi, (api) => api.get(Kinds.node, { name: h.nodeName })?.status?.conditions ?? [])
const untilCondition = (type: string, test: (message: string) => boolean = () => true) =>
  h.until(`condition ${type}`, Effect.map(conditions, (list) =>
    list.some((condition) => condition.type === type && condition.status === "True" && test(condition.message ?? "")) ? true : undefined))

const decodeBoot = Schema.decodeSync(Schema.parseJson(Schema.Struct({ body: Schema.parseJson(Schema.Struct({ bootId: Schema.String, clean: Schema.Boolean })) })))
const bootRecord = ({ dataDir }: h.Directories) => decodeBoot(readFileSync(join(dataDir, "ledger/boot"), "utf8")).body

const breakApi = Effect.map(FakeApi.FakeApi, (api) => api.injectFaults(() => ({ type: "fail" })))
const mendApi = Effect.map(FakeApi.FakeApi, (api) => api.injectFaults(() => undefined))

describe("adoption", () => {
  it.live("changes nothing on a host where everything is right", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        const first = yield* h.agent(folders)
        yield* h.createPod(h.draft("a", [{ name: "c", command: sleeps }]))
        yield* h.createPod(h.draft("b", [{ name: "c", command: sleeps }]))
        yield* h.untilPod("a", "ready", h.isReady)
        yield* h.untilPod("b", "ready", h.isReady)
        yield* first.stop
        const before = yield* hostState
        const api = yield* FakeApi.FakeApi
        const statuses = JSON.stringify(api.list<CoreV1.Pod>(Kinds.pod).map(({ metadata, status }) => [metadata.resourceVersion, status]))
        yield* h.agent(folders)
        yield* h.until("the node to be looked at", Effect.sync(() => existsSync(join(folders.dataDir, "ledger/boot")) && !bootRecord(folders).clean ? true : undefined))
        const requests = api.requests().length
        yield* h.until("time to pass with the agent at work", Effect.sync(() => api.requests().slice(requests).filter(({ path }) => path.includes("/leases/")).length >= 3 ? true : undefined))
        assert.strictEqual(yield* hostState, before)
        assert.strictEqual(JSON.stringify(api.list<CoreV1.Pod>(Kinds.pod).map(({ metadata, status }) => [metadata.resourceVersion, status])), statuses)
      })), 60_000)

  it.live("without any API keeps what runs, boots what was halted, removes and makes nothing; and shows all of it when the API is back", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const client = yield* ApiClient.ApiClient
        const zones = yield* ZoneRuntime.ZoneRuntime
        yield* h.supervisorFiber(folders)
        const first = yield* h.agent(folders)
        for (const name of ["runs", "halted", "deleted"]) yield* h.createPod(h.draft(name, [{ name: "c", command: sleeps }]))
        const names = new Map<string, ZoneName.ZoneName>()
        for (const name of ["runs", "halted", "deleted"]) {
          const pod = yield* h.untilPod(name, "ready", h.isReady)
          names.set(name, PodSandbox.namesOf(PodSandbox.identityOf(pod)).zone)
        }
        const zoneOf = (name: string) => names.get(name) ?? ZoneName.make("missing")
        yield* first.stop
        yield* zones.halt(zoneOf("halted"))
        yield* client.delete(Kinds.pod, { namespace: "default", name: "deleted" }, { gracePeriodSeconds: 0 })
        yield* h.createPod(h.draft("new", [{ name: "c", command: sleeps }]))
        const ids = new Map((yield* zones.list).map(({ id, name }) => [String(name), id]))
        yield* breakApi
        yield* h.agent(folders)
        yield* h.until("the halted zone to run", Effect.map(zoneStates, (states) => states.get(zoneOf("halted")) === "running" ? true : undefined), 20)
        const now = yield* zones.list
        assert.deepStrictEqual(now.map(({ name, state }) => `${name} ${state}`).toSorted(), [...names.values()].map((name) => `${name} running`).toSorted())
        for (const name of ["runs", "deleted"]) assert.strictEqual(now.find((zone) => zone.name === zoneOf(name))?.id, ids.get(zoneOf(name)))
        yield* mendApi
        yield* h.untilPod("new", "ready", h.isReady, 40)
        yield* h.until("the deleted one to go", Effect.map(zoneStates, (states) => states.has(zoneOf("deleted")) ? undefined : true), 30)
        assert.strictEqual((yield* zones.list).find((zone) => zone.name === zoneOf("runs"))?.id, ids.get(zoneOf("runs")))
      })), 120_000)

  it.live("leaves alone what is not its own or not clear, and tells", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const zones = yield* ZoneRuntime.ZoneRuntime
        const { attributeNames } = NodeAgentOptions
        const zone = (name: string, attributes: Readonly<Record<string, string>>) =>
          zones.ensureRunning({
            zoneName: ZoneName.make(name),
            zonepath: `/zones/${name}`,
            brand: "sparse",
            attributes: Object.entries(attributes).map(([name, value]) => ({ name, value })),
            network: [],
            fileSystems: []
          })
        const tagged = { [attributeNames.owner]: "test", [attributeNames.uid]: "twice", [attributeNames.namespace]: "default", [attributeNames.pod]: "p" }
        yield* zone("plain", {})
        yield* zone("other", { [attributeNames.owner]: "another", [attributeNames.uid]: "u", [attributeNames.namespace]: "n", [attributeNames.pod]: "p" })
        yield* zone("twice-1", tagged)
        yield* zone("twice-2", tagged)
        yield* zone("nameless", { [attributeNames.owner]: "test" })
        const before = (yield* zones.list).map(({ id, name, state }) => [name, state, id])
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        yield* untilCondition("ForeignZones", (message) => message.includes("other"))
        yield* untilCondition("QuarantinedZones", (message) => message.includes("nameless") && message.includes("another zone claims"))
        const api = yield* FakeApi.FakeApi
        const requests = api.requests().length
        // Longer than two looks with the confirmation between them.
        yield* h.until("time to pass", Effect.sync(() => api.requests().slice(requests).filter(({ path }) => path.includes("/leases/")).length >= 4 ? true : undefined))
        assert.deepStrictEqual((yield* zones.list).map(({ id, name, state }) => [name, state, id]), before)
      })), 60_000)

  it.live("goes on when its records are damaged, and says so", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        const first = yield* h.agent(folders)
        yield* h.createPod(h.draft("a", [{ name: "c", command: sleeps }]))
        yield* h.untilPod("a", "ready", h.isReady)
        yield* first.stop
        const before = (yield* hostState)
        for (const file of ["boot", "boot.previous", "source", "source.previous"]) {
          const path = join(folders.dataDir, "ledger", file)
          if (existsSync(path)) writeFileSync(path, readFileSync(path, "utf8").replace("checksum\":\"", "checksum\":\"0"))
        }
        yield* h.agent(folders)
        yield* untilCondition("LedgerRebuilt")
        yield* h.untilPod("a", "ready", h.isReady)
        assert.strictEqual(yield* hostState, before)
      })), 60_000)

  it.live("refuses to begin with records of a newer version", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const first = yield* h.agent(folders)
        yield* first.value.hostReady
        yield* h.until("a record", Effect.sync(() => existsSync(join(folders.dataDir, "ledger/boot")) ? true : undefined))
        yield* first.stop
        const path = join(folders.dataDir, "ledger/boot")
        writeFileSync(path, readFileSync(path, "utf8").replace("{\"schema\":1", "{\"schema\":2"))
        const error = yield* Effect.flip(h.agent(folders))
        assert.match(error.message, /version 2, and this program knows 1/)
      })), 60_000)
})

describe("recovery of a host", () => {
  it.live("marks an orderly end, takes the mark away, and boots everything again after a boot", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const host = yield* SimulatedHost.SimulatedHost
        yield* h.supervisorFiber(folders)
        const first = yield* h.agent(folders)
        yield* h.createPod(h.draft("a", [{ name: "c", command: sleeps }]))
        const pod = yield* h.untilPod("a", "ready", h.isReady)
        assert.isFalse(bootRecord(folders).clean)
        yield* first.stop
        const { bootId } = bootRecord(folders)
        assert.isTrue(bootRecord(folders).clean)
        yield* host.rebootHost
        yield* h.agent(folders)
        yield* h.until("another boot to be recorded", Effect.sync(() => bootRecord(folders).bootId === bootId ? undefined : true))
        const { zone } = PodSandbox.namesOf(PodSandbox.identityOf(pod))
        yield* h.until("the zone to run again", Effect.map(zoneStates, (states) => states.get(zone) === "running" ? true : undefined), 30)
        const again = yield* h.untilPod("a", "running with a new process", (pod) => (h.container(pod, "c")?.restartCount ?? 0) === 1 && h.isReady(pod), 30)
        assert.strictEqual(again.metadata.uid, pod.metadata.uid)
      })), 60_000)

  it("ends pods by ascending priority, critical ones last and together", () => {
    const pod = (name: string, priority?: number): CoreV1.Pod => ({
      kind: "Pod",
      apiVersion: "v1",
      metadata: { name },
      spec: { containers: [], ...(priority === undefined ? {} : { priority }) }
    })
    const ordered = NodeShutdown.groups([pod("critical", 2_000_001_000), pod("high", 100), pod("plain"), pod("cluster", 2_000_000_000), pod("low", -5), pod("also")])
    assert.deepStrictEqual(ordered.map(({ critical, pods }) => [critical, pods.map(({ metadata }) => metadata.name)]), [
      [false, ["low"]],
      [false, ["plain", "also"]],
      [false, ["high"]],
      [true, ["critical", "cluster"]]
    ])
  })

  it.live("ends the pods with the agent when asked to, and begins them again with the next one", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.supervisorProcess(folders)
        const first = yield* h.agent(folders, { stopZonesOnExit: true })
        const preStop = { exec: { command: h.sh("echo hook >said") } }
        yield* h.createPod(h.draft("a", [{ name: "c", command: h.sh("trap 'cat said; echo asked to end; exit 0' TERM; while :; do sleep 0.1; done"), lifecycle: { preStop } }]))
        const pod = yield* h.untilPod("a", "ready", h.isReady)
        const { zone } = PodSandbox.namesOf(PodSandbox.identityOf(pod))
        yield* first.stop
        assert.strictEqual((yield* zoneStates).get(zone), "installed")
        const said = h.logText(folders, pod, "c", 0).split("\n")
        assert.deepStrictEqual(said.filter((line) => ["hook", "asked to end"].includes(line)), ["hook", "asked to end"])
        assert.isTrue(bootRecord(folders).clean)
        const ended = yield* h.untilPod("a", "not ready", (pod) => !h.isReady(pod))
        assert.strictEqual(ended.status?.conditions?.find(({ type }) => type === "Ready")?.reason, "NodeShutdown")
        const node = (yield* conditions).find(({ type }) => type === "Ready")
        assert.deepStrictEqual([node?.status, node?.reason], ["False", "NodeShutdown"])
        yield* h.supervisorProcess(folders)
        yield* h.agent(folders)
        const again = yield* h.untilPod("a", "ready again", h.isReady, 30)
        assert.strictEqual(again.metadata.uid, pod.metadata.uid)
      })), 90_000)

  it.live("ends the pods when the host goes down, in bounded time and the critical ones last; else it leaves them", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const host = yield* SimulatedHost.SimulatedHost
        yield* h.supervisorProcess(folders)
        const first = yield* h.agent(folders)
        const stubborn = h.sh("trap 'date +%s%N' TERM; while :; do sleep 0.1; done")
        yield* h.createPod(h.draft("plain", [{ name: "c", command: stubborn }], { terminationGracePeriodSeconds: 600 }))
        yield* h.createPod(h.draft("critical", [{ name: "c", command: stubborn }], { terminationGracePeriodSeconds: 600, priority: NodeShutdown.criticalPriority }))
        const plain = yield* h.untilPod("plain", "ready", h.isReady)
        const critical = yield* h.untilPod("critical", "ready", h.isReady)
        yield* first.stop
        assert.deepStrictEqual([...(yield* zoneStates).values()].filter((state) => state === "running").length, 2)
        const second = yield* h.agent(folders, { nodeShutdownGrace: "3 seconds", nodeShutdownGraceCritical: "1 seconds" })
        yield* second.value.hostReady
        yield* h.untilPod("critical", "ready", h.isReady)
        yield* host.shutDown
        const [took] = yield* Effect.timed(second.stop)
        assert.isBelow(Duration.toSeconds(took), 20)
        assert.deepStrictEqual([...(yield* zoneStates).values()].filter((state) => state === "running").length, 0)
        const askedAt = (pod: CoreV1.Pod) => BigInt(/^\d+$/m.exec(h.logText(folders, pod, "c", 0))?.[0] ?? "")
        assert.isTrue(askedAt(critical) - askedAt(plain) > 1_900_000_000n, "the critical one has the last second")
        // The next boot finds them as they were wanted.
        yield* host.rebootHost
        yield* h.supervisorProcess(folders)
        yield* h.agent(folders)
        yield* h.untilPod("plain", "running again", (pod) => h.isReady(pod) && h.container(pod, "c")?.restartCount === 1, 30)
      })), 90_000)
})
