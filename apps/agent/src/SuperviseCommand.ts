/** `reddwarf-agent supervise`: the process that keeps containers running while agents come and go. */
import { Command } from "@effect/cli"
import { Supervisor } from "@reddwarf/node-agent"
import * as Host from "./Host.js"
import { dataDir } from "./RunSettings.js"
import { Effect } from "effect"

export const supervise = Command.make("supervise", { dataDir }, ({ dataDir }) =>
  Supervisor.run({ dataDir }).pipe(Effect.provide(Host.rememberedRunner(dataDir)))).pipe(
    Command.withDescription("Keep the containers of this host running; the agent starts this by itself")
  )
