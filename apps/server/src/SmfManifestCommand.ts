/** `reddwarf-server smf-manifest`: the server as a service of an illumos host. */
import { Command, Options } from "@effect/cli"
import { Fmri, SmfManifest } from "@reddwarf/runtime-illumos"
import { Console, Effect, Option } from "effect"

const path = (name: string, what: string) =>
  Options.text(name).pipe(
    Options.filterMap((text) => /^\/\S*$/.test(text) ? Option.some(text) : Option.none(), `${name} must be an absolute path without blanks`),
    Options.withDescription(what)
  )

/** The server needs no privilege beyond opening its port, so it runs as an account of its own. */
const manifest = (options: { readonly node: string; readonly program: string; readonly settings: string; readonly user: string }): SmfManifest.Manifest => ({
  service: Fmri.ServiceName.make("application/reddwarf/server"),
  enabled: false,
  duration: "child",
  ignoreError: ["core", "signal"],
  dependencies: [
    { name: "network", grouping: "require_all", restartOn: "none", on: ["svc:/milestone/network:default"] },
    { name: "filesystem", grouping: "require_all", restartOn: "error", on: ["svc:/system/filesystem/local:default"] }
  ],
  context: {
    workingDirectory: "/",
    credential: { user: options.user, privileges: "basic,net_privaddr" },
    environment: { PATH: "/usr/sbin:/usr/bin:/sbin", LC_ALL: "C" }
  },
  methods: [
    { name: "start", exec: "%{application/node} %{application/program} serve --config %{application/config}", timeoutSeconds: 60 },
    { name: "stop", exec: ":kill -TERM", timeoutSeconds: 60 }
  ],
  propertyGroups: [{
    name: "application",
    type: "application",
    properties: [
      { name: "node", type: "astring", value: options.node },
      { name: "program", type: "astring", value: options.program },
      { name: "config", type: "astring", value: options.settings }
    ]
  }],
  commonName: "Reddwarf control plane",
  description: "The API server, the scheduler and the controllers of a Kubernetes cluster of illumos hosts."
})

export const smfManifest = Command.make("smf-manifest", {
  node: path("node", "Node.js on the host").pipe(Options.withDefault(process.execPath)),
  program: path("program", "reddwarf-server.js on the host").pipe(Options.withDefault(process.argv[1] ?? "/usr/lib/reddwarf/reddwarf-server.js")),
  settings: path("settings", "file with the settings of the server").pipe(Options.withDefault("/etc/reddwarf/server.yaml")),
  user: Options.text("user").pipe(Options.withDefault("reddwarf"), Options.withDescription("account that runs the server and owns its data directory"))
}, (options) => Effect.flatMap(SmfManifest.render(manifest(options)), ({ xml }) => Console.log(xml.trimEnd()))).pipe(
  Command.withDescription("Print an SMF manifest: reddwarf-server smf-manifest > server.xml; svccfg import server.xml")
)
