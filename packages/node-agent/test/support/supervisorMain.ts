/** The supervisor as a process of its own, over a simulated host. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { SimulatedHost } from "@reddwarf/illumos-sim"
import { Supervisor } from "@reddwarf/node-agent"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const [, , dataDir = "", hostDir = ""] = process.argv

NodeRuntime.runMain(
  Supervisor.run({ dataDir, pollInterval: "300 millis" }).pipe(
    Effect.provide(SimulatedHost.layer({ directory: hostDir, shutdownGrace: "200 millis" }).pipe(Layer.merge(NodeContext.layer)))
  )
)
