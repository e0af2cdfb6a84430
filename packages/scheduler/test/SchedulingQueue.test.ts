import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, FastCheck as fc, Fiber, Option, TestClock } from "effect"
import { type ClusterEvent, PodInfo, PrioritySort, SchedulingGates, SchedulingQueue } from "../src/index.js"
import * as Heap from "../src/internal/heap.js"
import * as InFlightLog from "../src/internal/inFlightLog.js"
import { node, pod, podInfo, type PodShape } from "./support/objects.js"

const make = (options: Partial<SchedulingQueue.Options> = {}) => SchedulingQueue.make({ order: PrioritySort.order, ...options })

/** The next pod if there is one now. */
const poll = (queue: SchedulingQueue.SchedulingQueue) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(queue.take)
    for (let i = 0; i < 10; i++) yield* Effect.yieldNow()
    const exit = yield* fiber.poll
    yield* Fiber.interrupt(fiber)
    return Option.isNone(exit) ? undefined : (yield* exit.value).info.key.replace("default/", "")
  })

const happened = (event: ClusterEvent.ClusterEvent): ClusterEvent.Change => ({ event, old: undefined, next: undefined })

const named = (name: string, shape: PodShape = {}) => podInfo(name, shape)
const id = (name: string) => PodInfo.idOf(pod(name))

