import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Program } from "@reddwarf/cli"
import { Effect } from "effect"
import { command } from "./Cli.js"
import { hostCommandLine } from "./HostCommandLine.js"
import { names } from "./RunSettings.js"
import { version } from "./version.js"

const { argv, hostCommand } = hostCommandLine(process.argv)

Program.run({ name: "reddwarf-agent", version, prefix: "REDDWARF", names, command: await command(argv[2], hostCommand), argv, environment: process.env }).pipe(
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain({ disableErrorReporting: true, teardown: Program.teardown })
)
