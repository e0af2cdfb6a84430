import { assert, describe, it } from "@effect/vitest"
import { Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { Effect, Either, type Scope, TestClock } from "effect"
import { BindingFailure, Profile, Rejection, Scheduler, type SchedulerPlugin } from "../src/index.js"
import * as fake from "./support/fakeCluster.js"
import { node, pod } from "./support/objects.js"

const cluster = FakeApi.layer()
const test = <A, E>(body: Effect.Effect<A, E, FakeApi.FakeApi | ApiClient.ApiClient | Scope.Scope>) =>
  Effect.provide(Effect.scoped(body), cluster)

const bindings = (api: FakeApi.Service, name: string) =>
  api.requests().filter((request) => request.method === "POST" && request.path.endsWith(`/pods/${name}/binding`))

const profile = (schedulerName: string, ...plugins: ReadonlyArray<SchedulerPlugin.SchedulerPlugin>) =>
  Either.getOrThrow(Profile.make({ schedulerName, plugins: [...Profile.builtInPlugins, ...plugins] }))

describe("Scheduler", () => {
  it.effect("gives pods a node where they fit and reports it", () =>
    test(Effect.gen(function*() {
      yield* fake.createNode(node("small", { cpu: "1" }))
      yield* fake.createNode(node("large", { cpu: "4" }))
      yield* Scheduler.make()
      yield* fake.createPod(pod("p", { cpu: "2" }))
      assert.strictEqual(yield* fake.nodeOf("p"), "large")
      const api = yield* FakeApi.FakeApi
      const [event] = yield* fake.until("event", () => {
        const found = api.list(Kinds.event).filter((each) => each.reason === "Scheduled")
        return found.length > 0 && found
      })
      assert.strictEqual(event?.message, "Successfully assigned default/p to large")
      assert.strictEqual(event?.action, "Binding")
      assert.strictEqual(event?.type, "Normal")
      assert.strictEqual(event?.reportingComponent, "default-scheduler")
      const [binding] = bindings(api, "p")
      assert.include(String(binding?.body), `"uid":"${(yield* fake.stored("p"))?.metadata.uid}"`)
    })))

  it.effect("says why a pod has no node, once, and places it when a node comes that fits", () =>
    test(Effect.gen(function*() {
      yield* fake.createNode(node("small", { cpu: "1" }))
      const scheduler = yield* Scheduler.make()
      const created = yield* fake.createPod(pod("p", { cpu: "2" }))
      const condition = yield* fake.refusalOf("p")
      assert.strictEqual(condition.reason, "Unschedulable")
      const message = "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
      assert.strictEqual(condition.message, message)
      assert.strictEqual(condition.observedGeneration, created.metadata.generation)
      yield* fake.settle
      assert.strictEqual((yield* scheduler.depth).unschedulable, 1)
      const [event] = yield* fake.events("FailedScheduling")
      assert.strictEqual(event?.message, message)
      assert.strictEqual(event?.type, "Warning")

      // The same outcome again writes nothing.
      const before = (yield* fake.stored("p"))?.metadata.resourceVersion
      yield* fake.pass(310)
      assert.strictEqual((yield* fake.stored("p"))?.metadata.resourceVersion, before)
      const api = yield* FakeApi.FakeApi
      assert.strictEqual(api.requests().filter((request) => request.method === "PATCH" && request.path.endsWith("/pods/p/status")).length, 1)

      yield* fake.createNode(node("large", { cpu: "4" }))
      yield* fake.pass(10)
      assert.strictEqual(yield* fake.nodeOf("p"), "large")
    })))

  it.effect("says that there are no nodes, and places the pod when the first comes", () =>
    test(Effect.gen(function*() {
      yield* Scheduler.make()
      yield* fake.createPod(pod("p"))
      assert.strictEqual((yield* fake.refusalOf("p")).message, "no nodes available to schedule pods")
      yield* fake.createNode(node("n"))
      yield* fake.pass(3)
      assert.strictEqual(yield* fake.nodeOf("p"), "n")
    })))

  it.effect("counts pods that are there already, and gives room back when one is deleted", () =>
    test(Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* fake.createNode(node("n", { cpu: "2" }))
      yield* fake.createPod(pod("old", { cpu: "1500m" }))
      yield* client.bind({ namespace: "default", name: "old" }, "n")
      yield* Scheduler.make()
      yield* fake.createPod(pod("p", { cpu: "1" }))
      assert.match((yield* fake.refusalOf("p")).message ?? "", /^0\/1 nodes are available: 1 Insufficient cpu\. preemption: .*No preemption victims found/)
      yield* client.delete(Kinds.pod, { namespace: "default", name: "old" }, { gracePeriodSeconds: 0 })
      yield* fake.pass(3)
      assert.strictEqual(yield* fake.nodeOf("p"), "n")
    })))

  it.effect("a terminated pod holds nothing", () =>
    test(Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* fake.createNode(node("n", { cpu: "2" }))
      const old = yield* fake.createPod(pod("old", { cpu: "2" }))
      yield* client.bind({ namespace: "default", name: "old" }, "n")
      yield* Scheduler.make()
      yield* fake.createPod(pod("p", { cpu: "1" }))
      yield* fake.refusalOf("p")
      yield* client.patch(Kinds.pod, { namespace: "default", name: old.metadata.name ?? "" }, { status: { phase: "Succeeded" } }, { subresource: "status" })
      yield* fake.pass(3)
      assert.strictEqual(yield* fake.nodeOf("p"), "n")
    })))

  it.effect("fills nodes exactly and binds every pod once", () =>
    test(Effect.gen(function*() {
      const api = yield* FakeApi.FakeApi
      for (let i = 0; i < 4; i++) yield* fake.createNode(node(`n${i}`, { cpu: "2", pods: "10" }))
      yield* Scheduler.make({ concurrency: 3 })
      const names = Array.from({ length: 9 }, (_, i) => `p${i}`)
      yield* Effect.forEach(names, (name) => fake.createPod(pod(name, { cpu: "1" })), { discard: true })
      yield* fake.until("eight are bound", () => api.list(Kinds.pod).filter((each) => each.spec?.nodeName !== undefined).length === 8)
      yield* fake.settle
      const perNode = new Map<string, number>()
      for (const each of api.list(Kinds.pod)) {
        const name = each.spec?.nodeName ?? "none"
        perNode.set(name, (perNode.get(name) ?? 0) + 1)
      }
      assert.deepStrictEqual(Object.fromEntries(perNode), { n0: 2, n1: 2, n2: 2, n3: 2, none: 1 })
      for (const name of names) assert.isAtMost(bindings(api, name).length, 1)
    })))

  it.effect("takes only pods of its name that have no node; several schedulers share a cluster", () =>
    test(Effect.gen(function*() {
      yield* fake.createNode(node("a"))
      yield* fake.createNode(node("b", { labels: { mine: "yes" } }))
      yield* Scheduler.make({
        profiles: [profile("own", { name: "Mine", filter: (_, info) => info.node.metadata.labels?.["mine"] === "yes" ? undefined : Rejection.unresolvable("not mine") })]
      })
      yield* fake.createPod(pod("own", { spec: { schedulerName: "own" } }))
      yield* fake.createPod(pod("builtin"))
      yield* fake.createPod(pod("foreign", { spec: { schedulerName: "foreign" } }))
      yield* fake.createPod(pod("bound", { spec: { nodeName: "a", schedulerName: "own" } }))
      assert.strictEqual(yield* fake.nodeOf("own"), "b")
      yield* fake.settle
      assert.isUndefined((yield* fake.stored("builtin"))?.spec?.nodeName)
      yield* Scheduler.make()
      yield* fake.nodeOf("builtin")
      yield* fake.settle
      assert.isUndefined((yield* fake.stored("foreign"))?.spec?.nodeName)
      assert.strictEqual(bindings(yield* FakeApi.FakeApi, "bound").length, 0)
    })))

  it.effect("holds gated pods back until their gates are gone", () =>
    test(Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* fake.createNode(node("n"))
      yield* Scheduler.make()
      yield* fake.createPod(pod("p", { spec: { schedulingGates: [{ name: "example.com/quota" }] } }))
      const condition = yield* fake.refusalOf("p")
      assert.strictEqual(condition.reason, "SchedulingGated")
      assert.strictEqual(condition.message, "Scheduling is blocked due to non-empty scheduling gates")
      yield* fake.pass(20)
      assert.isUndefined((yield* fake.stored("p"))?.spec?.nodeName)
      yield* client.patch(Kinds.pod, { namespace: "default", name: "p" }, { spec: { schedulingGates: null } })
      assert.strictEqual(yield* fake.nodeOf("p"), "n")
    })))

  it.effect("a failed binding gives the room back and is tried again", () =>
    test(Effect.gen(function*() {
      const api = yield* FakeApi.FakeApi
      yield* fake.createNode(node("n", { cpu: "1" }))
      const scheduler = yield* Scheduler.make()
      let failures = 2
      api.injectFaults((request) => request.path.endsWith("/binding") && failures-- > 0 ? { type: "fail" } : undefined)
      yield* fake.createPod(pod("p", { cpu: "1" }))
      const condition = yield* fake.refusalOf("p")
      assert.strictEqual(condition.reason, "SchedulerError")
      assert.match(condition.message ?? "", /^running Bind plugin "DefaultBinder" for pod default\/p on node n: .*connection refused/)
      assert.deepStrictEqual((yield* scheduler.snapshot).nodes.map((info) => info.pods.length), [0])
      yield* fake.pass(4)
      assert.strictEqual(yield* fake.nodeOf("p"), "n")
    })))

  it.effect("a binding whose answer was lost is not repeated", () =>
    test(Effect.gen(function*() {
      const api = yield* FakeApi.FakeApi
      yield* fake.createNode(node("n"))
      yield* Scheduler.make()
      api.injectFaults((request) => request.path.endsWith("/binding") ? { type: "lose" } : undefined)
      yield* fake.createPod(pod("p"))
      assert.strictEqual(yield* fake.nodeOf("p"), "n")
      yield* fake.pass(30)
      assert.strictEqual(bindings(api, "p").length, 1)
      assert.strictEqual((yield* fake.events("Scheduled")).length, 1)
      assert.strictEqual((yield* fake.events("FailedScheduling")).length, 0)
    })))

  it.effect("whatever happens to bindings, every pod ends up on one node and no node is overfilled", () =>
    test(Effect.gen(function*() {
      const api = yield* FakeApi.FakeApi
      for (let i = 0; i < 4; i++) yield* fake.createNode(node(`n${i}`, { cpu: "2" }))
      let count = 0
      api.injectFaults((request) => {
        if (!request.path.endsWith("/binding")) return undefined
        count += 1
        return count % 3 === 0 ? { type: "fail" } : count % 3 === 1 ? { type: "lose" } : undefined
      })
      yield* Scheduler.make({ concurrency: 5 })
      const names = Array.from({ length: 16 }, (_, i) => `p${i}`)
      yield* Effect.forEach(names, (name) => fake.createPod(pod(name, { cpu: "500m" })), { discard: true })
      yield* fake.pass(60)
      const nodes = api.list(Kinds.pod).map((each) => each.spec?.nodeName ?? "none")
      for (const name of ["n0", "n1", "n2", "n3"]) assert.strictEqual(nodes.filter((each) => each === name).length, 4)
    })))

  it.effect("a pod bound by somebody else meanwhile stays where it is", () =>
    test(Effect.gen(function*() {
      const api = yield* FakeApi.FakeApi
      const client = yield* ApiClient.ApiClient
      yield* fake.createNode(node("a"))
      const other: SchedulerPlugin.SchedulerPlugin = {
        name: "Meddler",
        preBind: (info) => Effect.orDie(client.bind({ namespace: "default", name: info.pod.metadata.name ?? "" }, "elsewhere"))
      }
      const scheduler = yield* Scheduler.make({ profiles: [profile("default-scheduler", other)] })
      yield* fake.createPod(pod("p"))
      assert.strictEqual(yield* fake.nodeOf("p"), "elsewhere")
      yield* fake.pass(30)
      assert.strictEqual(bindings(api, "p").length, 2)
      assert.deepStrictEqual((yield* scheduler.snapshot).nodes.map((info) => info.pods.length), [0])
      assert.strictEqual((yield* fake.stored("p"))?.spec?.nodeName, "elsewhere")
    })))

  it.effect("a pod deleted during its binding leaves nothing behind", () =>
    test(Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* fake.createNode(node("n"))
      const deleter: SchedulerPlugin.SchedulerPlugin = {
        name: "Deleter",
        preBind: (info) => Effect.orDie(client.delete(Kinds.pod, { namespace: "default", name: info.pod.metadata.name ?? "" }, { gracePeriodSeconds: 0 }))
      }
      const scheduler = yield* Scheduler.make({ profiles: [profile("default-scheduler", deleter)] })
      yield* fake.createPod(pod("p"))
      const api = yield* FakeApi.FakeApi
      yield* fake.until("pod is gone", () => api.get(Kinds.pod, { namespace: "default", name: "p" }) === undefined)
      yield* fake.pass(5)
      assert.deepStrictEqual((yield* scheduler.snapshot).nodes.map((info) => info.pods.length), [0])
      assert.deepStrictEqual(yield* scheduler.depth, { active: 0, backoff: 0, unschedulable: 0, gated: 0, inFlight: 0 })
    })))

  it.effect("runs the plugins around the binding in order, and takes reservations back when a later one fails", () =>
    test(Effect.gen(function*() {
      yield* fake.createNode(node("n"))
      const journal: Array<string> = []
      let broken = true
      const note = (what: string) => Effect.sync(() => void journal.push(what))
      const plugin: SchedulerPlugin.SchedulerPlugin = {
        name: "Notes",
        reserve: () => note("reserve"),
        unreserve: () => note("unreserve"),
        preBind: (info, name) =>
          Effect.suspend(() => {
            const fail = broken
            broken = false
            return fail
              ? Effect.fail(new BindingFailure.BindingFailure({ pod: info.key, node: name, phase: "PreBind", plugin: "Notes", cause: "not yet" }))
              : note("preBind")
          }),
        postBind: (_, name) => note(`postBind ${name}`)
      }
      yield* Scheduler.make({ profiles: [profile("default-scheduler", plugin)] })
      yield* fake.createPod(pod("p"))
      assert.match((yield* fake.refusalOf("p")).message ?? "", /^running PreBind plugin "Notes" for pod default\/p on node n: not yet/)
      yield* fake.pass(3)
      yield* fake.nodeOf("p")
      yield* fake.settle
      assert.deepStrictEqual(journal, ["reserve", "unreserve", "reserve", "preBind", "postBind n"])
    })))

  it.effect("a binding that hangs ends after its time, and reservations are taken back", () =>
    test(Effect.gen(function*() {
      yield* fake.createNode(node("n"))
      let reserved = 0
      let hangs = true
      const plugin: SchedulerPlugin.SchedulerPlugin = {
        name: "Hangs",
        reserve: () => Effect.sync(() => void (reserved += 1)),
        unreserve: () => Effect.sync(() => void (reserved -= 1)),
        preBind: () => Effect.suspend(() => hangs ? Effect.never : Effect.void)
      }
      yield* Scheduler.make({ profiles: [profile("default-scheduler", plugin)], bindingTimeout: "20 seconds" })
      yield* fake.createPod(pod("p"))
      yield* fake.pass(10)
      assert.strictEqual(reserved, 1)
      hangs = false
      yield* fake.pass(15)
      assert.strictEqual(yield* fake.nodeOf("p"), "n")
      assert.strictEqual(reserved, 1)
      assert.match((yield* fake.events("FailedScheduling"))[0]?.message ?? "", /no answer within 20s/)
    })))

  it.effect("a plugin that throws costs its pod an attempt, not the scheduler its life", () =>
    test(Effect.gen(function*() {
      yield* fake.createNode(node("n"))
      const plugin: SchedulerPlugin.SchedulerPlugin = {
        name: "Fragile",
        filter: ({ key }) => {
          if (key === "default/bad") throw new TypeError("no such thing")
          return undefined
        }
      }
      yield* Scheduler.make({ profiles: [profile("default-scheduler", plugin)] })
      yield* fake.createPod(pod("bad"))
      yield* fake.createPod(pod("good"))
      assert.strictEqual(yield* fake.nodeOf("good"), "n")
      const condition = yield* fake.refusalOf("bad")
      assert.strictEqual(condition.reason, "SchedulerError")
      assert.strictEqual(condition.message, "running plugins of profile default-scheduler: TypeError: no such thing")
    })))

  it.effect("an expired watch does not make it lose or repeat anything", () =>
    test(Effect.gen(function*() {
      const api = yield* FakeApi.FakeApi
      yield* fake.createNode(node("n", { cpu: "3" }))
      yield* Scheduler.make()
      yield* fake.createPod(pod("p0", { cpu: "1" }))
      yield* fake.nodeOf("p0")
      yield* api.disconnectWatches
      yield* fake.createPod(pod("p1", { cpu: "1" }))
      yield* api.compact
      yield* fake.createPod(pod("p2", { cpu: "1" }))
      yield* fake.createPod(pod("p3", { cpu: "1" }))
      yield* fake.pass(60)
      const bound = api.list(Kinds.pod).filter((each) => each.spec?.nodeName !== undefined)
      assert.strictEqual(bound.length, 3)
      for (const each of api.list(Kinds.pod)) assert.isAtMost(bindings(api, each.metadata.name ?? "").length, 1)
    })))

  it.effect("a pod that was deleted and made again unseen is a new pod", () =>
    test(Effect.gen(function*() {
      const api = yield* FakeApi.FakeApi
      const client = yield* ApiClient.ApiClient
      yield* fake.createNode(node("n", { cpu: "1" }))
      const scheduler = yield* Scheduler.make()
      yield* fake.createPod(pod("p", { cpu: "1" }))
      yield* fake.nodeOf("p")
      yield* fake.settle
      yield* api.disconnectWatches
      yield* client.delete(Kinds.pod, { namespace: "default", name: "p" }, { gracePeriodSeconds: 0 })
      yield* fake.createPod(pod("p", { cpu: "1" }))
      yield* api.compact
      yield* fake.pass(60)
      assert.strictEqual(yield* fake.nodeOf("p"), "n")
      assert.deepStrictEqual((yield* scheduler.snapshot).nodes.map((info) => info.pods.length), [1])
    })))

  it.effect("refuses two profiles of one name", () =>
    test(Effect.gen(function*() {
      const error = yield* Effect.flip(Scheduler.make({ profiles: [Profile.builtIn, Profile.builtIn] }))
      assert.strictEqual(error._tag, "InvalidProfile")
      yield* TestClock.adjust("1 second")
    })))
})