describe("SchedulingQueue", () => {
  it.effect("gives the highest priority first, then the longest waiting", () =>
    Effect.gen(function*() {
      const queue = yield* make()
      queue.upsert(named("first"))
      queue.upsert(named("second"))
      yield* TestClock.adjust("1 second")
      queue.upsert(named("urgent", { spec: { priority: 5 } }))
      queue.upsert(named("third"))
      queue.remove(id("second"))
      assert.deepStrictEqual([yield* poll(queue), yield* poll(queue), yield* poll(queue), yield* poll(queue)], ["urgent", "first", "third", undefined])
    }))

  it.effect("backs off 1 second, doubling to 10", () =>
    Effect.gen(function*() {
      const queue = yield* make()
      queue.upsert(named("p"))
      const delays: Array<number> = []
      for (let i = 0; i < 6; i++) {
        yield* queue.take
        queue.retry(id("p"))
        let waited = 0
        for (; (yield* poll(queue)) === undefined; waited += 500) yield* TestClock.adjust("500 millis")
        delays.push(waited)
        // The poll took it: give it back at once, so that the next round starts from here.
        queue.remove(id("p"))
        queue.upsert(named("p"))
        for (let again = 0; again <= i; again++) {
          yield* queue.take
          queue.retry(id("p"))
          yield* TestClock.adjust("10 seconds")
        }
      }
      assert.deepStrictEqual(delays, [1000, 2000, 4000, 8000, 10_000, 10_000])
    }))

  it.effect("wakes a waiting taker when a back-off ends", () =>
    Effect.gen(function*() {
      const queue = yield* make()
      queue.upsert(named("p"))
      yield* queue.take
      queue.retry(id("p"))
      const fiber = yield* Effect.fork(queue.take)
      yield* TestClock.adjust("999 millis")
      assert.isTrue(Option.isNone(yield* fiber.poll))
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(fiber)).attempts, 2)
    }))

  it.effect("keeps an unschedulable pod until an event that may help, and its back-off then", () =>
    Effect.gen(function*() {
      const queue = yield* make({ wakes: (_, rejectedBy, { event }) => rejectedBy.has("NodeResourcesFit") && event === "AssignedPodDelete" })
      queue.upsert(named("p"))
      yield* queue.take
      queue.reject(id("p"), new Set(["NodeResourcesFit"]))
      queue.notify(happened("NodeUpdateLabels"))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(queue.depth().unschedulable, 1)
      queue.notify(happened("AssignedPodDelete"))
      assert.strictEqual(yield* poll(queue), "p")

      queue.reject(id("p"), new Set(["NodeResourcesFit"]))
      queue.notify(happened("AssignedPodDelete"))
      assert.strictEqual(queue.depth().backoff, 1)
      assert.isUndefined(yield* poll(queue))
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* poll(queue), "p")
    }))

  it.effect("tries every pod after five minutes", () =>
    Effect.gen(function*() {
      const queue = yield* make({ wakes: () => false })
      queue.upsert(named("p"))
      yield* queue.take
      queue.reject(id("p"), new Set(["X"]))
      const fiber = yield* Effect.fork(queue.take)
      yield* TestClock.adjust(Duration.millis(299_999))
      assert.isTrue(Option.isNone(yield* fiber.poll))
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(fiber)).info.key, "default/p")
    }))

  it.effect("misses no event during an attempt", () =>
    Effect.gen(function*() {
      const queue = yield* make({ wakes: (_, __, { event }) => event === "NodeAdd" })
      queue.upsert(named("p"))
      yield* queue.take
      queue.notify(happened("NodeAdd"))
      queue.reject(id("p"), new Set(["X"]))
      assert.strictEqual(queue.depth().backoff, 1)
    }))

  it.effect("a change of the pod during its attempt earns another one", () =>
    Effect.gen(function*() {
      const queue = yield* make({ wakes: () => false })
      queue.upsert(named("p"))
      yield* queue.take
      queue.upsert(named("p", { spec: { tolerations: [{ operator: "Exists" }] } }))
      queue.reject(id("p"), new Set(["X"]))
      assert.strictEqual(queue.depth().backoff, 1)
    }))

  it.effect("only an attempt can be answered", () =>
    Effect.gen(function*() {
      const queue = yield* make()
      queue.upsert(named("p"))
      queue.reject(id("p"), new Set(["X"]))
      queue.retry(id("p"))
      assert.strictEqual(yield* poll(queue), "p")
    }))

  it.effect("a pod that saw no node at all waits for a node", () =>
    Effect.gen(function*() {
      const queue = yield* make()
      queue.upsert(named("p"))
      yield* queue.take
      queue.reject(id("p"), new Set())
      queue.notify(happened("AssignedPodDelete"))
      assert.strictEqual(queue.depth().unschedulable, 1)
      queue.notify(happened("NodeAdd"))
      assert.strictEqual(queue.depth().backoff, 1)
    }))

  it.effect("a change of the pod earns an attempt, a change of its status does not", () =>
    Effect.gen(function*() {
      const queue = yield* make({ wakes: () => false })
      queue.upsert(named("p"))
      yield* queue.take
      queue.reject(id("p"), new Set(["X"]))
      yield* TestClock.adjust("1 minute")
      queue.upsert(PodInfo.make({ ...pod("p"), status: { phase: "Pending", conditions: [{ type: "PodScheduled", status: "False" }] } }))
      assert.strictEqual(queue.depth().unschedulable, 1)
      queue.upsert(named("p", { spec: { tolerations: [{ operator: "Exists" }] } }))
      const queued = yield* queue.take
      assert.deepStrictEqual(queued.info.pod.spec?.tolerations, [{ operator: "Exists" }])
    }))

  it.effect("keeps gated pods out until their gates are gone", () =>
    Effect.gen(function*() {
      const queue = yield* make({ gate: (info) => SchedulingGates.plugin.preEnqueue?.(info) })
      queue.upsert(named("p", { spec: { schedulingGates: [{ name: "quota" }] } }))
      queue.notify(happened("NodeAdd"))
      yield* TestClock.adjust("10 minutes")
      assert.isUndefined(yield* poll(queue))
      assert.strictEqual(queue.depth().gated, 1)
      queue.upsert(named("p"))
      assert.strictEqual(yield* poll(queue), "p")
    }))

  it.effect("asks hints with the objects, and only for groups of pods that the event may help", () =>
    Effect.gen(function*() {
      const asked: Array<string> = []
      const queue = yield* make({
        cares: (_, rejectedBy, event) => rejectedBy.has("Labels") && event === "NodeUpdateLabels",
        wakes: (info, _, change) => {
          asked.push(info.key)
          return change.next !== undefined && "metadata" in change.next && change.next.metadata.name === "n1"
        }
      })
      for (const [name, by] of [["a", "Labels"], ["b", "Fit"]] as const) {
        queue.upsert(named(name))
        yield* queue.take
        queue.reject(id(name), new Set([by]))
      }
      yield* TestClock.adjust("10 seconds")
      queue.notify({ event: "NodeUpdateLabels", old: node("n0"), next: node("n0") })
      assert.strictEqual(queue.depth().unschedulable, 2)
      queue.notify({ event: "NodeUpdateLabels", old: node("n1"), next: node("n1") })
      assert.deepStrictEqual([queue.depth().unschedulable, queue.depth().active], [1, 1])
      assert.deepStrictEqual(asked, ["default/a", "default/a"])
    }))

  it.effect("a change of the pod wakes it when the plugins that rejected it say so", () =>
    Effect.gen(function*() {
      const queue = yield* make({ wakes: () => false, helped: (_, __, { event }) => event === "PodUpdateTolerations" })
      const tolerations = [{ operator: "Exists" as const }]
      queue.upsert(named("p"))
      yield* queue.take
      queue.reject(id("p"), new Set(["Taints"]))
      queue.upsert(named("p", { annotations: { note: "changed" } }))
      assert.strictEqual(queue.depth().unschedulable, 1)
      queue.upsert(named("p", { annotations: { note: "changed" }, spec: { tolerations } }))
      assert.strictEqual(queue.depth().backoff, 1)
    }))

  it.effect("activates pods at once, but not past their gates", () =>
    Effect.gen(function*() {
      const queue = yield* make({ gate: (info) => SchedulingGates.plugin.preEnqueue?.(info), wakes: () => false })
      queue.upsert(named("gated", { spec: { schedulingGates: [{ name: "quota" }] } }))
      queue.upsert(named("p"))
      yield* queue.take
      queue.reject(id("p"), new Set(["X"]))
      queue.activate([id("p"), id("gated"), "nobody"])
      assert.deepStrictEqual(queue.depth(), { active: 1, backoff: 0, unschedulable: 0, gated: 1, inFlight: 0 })
      assert.strictEqual(yield* poll(queue), "p")
      assert.deepStrictEqual(queue.pods().map((info) => info.key), ["default/gated", "default/p"])
    }))

  it.effect("a pod that keeps failing does not keep others of its priority from their turn", () =>
    Effect.gen(function*() {
      const queue = yield* make()
      queue.upsert(named("failing"))
      const order: Array<string> = []
      for (let i = 0; i < 20; i++) {
        queue.upsert(named(`new${i}`))
        const next = yield* poll(queue)
        order.push(next ?? "none")
        if (next === "failing") queue.retry(id("failing"))
        else if (next !== undefined) queue.remove(id(next))
        yield* TestClock.adjust("10 seconds")
      }
      // It comes again and again, and all that came before its last failure came first.
      assert.isAtLeast(order.filter((name) => name === "failing").length, 3)
      assert.deepStrictEqual(order.filter((name) => name !== "failing"), Array.from({ length: order.filter((name) => name !== "failing").length }, (_, i) => `new${i}`))
    }))

  it.effect("forgets a pod that was removed during its attempt", () =>
    Effect.gen(function*() {
      const queue = yield* make()
      queue.upsert(named("p"))
      yield* queue.take
      queue.remove(id("p"))
      queue.retry(id("p"))
      queue.reject(id("p"), new Set())
      assert.deepStrictEqual(queue.depth(), { active: 0, backoff: 0, unschedulable: 0, gated: 0, inFlight: 0 })
    }))
})

