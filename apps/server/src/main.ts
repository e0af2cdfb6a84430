import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Program } from "@reddwarf/cli"
import { Effect } from "effect"
import { command } from "./Cli.js"
import { names } from "./ServeSettings.js"
import { version } from "./version.js"

Program.run({ name: "reddwarf-server", version, prefix: "REDDWARF", names, command, argv: process.argv, environment: process.env }).pipe(
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain({ disableErrorReporting: true, teardown: Program.teardown })
)
