import { FaultScript, Replay, SimulatedHost, Transcript } from "@reddwarf/illumos-sim"
import { CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import { Console, Effect, Layer } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const folder = mkdtempSync(join(tmpdir(), "illumos-sim-"))
const host = (name: string) => SimulatedHost.layerWithControls({ directory: join(folder, name) })
const path = join(folder, "transcript")

const work = Effect.gen(function*() {
  const { run } = yield* CommandRunner.CommandRunner
  yield* run(CommandLine.make("/usr/sbin/dladm", "create-etherstub", "-t", "stub0"))
  yield* run(CommandLine.make("/usr/sbin/dladm", "show-etherstub", "-p", "-o", "link"))
})

const program = Effect.gen(function*() {
  yield* Effect.provide(work, Layer.provide(Transcript.record({ path }), host("recorded")))
  const entries = yield* Transcript.read(path)
  // CommandRunner.layer in place of host("other") runs the same commands on a real host.
  const report = yield* Effect.provide(Replay.replay(entries), host("other"))
  yield* Console.log(Replay.format(report))

  // On a host that goes down while the etherstub is made, nothing of it is left.
  const unlucky = Effect.gen(function*() {
    yield* Effect.flatMap(FaultScript.parse("reboot during dladm match create-etherstub"), FaultScript.run)
    return yield* Replay.replay(entries)
  })
  yield* Console.log(Replay.format(yield* Effect.provide(unlucky, host("unlucky"))))
})

await Effect.runPromise(program)
rmSync(folder, { recursive: true })
