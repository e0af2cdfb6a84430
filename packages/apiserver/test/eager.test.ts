import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Exit } from "effect"
import * as eager from "../src/internal/eager.js"

describe("eager combinators", () => {
  it("go on at once where the effect is settled", () => {
    const made = eager.flatMap(Effect.succeed(1), (n) => eager.map(Either.right(n + 1), (m) => m * 10))
    assert.deepStrictEqual(made, Exit.succeed(20))
    assert.deepStrictEqual(eager.mapError(Effect.succeed(1), () => "never"), Exit.succeed(1))
  })

  it.effect("fail as the effect does, and do not go on", () =>
    Effect.gen(function*() {
      const never = (): Effect.Effect<never, string> => Effect.dieMessage("must not be called")
      assert.strictEqual(yield* Effect.flip(eager.flatMap(Effect.fail("a"), never)), "a")
      assert.strictEqual(yield* Effect.flip(eager.flatMap(Either.left("b"), never)), "b")
      assert.strictEqual(yield* Effect.flip(eager.mapError(Effect.fail("c"), (text) => `${text}!`)), "c!")
      assert.strictEqual(yield* Effect.flip(eager.mapError(Either.left("d"), (text) => `${text}!`)), "d!")
      const dead = yield* Effect.exit(eager.map(Effect.die("defect"), never))
      assert.deepStrictEqual(dead, Exit.die("defect"))
    }))

  it.effect("wait where it is not", () =>
    Effect.gen(function*() {
      const later = eager.flatMap(Effect.as(Effect.yieldNow(), 1), (n) => Effect.succeed(n + 1))
      assert.isFalse(Exit.isExit(later))
      assert.strictEqual(yield* later, 2)
    }))
})
