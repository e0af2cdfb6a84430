/**
 * The kernel part of a zone: made ready, running, shutting down, gone. Transitions that take time are stored with the moment
 * at which they may finish; whichever command looks at the host next finishes them, as zoneadmd would without its caller.
 */
import { randomUUID } from "node:crypto"
import type { HostContext } from "./CommandContext.js"
import * as Faults from "./Faults.js"
import { type Datalink, type HostState, resources, type Zone, type ZoneConfiguration } from "./HostState.js"
import * as Processes from "./internal/processTable.js"
import * as Tables from "./network/Tables.js"
import * as Datasets from "./zfs/Datasets.js"
import * as Machine from "./zoneadm/Machine.js"
import * as LxInit from "./LxInit.js"
import { mountAll, unmountAll, zoneRoot } from "./ZoneFileSystems.js"
import { present } from "./internal/hostFiles.js"

const MAX_ZONE_ID = 9999

/** Environment variable that marks every process of a zone. @category models */
export const MARKER = "REDDWARF_SIM_ZONE"

/** Value of the marker for one boot of a zone. @category combinators */
export const markerValue = (host: HostState, zone: Zone): string => `${host.hostId}/${zone.name}/${zone.kernel?.boot ?? ""}`

/** How the processes of a booted zone are recognised. @category combinators */
export const processesOf = (host: HostState, zone: Zone): Processes.ZoneProcesses => ({
  marker: `${MARKER}=${markerValue(host, zone)}`,
  groups: zone.kernel?.processGroups ?? []
})

const allocateId = (host: HostState): number => {
  const taken = new Set(host.zones.flatMap((zone) => zone.kernel?.id ?? []))
  while (taken.has(host.nextZoneId)) host.nextZoneId = (host.nextZoneId % MAX_ZONE_ID) + 1
  const id = host.nextZoneId
  host.nextZoneId = (id % MAX_ZONE_ID) + 1
  return id
}

/** Links named by the `net` resources, each once. */
const linkNames = (configuration: ZoneConfiguration): ReadonlyArray<string> => [
  ...new Set(resources(configuration, "net").flatMap((net) => net.properties["physical"] ?? []))
]

const isPlumbed = (host: HostState, name: string): boolean => host.interfaces.some((candidate) => candidate.name === name)

const willBeMade = (host: HostState, configuration: ZoneConfiguration, name: string): boolean =>
  host.dialect === "omnios"
  && resources(configuration, "net").some((net) => net.properties["physical"] === name && net.properties["global-nic"] !== undefined)

/** What zoneadm warns about links of an exclusive-IP zone before it asks zoneadmd. @category combinators */
export const linkWarnings = (host: HostState, configuration: ZoneConfiguration): ReadonlyArray<string> => {
  if (configuration.properties["ip-type"] !== "exclusive") return []
  return linkNames(configuration).flatMap((name) => {
    if (isPlumbed(host, name)) return [`WARNING: skipping network interface '${name}' which is used in the global zone.`]
    const known = host.links.some((link) => link.name === name) || willBeMade(host, configuration, name)
    return known ? [] : [`WARNING: skipping network interface '${name}': object not found`]
  })
}

const makeGlobalNic = (host: HostState, configuration: ZoneConfiguration, name: string): Datalink | undefined => {
  const net = resources(configuration, "net").find((candidate) => candidate.properties["physical"] === name)
  const wanted = net?.properties["global-nic"]
  if (net === undefined || wanted === undefined) return undefined
  const over = wanted === "auto" ? host.links.find((link) => link.class === "phys") : host.links.find((link) => link.name === wanted)
  if (over === undefined) return undefined
  const link: Datalink = {
    name,
    class: "vnic",
    over: over.name,
    mac: net.properties["mac-addr"] ?? `2:8:20:${over.name.length.toString(16)}:${(host.links.length & 0xff).toString(16)}:1`,
    macType: net.properties["mac-addr"] === undefined ? "random" : "fixed",
    vid: Number(net.properties["vlan-id"] ?? 0),
    mtu: over.mtu,
    temporary: true,
    zone: "",
    properties: {}
  }
  host.links.push(link)
  return link
}

/** What zoneadmd complains about, or nothing: it takes no link on which somebody else has set what it is about to set. */
const moveLink = (zone: Zone, link: Datalink, configuration: ZoneConfiguration): ReadonlyArray<string> | undefined => {
  link.zone = zone.name
  const allowed = resources(configuration, "net")
    .filter((net) => net.properties["physical"] === link.name)
    .flatMap((net) => net.properties["allowed-address"] ?? [])
  if (allowed.length === 0) return undefined
  const set = ["protection", "allowed-ips"].find((property) => (link.properties[property] ?? "") !== "")
  if (set !== undefined) return [`${set === "protection" ? "Protection" : set} is already set`, "failed to add address: Invalid argument"]
  Object.assign(link.properties, { protection: "ip-nospoof", "allowed-ips": allowed.map((address) => address.replace(/\/.*/, "")).join(",") })
  return undefined
}

