import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer, Schedule } from "effect"
import * as CommandLine from "../src/CommandLine.js"
import * as CommandRunner from "../src/CommandRunner.js"

const live = Layer.provideMerge(CommandRunner.layer, NodeContext.layer)
const small = Layer.provideMerge(CommandRunner.layerWith({ outputLimit: 1000 }), NodeContext.layer)

const sh = (script: string, ...args: ReadonlyArray<string>) => CommandLine.make("/bin/sh", "-c", script, "sh", ...args)
const run = (line: CommandLine.CommandLine) => Effect.flatMap(CommandRunner.CommandRunner, (runner) => runner.run(line))

describe("CommandRunner", () => {
  it.live("gives output and exit code, whatever the code is", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* run(sh("echo out; echo err >&2; exit 7")), {
        exitCode: 7,
        stdout: "out\n",
        stderr: "err\n"
      })
    }).pipe(Effect.provide(live)))

  it.live("passes arguments and input through unchanged", () =>
    Effect.gen(function*() {
      const words = ["a b", "$HOME", "it's", "", "*", "ü\n"]
      const result = yield* run(sh("printf '%s|' \"$@\"", ...words))
      assert.strictEqual(result.stdout, words.map((word) => `${word}|`).join(""))
      const input = "line ü\n".repeat(10_000)
      assert.strictEqual((yield* run(CommandLine.withStdin(CommandLine.make("/bin/cat"), input))).stdout, input)
    }).pipe(Effect.provide(live)))

  it.live("gives an empty input and nothing of the caller's environment", () =>
    Effect.gen(function*() {
      process.env["REDDWARF_SECRET"] = "x"
      const result = yield* run(CommandLine.make("/usr/bin/env"))
      assert.deepStrictEqual(result.stdout.trim().split("\n").sort(), ["LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin"])
      assert.strictEqual((yield* run(CommandLine.make("/bin/cat"))).stdout, "")
    }).pipe(Effect.provide(live)))

  it.live("reports death by signal as 128 + n", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* run(sh("kill -9 $$"))).exitCode, 137)
      assert.strictEqual((yield* run(sh("kill -15 $$"))).exitCode, 143)
    }).pipe(Effect.provide(live)))

  it.live("fails when the program is missing", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(run(CommandLine.make("/usr/sbin/no such zoneadm", "list")))
      assert.strictEqual(error.reason, "NotFound")
      assert.include(error.message, "'/usr/sbin/no such zoneadm' list")
    }).pipe(Effect.provide(live)))

  it.live("kills a program that ignores SIGTERM, and its children, when the time is over", () =>
    Effect.gen(function*() {
      const fileSystem = yield* FileSystem.FileSystem
      const directory = yield* fileSystem.makeTempDirectoryScoped()
      const start = yield* Clock.currentTimeMillis
      const script = `trap '' TERM; echo $$ > ${directory}/pid; sleep 30 & echo $! > ${directory}/child; wait; sleep 30`
      const error = yield* Effect.flip(run(CommandLine.withTimeout(sh(script), "2 seconds")))
      assert.strictEqual(error.reason, "Timeout")
      assert.isBelow((yield* Clock.currentTimeMillis) - start, 15_000)
      for (const file of ["pid", "child"]) {
        const pid = (yield* fileSystem.readFileString(`${directory}/${file}`)).trim()
        const state = fileSystem.readFileString(`/proc/${pid}/stat`).pipe(
          Effect.map((stat) => stat.split(") ")[1]?.charAt(0) ?? "?"),
          Effect.orElseSucceed(() => "gone")
        )
        // A killed orphan may wait a moment for somebody to collect it.
        const ended = yield* Effect.repeat(state, {
          until: (letter) => letter === "gone" || letter === "Z",
          schedule: Schedule.intersect(Schedule.spaced("20 millis"), Schedule.recurs(100))
        })
        assert.isNotNull(ended)
        assert.include(["gone", "Z"], yield* state)
      }
    }).pipe(Effect.scoped, Effect.provide(live)))

  it.live("stops a program that prints too much", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(run(sh("while :; do echo 0123456789; done")))
      assert.strictEqual(error.reason, "OutputLimit")
    }).pipe(Effect.provide(small)))

  it.live("writes files with mode 0600 that go with the scope", () =>
    Effect.gen(function*() {
      const runner = yield* CommandRunner.CommandRunner
      const path = yield* Effect.scoped(Effect.gen(function*() {
        const path = yield* runner.tempFile("zone a/b.cfg", "create -b\n")
        const shown = yield* runner.run(CommandLine.make("/bin/sh", "-c", "stat -c %a \"$1\"; cat \"$1\"", "sh", path))
        assert.strictEqual(shown.stdout, "600\ncreate -b\n")
        return path
      }))
      assert.strictEqual((yield* runner.run(CommandLine.make("/bin/cat", path))).exitCode, 1)
    }).pipe(Effect.provide(live)))
})
