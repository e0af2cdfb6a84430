import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Either, Fiber, TestClock } from "effect"
import { settle } from "vitest-config/waiting"
import * as sharedLook from "../src/internal/sharedLook.js"
import { finder } from "../src/internal/zoneObserver.js"
import * as ZoneName from "../src/ZoneName.js"

/** A host of numbers: what looks at it, and how often. */
const host = (behaviour: { readonly before?: (look: string) => Effect.Effect<void, string> } = {}) => {
  const values = new Map<string, number>()
  const looks: Array<string> = []
  const look = <A>(what: string, answer: () => A) =>
    Effect.suspend(() => {
      looks.push(what)
      return Effect.map(behaviour.before?.(what) ?? Effect.void, answer)
    })
  const valueOf = (key: string) => values.get(key) ?? 0
  const shared = sharedLook.make<string, number, string>({
    one: (key) => look(key, () => valueOf(key)),
    all: look("all", () => {
      const seen = new Map(values)
      return (key) => Either.right(seen.get(key) ?? 0)
    }),
    longest: "400 millis"
  })
  return { values, looks, shared }
}

const keys = Array.from({ length: 100 }, (_, index) => `k${index}`)
const isUp = (value: number) => value > 0

/** Lets time pass in small steps, with everything that happens in each of them. */
const pass = (duration: Duration.DurationInput) =>
  Effect.repeatN(Effect.zipRight(TestClock.adjust("50 millis"), settle), Duration.toMillis(duration) / 50 - 1)

