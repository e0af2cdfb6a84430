import { assert, describe, it } from "@effect/vitest"
import { CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import { type Context, Effect } from "effect"
import { CrashPoint } from "../src/index.js"

/** What three commands and their cleaning up leave of themselves on the host when the program ends at `point`. */
const ranUntil = (point: CrashPoint.CrashPoint) =>
  Effect.gen(function*() {
    const journal: Array<CommandLine.CommandLine> = []
    const host = yield* Effect.provide(CommandRunner.CommandRunner, CommandRunner.layerTest(() => CommandRunner.result(), journal))
    const runner: Context.Tag.Service<CommandRunner.CommandRunner> = CrashPoint.runner(host, point)
    const command = (name: string) => runner.run(CommandLine.make(name))
    const program = Effect.ensuring(
      Effect.all([command("a"), command("b"), Effect.scoped(runner.tempFile("file", "")), command("c")]),
      Effect.orDie(command("clean"))
    )
    const reached = yield* CrashPoint.isReached(program)
    return { reached, ran: journal.map(({ program }) => program).join(" ") }
  })

describe("a program that ends at one of its commands", () => {
  it.effect("has done what came before, and does nothing on its way down", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* ranUntil({ command: 2, moment: "before" }), { reached: true, ran: "a" })
      assert.deepStrictEqual(yield* ranUntil({ command: 2, moment: "after" }), { reached: true, ran: "a b" })
      assert.deepStrictEqual(yield* ranUntil({ command: 5, moment: "before" }), { reached: false, ran: "a b c clean" })
    }))

  it.effect("ends at each of them in turn", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const count = yield* CrashPoint.inTurn("after", (point) =>
        Effect.map(ranUntil(point), ({ ran, reached }) => {
          seen.push(ran)
          return reached
        }))
      assert.strictEqual(count, 4)
      assert.deepStrictEqual(seen, ["a", "a b", "a b c", "a b c clean", "a b c clean"])
    }))

  it.effect("may still fail, or have defects, by itself", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Effect.flip(CrashPoint.isReached(Effect.fail("its own"))), "its own")
      const exit = yield* Effect.exit(CrashPoint.isReached(Effect.dieMessage("its own")))
      assert.strictEqual(exit._tag, "Failure")
    }))
})
