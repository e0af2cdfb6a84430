import { assert, describe, it } from "@effect/vitest"
import { CommandRunner, type CommandLine } from "@reddwarf/runtime-illumos"
import { Effect, Layer } from "effect"
import * as fs from "node:fs"
import { Faults, Replay, SimulatedHost, Transcript } from "../src/index.js"
import { directory } from "./support.js"

const host = (folder: string) => SimulatedHost.layerWithControls({ directory: `${folder}/host`, memoryMiB: 4096, cpus: 4 })

const words = (text: string): CommandLine.CommandLine => {
  const [program = "", ...args] = text.split(" ")
  return { program, args }
}

/** Commands that find the host as it is at first, made with a temporary file and names that the host makes up. */
const work = Effect.gen(function*() {
  const runner = yield* CommandRunner.CommandRunner
  yield* Effect.scoped(Effect.flatMap(
    runner.tempFile("web.cfg", "create -b\nset zonepath=/zones/web\nset brand=sparse\nset ip-type=exclusive\nverify\ncommit\n"),
    (file) => runner.run({ program: "zonecfg", args: ["-z", "web", "-f", file] })
  ))
  yield* runner.run(words("zoneadm -z web install"))
  const { stdout } = yield* runner.run(words("zoneadm -z web list -p"))
  // The uuid is one that the host made up.
  yield* runner.run(words(`zoneadm -u ${stdout.split(":")[4]} boot`))
  yield* runner.run(words("zonename"))
  yield* runner.run(words("zoneadm -z web install"))
  yield* runner.run(words("zoneadm -z web halt"))
})

const recorded = (folder: string) =>
  Effect.gen(function*() {
    const path = `${folder}/transcript`
    yield* Effect.provide(work, Layer.provide(Transcript.record({ path }), host(`${folder}/a`)))
    return { path, entries: yield* Transcript.read(path) }
  })

describe("transcript", () => {
  it.scopedLive("holds what was run and what came of it, and is for its owner alone", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const { entries, path } = yield* recorded(folder)
      assert.deepStrictEqual(entries.map(({ exitCode }) => exitCode), [0, 0, 0, 0, 0, 1, 0])
      assert.strictEqual(entries[0]?.files?.[0].content.split("\n")[1], "set zonepath=/zones/web")
      assert.strictEqual(entries[5]?.stderr, "zoneadm: zone 'web': install operation is invalid for running zones.\n")
      assert.strictEqual(fs.statSync(path).mode & 0o777, 0o600)
    }))

  it.scopedLive("replays on another host without a difference: names that a host makes up have their counterparts", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const { entries } = yield* recorded(folder)
      const report = yield* Effect.provide(Replay.replay(entries), host(`${folder}/b`))
      assert.deepStrictEqual(report, { run: 7, skipped: 0, differences: [] })
      assert.strictEqual(Replay.format(report), "7 commands run, 0 differences")
    }))

  it.scopedLive("says what is different on a host that is not as it should be", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const { entries } = yield* recorded(folder)
      const bad = Effect.gen(function*() {
        const controls = yield* SimulatedHost.SimulatedHost
        yield* controls.inject(Faults.failNext({ program: "zonename", stderr: "bad day", exitCode: 4 }))
        const all = yield* Replay.replay(entries)
        yield* controls.inject(Faults.hang({ program: "zonename" }))
        return all
      })
      const { differences } = yield* Effect.provide(bad, host(`${folder}/b`))
      assert.deepStrictEqual(differences.map(({ actual, command, expected, field }) => [command, field, expected, actual]), [
        [5, "exitCode", "0", "4"],
        [5, "stdout", "global\n", ""],
        [5, "stderr", "", "bad day\n"]
      ])
      const stopped = yield* Effect.provide(Replay.replay(entries.slice(1), { stopAtDifference: true }), host(`${folder}/c`))
      assert.strictEqual(stopped.run, 1)
      assert.include(Replay.format(stopped), "1. zoneadm -z web install\n   exitCode differs")
      const masked = yield* Effect.provide(
        Replay.replay([{ at: 0, millis: 0, argv: ["zonename"], stdout: "local\n", stderr: "", exitCode: 0 }], { volatile: [/local|global/] }),
        host(`${folder}/c`)
      )
      assert.deepStrictEqual(masked.differences, [])
    }))

  it.scopedLive("keeps commands that gave no result, and does not repeat them", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const path = `${folder}/transcript`
      yield* Effect.gen(function*() {
        const runner = yield* CommandRunner.CommandRunner
        yield* Effect.flip(runner.run(words("nosuch x")))
        yield* Effect.flatMap(SimulatedHost.SimulatedHost, ({ inject }) => inject(Faults.hang({ program: "zonename" })))
        yield* Effect.flip(runner.run({ ...words("zonename"), timeout: "10 millis" }))
        yield* Effect.scoped(Effect.flatMap(runner.start(words("zonename")), ({ exit }) => exit))
      }).pipe(Effect.provide(Layer.provideMerge(Transcript.record({ path }), host(folder))))
      fs.appendFileSync(path, "{\"at\":1,\"mil")
      const entries = yield* Transcript.read(path)
      assert.deepStrictEqual(entries.map(({ interactive, unavailable }) => unavailable ?? interactive), ["NotFound", "Timeout", true])
      const report = yield* Effect.provide(Replay.replay(entries), host(folder))
      assert.deepStrictEqual(report, { run: 0, skipped: 3, differences: [] })
      fs.writeFileSync(path, "{}\n")
      assert.include((yield* Effect.flip(Transcript.read(path))).message, "line 1 is no command")
    }))
})
