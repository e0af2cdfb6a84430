import { Command, Options } from "@effect/cli"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Console, Data, Effect, Exit } from "effect"
import { Program } from "../src/index.js"

class Broken extends Data.TaggedError("Broken")<{ readonly message: string }> {}

const command = Command.make("program", { mode: Options.text("mode").pipe(Options.withDefault("fine")) }, ({ mode }): Effect.Effect<void, Broken | Program.WrongUsage> =>
  mode === "broken" ? new Broken({ message: "the disk is full" }) : mode === "wrong" ? Program.wrongUsage("give --mode fine") : mode === "stop" ? Effect.interrupt : Effect.void)

/** Exit status and standard error of the program. */
const run = (...words: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const errors: Array<string> = []
    const console = yield* Console.consoleWith(Effect.succeed)
    const recording: Console.Console = { ...console, error: (...args) => Effect.sync(() => void errors.push(args.join(" "))) }
    const exit = yield* Program.run({ name: "program", version: "1", prefix: "PROGRAM", names: [], command, argv: ["node", "program", ...words], environment: {} }).pipe(
      Effect.provide(NodeContext.layer),
      Effect.withConsole(recording),
      Effect.exit
    )
    let status = -1
    Program.teardown(exit, (code) => { status = code })
    return { status, errors: errors.join("\n"), success: Exit.isSuccess(exit) }
  })

describe("Program", () => {
  it.effect("ends with 0 when all went well", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* run(), { status: 0, errors: "", success: true })
    }))
  it.effect("ends with 0 when it was asked to stop", () =>
    Effect.gen(function*() {
      const { errors, status } = yield* run("--mode", "stop")
      assert.deepStrictEqual([status, errors], [0, ""])
    }))
  it.effect("reports a failure with the program's name and ends with 1", () =>
    Effect.gen(function*() {
      const { errors, status } = yield* run("--mode", "broken")
      assert.deepStrictEqual([status, errors], [1, "program: the disk is full"])
    }))
  it.effect("ends with 2 for a wrong command line, whoever found it", () =>
    Effect.gen(function*() {
      const found = yield* run("--mode", "wrong")
      assert.deepStrictEqual([found.status, found.errors], [2, "program: give --mode fine"])
      const unknown = yield* run("--unknown")
      assert.strictEqual(unknown.status, 2)
      assert.include(unknown.errors, "--unknown")
    }))
})
