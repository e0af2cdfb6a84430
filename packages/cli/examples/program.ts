import { Command, Options } from "@effect/cli"
import { NodeContext } from "@effect/platform-node"
import { Settings } from "@reddwarf/cli"
import { Console, Effect, Layer } from "effect"

const names = ["port"]
const command = Command.make("program", {
  config: Settings.file,
  port: Settings.integer("port", 1, 65_535).pipe(Options.withDefault(6443), Options.withDescription("loopback port"))
}, ({ port }) => Console.log(`port ${port}`))

// A real program passes process.argv and process.env.
const argv = ["node", "program"]
const environment = { PROGRAM_PORT: "8443" }

const program = Command.run(command, { name: "program", version: "1.0.0" })(argv).pipe(
  Effect.provide(Layer.merge(NodeContext.layer, Settings.layer({ argv, environment, prefix: "PROGRAM", names })))
)

await Effect.runPromise(program) // port 8443
