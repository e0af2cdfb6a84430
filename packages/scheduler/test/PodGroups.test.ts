import { assert, describe, it } from "@effect/vitest"
import { Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { Effect, Layer } from "effect"
import { PodGroups, Profile, Scheduler } from "../src/index.js"
import { createNode, createPod, nodeOf, pass, refusalOf, settle, until } from "./support/fakeCluster.js"
import { node, pod, type PodShape } from "./support/objects.js"

const profile: Profile.Profile = {
  ...Profile.builtIn,
  plugins: Profile.builtInPlugins.map((plugin) => plugin.name === PodGroups.name ? PodGroups.make({ permitWaitingTimeSeconds: 30 }) : plugin)
}

const scenario = <A, E>(test: Effect.Effect<A, E, ApiClient.ApiClient | FakeApi.FakeApi | Scheduler.Scheduler>) =>
  test.pipe(Effect.provide(Layer.provideMerge(Scheduler.layer({ profiles: [profile] }), FakeApi.layer())), Effect.scoped)

const member = (name: string, group: string, minAvailable: string | undefined, shape: PodShape = {}) =>
  createPod(pod(name, {
    cpu: "1",
    ...shape,
    annotations: {
      "scheduling.reddwarf.io/pod-group": group,
      ...(minAvailable === undefined ? {} : { "scheduling.reddwarf.io/min-available": minAvailable })
    }
  }))

/** The pods that have a node, by name. */
const placed = Effect.map(FakeApi.FakeApi, (api) =>
  api.list(Kinds.pod).filter(({ spec }) => (spec?.nodeName ?? "") !== "").map(({ metadata }) => metadata.name ?? "").sort())

const remove = (name: string) =>
  Effect.flatMap(ApiClient.ApiClient, (client) => client.delete(Kinds.pod, { namespace: "default", name }, { gracePeriodSeconds: 0 }))

describe("pod groups", () => {
  it.effect("place all of their pods or none", () =>
    scenario(Effect.gen(function*() {
      yield* createNode(node("n1", { cpu: "2" }))
      for (const name of ["a1", "a2", "a3"]) yield* member(name, "a", "3")
      yield* refusalOf("a1", /pod group "a": pod default\/a\d (fits on no node|gave its room back)/)
      yield* pass(5)
      assert.deepStrictEqual(yield* placed, [])
      // Their room is free for others while they wait.
      yield* createPod(pod("other", { cpu: "1500m" }))
      yield* nodeOf("other")
      assert.deepStrictEqual(yield* placed, ["other"])

      yield* createNode(node("n2", { cpu: "3" }))
      yield* pass(12)
      assert.deepStrictEqual(yield* placed, ["a1", "a2", "a3", "other"])
    })))

  it.effect("wait for pods that are not there yet, and hold no room meanwhile", () =>
    scenario(Effect.gen(function*() {
      yield* createNode(node("n", { cpu: "3" }))
      yield* member("a1", "a", "3")
      yield* member("a2", "a", "3")
      yield* refusalOf("a1", /^0\/1 nodes are available: 1 pod group "a" has [12] of the 3 pods it needs\.$/)
      yield* refusalOf("a2", /has 2 of the 3 pods it needs/)
      assert.deepStrictEqual(yield* placed, [])
      yield* member("a3", "a", "3")
      for (const name of ["a1", "a2", "a3"]) yield* nodeOf(name)
      // One more than the group needs is placed like any other pod, and is refused like one.
      yield* member("a4", "a", "3")
      yield* refusalOf("a4", /Insufficient cpu/)
      yield* pass(2)
      assert.deepStrictEqual(yield* placed, ["a1", "a2", "a3"])
    })))

  it.effect("do not block each other when there is room for one of them only", () =>
    scenario(Effect.gen(function*() {
      const groups = ["a", "b", "c"]
      yield* createNode(node("n", { cpu: "4" }))
      // In turns, so that all begin to collect.
      for (const i of [1, 2, 3]) for (const group of groups) yield* member(`${group}${i}`, group, "3")
      const done: Array<string> = []
      for (let second = 0; second < 90 && done.length < groups.length; second++) {
        yield* pass(1)
        const names = yield* placed
        for (const group of groups) {
          const size = names.filter((name) => name.startsWith(group)).length
          assert.isTrue(size === 0 || size === 3, `${group} is placed in part: ${names.join(" ")}`)
        }
        if (names.length === 0) continue
        assert.strictEqual(names.length, 3)
        done.push(...new Set(names.map((name) => name.slice(0, 1))))
        for (const name of names) yield* remove(name)
      }
      assert.deepStrictEqual(done.toSorted(), groups)
    })))

  it.effect("give way to groups of higher priority", () =>
    scenario(Effect.gen(function*() {
      yield* createNode(node("n", { cpu: "3" }))
      // Two of the lower group hold room and wait for a third, which exists but fits nowhere at first.
      yield* member("low1", "low", "3")
      yield* member("low2", "low", "3")
      yield* member("low3", "low", "3", { spec: { nodeSelector: { far: "away" } } })
      yield* settle
      for (const i of [1, 2, 3]) yield* member(`high${i}`, "high", "3", { spec: { priority: 10 } })
      yield* pass(15)
      assert.deepStrictEqual(yield* placed, ["high1", "high2", "high3"])
    })))

  it.effect("hold their room while others make room for one of them", () =>
    scenario(Effect.gen(function*() {
      const api = yield* FakeApi.FakeApi
      yield* createNode(node("n1", { cpu: "1" }))
      yield* createPod(pod("running", { cpu: "1", spec: { priority: 1 } }))
      yield* nodeOf("running")
      yield* createNode(node("n2", { cpu: "1" }))
      for (const name of ["a1", "a2"]) yield* member(name, "a", "2", { spec: { priority: 10 } })
      yield* until("one is nominated", () => api.list(Kinds.pod).some(({ status }) => status?.nominatedNodeName === "n1"))
      yield* createPod(pod("late", { cpu: "1", spec: { priority: 1 } }))
      yield* refusalOf("late")
      yield* pass(15)
      assert.deepStrictEqual(yield* placed, ["running"])
      yield* remove("running")
      yield* pass(11)
      assert.deepStrictEqual(yield* placed, ["a1", "a2"])
    })))

  it.effect("give their room back when their time is over", () =>
    scenario(Effect.gen(function*() {
      yield* createNode(node("n1", { cpu: "1" }))
      yield* createPod(pod("running", { cpu: "1", spec: { priority: 1 } }))
      yield* nodeOf("running")
      yield* createNode(node("n2", { cpu: "1" }))
      // The pod that has to leave does not.
      for (const name of ["a1", "a2"]) yield* member(name, "a", "2", { spec: { priority: 10 } })
      yield* pass(28)
      const api = yield* FakeApi.FakeApi
      const told = () => api.list(Kinds.event).flatMap(({ message = "", reason }) => reason === "FailedScheduling" && message.includes("timeout") ? [message] : [])
      assert.deepStrictEqual(told(), [])
      yield* pass(4)
      assert.deepStrictEqual(told(), ["0/1 nodes are available: 1 rejected due to timeout after waiting 30s at plugin PodGroups."])
      assert.deepStrictEqual(yield* placed, ["running"])
    })))

  it.effect("must say how many pods they need", () =>
    scenario(Effect.gen(function*() {
      yield* createNode(node("n"))
      yield* member("a1", "a", undefined)
      const refusal = yield* refusalOf("a1")
      assert.strictEqual(
        refusal.message,
        `0/1 nodes are available: pod group "a" needs the annotation scheduling.reddwarf.io/min-available with a number from 1 on on each of its pods. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.`
      )
      yield* member("b1", "b", "none")
      yield* refusalOf("b1", /pod group "b" needs the annotation/)
    })))
})
