import { Command } from "@effect/cli"
import { NodeContext } from "@effect/platform-node"
import { Settings } from "@reddwarf/cli"
import { Console, Effect, Layer } from "effect"

const options = {
  config: Settings.file,
  port: Settings.orElse(Settings.integer("port", 1, 65_535), 6443, "loopback port")
}
const command = Command.make("program", options, ({ port }) => Console.log(`port ${port}`))

// A real program passes process.argv and process.env.
const argv = ["node", "program"]
const environment = { PROGRAM_PORT: "8443" }

const program = Command.run(command, { name: "program", version: "1.0.0" })(argv).pipe(
  Effect.provide(Layer.merge(NodeContext.layer, Settings.layer({ argv, environment, prefix: "PROGRAM", names: Settings.namesOf(options) })))
)

await Effect.runPromise(program) // port 8443