describe("a shared look", () => {
  it.effect("answers everybody who asks at the same moment", () =>
    Effect.gen(function*() {
      const { looks, shared, values } = host()
      values.set("k7", 7)
      const seen = yield* Effect.forEach(keys, shared.now, { concurrency: "unbounded" })
      assert.deepStrictEqual(looks, ["all"])
      assert.strictEqual(seen[7], 7)
      assert.strictEqual(yield* shared.now("k7"), 7)
      assert.deepStrictEqual(looks, ["all", "k7"])
    }))

  it.effect("answers who asks while one is under way by the next one", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const { looks, shared, values } = host({ before: (look) => look === "a" ? Deferred.await(gate) : Effect.void })
      const first = yield* Effect.fork(shared.now("a"))
      yield* settle
      const others = yield* Effect.fork(Effect.forEach(keys, shared.now, { concurrency: "unbounded" }))
      yield* settle
      assert.deepStrictEqual(looks, ["a"])
      values.set("k7", 7)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual(yield* Fiber.join(first), 0)
      assert.strictEqual((yield* Fiber.join(others))[7], 7)
      assert.deepStrictEqual(looks, ["a", "all"])
    }))

  it.effect("looks less often while nothing happens, as often as before when somebody new waits, and not at all when nobody does", () =>
    Effect.gen(function*() {
      const { looks, shared, values } = host()
      const waiting = yield* Effect.fork(Effect.forEach(keys, (key) => shared.until(key, isUp, "1 minute"), { concurrency: "unbounded" }))
      yield* settle
      assert.strictEqual(looks.length, 1)
      // After 100, 300, 700, 1100, 1500, 1900 milliseconds.
      yield* pass("2 seconds")
      assert.strictEqual(looks.length, 7)
      const late = yield* Effect.fork(shared.until("late", isUp, "1 minute"))
      yield* settle
      assert.strictEqual(looks.length, 8)
      values.set("late", 1)
      yield* pass("400 millis")
      assert.strictEqual(yield* Fiber.join(late), 1)
      for (const key of keys) values.set(key, 1)
      yield* pass("400 millis")
      assert.deepStrictEqual(yield* Fiber.join(waiting), keys.map(() => 1))
      const before = looks.length
      yield* pass("5 seconds")
      assert.strictEqual(looks.length, before)
    }))

  it.effect("a look for one serves those who wait for others", () =>
    Effect.gen(function*() {
      const { looks, shared, values } = host()
      const waiting = yield* Effect.fork(shared.until("a", isUp, "1 minute"))
      yield* settle
      values.set("a", 1)
      yield* shared.now("b")
      assert.strictEqual(yield* Fiber.join(waiting), 1)
      assert.deepStrictEqual(looks, ["a", "all"])
    }))

  it.effect("stops when those who waited were interrupted", () =>
    Effect.gen(function*() {
      const { looks, shared } = host()
      const waiting = yield* Effect.fork(Effect.forEach(keys, (key) => shared.until(key, isUp, "1 minute"), { concurrency: "unbounded" }))
      yield* pass("1 second")
      yield* Fiber.interrupt(waiting)
      yield* pass("1 second")
      const before = looks.length
      yield* pass("5 seconds")
      assert.strictEqual(looks.length, before)
    }))

  it.effect("gives what was seen last when the time is over", () =>
    Effect.gen(function*() {
      const { shared, values } = host()
      const waiting = yield* Effect.fork(shared.until("a", isUp, "3 seconds"))
      yield* pass("2 seconds")
      values.set("a", -1)
      yield* pass("1500 millis")
      assert.strictEqual(yield* Fiber.join(waiting), -1)
    }))

  it.effect("takes at most a fifth of the time where it is slow", () =>
    Effect.gen(function*() {
      const { looks, shared } = host({ before: () => Effect.sleep("1 second") })
      const waiting = yield* Effect.fork(Effect.forEach(["a", "b"], (key) => shared.until(key, isUp, "10 minutes"), { concurrency: "unbounded" }))
      yield* pass("20 seconds")
      assert.isAtMost(looks.length, 5)
      yield* Fiber.interrupt(waiting)
    }))

  it.effect("holds nobody up who asks after one that is stuck", () =>
    Effect.gen(function*() {
      const { looks, shared } = host({ before: (look) => look === "a" ? Effect.never : Effect.void })
      const stuck = yield* Effect.fork(shared.now("a"))
      yield* settle
      const second = yield* Effect.fork(shared.now("b"))
      yield* pass("2500 millis")
      assert.strictEqual(yield* Fiber.join(second), 0)
      assert.strictEqual(yield* Fiber.join(stuck), 0)
      assert.deepStrictEqual(looks, ["a", "all"])
    }))

  it.effect("tells a failure to those who asked for that look, and not to the next", () =>
    Effect.gen(function*() {
      let broken = true
      const { shared } = host({ before: () => broken ? Effect.fail("broken") : Effect.void })
      const seen = yield* Effect.forEach(["a", "b"], (key) => Effect.flip(shared.now(key)), { concurrency: "unbounded" })
      assert.deepStrictEqual(seen, ["broken", "broken"])
      broken = false
      assert.strictEqual(yield* shared.now("a"), 0)
    }))

  it.effect("goes on for the others when who asked first is gone, also from where nothing can be interrupted", () =>
    Effect.gen(function*() {
      const { shared, values } = host()
      const first = yield* Effect.fork(shared.until("a", isUp, "1 minute"))
      const second = yield* Effect.fork(Effect.uninterruptible(shared.until("b", isUp, "1 minute")))
      yield* pass("1 second")
      yield* Fiber.interrupt(first)
      values.set("b", 2)
      yield* pass("1 second")
      assert.strictEqual(yield* Fiber.join(second), 2)
    }))
})

describe("zones in a listing", () => {
  const zone = ZoneName.make

  it("are found by name; one that is not there is absent", () => {
    const find = finder("0:global:running:/::ipkg:shared:0\n7:web:running:/zones/web:u-1:lx:excl:3\n")
    assert.deepInclude(Either.getOrThrow(find(zone("web"))), { state: "running", id: 7 })
    assert.isUndefined(Either.getOrThrow(find(zone("job"))))
  })

  it("that can be read are not harmed by a line that cannot", () => {
    const find = finder("0:global:running\n7:web:running:/zones/web:u-1:lx:excl\n")
    assert.deepInclude(Either.getOrThrow(find(zone("web"))), { state: "running" })
    assert.deepInclude(Either.getLeft(find(zone("job"))).pipe((left) => left._tag === "Some" ? left.value : undefined), { _tag: "UnreadableOutput" })
  })
})
