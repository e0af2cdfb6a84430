/** The checks of a node by the names that balancers use. */
import { Fmri } from "@reddwarf/runtime-illumos"
import * as Duration from "effect/Duration"
import { posix } from "node:path"
import * as AgentStatus from "./AgentStatus.js"
import * as CheckSelection from "./CheckSelection.js"
import * as DiskPressureCheck from "./checks/DiskPressureCheck.js"
import * as FilesystemCheck from "./checks/FilesystemCheck.js"
import * as NetworkCheck from "./checks/NetworkCheck.js"
import * as NodeChecks from "./checks/NodeChecks.js"
import * as RuntimeChecks from "./checks/RuntimeChecks.js"
import * as ServiceChecks from "./checks/ServiceChecks.js"
import type * as HealthCheck from "./HealthCheck.js"
import type { HealthConfig } from "./HealthConfig.js"
import type { HealthMetrics } from "./HealthMetrics.js"
import type * as HostReader from "./HostReader.js"
import type { NodeSource } from "./NodeSource.js"

/** @category models */
export interface Checks {
  /** The check of a name; undefined when there is none, or when callers may not ask for it. */
  readonly find: (name: string) => HealthCheck.HealthCheck | undefined
  /** Names without a parameter. */
  readonly names: ReadonlyArray<string>
}

/** What checks are made from. @category models */
export interface Sources {
  readonly host: HostReader.Service
  readonly node: NodeSource
  readonly metrics: HealthMetrics
  /** Content of fstab as it was at the start. */
  readonly fstab?: string
  /** Checks of one's own; they win over those of the same name here. */
  readonly extra?: ReadonlyArray<HealthCheck.HealthCheck>
}

type Settings = HealthConfig["checks"]
type TuningFields = NonNullable<Settings["node_ready"]>

/** Services of the agent on illumos. */
const agentService = Fmri.make("svc:/application/reddwarf/agent:default")

/** `dataset:rpool/zones`, or a path. */
const placeOf = (text: string | undefined, fallback: string): DiskPressureCheck.Place => {
  const named = text ?? fallback
  return named.startsWith("/") ? { _tag: "Path", path: named } : { _tag: "Dataset", dataset: named.replace(/^dataset:/, "") }
}

const runtimeOf = (config: HealthConfig, host: HostReader.Service): RuntimeChecks.Runtime => {
  const settings = config.checks.container_runtime
  const statusFile = config.agent_data_dir === undefined ? undefined : posix.join(config.agent_data_dir, AgentStatus.fileName)
  const kind = settings?.kind ?? (host.platform === "illumos" ? "zones" : "none")
  if (kind === "cri") return settings?.socket === undefined ? { _tag: "None" } : { _tag: "Cri", socket: settings.socket }
  if (kind === "development") return statusFile === undefined ? { _tag: "None" } : { _tag: "Development", statusFile }
  if (kind === "none") return { _tag: "None" }
  return {
    _tag: "Zones",
    ...(statusFile === undefined ? {} : { statusFile }),
    ...(settings?.brands === undefined ? {} : { brands: settings.brands }),
    ...(settings?.stuck_zone === undefined ? {} : { stuckZone: settings.stuck_zone })
  }
}

/**
 * The checks of a configuration. Memories of checks (hysteresis, known faults) begin anew.
 *
 * @category constructors
 */
