/** `reddwarf-agent supervise`: the process that keeps containers running while agents come and go. */
import { Command, Options } from "@effect/cli"
import { Supervisor } from "@reddwarf/node-agent"
import * as HeapLimits from "./HeapLimits.js"
import * as Host from "./Host.js"
import { dataDir } from "./RunSettings.js"
import { Effect, Layer, Option } from "effect"

export const supervise = Command.make("supervise", {
  dataDir,
  host: Options.choice("host", Host.hosts).pipe(Options.optional, Options.withDescription("the host to work on; default that of the agent of the data directory"))
}, ({ dataDir, host }) =>
  Supervisor.run({ dataDir }).pipe(
    Effect.provide(Layer.merge(
      HeapLimits.supervisor,
      Option.match(host, { onNone: () => Host.rememberedRunner(dataDir), onSome: (host) => Host.commandRunner(host, dataDir) })
    ))
  )).pipe(
    Command.withDescription("Keep the containers of this host running; the agent starts this by itself")
  )
