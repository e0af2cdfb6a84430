import { WorkQueue } from "@reddwarf/client"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, FastCheck, Fiber, Scope, TestClock } from "effect"

const settle = Effect.repeatN(Effect.yieldNow(), 20)

describe("WorkQueue", () => {
  it.scoped("hands out keys in order and coalesces those that wait", () =>
    Effect.gen(function*() {
      const queue = yield* WorkQueue.make({ name: "test" })
      for (const key of ["a", "b", "a", "c", "b"]) yield* queue.add(key)
      assert.strictEqual(queue.depth(), 3)
      assert.deepStrictEqual([yield* queue.take, yield* queue.take, yield* queue.take], ["a", "b", "c"])
    }))

  it.scoped("hands a key out again, once, when it was added during its pass", () =>
    Effect.gen(function*() {
      const queue = yield* WorkQueue.make({ name: "test" })
      yield* queue.add("a")
      yield* queue.take
      yield* queue.add("a")
      yield* queue.add("a")
      assert.strictEqual(queue.depth(), 0)
      yield* queue.done("a")
      assert.strictEqual(queue.depth(), 1)
      assert.strictEqual(yield* queue.take, "a")
      yield* queue.done("a")
      assert.strictEqual(queue.depth(), 0)
    }))

  it.scoped("wakes a waiting worker, and an interrupted one loses no key", () =>
    Effect.gen(function*() {
      const queue = yield* WorkQueue.make({ name: "test" })
      const first = yield* Effect.fork(queue.take)
      yield* settle
      yield* queue.add("a")
      yield* Fiber.interrupt(first)
      const second = yield* Effect.fork(queue.take)
      yield* settle
      if (queue.depth() === 0 && (yield* Fiber.poll(second))._tag === "None") assert.fail("the key was lost")
    }))

  it.scoped("keeps the earlier of two delays", () =>
    Effect.gen(function*() {
      const queue = yield* WorkQueue.make({ name: "test" })
      yield* queue.addAfter("a", "10 seconds")
      yield* queue.addAfter("a", "2 seconds")
      yield* queue.addAfter("a", "30 seconds")
      yield* TestClock.adjust("1999 millis")
      assert.strictEqual(queue.depth(), 0)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(queue.depth(), 1)
      yield* queue.take
      yield* queue.done("a")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(queue.depth(), 0)
    }))

  it.scoped("doubles the delay of failing keys up to a cap, until forgotten", () =>
    Effect.gen(function*() {
      const queue = yield* WorkQueue.make({ name: "test", baseDelay: "5 millis", maxDelay: "20 millis" })
      const clock = yield* Effect.clock
      const waits: Array<number> = []
      const retry = Effect.gen(function*() {
        const before = clock.unsafeCurrentTimeMillis()
        yield* queue.addRateLimited("a")
        while (queue.depth() === 0) yield* TestClock.adjust("1 millis")
        waits.push(clock.unsafeCurrentTimeMillis() - before)
        yield* queue.take
        yield* queue.done("a")
      })
      yield* Effect.repeatN(retry, 3)
      assert.strictEqual(queue.retries("a"), 4)
      yield* queue.forget("a")
      yield* retry
      assert.deepStrictEqual(waits, [5, 10, 20, 20, 5])
    }))

  it.scoped("refuses keys beyond its capacity", () =>
    Effect.gen(function*() {
      const queue = yield* WorkQueue.make<string>({ name: "test", capacity: 2 })
      assert.deepStrictEqual(["a", "b", "c", "a"].map(queue.unsafeAdd), [true, true, false, true])
    }))

  it.effect("interrupts takers and refuses keys after the scope has closed", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const queue = yield* Scope.extend(WorkQueue.make({ name: "test" }), scope)
      yield* queue.addAfter("late", "1 second")
      const taker = yield* Effect.fork(queue.take)
      yield* settle
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(Exit.isInterrupted(yield* Fiber.await(taker)))
      assert.isFalse(queue.unsafeAdd("a"))
    }))

  const operations = FastCheck.array(
    FastCheck.oneof(
      FastCheck.record({ op: FastCheck.constant("add"), key: FastCheck.constantFrom("a", "b", "c") }),
      FastCheck.record({ op: FastCheck.constantFrom("take", "done"), key: FastCheck.constantFrom("a", "b", "c") })
    ),
    { maxLength: 60 }
  )

  it.effect.prop("never gives one key to two workers and loses no addition", [operations], ([steps]) =>
    Effect.gen(function*() {
      const queue = yield* WorkQueue.make({ name: "test" })
      const held = new Set<string>()
      const owed = new Set<string>()
      for (const { key, op } of steps) {
        if (op === "add") {
          yield* queue.add(key)
          owed.add(key)
        } else if (op === "done") {
          if (held.delete(key)) yield* queue.done(key)
        } else if (queue.depth() > 0) {
          const taken = yield* queue.take
          assert.isFalse(held.has(taken))
          assert.isTrue(owed.delete(taken))
          held.add(taken)
        }
      }
      for (const key of held) yield* queue.done(key)
      while (queue.depth() > 0) owed.delete(yield* queue.take)
      assert.strictEqual(owed.size, 0)
    }).pipe(Effect.scoped))
})