const releaseLinks = (host: HostState, links: ReadonlyArray<string>, owned: ReadonlyArray<string>): void => {
  for (const name of links) {
    const link = host.links.find((candidate) => candidate.name === name)
    if (link === undefined) continue
    link.zone = ""
    delete link.properties["protection"]
    delete link.properties["allowed-ips"]
  }
  host.links = host.links.filter((link) => !owned.includes(link.name))
}

type Taken = { readonly links: Array<string>; readonly owned: Array<string>; readonly problem?: ReadonlyArray<string> }

const takeLinks = (host: HostState, zone: Zone, configuration: ZoneConfiguration): Taken => {
  const links: Array<string> = []
  const owned: Array<string> = []
  if (configuration.properties["ip-type"] !== "exclusive") return { links, owned }
  const failed = (...problem: ReadonlyArray<string>): Taken => {
    releaseLinks(host, links, owned)
    return { links: [], owned: [], problem }
  }
  for (const name of linkNames(configuration)) {
    if (isPlumbed(host, name)) return failed("failed to add network device: Device busy")
    let link = host.links.find((candidate) => candidate.name === name)
    if (link === undefined) {
      link = makeGlobalNic(host, configuration, name)
      if (link !== undefined) owned.push(name)
    }
    if (link === undefined) return failed("failed to add network device: No such device or address")
    if (link.zone !== "") return failed(`WARNING: unable to add network interface '${name}': link busy`, "failed to add network device: Device busy")
    const refused = moveLink(zone, link, configuration)
    if (refused !== undefined) {
      // The link goes back as it came.
      link.zone = ""
      return failed(...refused)
    }
    links.push(name)
  }
  return { links, owned }
}

const distributionFiles = ["redhat-release", "lsb-release", "debian_version", "alpine-release", "SuSE-release", "void-release"]

const rootProblem = (context: HostContext, zone: Zone): string | undefined => {
  const root = zoneRoot(context, zone)
  const brand = zone.configuration.properties["brand"] ?? ""
  if (brand === "lx") {
    return distributionFiles.some((name) => present(`${root}/etc/${name}`)) ? undefined : "Unsupported distribution!"
  }
  const init = brand === "bhyve" || brand === "kvm" ? "" : "/sbin/init"
  return present(`${root}${init}`) ? undefined : `could not stat ${zone.configuration.properties["zonepath"] ?? ""}/root${init}: No such file or directory`
}

const requiredPrivileges = ["proc_exec", "proc_fork", "sys_mount"]
const prohibitedPrivileges = ["dtrace_kernel", "proc_zone", "sys_config", "sys_devices", "sys_linkdir", "sys_net_config", "sys_res_config", "sys_suser_compat", "xvm_control", "virt_manage"]

const privilegeProblem = (configuration: ZoneConfiguration): string | undefined => {
  const items = (configuration.properties["limitpriv"] ?? "").split(",").filter((item) => item !== "")
  const removed = new Set(items.flatMap((item) => /^[!-]/.test(item) ? [item.slice(1)] : []))
  const missing = requiredPrivileges.find((name) => removed.has(name))
  if (missing !== undefined) return `required privilege "${missing}" is missing from the zone's privilege set`
  const prohibited = prohibitedPrivileges.find((name) => items.includes(name))
  return prohibited === undefined ? undefined : `privilege "${prohibited}" is not permitted within the zone's privilege set`
}

const delegate = (context: HostContext, configuration: ZoneConfiguration): string | undefined => {
  for (const resource of resources(configuration, "dataset")) {
    const name = resource.properties["name"] ?? ""
    const dataset = Datasets.find(context.host, name)
    if (dataset === undefined) return `cannot set 'zoned' property for ZFS dataset '${name}': dataset does not exist`
    if (dataset.mounted && dataset.local["zoned"] !== "on") return `cannot mount '${name}': dataset is mounted in the global zone`
    dataset.local["zoned"] = "on"
  }
  return undefined
}

