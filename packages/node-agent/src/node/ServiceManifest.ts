/**
 * The agent and its supervisor as services of the host. Two services, because the service manager ends all processes of a service with it: the
 * supervisor holds the containers, and must not end when the agent does.
 */
import { Fmri, type SmfManifest } from "@reddwarf/runtime-illumos"

/** Names of the two services. @category models */
export const agentService = Fmri.ServiceName.make("application/reddwarf/agent")
/** @category models */
export const supervisorService = Fmri.ServiceName.make("application/reddwarf/supervisor")

/** Where things are on the host. Absolute paths; all of them become properties that `svccfg setprop` changes later. @category models */
export interface Options {
  /** Node.js. */
  readonly node: string
  /** The file `reddwarf-agent.js`. */
  readonly program: string
  /** Settings of the agent. */
  readonly config: string
  /** The data directory, the same as in the settings. */
  readonly dataDir: string
}

const fmri = (name: string): string => `svc:/${name}:default`

const needs = (
  name: string,
  grouping: SmfManifest.Dependency["grouping"],
  restartOn: SmfManifest.Dependency["restartOn"],
  ...services: ReadonlyArray<string>
): SmfManifest.Dependency => ({ name, grouping, restartOn, on: services.map(fmri) })

const application = (properties: Readonly<Record<string, string>>): SmfManifest.PropertyGroup => ({
  name: "application",
  type: "application",
  properties: Object.entries(properties).map(([name, value]) => ({ name, type: "astring" as const, value }))
})

/** An environment that does not depend on who imports the manifest. */
const context: SmfManifest.MethodContext = { workingDirectory: "/", environment: { PATH: "/usr/sbin:/usr/bin:/sbin", LC_ALL: "C" } }

/**
 * The agent. It runs as root with all privileges, restarts when it ends, and leaves pods alone when it stops.
 *
 * @category constructors
 */
export const agent = ({ config, node, program }: Options): SmfManifest.Manifest => ({
  service: agentService,
  enabled: false,
  duration: "child",
  ignoreError: ["core", "signal"],
  dependencies: [
    needs("filesystem", "require_all", "error", "system/filesystem/local"),
    needs("network", "require_all", "none", "milestone/network", "network/datalink-management", "network/ip-interface-management"),
    // The pods of an earlier boot are looked at after the host has started its own zones.
    needs("zones", "optional_all", "none", "system/zones"),
    needs("filter", "optional_all", "none", "network/ipfilter"),
    needs("supervisor", "require_all", "none", supervisorService)
  ],
  context,
  methods: [
    { name: "start", exec: "%{application/node} %{application/program} run --config %{application/config} --supervisor service", timeoutSeconds: 60 },
    // Steps in progress may end: the agent gives them a minute, two where they must not be cut off. When the host goes down its pods end as well, which may take two more.
    { name: "stop", exec: ":kill -TERM", timeoutSeconds: 270 }
  ],
  propertyGroups: [application({ node, program, config })],
  commonName: "Reddwarf node agent",
  description: "Runs the pods of a Kubernetes node as illumos zones."
})

/**
 * The supervisor. **Stopping it ends the containers of the host**; stop the pods first with `reddwarf-agent stop-zones`.
 *
 * @category constructors
 */
export const supervisor = ({ dataDir, node, program }: Options): SmfManifest.Manifest => ({
  service: supervisorService,
  enabled: false,
  duration: "child",
  ignoreError: ["core", "signal"],
  dependencies: [needs("filesystem", "require_all", "error", "system/filesystem/local")],
  context,
  methods: [
    { name: "start", exec: "%{application/node} %{application/program} supervise --host illumos --data-dir %{application/data_dir}", timeoutSeconds: 60 },
    { name: "stop", exec: ":kill -TERM", timeoutSeconds: 60 }
  ],
  propertyGroups: [application({ node, program, data_dir: dataDir })],
  commonName: "Reddwarf container supervisor",
  description: "Keeps containers running while node agents come and go."
})
