/** `reddwarf-agent simulated-host`: the process in which the commands of a simulated host run, apart from its agent. */
import { Command } from "@effect/cli"
import { HostServer, SimulatedHost } from "@reddwarf/illumos-sim"
import { Effect, Layer } from "effect"
import * as HeapLimits from "./HeapLimits.js"
import * as Host from "./Host.js"
import { dataDir } from "./RunSettings.js"
import { identity } from "./SessionHosting.js"

export const simulatedHost = Command.make("simulated-host", { dataDir }, ({ dataDir }) =>
  HostServer.serve({ directory: Host.directory(dataDir), identity: identity() }).pipe(
    Effect.provide(Layer.merge(HeapLimits.simulatedHost, SimulatedHost.layer({ directory: Host.directory(dataDir), together: true })))
  )).pipe(
    Command.withDescription("Run the commands of the simulated host, until no agent has wanted one for 10 seconds; an agent with --host sim starts this by itself")
  )
