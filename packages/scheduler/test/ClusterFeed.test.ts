import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { Effect } from "effect"
import { ClusterCache, PodInfo, PodScheduledCondition, PrioritySort, SchedulingQueue } from "../src/index.js"
import * as ClusterFeed from "../src/internal/clusterFeed.js"
import { node, pod } from "./support/objects.js"

const make = Effect.map(SchedulingQueue.make({ order: PrioritySort.order }), (queue) => {
  const cache = ClusterCache.make()
  const feed = ClusterFeed.make({
    cache,
    queue,
    isMine: ({ spec }) => (spec?.schedulerName ?? "default-scheduler") === "default-scheduler",
    matters: () => true
  })
  feed.onNode({ type: "added", object: node("n") })
  return { cache, queue, feed, placed: () => cache.snapshot().nodes.map((info) => info.pods.map((each) => each.id)) }
})

const versioned = (uid: string, spec: Partial<CoreV1.PodSpec> = {}): CoreV1.Pod => {
  const plain = pod("p", { spec })
  return { ...plain, metadata: { ...plain.metadata, uid } }
}

describe("what the watch shows", () => {
  it.effect("an older version of a pod that was just bound does not bring it back into the queue", () =>
    Effect.gen(function*() {
      const { cache, feed, queue } = yield* make
      feed.onPod({ type: "added", object: versioned("u1") })
      yield* queue.take
      cache.assume(PodInfo.make(versioned("u1")), "n")
      // During the binding the pod is still in flight and follows the watch.
      feed.onPod({ type: "updated", object: versioned("u1", { priority: 1 }), old: versioned("u1") })
      assert.isTrue(queue.has("u1"))
      queue.remove("u1")
      feed.onPod({ type: "updated", object: versioned("u1"), old: versioned("u1") })
      assert.isFalse(queue.has("u1"))
      feed.onPod({ type: "updated", object: versioned("u1", { nodeName: "n" }), old: versioned("u1") })
      assert.isFalse(cache.isAssumed("u1"))
    }))

  it.effect("a pod of the same name with another uid is another pod", () =>
    Effect.gen(function*() {
      const { feed, placed, queue } = yield* make
      feed.onPod({ type: "added", object: versioned("u1", { nodeName: "n" }) })
      assert.deepStrictEqual(placed(), [["u1"]])
      feed.onPod({ type: "updated", object: versioned("u2"), old: versioned("u1", { nodeName: "n" }) })
      assert.deepStrictEqual(placed(), [[]])
      assert.isTrue(queue.has("u2"))
    }))

  it.effect("what other schedulers have promised their pods counts, until they are placed or give it up", () =>
    Effect.gen(function*() {
      const { cache, feed, queue } = yield* make
      const nominated = (uid: string, node: string, schedulerName: string): CoreV1.Pod => ({
        ...versioned(uid, { schedulerName }),
        status: { nominatedNodeName: node }
      })
      const promises = () => [...cache.snapshot().nominated].map(([name, pods]) => `${name}: ${pods.map(({ id }) => id).join(" ")}`)
      const old = versioned("u1")
      feed.onPod({ type: "added", object: nominated("u1", "n", "other") })
      assert.deepStrictEqual(promises(), ["n: u1"])
      feed.onPod({ type: "updated", object: nominated("u1", "m", "other"), old })
      assert.deepStrictEqual(promises(), ["m: u1"])
      feed.onPod({ type: "updated", object: versioned("u1", { schedulerName: "other" }), old })
      assert.deepStrictEqual(promises(), [])
      // After a restart, the own ones are known from their status.
      feed.onPod({ type: "updated", object: nominated("u2", "n", "default-scheduler"), old })
      assert.deepStrictEqual(promises(), ["n: u2"])
      assert.isTrue(queue.has("u2"))
      feed.onPod({ type: "updated", object: { ...nominated("u2", "n", "default-scheduler"), spec: { nodeName: "n", containers: [] } }, old })
      assert.deepStrictEqual(promises(), [])
    }))

  it.effect("terminated, deleted and terminating pods are not queued; pods of other schedulers count when placed", () =>
    Effect.gen(function*() {
      const { feed, placed, queue } = yield* make
      const done = (phase: CoreV1.PodPhase) => ({ ...versioned("u1", { nodeName: "n" }), status: { phase } })
      feed.onPod({ type: "added", object: done("Running") })
      assert.deepStrictEqual(placed(), [["u1"]])
      feed.onPod({ type: "updated", object: done("Failed"), old: done("Running") })
      assert.deepStrictEqual(placed(), [[]])
      const terminating = versioned("u2")
      feed.onPod({ type: "added", object: { ...terminating, metadata: { ...terminating.metadata, deletionTimestamp: "2025-01-01T00:00:00Z" } } })
      feed.onPod({ type: "added", object: versioned("u3", { schedulerName: "other" }) })
      assert.deepStrictEqual([queue.has("u2"), queue.has("u3")], [false, false])
      feed.onPod({ type: "updated", object: versioned("u3", { schedulerName: "other", nodeName: "n" }), old: versioned("u3", { schedulerName: "other" }) })
      assert.deepStrictEqual(placed(), [["u3"]])
      feed.onPod({ type: "deleted", told: true, object: versioned("u3", { schedulerName: "other", nodeName: "n" }) })
      assert.deepStrictEqual(placed(), [[]])
    }))
})

describe("PodScheduled condition", () => {
  const withConditions = (conditions: ReadonlyArray<CoreV1.PodCondition>): CoreV1.Pod => ({ ...pod("p"), status: { conditions } })
  const ready: CoreV1.PodCondition = { type: "Ready", status: "False" }

  it("keeps other conditions and the time of the last transition", () => {
    const first = PodScheduledCondition.notScheduled(withConditions([ready]), "Unschedulable", "a", 1_000_000)
    assert.deepStrictEqual(first, [
      ready,
      { type: "PodScheduled", status: "False", reason: "Unschedulable", message: "a", lastTransitionTime: "1970-01-01T00:16:40Z" }
    ])
    assert(first !== undefined)
    assert.isUndefined(PodScheduledCondition.notScheduled(withConditions(first), "Unschedulable", "a", 2_000_000))
    const second = PodScheduledCondition.notScheduled(withConditions(first), "Unschedulable", "b", 2_000_000)
    assert.deepStrictEqual(second?.map((condition) => [condition.type, condition.message, condition.lastTransitionTime]), [
      ["Ready", undefined, undefined],
      ["PodScheduled", "b", "1970-01-01T00:16:40Z"]
    ])
  })
})
