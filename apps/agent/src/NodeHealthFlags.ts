/** The flags of `reddwarf-agent node-health`, and the settings they stand for. */
import { Options } from "@effect/cli"
import { Option } from "effect"

const text = (name: string, what: string) => Options.text(name).pipe(Options.optional, Options.withDescription(what))
const number = (name: string, what: string) => Options.integer(name).pipe(Options.optional, Options.withDescription(what))
const yes = (name: string, what: string) => Options.boolean(name).pipe(Options.withDescription(what))

/** Where a command finds the running endpoint. */
export const stateDir = text("state-dir", "folder of the drain state and the control socket; default /var/lib/reddwarf-node-health")

export const flags = {
  settings: text("settings", "YAML or JSON file with the settings; SIGHUP reads it again"),
  stateDir,
  nodeName: text("node-name", "name of the Node object; default NODE_NAME"),
  listen: text("listen", "ADDRESS:PORT; default 0.0.0.0 and LISTEN_PORT, else 25001"),
  kubeconfig: text("kubeconfig", "credentials that may read the own Node; not needed in a pod with a service account"),
  agentDataDir: text("agent-data-dir", "data directory of the agent of this node"),
  host: Options.choice("host", ["machine", "sim"] as const).pipe(
    Options.withDefault("machine" as const),
    Options.withDescription("look at this machine, or at the simulated host in the agent's data directory")
  ),
  defaultChecks: text("default-checks", "checks of a request that names none, joined by commas; default node_ready"),
  allowedChecks: text("allowed-checks", "checks with a parameter that requests may name, joined by commas; a * at the end covers all that begin so"),
  drainSeconds: number("drain-seconds", "seconds of answering 503 before the end; default 15"),
  agentCheckPort: number("agent-check-port", "port of the HAProxy agent-check; default 0, which is off"),
  nodeWatch: yes("node-watch", "watch the Node object instead of reading it for each look"),
  roMounts: text("ro-mounts", "paths on file systems that must be writable, joined by commas"),
  roExpected: text("ro-expected", "mount points that are read-only on purpose, joined by commas"),
  roWriteProbe: text("ro-write-probe", "folders that are written to, joined by commas; default the agent's data directory"),
  gatewayTcpPort: number("gateway-tcp-port", "a port of the gateway, for hosts that may not ping"),
  dnsProbeName: text("dns-probe-name", "name that name servers are asked for; default the host's own"),
  stuckZone: Options.choice("runtime-stuck-zone", ["warn", "fail"] as const).pipe(Options.optional, Options.withDescription("what a zone between two states for ten minutes means; default warn")),
  allowDegraded: yes("allow-degraded", "a degraded service of the agent passes")
}

/** Values of the flags. */
export type Flags = {
  readonly [Name in keyof typeof flags]: typeof flags[Name] extends Options.Options<infer A> ? A : never
}

type Value = string | number | boolean | ReadonlyArray<string>

const given = (name: string, value: Option.Option<Value>): Readonly<Record<string, Value>> => Option.match(value, { onNone: () => ({}), onSome: (value) => ({ [name]: value }) })
const list = (value: Option.Option<string>): Option.Option<ReadonlyArray<string>> =>
  Option.map(value, (text) => text.split(",").map((word) => word.trim()).filter((word) => word !== ""))

/** The flags in the shape of the settings file: only what was given. */
export const toSettings = (flags: Flags): Readonly<Record<string, unknown>> => {
  const check = (name: string, ...parts: ReadonlyArray<Readonly<Record<string, Value>>>): Readonly<Record<string, unknown>> => {
    const merged = Object.assign({}, ...parts)
    return Object.keys(merged).length === 0 ? {} : { [name]: merged }
  }
  const checks = {
    ...check("filesystem_ro", given("mounts", list(flags.roMounts)), given("expected", list(flags.roExpected)), given("write_probe", list(flags.roWriteProbe))),
    ...check("network", given("gateway_tcp_port", flags.gatewayTcpPort), given("dns_probe_name", flags.dnsProbeName)),
    ...check("container_runtime", given("stuck_zone", flags.stuckZone)),
    ...check("kubelet", flags.allowDegraded ? { allow_degraded: true } : {})
  }
  return {
    ...given("state_dir", flags.stateDir),
    ...given("node_name", flags.nodeName),
    ...given("listen", flags.listen),
    ...given("kubeconfig", flags.kubeconfig),
    ...given("agent_data_dir", flags.agentDataDir),
    ...given("default_checks", list(flags.defaultChecks)),
    ...given("allowed_checks", list(flags.allowedChecks)),
    ...given("drain_seconds", flags.drainSeconds),
    ...given("agent_check_port", flags.agentCheckPort),
    ...(flags.nodeWatch ? { node_watch: true } : {}),
    ...(Object.keys(checks).length === 0 ? {} : { checks })
  }
}
