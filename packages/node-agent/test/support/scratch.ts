import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Effect from "effect/Effect"
import { Supervisor } from "@reddwarf/node-agent"
import { layer } from "./localZones.js"
const [, , dataDir = "", root = ""] = process.argv
await Effect.runPromise(Supervisor.run({ dataDir }).pipe(Effect.provide([NodeContext.layer, layer(root)])) as never)
