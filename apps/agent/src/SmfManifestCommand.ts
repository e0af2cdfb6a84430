/** `reddwarf-agent smf-manifest`: the agent, or its supervisor, as a service of the host. */
import { Command, Options } from "@effect/cli"
import { ServiceManifest } from "@reddwarf/node-agent"
import { SmfManifest } from "@reddwarf/runtime-illumos"
import { Console, Effect, Option } from "effect"
import { dataDir } from "./RunSettings.js"

const path = (name: string, what: string) =>
  Options.text(name).pipe(
    Options.filterMap((text) => /^\/\S*$/.test(text) ? Option.some(text) : Option.none(), `${name} must be an absolute path without blanks`),
    Options.withDescription(what)
  )

export const smfManifest = Command.make("smf-manifest", {
  service: Options.choice("service", ["agent", "supervisor"] as const).pipe(
    Options.withDefault("agent" as const),
    Options.withDescription("which of the two services of a node")
  ),
  node: path("node", "Node.js on the host").pipe(Options.withDefault(process.execPath)),
  program: path("program", "reddwarf-agent.js on the host").pipe(Options.withDefault(process.argv[1] ?? "/usr/lib/reddwarf/reddwarf-agent.js")),
  settings: path("settings", "file with the settings of the agent").pipe(Options.withDefault("/etc/reddwarf/agent.yaml")),
  dataDir
}, ({ dataDir, node, program, service, settings }) =>
  Effect.flatMap(SmfManifest.render(ServiceManifest[service]({ node, program, config: settings, dataDir })), ({ xml }) => Console.log(xml.trimEnd()))).pipe(
    Command.withDescription("Print an SMF manifest: reddwarf-agent smf-manifest > agent.xml; svccfg import agent.xml")
  )
