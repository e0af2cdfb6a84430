import { assert, describe, it } from "@effect/vitest"
import { Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { Effect, Either, type Scope } from "effect"
import { CycleState, Profile, Scheduler, SchedulerPlugin } from "../src/index.js"
import * as fake from "./support/fakeCluster.js"
import { node, pod } from "./support/objects.js"

const test = <A, E>(body: Effect.Effect<A, E, FakeApi.FakeApi | ApiClient.ApiClient | Scope.Scope>) =>
  Effect.provide(Effect.scoped(body), FakeApi.layer())

const started = (...plugins: ReadonlyArray<SchedulerPlugin.SchedulerPlugin>) =>
  Scheduler.make({
    profiles: [Either.getOrThrow(Profile.make({ schedulerName: "default-scheduler", plugins: [...Profile.builtInPlugins, ...plugins] }))]
  })

/** Holds back pods of a label until there are two of it, then lets both go. */
const pairs: SchedulerPlugin.SchedulerPlugin = {
  name: "Pairs",
  requeueOn: ["PodAdd"],
  permit: (info, _, { handle }) => {
    const other = handle.waiting.list().find((each) => each.pod.shape.spec.priority === info.shape.spec.priority)
    if (other === undefined) return { _tag: "Wait", timeout: "30 seconds" }
    other.allow("Pairs")
    return SchedulerPlugin.allow
  }
}

describe("permit", () => {
  it.effect("holds a pod back, with its room, until the plugin lets it go", () =>
    test(Effect.gen(function*() {
      yield* fake.createNode(node("n", { cpu: "2" }))
      const scheduler = yield* started(pairs)
      yield* fake.createPod(pod("one", { cpu: "1" }))
      yield* fake.settle
      assert.deepStrictEqual((yield* scheduler.waiting).map((each) => [each.pod.key, each.node, each.pending()]), [["default/one", "n", ["Pairs"]]])
      assert.strictEqual((yield* scheduler.snapshot).nodes[0]?.requested.cpuMillis, 1000)
      assert.isUndefined((yield* fake.stored("one"))?.spec?.nodeName)
      yield* fake.createPod(pod("two", { cpu: "1" }))
      assert.deepStrictEqual([yield* fake.nodeOf("one"), yield* fake.nodeOf("two")], ["n", "n"])
      assert.deepStrictEqual(yield* scheduler.waiting, [])
    })))

  it.effect("gives the room back when the time is over, tells the user, and tries again when something helps", () =>
    test(Effect.gen(function*() {
      yield* fake.createNode(node("n"))
      const scheduler = yield* started(pairs)
      yield* fake.createPod(pod("one"))
      yield* fake.pass(31)
      const condition = yield* fake.refusalOf("one")
      assert.match(condition.message ?? "", /^0\/1 nodes are available: 1 rejected due to timeout after waiting 30s at plugin Pairs\./)
      assert.strictEqual((yield* scheduler.snapshot).nodes[0]?.pods.length, 0)
      assert.strictEqual((yield* scheduler.depth).unschedulable, 1)
      yield* fake.createPod(pod("two"))
      yield* fake.pass(5)
      assert.deepStrictEqual([yield* fake.nodeOf("one"), yield* fake.nodeOf("two")], ["n", "n"])
    })))

  it.effect("many may wait: they take no place from those that are bound", () =>
    test(Effect.gen(function*() {
      yield* fake.createNode(node("n", { pods: "500" }))
      const holds: SchedulerPlugin.SchedulerPlugin = {
        name: "Holds",
        permit: (info) => info.priority === 0 ? { _tag: "Wait", timeout: "1 hour" } : SchedulerPlugin.allow
      }
      const scheduler = yield* started(holds)
      for (let i = 0; i < 70; i++) yield* fake.createPod(pod(`p${i}`))
      yield* fake.settle
      yield* fake.createPod(pod("urgent", { spec: { priority: 1 } }))
      assert.strictEqual(yield* fake.nodeOf("urgent"), "n")
      assert.strictEqual((yield* scheduler.waiting).length, 70)
    })))

  it.effect("rejects, takes reservations back, and hands state from filter to reserve", () =>
    test(Effect.gen(function*() {
      yield* fake.createNode(node("n"))
      const seen = CycleState.key("Seen", () => 0)
      const journal: Array<string> = []
      yield* started({
        name: "Strict",
        requeueOn: [],
        preFilter: (_, __, state) => {
          seen.set(state, 42)
          return SchedulerPlugin.skip
        },
        reserve: (_, __, { state }) => Effect.sync(() => void journal.push(`reserve ${seen.get(state)}`)),
        unreserve: () => Effect.sync(() => void journal.push("unreserve")),
        permit: () => ({ _tag: "Reject", reason: "node(s) were not permitted" })
      })
      yield* fake.createPod(pod("p"))
      assert.match((yield* fake.refusalOf("p")).message ?? "", /^0\/1 nodes are available: 1 node\(s\) were not permitted\./)
      assert.deepStrictEqual(journal, ["reserve 42", "unreserve"])
    })))

  it.effect("a pod that is deleted while it waits leaves nothing behind", () =>
    test(Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* fake.createNode(node("n"))
      let reserved = 0
      const scheduler = yield* started({
        name: "Claims",
        reserve: () => Effect.sync(() => void (reserved += 1)),
        unreserve: () => Effect.sync(() => void (reserved -= 1)),
        permit: () => ({ _tag: "Wait", timeout: "1 hour" })
      })
      yield* fake.createPod(pod("p"))
      yield* fake.settle
      assert.strictEqual(reserved, 1)
      yield* client.delete(Kinds.pod, { namespace: "default", name: "p" }, { gracePeriodSeconds: 0 })
      yield* fake.until("the claim is given back", () => reserved === 0)
      yield* fake.settle
      assert.deepStrictEqual(yield* scheduler.waiting, [])
      assert.strictEqual((yield* scheduler.snapshot).nodes[0]?.pods.length, 0)
      assert.deepStrictEqual(yield* scheduler.depth, { active: 0, backoff: 0, unschedulable: 0, gated: 0, inFlight: 0 })
    })))
})