describe("what happens during attempts", () => {
  it("is seen from where each began, and forgotten when none is left that began before", () => {
    fc.assert(fc.property(fc.array(fc.constantFrom("begin", "end", "event"), { maxLength: 80, size: "max" }), (operations) => {
      const log = InFlightLog.make(1000)
      const open: Array<{ readonly mark: number; readonly expected: Array<ClusterEvent.ClusterEvent> }> = []
      for (const each of operations) {
        if (each === "begin") open.push({ mark: log.mark(), expected: [] })
        else if (each === "event") {
          for (const attempt of open) attempt.expected.push("NodeAdd")
          if (open.length > 0) log.note(happened("NodeAdd"))
        } else {
          const attempt = open.shift()
          if (attempt === undefined) continue
          let seen = 0
          log.someSince(attempt.mark, () => {
            seen += 1
            return false
          })
          assert.strictEqual(seen, attempt.expected.length)
          log.trim(open[0]?.mark)
          if (open.length === 0) assert.strictEqual(log.size(), 0)
        }
      }
    }))
  })

  it("counts as helpful when it is too much to keep", () => {
    const log = InFlightLog.make(10)
    const mark = log.mark()
    for (let i = 0; i < 11; i++) log.note(happened("NodeAdd"))
    assert.isTrue(log.someSince(mark, () => false))
    assert.isFalse(log.someSince(log.mark(), () => false))
    assert.isAtMost(log.size(), 10)
  })
})

describe("heap", () => {
  it("pops in order whatever was pushed and removed", () => {
    const operation = fc.oneof(fc.record({ push: fc.integer({ min: 0, max: 50 }) }), fc.record({ remove: fc.nat(30) }), fc.constant({ pop: true }))
    fc.assert(fc.property(fc.array(operation, { maxLength: 80, size: "max" }), (operations) => {
      const heap = Heap.make<{ readonly value: number }>((a, b) => a.value - b.value)
      let model: Array<{ readonly value: number }> = []
      for (const each of operations) {
        if ("push" in each) {
          const element = { value: each.push }
          heap.push(element)
          model.push(element)
        } else if ("remove" in each) {
          const element = model[each.remove]
          if (element === undefined) continue
          assert.isTrue(heap.remove(element))
          assert.isFalse(heap.remove(element))
          model = model.filter((other) => other !== element)
        } else {
          const popped = heap.pop()
          assert.strictEqual(popped?.value, model.length === 0 ? undefined : Math.min(...model.map((element) => element.value)))
          model = model.filter((element) => element !== popped)
        }
        assert.strictEqual(heap.size(), model.length)
      }
      const rest: Array<number> = []
      for (let next = heap.pop(); next !== undefined; next = heap.pop()) rest.push(next.value)
      assert.deepStrictEqual(rest, model.map((element) => element.value).sort((a, b) => a - b))
    }))
  })
})
