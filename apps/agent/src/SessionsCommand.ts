/** `reddwarf-agent sessions`: the process that serves commands in containers, attached clients and forwarded ports while agents come and go. */
import { Args, Command } from "@effect/cli"
import { SessionHost, SupervisorClient } from "@reddwarf/node-agent"
import { Effect, Layer } from "effect"
import * as HeapLimits from "./HeapLimits.js"
import * as Host from "./Host.js"
import { dataDir } from "./RunSettings.js"
import { identity } from "./SessionHosting.js"

export const sessions = Command.make("sessions", {
  dataDir,
  socket: Args.text({ name: "socket" }).pipe(Args.withDescription("name of the socket by which the agent finds it: eight hexadecimal digits and .sock"))
}, ({ dataDir, socket }) =>
  SessionHost.run({ dataDir, socket, identity: identity() }).pipe(
    Effect.provide(Layer.mergeAll(HeapLimits.supervisor, SupervisorClient.layer({ dataDir }), Host.rememberedRunner(dataDir)))
  )).pipe(
    Command.withDescription("Serve exec, attach and port-forward so that they outlive the agent; the agent starts this by itself")
  )
