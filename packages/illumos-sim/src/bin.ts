import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { CommandRunner } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Program from "./cli/Program.js"

const program = Program.run({
  argv: process.argv.slice(2),
  environment: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  self: [process.execPath, ...process.execArgv, process.argv[1] ?? ""],
  realHost: Layer.provide(CommandRunner.layer, NodeContext.layer)
}).pipe(
  Effect.flatMap((exitCode) => Effect.sync(() => {
    process.exitCode = exitCode
    // An input that nobody ends must not keep the program alive.
    process.stdin.destroy()
  }))
)

NodeRuntime.runMain(program, { disableErrorReporting: true })
