/** `reddwarf-agent crd`: the resource in which plans are shown, for API servers that do not bring it. */
import { Command } from "@effect/cli"
import { ZoneInstance } from "@reddwarf/plans"
import { Console } from "effect"
import { stringify } from "yaml"

export const crd = Command.make("crd", {}, () => Console.log(stringify(ZoneInstance.definition).trimEnd())).pipe(
  Command.withDescription("Print the definition of zoneinstances.reddwarf.io: reddwarf-agent crd | kubectl apply -f -")
)
