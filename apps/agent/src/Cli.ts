/** The command line of `reddwarf-agent`. */
import { Command } from "@effect/cli"
import { Console } from "effect"
import { version } from "./version.js"

const printVersion = Command.make("version", {}, () => Console.log(`reddwarf-agent ${version}`)).pipe(
  Command.withDescription("Print the version")
)

/** Each with what it needs: a supervisor runs for months and has no use for what only other commands load. */
const subcommandsOf = (hostCommand: ReadonlyArray<string>) => ({
  "run": () => import("./RunCommand.js").then(({ run }) => run),
  "confirm-state": () => import("./ConfirmStateCommand.js").then(({ confirmState }) => confirmState),
  "crd": () => import("./CrdCommand.js").then(({ crd }) => crd),
  "doctor": () => import("./DoctorCommand.js").then(({ doctor }) => doctor),
  "host": () => import("./HostCommand.js").then(({ host }) => host(hostCommand)),
  "images": () => import("./ImagesCommand.js").then(({ images }) => images),
  "node-health": () => import("./NodeHealthCommand.js").then(({ nodeHealth }) => nodeHealth),
  "sessions": () => import("./SessionsCommand.js").then(({ sessions }) => sessions),
  "simulated-host": () => import("./SimulatedHostCommand.js").then(({ simulatedHost }) => simulatedHost),
  "smf-manifest": () => import("./SmfManifestCommand.js").then(({ smfManifest }) => smfManifest),
  "stop-zones": () => import("./StopZonesCommand.js").then(({ stopZones }) => stopZones),
  "supervise": () => import("./SuperviseCommand.js").then(({ supervise }) => supervise),
  "version": () => Promise.resolve(printVersion)
})

/**
 * The command as far as it must be known for a command line whose first word this is: with that one of its subcommands, or with all of them.
 * What comes after `--` for `host` is given apart.
 */
export const command = async (word: string | undefined, hostCommand: ReadonlyArray<string> = []) => {
  const subcommands = subcommandsOf(hostCommand)
  const isName = (name: string): name is keyof typeof subcommands => Object.hasOwn(subcommands, name)
  const names = Object.keys(subcommands).filter((name) => isName(name))
  const [first = printVersion, ...rest] = await Promise.all(
    (word !== undefined && isName(word) ? [word] : names).map((name) => subcommands[name]())
  )
  return Command.make("reddwarf-agent").pipe(
    Command.withDescription("The node agent of Reddwarf: turns each pod of a node into an illumos zone"),
    Command.withSubcommands([first, ...rest])
  )
}
