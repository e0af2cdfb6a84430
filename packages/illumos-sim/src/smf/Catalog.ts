/** The services that a freshly installed host, or a booted zone, is delivered with. */
import type { Dependency, Instance } from "./State.js"

interface Delivered {
  readonly name: string
  readonly commonName: string
  readonly enabled?: boolean
  readonly duration?: Instance["duration"]
  readonly needs?: ReadonlyArray<string>
}

const milestone = (name: string, needs: ReadonlyArray<string>): Delivered => ({ name: `milestone/${name}`, commonName: `${name} milestone`, duration: "transient", needs })

const common: ReadonlyArray<Delivered> = [
  { name: "system/svc/restarter", commonName: "master restarter" },
  { name: "network/loopback", commonName: "loopback network interface", duration: "transient" },
  { name: "network/datalink-management", commonName: "data-link management daemon" },
  { name: "network/ip-interface-management", commonName: "IP interface management", needs: ["network/datalink-management"] },
  { name: "network/physical", commonName: "physical network interfaces", duration: "transient", needs: ["network/ip-interface-management"] },
  { name: "system/filesystem/root", commonName: "root file system mount", duration: "transient" },
  { name: "system/filesystem/minimal", commonName: "minimal file system mounts", duration: "transient", needs: ["system/filesystem/root"] },
  { name: "system/filesystem/local", commonName: "local file system mounts", duration: "transient", needs: ["system/filesystem/minimal"] },
  { name: "system/identity:node", commonName: "system identity", duration: "transient" },
  { name: "system/manifest-import", commonName: "service manifest import", duration: "transient", needs: ["system/filesystem/minimal"] },
  { name: "system/name-service-cache", commonName: "name service cache" },
  { name: "system/system-log", commonName: "system log", needs: ["system/filesystem/local"] },
  { name: "system/cron", commonName: "clock daemon (cron)", needs: ["system/filesystem/local"] },
  { name: "network/dns/client", commonName: "DNS resolver", duration: "transient", needs: ["milestone/network"] },
  { name: "network/ssh", commonName: "SSH server", needs: ["system/filesystem/local"] },
  milestone("network", ["network/loopback", "network/physical"]),
  milestone("name-services", ["network/dns/client"]),
  milestone("sysconfig", ["system/identity:node"]),
  milestone("single-user", ["system/filesystem/minimal", "milestone/sysconfig"]),
  milestone("multi-user", ["milestone/single-user", "milestone/name-services", "system/filesystem/local"]),
  milestone("multi-user-server", ["milestone/multi-user", "network/ssh"])
]

const globalOnly: ReadonlyArray<Delivered> = [
  { name: "network/ipfilter", commonName: "IP Filter", enabled: false, duration: "transient" },
  { name: "network/ipv4-forwarding", commonName: "IPv4 forwarding", enabled: false, duration: "transient" },
  { name: "network/ipv6-forwarding", commonName: "IPv6 forwarding", enabled: false, duration: "transient" },
  { name: "network/routing-setup", commonName: "initial routing-related configuration", duration: "transient" },
  { name: "network/ntp", commonName: "Network Time Protocol (NTP)", needs: ["milestone/network"] },
  { name: "system/zones", commonName: "Zones autoboot and graceful shutdown", duration: "transient", needs: ["milestone/multi-user-server"] },
  { name: "system/zones-monitoring", commonName: "zones monitoring", needs: ["system/filesystem/minimal"] },
  { name: "system/resource-mgmt", commonName: "Global zone resource management settings", duration: "transient" },
  { name: "system/rcap", commonName: "resource caps", enabled: false },
  { name: "system/scheduler", commonName: "default scheduling class configuration", enabled: false, duration: "transient" }
]

const instanceName = (name: string): string => `svc:/${name}${name.includes(":") ? "" : ":default"}`

const needs = (names: ReadonlyArray<string>): ReadonlyArray<Dependency> =>
  names.length === 0 ? [] : [{ name: "needs", grouping: "require_all", restartOn: "error", type: "service", on: names.map((name) => `svc:/${name}`) }]

const instance = ({ commonName, duration = "contract", enabled = true, name, needs: needed = [] }: Delivered, index: number, since: number): Instance => ({
  fmri: instanceName(name),
  commonName,
  duration,
  dependencies: needs(needed),
  groups: { startd: "framework" },
  properties: { "startd/duration": { type: "astring", values: [duration] } },
  imported: {},
  enabled,
  state: enabled ? "online" : "disabled",
  since,
  contract: enabled && duration !== "transient" ? index + 10 : 0,
  reason: "",
  failures: 0,
  comment: ""
})

/** The instances of the global zone, booted at `since` (milliseconds since the epoch). @category constructors */
export const ofHost = (since: number): Array<Instance> => [...common, ...globalOnly].map((service, index) => instance(service, index, since))

/** The instances of a native zone, booted at `since`. @category constructors */
export const ofZone = (since: number): Array<Instance> => common.map((service, index) => instance(service, index, since))
