/** What must hold between the parts of a configuration: zonecfg would refuse it at `end`, at `verify`, or warn. */
import type * as Model from "../../ZoneConfig.js"
import { aliases } from "./resources.js"
import { type Line, refuse } from "./values.js"

/** What tells one `net` from another. */
export const netKey = (net: Model.NetResource): string => `${net.physical} ${net.address ?? ""} ${net.allowedAddress ?? ""}`

/** Resource controls that `capped-cpu` and `capped-memory` stand for. */
const capControls: ReadonlyArray<string> = ["zone.cpu-cap", "zone.max-physical-memory", "zone.max-swap", "zone.max-locked-memory"]

const repeated = (resource: string, keys: ReadonlyArray<string>): Array<Line> => {
  const seen = new Set<string>()
  return keys.flatMap((key) => {
    if (!seen.has(key)) {
      seen.add(key)
      return []
    }
    return [refuse(resource, `${JSON.stringify(key.trim())} is there twice`)]
  })
}

const duplicates = (config: Model.ZoneConfig): Array<Line> => [
  ...repeated("net", config.net.map(netKey)),
  ...repeated("fs.dir", config.fs.map((fs) => fs.dir)),
  ...repeated("device.match", config.device),
  ...repeated("rctl.name", config.rctl.map((rctl) => rctl.name)),
  ...repeated("attr.name", config.attr.map((attr) => attr.name)),
  ...repeated("dataset.name", config.dataset),
  ...repeated("admin.user", (config.admin ?? []).map((admin) => admin.user))
]

const netRules = (config: Model.ZoneConfig): Array<Line> =>
  config.net.flatMap((net) => {
    if (config.ipType === "shared") {
      if (net.address === undefined) return [refuse("net.address", "required with a shared IP stack")]
      return net.allowedAddress === undefined ? [] : [refuse("net.allowed-address", "only with an IP stack of its own")]
    }
    if (net.address !== undefined) return [refuse("net.address", "only with a shared IP stack; use the allowed address")]
    const covered = config.net.some((other) => other.physical === net.physical && other.allowedAddress !== undefined)
    return net.defrouter !== undefined && !covered ? [refuse("net.defrouter", "needs an allowed address on the same link")] : []
  })

const cpuRules = (config: Model.ZoneConfig): Array<Line> => {
  const lines: Array<Line> = []
  if (config.dedicatedCpu !== undefined) {
    if (config.pool !== undefined) lines.push(refuse("dedicated-cpu", "not together with a pool"))
    if (config.cappedCpuPercent !== undefined) lines.push(refuse("dedicated-cpu", "not together with a CPU cap"))
    if (config.cpuShares !== undefined) lines.push(refuse("dedicated-cpu", "not together with CPU shares"))
  }
  // Only a warning of zonecfg, but shares mean nothing in another class.
  if (config.cpuShares !== undefined && config.schedulingClass !== undefined && config.schedulingClass !== "FSS") {
    lines.push(refuse("cpu-shares", "need the scheduling class FSS, or none"))
  }
  return lines
}

const rctlRules = (config: Model.ZoneConfig): Array<Line> => {
  const owned = new Set([
    ...capControls,
    ...aliases.flatMap((alias) => config[alias.field] === undefined ? [] : [alias.rctl])
  ])
  return config.rctl.flatMap((rctl) => owned.has(rctl.name) ? [refuse(`rctl ${rctl.name}`, "the configuration sets it by another property")] : [])
}

const lxRules = (config: Model.ZoneConfig): Array<Line> => {
  if (config.brand !== "lx") return []
  const kernel = config.attr.find((attr) => attr.name === "kernel-version")
  return [
    ...(config.ipType === "exclusive" ? [] : [refuse("ip-type", "lx zones have an IP stack of their own")]),
    ...(config.hostid === undefined ? [] : [refuse("hostid", "lx zones have none")]),
    ...(kernel === undefined || (kernel.type === "string" && /^([2-9]|[1-9]\d+)(\.\d+){1,2}$/.test(kernel.value))
      ? []
      : [refuse("attr kernel-version", "not a string of dotted numbers from 2.4 on")])
  ]
}

const dialectRules = (config: Model.ZoneConfig, dialect: Model.Dialect): Array<Line> => {
  if (dialect === "omnios") return []
  const unknown = config.net.flatMap((net) => [
    ...(net.macAddr === undefined ? [] : ["mac-addr"]),
    ...(net.vlanId === undefined ? [] : ["vlan-id"]),
    ...(net.globalNic === undefined ? [] : ["global-nic"]),
    ...((net.properties ?? []).length === 0 ? [] : ["property"])
  ]).map((name) => `net.${name}`)
  return [...unknown, ...(config.zfsIoPriority === undefined ? [] : ["zfs-io-priority"])]
    .map((name) => refuse(name, "the zonecfg of this host does not know it"))
}

/** Every violated rule, as a refusal. */
export const problems = (config: Model.ZoneConfig, dialect: Model.Dialect): ReadonlyArray<Line> => [
  ...dialectRules(config, dialect),
  ...duplicates(config),
  ...netRules(config),
  ...cpuRules(config),
  ...rctlRules(config),
  ...lxRules(config)
]
