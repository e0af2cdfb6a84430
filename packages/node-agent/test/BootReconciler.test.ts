import { assert, describe, it } from "@effect/vitest"
import { BootReconciler } from "@reddwarf/node-agent"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"

const clean: BootReconciler.ZoneStageResult = { mode: "Full", actions: [], failures: [], installed: new Set(["u1"]) }

/** Counts passes and says when each began, in milliseconds of the test clock. */
const counting = <E = never>(pass: Effect.Effect<BootReconciler.ZoneStageResult, E> = Effect.succeed(clean)) => {
  const begins: Array<number> = []
  return {
    begins,
    zones: Effect.zipRight(
      Effect.flatMap(Effect.clock, (clock) => Effect.sync(() => void begins.push(clock.unsafeCurrentTimeMillis()))),
      pass
    )
  }
}

const recovered = Effect.succeed(true)

describe("BootReconciler", () => {
  it.effect("looks at once, again one interval after the end, and not before", () =>
    Effect.gen(function*() {
      const { begins, zones } = counting()
      const loop = yield* BootReconciler.make({ interval: "30 seconds", isRecovered: recovered, zones })
      const fiber = yield* Effect.fork(loop.run)
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(begins, [0])
      yield* TestClock.adjust("29 seconds")
      assert.deepStrictEqual(begins, [0])
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(begins, [0, 30_000])
      yield* loop.shutdown
      yield* Fiber.join(fiber)
      assert.strictEqual(begins.length, 2)
    }))

  it.effect("never begins a pass beside another one, and counts the interval from its end", () =>
    Effect.gen(function*() {
      const { begins, zones } = counting(Effect.as(Effect.sleep("100 seconds"), clean))
      const loop = yield* BootReconciler.make({ interval: "30 seconds", isRecovered: recovered, zones })
      const fiber = yield* Effect.fork(loop.run)
      yield* TestClock.adjust("129 seconds")
      assert.deepStrictEqual(begins, [0])
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(begins, [0, 130_000])
      assert.strictEqual(loop.lastReport()?.durationMs, 100_000)
      yield* loop.shutdown
      yield* TestClock.adjust("100 seconds")
      yield* Fiber.join(fiber)
    }))

  it.effect("ends at once when asked while it waits", () =>
    Effect.gen(function*() {
      const { begins, zones } = counting()
      const loop = yield* BootReconciler.make({ interval: "30 seconds", isRecovered: recovered, zones })
      const fiber = yield* Effect.fork(loop.run)
      yield* TestClock.adjust("5 seconds")
      yield* loop.shutdown
      // Without any time passing.
      yield* Fiber.join(fiber)
      assert.strictEqual(begins.length, 1)
    }))

  it.effect("ends the pass in progress, and begins no other, when asked during one", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      let ended = 0
      const { begins, zones } = counting(Effect.zipRight(Deferred.await(gate), Effect.sync(() => {
        ended += 1
        return clean
      })))
      const loop = yield* BootReconciler.make({ interval: "30 seconds", isRecovered: recovered, zones })
      const fiber = yield* Effect.fork(loop.run)
      yield* TestClock.adjust("1 seconds")
      yield* loop.shutdown
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(fiber)
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual([begins.length, ended], [1, 1])
    }))

  it.effect("does not cut a pass off when its fiber is interrupted", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      let ended = false
      const { zones } = counting(Effect.zipRight(Deferred.await(gate), Effect.sync(() => {
        ended = true
        return clean
      })))
      const loop = yield* BootReconciler.make({ isRecovered: recovered, zones })
      const fiber = yield* Effect.fork(loop.run)
      yield* TestClock.adjust("1 seconds")
      const interrupted = yield* Effect.fork(Fiber.interrupt(fiber))
      yield* Effect.yieldNow()
      assert.isFalse(ended)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(interrupted)
      assert.isTrue(ended)
    }))

  it.effect("goes on after passes that fail or die", () =>
    Effect.gen(function*() {
      let count = 0
      const { begins, zones } = counting(Effect.suspend(() => {
        count += 1
        return count === 1 ? Effect.fail({ _tag: "HostGone", message: "no zoneadm" }) : count === 2 ? Effect.die(new Error("bug")) : Effect.succeed(clean)
      }))
      const loop = yield* BootReconciler.make({ interval: "30 seconds", isRecovered: recovered, zones })
      const fiber = yield* Effect.fork(loop.run)
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(loop.lastReport()?.failures[0]?.kind, "HostGone")
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(begins.length, 3)
      assert.deepStrictEqual(loop.lastReport()?.failures, [])
      assert.strictEqual(loop.lastReport()?.passId, 3)
      yield* loop.shutdown
      yield* Fiber.join(fiber)
    }))

  it.effect("repairs companions after the zones, for what is installed, and not when the zones could not be listed", () =>
    Effect.gen(function*() {
      const asked: Array<ReadonlyArray<string>> = []
      let broken = false
      const loop = yield* BootReconciler.make({
        interval: "30 seconds",
        isRecovered: recovered,
        zones: Effect.suspend(() => broken ? Effect.fail({ _tag: "HostGone" }) : Effect.succeed(clean)),
        companions: (installed) =>
          Effect.sync(() => {
            asked.push([...installed])
            return [{ name: "node-health", action: "Restarted" }]
          })
      })
      const fiber = yield* Effect.fork(loop.run)
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual(asked, [["u1"]])
      assert.deepStrictEqual(loop.lastReport()?.companions, [{ name: "node-health", action: "Restarted" }])
      broken = true
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(asked.length, 1)
      yield* loop.shutdown
      yield* Fiber.join(fiber)
    }))

  describe("recovery gate", () => {
    it.effect("lets no pass begin before the host has recovered", () =>
      Effect.gen(function*() {
        let done = false
        const { begins, zones } = counting()
        const loop = yield* BootReconciler.make({ recoveryPoll: "5 seconds", isRecovered: Effect.sync(() => done), zones })
        const fiber = yield* Effect.fork(loop.run)
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual(begins, [])
        done = true
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(begins.length, 1)
        yield* loop.shutdown
        yield* Fiber.join(fiber)
      }))

    it.effect("goes on when the cap is reached, and says so once", () =>
      Effect.gen(function*() {
        let told = 0
        const { begins, zones } = counting()
        const loop = yield* BootReconciler.make({
          recoveryCap: "30 minutes",
          recoveryPoll: "5 seconds",
          isRecovered: Effect.succeed(false),
          onRecoveryTimedOut: Effect.sync(() => void (told += 1)),
          zones
        })
        const fiber = yield* Effect.fork(loop.run)
        yield* TestClock.adjust(Duration.minutes(30))
        assert.deepStrictEqual([begins.length, told], [1, 1])
        yield* loop.shutdown
        yield* Fiber.join(fiber)
      }))

    it.effect("begins no pass at all when asked to end before", () =>
      Effect.gen(function*() {
        const { begins, zones } = counting()
        const loop = yield* BootReconciler.make({ isRecovered: Effect.succeed(false), zones })
        const fiber = yield* Effect.fork(loop.run)
        yield* TestClock.adjust("7 seconds")
        yield* loop.shutdown
        yield* Fiber.join(fiber)
        // The request is stored: one that came before the start counts too.
        yield* loop.run
        assert.deepStrictEqual(begins, [])
      }))
  })
})