export const make = (config: HealthConfig, sources: Sources): Checks => {
  const { extra = [], fstab, host, metrics, node } = sources
  const { checks: settings } = config
  const second = Duration.seconds(1)
  const tuned = (fields: TuningFields | undefined): HealthCheck.Tuning => ({
    ...(fields?.timeout === undefined ? {} : { timeout: fields.timeout }),
    ...(fields?.cache_ttl === undefined ? {} : { cacheTtl: fields.cache_ttl }),
    ...(fields?.on_unknown === undefined ? {} : { onUnknown: fields.on_unknown })
  })
  /** The general time to live is for checks that have no particular one. */
  const withTtl = (check: HealthCheck.HealthCheck, fields: TuningFields | undefined): HealthCheck.HealthCheck =>
    fields?.cache_ttl === undefined && Duration.equals(check.cacheTtl, second) ? { ...check, cacheTtl: config.cache_ttl } : check

  const statusFile = posix.join(config.agent_data_dir ?? "/nonexistent", AgentStatus.fileName)
  const service = settings.kubelet?.service
  const bad = { ...NodeChecks.defaultConditions }
  for (const [type, status] of Object.entries(settings.custom_conditions?.conditions ?? {})) {
    if (status === "ignore") delete bad[type]
    else bad[type] = status
  }
  const age = settings.custom_conditions?.max_heartbeat_age
  const disk = settings.disk_pressure
  const network = settings.network
  const files = settings.filesystem_ro
  const folder = config.agent_data_dir
  const nodefs = placeOf(disk?.nodefs, folder ?? "/")

  const all: ReadonlyArray<readonly [HealthCheck.HealthCheck | undefined, TuningFields | undefined]> = [
    [NodeChecks.nodeReady(node, tuned(settings.node_ready)), settings.node_ready],
    [NodeChecks.schedulable(node, tuned(settings.schedulable)), settings.schedulable],
    [NodeChecks.customConditions(node, { bad, ...(age === undefined ? {} : { maxHeartbeatAge: age }) }, tuned(settings.custom_conditions)), settings.custom_conditions],
    [ServiceChecks.okdRouter(host, tuned(settings.okd_router_1936)), settings.okd_router_1936],
    [FilesystemCheck.make(host, {
      mounts: files?.mounts ?? ["/", ...(folder === undefined ? [] : [folder]), "/zones", "/var/log"],
      ...(files?.expected === undefined ? {} : { expected: files.expected }),
      writeProbe: files?.write_probe ?? (folder === undefined ? [] : [folder]),
      ...(fstab === undefined ? {} : { fstab })
    }, tuned(files)), files],
    [ServiceChecks.kubelet(host, {
      service: service !== undefined && Fmri.is(service) ? service : agentService,
      ...(settings.kubelet?.url === undefined ? {} : { url: settings.kubelet.url }),
      ...(settings.kubelet?.allow_degraded === undefined ? {} : { allowDegraded: settings.kubelet.allow_degraded })
    }, tuned(settings.kubelet)), settings.kubelet],
    [RuntimeChecks.containerRuntime(host, metrics, runtimeOf(config, host), tuned(settings.container_runtime)), settings.container_runtime],
    [RuntimeChecks.zones(host, statusFile, tuned(settings.zones)), settings.zones],
    [RuntimeChecks.zpool(host, "zpool", settings.zpool?.degraded ?? "pass", tuned(settings.zpool)), settings.zpool],
    [DiskPressureCheck.make(host, {
      ...(disk?.thresholds === undefined ? {} : { thresholds: disk.thresholds }),
      nodefs,
      imagefs: disk?.imagefs === undefined ? nodefs : placeOf(disk.imagefs, "/")
    }, tuned(disk)), disk],
    [NetworkCheck.make(host, metrics, {
      ...(network?.link === undefined ? {} : { link: network.link }),
      ...(network?.gateway === undefined ? {} : { gateway: network.gateway }),
      ...(network?.dns === undefined ? {} : { dns: network.dns }),
      ...(network?.gateway_tcp_port === undefined ? {} : { gatewayTcpPort: network.gateway_tcp_port }),
      ...(network?.dns_probe_name === undefined ? {} : { dnsProbeName: network.dns_probe_name }),
      ...(network?.dns_servers === undefined ? {} : { dnsServers: network.dns_servers })
    }, tuned(network)), network],
    [ServiceChecks.timeSync(host, settings.time_sync?.max_offset === undefined ? 1 : Duration.toSeconds(settings.time_sync.max_offset), tuned(settings.time_sync)), settings.time_sync],
    ...extra.map((check) => [check, undefined] as const)
  ]
  const byName = new Map(all.flatMap(([check, fields]) => check === undefined || fields?.enabled === false ? [] : [[check.name, withTtl(check, fields)] as const]))

  const parameterised = (name: string): HealthCheck.HealthCheck | undefined => {
    const [kind] = name.split(":")
    if (kind === "smf") return settings.smf?.enabled === false ? undefined : ServiceChecks.smf(host, name, tuned(settings.smf))
    if (kind === "unit") return settings.unit?.enabled === false ? undefined : ServiceChecks.unit(host, name, tuned(settings.unit))
    if (kind === "tcp") return settings.tcp?.enabled === false ? undefined : ServiceChecks.tcp(host, name, tuned(settings.tcp))
    if (kind === "http") return settings.http?.enabled === false ? undefined : ServiceChecks.http(host, name, tuned(settings.http))
    if (kind === "zpool") return settings.zpool?.enabled === false ? undefined : RuntimeChecks.zpool(host, name, settings.zpool?.degraded ?? "pass", tuned(settings.zpool))
    return undefined
  }
  return {
    names: [...byName.keys()],
    find: (name) =>
      byName.get(name)
        ?? (name.includes(":") && (config.default_checks.includes(name) || CheckSelection.allows(config.allowed_checks, name)) ? parameterised(name) : undefined)
  }
}
