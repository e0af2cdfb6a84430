import { CommandRunner, ZoneName, ZoneRuntime } from "@reddwarf/runtime-illumos"
import { Console, Effect, Layer } from "effect"

// A host on which the zone was left half installed by a crash.
let state = "incomplete"
const host = CommandRunner.layerTest((line) => {
  const command = line.args[2] ?? ""
  if (command === "list") {
    return state === "gone"
      ? CommandRunner.result({ exitCode: 1, stderr: "zoneadm: web: No such zone configured\n" })
      : CommandRunner.result({ stdout: `-:web:${state}:/zones/web::lx:excl\n` })
  }
  state = command === "uninstall" ? "configured" : "gone"
  return CommandRunner.result()
})

const program = Effect.gen(function*() {
  const zones = yield* ZoneRuntime.ZoneRuntime
  yield* zones.ensureRemoved(ZoneName.make("web"))
  yield* Console.log(`the zone is ${state}`)
})

await program.pipe(Effect.provide(Layer.provide(ZoneRuntime.layer, host)), Effect.runPromise)
