import { Faults, SimulatedHost } from "@reddwarf/illumos-sim"
import { CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import { Console, Effect, Schedule } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const directory = mkdtempSync(join(tmpdir(), "illumos-sim-"))

const program = Effect.gen(function*() {
  const { run } = yield* CommandRunner.CommandRunner
  const host = yield* SimulatedHost.SimulatedHost
  yield* run(CommandLine.make("/usr/sbin/dladm", "create-etherstub", "-t", "stub0"))
  yield* host.inject(Faults.linkBusy("stub0", 2))

  // The code under test: it has to survive a link that stays busy for a while.
  const remove = run(CommandLine.make("/usr/sbin/dladm", "delete-etherstub", "stub0")).pipe(
    Effect.tap((result) => Console.log(`exit ${result.exitCode} ${result.stderr.trim()}`)),
    Effect.repeat({ until: (result) => result.exitCode === 0, schedule: Schedule.spaced("10 millis") })
  )
  yield* remove
})

await Effect.runPromise(Effect.provide(program, SimulatedHost.layerWithControls({ directory })))
rmSync(directory, { recursive: true })
