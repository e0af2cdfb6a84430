import { Reconciler } from "@reddwarf/controller"
import { assert, describe, it } from "@effect/vitest"
import { Data, Deferred, Effect, TestClock } from "effect"

const { Outcome } = Reconciler

class Refused extends Data.TaggedError("Refused")<{ readonly why: string }> {}

const quiet = { resync: "1 day" } as const

describe("Reconciler", () => {
  it.scoped("repeats a failing pass after 5, 10, 20 ms and starts afresh after a success", () =>
    Effect.gen(function*() {
      const at: Array<number> = []
      const clock = yield* Effect.clock
      const queue = yield* Reconciler.run({
        name: "test",
        ...quiet,
        reconcile: () =>
          Effect.suspend(() => {
            at.push(clock.unsafeCurrentTimeMillis())
            return at.length === 4 || at.length > 5 ? Effect.succeed(Outcome.Settled()) : Effect.fail(new Refused({ why: "busy" }))
          })
      })
      yield* queue.add("a")
      for (let millis = 0; millis < 60; millis++) yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(at, [0, 5, 15, 35])
      yield* queue.add("a")
      for (let millis = 0; millis < 20; millis++) yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(at.slice(4), [60, 65])
    }))

  it.scoped("looks again when a pass asks for it", () =>
    Effect.gen(function*() {
      let passes = 0
      const queue = yield* Reconciler.run({
        name: "test",
        reconcile: () => Effect.sync(() => (++passes < 3 ? Outcome.RequeueAfter({ delay: "10 seconds" }) : Outcome.Settled()))
      })
      yield* queue.add("a")
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(passes, 2)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(passes, 3)
    }))

  it.scoped("does not repeat a terminal failure until something changes", () =>
    Effect.gen(function*() {
      let passes = 0
      const queue = yield* Reconciler.run({
        name: "test",
        reconcile: () => Effect.zipRight(Effect.sync(() => passes++), new Refused({ why: "impossible" })),
        isTerminal: (error) => error.why === "impossible"
      })
      yield* queue.add("a")
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(passes, 1)
      yield* queue.add("a")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(passes, 2)
    }))

  it.scoped("survives a pass that dies and one that hangs", () =>
    Effect.gen(function*() {
      const journal: Array<string> = []
      const queue = yield* Reconciler.run({
        name: "test",
        workers: 1,
        timeout: "10 seconds",
        reconcile: (key: string) =>
          Effect.suspend(() => {
            const first = !journal.includes(key)
            journal.push(key)
            if (!first) return Effect.succeed(Outcome.Settled())
            return key === "hangs" ? Effect.never : Effect.die(new RangeError("a bug"))
          })
      })
      yield* queue.add("dies")
      yield* queue.add("hangs")
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(journal, ["dies", "hangs", "dies", "hangs"])
    }))

  it.scoped("works on different keys at the same time and never twice on one", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const running: Array<string> = []
      let most = 0
      const queue = yield* Reconciler.run({
        name: "test",
        workers: 3,
        reconcile: (key: string) =>
          Effect.acquireUseRelease(
            Effect.sync(() => {
              assert.notInclude(running, key)
              running.push(key)
              most = Math.max(most, running.length)
            }),
            () => Effect.as(Deferred.await(gate), Outcome.Settled()),
            () => Effect.sync(() => void running.splice(running.indexOf(key), 1))
          )
      })
      for (const key of ["a", "b", "c", "d", "a", "b"]) {
        yield* queue.add(key)
        yield* TestClock.adjust("1 millis")
      }
      assert.strictEqual(most, 3)
      yield* Deferred.succeed(gate, undefined)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(running, [])
    }))

  it.scoped("visits every known key at each resync", () =>
    Effect.gen(function*() {
      const visits = new Map<string, number>()
      yield* Reconciler.run({
        name: "test",
        keys: () => ["a", "b"],
        reconcile: (key: string) => Effect.sync(() => (visits.set(key, (visits.get(key) ?? 0) + 1), Outcome.Settled()))
      })
      yield* TestClock.adjust("5 minutes")
      for (const key of ["a", "b"]) assert.isTrue((visits.get(key) ?? 0) >= 8 && (visits.get(key) ?? 0) <= 13, `${visits.get(key)} visits`)
    }))
})

describe("Reconciler.periodic", () => {
  it.scoped("goes on after a failure", () =>
    Effect.gen(function*() {
      let passes = 0
      yield* Reconciler.periodic({
        name: "test",
        every: "10 seconds",
        pass: Effect.suspend(() => (++passes % 2 === 0 ? Effect.die("a bug") : Effect.fail(new Refused({ why: "busy" }))))
      })
      yield* TestClock.adjust("1 minute")
      assert.isTrue(passes >= 5 && passes <= 9, `${passes} passes`)
    }))

  it.scoped("goes on with its workers when something inside a pass was interrupted", () =>
    Effect.gen(function*() {
      let passes = 0
      const queue = yield* Reconciler.run({
        name: "test",
        ...quiet,
        workers: 1,
        reconcile: () => Effect.suspend(() => (++passes === 1 ? Effect.interrupt : Effect.succeed(Outcome.Settled())))
      })
      yield* queue.add("a")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(passes, 2)
    }))
})
