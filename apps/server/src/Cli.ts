/** The command line of `reddwarf-server`. */
import { Command } from "@effect/cli"
import { Console } from "effect"
import { history } from "./HistoryCommand.js"
import { kubeconfig } from "./KubeconfigCommand.js"
import { schedule } from "./ScheduleCommand.js"
import { scheduler } from "./SchedulerCommand.js"
import { serve } from "./ServeCommand.js"
import { smfManifest } from "./SmfManifestCommand.js"
import { version } from "./version.js"

const printVersion = Command.make("version", {}, () => Console.log(`reddwarf-server ${version}`)).pipe(
  Command.withDescription("Print the version")
)

export const command = Command.make("reddwarf-server").pipe(
  Command.withDescription("The control plane of Reddwarf: API server, scheduler and controllers in one process"),
  Command.withSubcommands([serve, scheduler, kubeconfig, history, schedule, smfManifest, printVersion])
)
