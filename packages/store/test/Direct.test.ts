import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Either, Exit, Fiber, Runtime } from "effect"
import * as Direct from "../src/Direct.js"

/** Runs it as plain code does, where nothing is forked; the ends that it was told of. */
const plainly = <A, E>(self: Effect.Effect<A, E>, fork: Direct.Fork = () => assert.fail("must not need a fiber")) => {
  const ends: Array<Exit.Exit<A, E>> = []
  Direct.run(self, (exit) => ends.push(exit), fork)
  return ends
}

/** Something that plain code begins and the test ends. */
const pending = () => {
  const state = { begun: 0, cancelled: 0, end: (_: Exit.Exit<number, string>): void => assert.fail("not begun") }
  const effect = Direct.make<number, string>((done) => {
    state.begun++
    state.end = done
    return () => {
      state.cancelled++
    }
  })
  return { state, effect }
}

const next = {
  onFailure: (cause: Cause.Cause<string>): Effect.Effect<string, string> => Effect.succeed(`caught ${Cause.pretty(cause)}`),
  onSuccess: (n: number): Effect.Effect<string, string> => n < 0 ? Effect.fail("negative") : Effect.succeed(`got ${n}`)
}

describe("direct effects", () => {
  it("run by calls: settled ones at once, others when they end", () => {
    assert.deepStrictEqual(plainly(Effect.succeed(1)), [Exit.succeed(1)])
    assert.deepStrictEqual(plainly(Either.left("no")), [Exit.fail("no")])
    const { effect, state } = pending()
    const followed = Direct.suspend(() => Direct.follow(effect, next))
    assert.strictEqual(state.begun, 0)
    const ends = plainly(followed)
    assert.deepStrictEqual([state.begun, ends], [1, []])
    state.end(Exit.succeed(7))
    assert.deepStrictEqual(ends, [Exit.succeed("got 7")])
    // A description: it can be run again.
    const again = plainly(followed)
    state.end(Exit.fail("out of order"))
    assert.deepStrictEqual(again, [Exit.succeed("caught Error: out of order")])
  })

  it("end with what is thrown, as fibers do", () => {
    const fault = new Error("fault")
    const thrower = (): Effect.Effect<never> => {
      throw fault
    }
    assert.deepStrictEqual(plainly(Direct.suspend(thrower)), [Exit.die(fault)])
    const { effect, state } = pending()
    const ends = plainly(Direct.follow(effect, { onFailure: thrower, onSuccess: thrower }))
    state.end(Exit.succeed(1))
    assert.deepStrictEqual(ends, [Exit.die(fault)])
  })

  it.effect("leave to a fiber what needs one", () =>
    Effect.gen(function*() {
      const waits = Effect.as(Effect.yieldNow(), "late")
      const { effect, state } = pending()
      const fork = Runtime.runFork(yield* Effect.runtime())
      const ends = plainly(Direct.follow(effect, { ...next, onSuccess: () => waits }), (self, done) => fork(self).addObserver(done))
      state.end(Exit.succeed(1))
      assert.deepStrictEqual(ends, [])
      while (ends.length === 0) yield* Effect.yieldNow()
      assert.deepStrictEqual(ends, [Exit.succeed("late")])
    }))

  it.effect("are effects as any other in a fiber, which takes back what it does not wait for any more", () =>
    Effect.gen(function*() {
      const { effect, state } = pending()
      const fiber = yield* Effect.fork(Direct.follow(effect, next))
      while (state.begun === 0) yield* Effect.yieldNow()
      state.end(Exit.succeed(-1))
      assert.strictEqual(yield* Effect.flip(Fiber.join(fiber)), "negative")
      const given = yield* Effect.fork(effect)
      while (state.begun === 1) yield* Effect.yieldNow()
      yield* Fiber.interrupt(given)
      assert.strictEqual(state.cancelled, 1)
    }))
})