/** Gives the zone an id, its links and its file systems. What zoneadmd complains about, or nothing. @category combinators */
export const makeReady = (context: HostContext, zone: Zone): ReadonlyArray<string> => {
  const { host, now } = context
  const configuration = structuredClone(zone.configuration)
  const problem = rootProblem(context, zone) ?? Machine.problem(context, configuration) ?? privilegeProblem(configuration) ?? delegate(context, configuration)
  if (problem !== undefined) return [problem]
  const taken = takeLinks(host, zone, configuration)
  if (taken.problem !== undefined) return taken.problem
  const { mounts, problem: mountProblem } = mountAll(context, zone, configuration)
  if (mountProblem !== undefined) {
    unmountAll(mounts)
    releaseLinks(host, taken.links, taken.owned)
    return [mountProblem, "unable to mount filesystems"]
  }
  zone.kernel = {
    id: allocateId(host),
    state: "ready",
    boot: randomUUID().slice(0, 8),
    bootTime: now,
    snapshot: configuration,
    processGroups: [],
    mounts,
    links: taken.links,
    ownedLinks: taken.owned,
    shutdown: false,
    cpuNanos: 0
  }
  return []
}

/** Starts init `delayMillis` from now. @category combinators */
export const start = (context: HostContext, zone: Zone, delayMillis: number): void => {
  if (zone.kernel === undefined) return
  zone.kernel.bootTime = context.now
  LxInit.writeResolver(context, zone)
  if (delayMillis > 0) zone.kernel.pending = { to: "running", at: context.now + delayMillis }
  else zone.kernel.state = "running"
}

/** Starts to tear the zone down; it may be gone `delayMillis` from now. @category combinators */
export const beginHalt = (context: HostContext, zone: Zone, delayMillis: number): void => {
  if (zone.kernel === undefined) return
  zone.kernel.state = "shutting_down"
  zone.kernel.pending = { to: "installed", at: context.now + delayMillis }
}

const finishHalt = ({ host }: HostContext, zone: Zone, found: ReadonlyArray<Processes.Member>): void => {
  const { kernel } = zone
  if (kernel === undefined) return
  const dying = (kernel.dying ?? []).filter((process) => Processes.isAlive(process))
  if (found.length > 0 || dying.length > 0) {
    const known = new Set(dying.map(({ pid }) => pid))
    const more = found.filter(({ pid }) => !known.has(pid)).map(({ pid, start }) => start === undefined ? { pid } : { pid, start })
    kernel.dying = [...dying, ...more]
    Processes.signal(kernel.dying, "SIGKILL")
    // They die asynchronously; the next look finds them gone.
    return
  }
  const stuck = Faults.find(host, "stuckZone", (fault) => fault.zone === zone.name)
  if (stuck !== undefined) {
    kernel.state = stuck.state
    return
  }
  unmountAll(kernel.mounts)
  releaseLinks(host, kernel.links, kernel.ownedLinks)
  delete zone.kernel
}

/** Whether the time of a transition has come. @category combinators */
export const isDue = ({ host, now }: HostContext): boolean =>
  host.zones.some(({ kernel }) => kernel?.pending !== undefined && kernel.pending.at <= now)

/** Finishes every transition whose time has come. @category combinators */
export const settle = (context: HostContext): void => {
  const { host, now } = context
  const halting: Array<Zone> = []
  for (const zone of host.zones) {
    const pending = zone.kernel?.pending
    if (zone.kernel === undefined || pending === undefined || pending.at > now) continue
    if (pending.to === "installed") {
      halting.push(zone)
      continue
    }
    zone.kernel.state = "running"
    delete zone.kernel.pending
  }
  if (halting.length === 0) return
  // One look at the processes of this machine for all of them.
  const found = Processes.membersOf(halting.map((zone) => processesOf(host, zone)))
  halting.forEach((zone, index) => finishHalt(context, zone, found[index] ?? []))
}

/** Everything that does not survive a power cycle goes; zones that boot with the host start. @category combinators */
export const rebootHost = (context: HostContext): void => {
  const { host, now } = context
  for (const zone of host.zones) {
    delete zone.operation
    if (zone.kernel === undefined) continue
    Processes.signal(Processes.members(processesOf(host, zone)), "SIGKILL")
    unmountAll(zone.kernel.mounts)
    releaseLinks(host, zone.kernel.links, zone.kernel.ownedLinks)
    delete zone.kernel
  }
  host.links = host.links.filter((link) => !link.temporary)
  Tables.reboot(host)
  host.interfaces = host.interfaces.filter((entry) => !entry.temporary && (entry.name === "lo0" || host.links.some((link) => link.name === entry.name)))
  for (const entry of host.interfaces) entry.addresses = entry.addresses.filter((address) => !address.temporary)
  host.faults = host.faults.filter((fault) => fault.kind !== "stuckZone")
  // No host boots twice within one of the whole seconds in which it tells when it booted.
  host.bootTime = Math.max(now, (Math.floor(host.bootTime / 1000) + 1) * 1000)
  host.boots = (host.boots ?? 0) + 1
  delete host.runLevel
  host.nextZoneId = 1
  for (const zone of host.zones) {
    if (zone.indexState !== "installed" || zone.configuration.properties["autoboot"] !== "true") continue
    if (makeReady(context, zone).length === 0) start(context, zone, 0)
  }
}
