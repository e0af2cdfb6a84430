/** `reddwarf-agent confirm-state`: lets an agent act on an API server that went back to an older state. */
import { Command } from "@effect/cli"
import { StateConfirmation } from "@reddwarf/node-agent"
import { Console, Effect } from "effect"
import * as Host from "./Host.js"
import { dataDir } from "./RunSettings.js"

export const confirmState = Command.make("confirm-state", { dataDir }, ({ dataDir }) =>
  Effect.gen(function*() {
    // Refuses a directory that no agent has ever used: the word would reach nobody.
    yield* Host.recall(dataDir)
    yield* StateConfirmation.give(dataDir)
    yield* Console.log("the agent removes pods that the API server does not have any more with its next look at all pods, within a minute")
  })).pipe(Command.withDescription("Say that the API server is right although it was restored from an older backup"))