describe("what a plugin may do", () => {
  it.effect("a nomination is written, counted, and taken back", () =>
    test(Effect.gen(function*() {
      yield* fake.createNode(node("n", { cpu: "1" }))
      let answer = "n"
      const nominator: SchedulerPlugin.SchedulerPlugin = {
        name: "Nominator",
        requeueOn: ["NodeUpdateLabels"],
        preFilter: (info) => SchedulerPlugin.filterBy(() => info.priority > 0 ? { code: "Unschedulable", reasons: ["not yet"] } : undefined),
        postFilter: (context) => Effect.succeed(context.pod.priority > 0 ? { nominatedNode: answer } : {})
      }
      const scheduler = yield* Scheduler.make({
        profiles: [Either.getOrThrow(Profile.make({
          schedulerName: "default-scheduler",
          plugins: [...Profile.builtInPlugins.filter(({ postFilter }) => postFilter === undefined), nominator]
        }))]
      })
      const client = yield* ApiClient.ApiClient
      yield* fake.createPod(pod("high", { cpu: "1", spec: { priority: 5 } }))
      yield* fake.refusalOf("high")
      const nominated = Effect.map(fake.stored("high"), (stored) => stored?.status?.nominatedNodeName)
      assert.strictEqual(yield* nominated, "n")
      assert.deepStrictEqual([...(yield* scheduler.snapshot).nominated].map(([name, pods]) => [name, pods.map(({ key }) => key)]), [["n", ["default/high"]]])
      yield* fake.createPod(pod("low", { cpu: "1" }))
      assert.match((yield* fake.refusalOf("low")).message ?? "", /1 Insufficient cpu/)
      answer = ""
      yield* client.patch(Kinds.node, { name: "n" }, { metadata: { labels: { now: "other" } } })
      yield* fake.pass(15)
      assert.isUndefined(yield* nominated)
      assert.strictEqual((yield* scheduler.snapshot).nominated.size, 0)
    })))
})
