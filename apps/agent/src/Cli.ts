/** The command line of `reddwarf-agent`. */
import { Command } from "@effect/cli"
import { Console } from "effect"
import { confirmState } from "./ConfirmStateCommand.js"
import { crd } from "./CrdCommand.js"
import { doctor } from "./DoctorCommand.js"
import { host } from "./HostCommand.js"
import { images } from "./ImagesCommand.js"
import { nodeHealth } from "./NodeHealthCommand.js"
import { run } from "./RunCommand.js"
import { smfManifest } from "./SmfManifestCommand.js"
import { stopZones } from "./StopZonesCommand.js"
import { supervise } from "./SuperviseCommand.js"
import { version } from "./version.js"

const printVersion = Command.make("version", {}, () => Console.log(`reddwarf-agent ${version}`)).pipe(
  Command.withDescription("Print the version")
)

export const command = (hostCommand: ReadonlyArray<string>) =>
  Command.make("reddwarf-agent").pipe(
    Command.withDescription("The node agent of Reddwarf: turns each pod of a node into an illumos zone"),
    Command.withSubcommands([run, confirmState, crd, doctor, host(hostCommand), images, nodeHealth, smfManifest, stopZones, supervise, printVersion])
  )
