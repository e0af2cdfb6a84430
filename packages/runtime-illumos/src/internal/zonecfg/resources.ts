/** The lines of a zonecfg script for each property and resource of the model. */
import * as Either from "effect/Either"
import type * as Model from "../../ZoneConfig.js"
import { absolutePath, address, block, type Checked, count, type Line, matching, optional, quoted, refuse, router, set, size, trimmed } from "./values.js"

const mebibyte = 1024n * 1024n

export const leastSwap: bigint = 50n * mebibyte
export const leastPhysical: bigint = mebibyte

const mostLimit = 2n ** 64n - 1n

/** Properties of the global scope without the limits, each with its line; `undefined` when it is not set. */
export const globalLines = (config: Model.ZoneConfig): ReadonlyArray<readonly [property: string, line: Line | undefined]> => {
  const maybe = (property: string, value: string | undefined, check: (value: string) => Checked<string>) =>
    [property, value === undefined ? undefined : set(property, check(value))] as const
  return [
    ["zonepath", set("zonepath", absolutePath("zonepath", config.zonepath))],
    ["brand", set("brand", matching("brand", config.brand, /^[a-z0-9][a-z0-9-]*$/, "not the name of a brand", 255))],
    ["autoboot", `set autoboot=${config.autoboot}`],
    ["ip-type", `set ip-type=${config.ipType}`],
    maybe("bootargs", config.bootargs, (value) => trimmed("bootargs", value, 256)),
    maybe("pool", config.pool, (value) => matching("pool", value, /^(?!SUNW)[^ \t]+$/, "names hold no blank, and those starting with SUNW are reserved", 255)),
    maybe("limitpriv", config.limitpriv, (value) =>
      matching("limitpriv", value, /^[!-]?[a-z_]+(,[!-]?[a-z_]+)*$/, "not a comma separated list of privileges")),
    maybe("scheduling-class", config.schedulingClass, (value) => Either.right(value)),
    maybe("hostid", config.hostid, (value) =>
      matching("hostid", value, /^(0x)?(?!f{8}$)[0-9a-f]{1,8}$/i, "not 1 to 8 hexadecimal digits")),
    maybe("fs-allowed", config.fsAllowed, (value) =>
      matching("fs-allowed", value, /^[A-Za-z0-9-]+(,[A-Za-z0-9-]+)*$/, "not a comma separated list"))
  ]
}

export const globals = (config: Model.ZoneConfig): ReadonlyArray<Line> =>
  globalLines(config).flatMap(([, line]) => line ?? [])

/** Properties the host stores as resource controls. */
export interface Alias {
  readonly field: keyof Model.ZoneLimits
  readonly property: string
  readonly rctl: string
  readonly action: "none" | "deny"
  readonly least: number
}

export const aliases: ReadonlyArray<Alias> = [
  { field: "cpuShares", property: "cpu-shares", rctl: "zone.cpu-shares", action: "none", least: 1 },
  { field: "maxLwps", property: "max-lwps", rctl: "zone.max-lwps", action: "deny", least: 100 },
  { field: "maxProcesses", property: "max-processes", rctl: "zone.max-processes", action: "deny", least: 100 },
  { field: "maxMsgIds", property: "max-msg-ids", rctl: "zone.max-msg-ids", action: "deny", least: 0 },
  { field: "maxSemIds", property: "max-sem-ids", rctl: "zone.max-sem-ids", action: "deny", least: 0 },
  { field: "maxShmIds", property: "max-shm-ids", rctl: "zone.max-shm-ids", action: "deny", least: 0 },
  { field: "maxShmMemory", property: "max-shm-memory", rctl: "zone.max-shm-memory", action: "deny", least: 0 },
  // The action of this one is not verified: an alias that is set anew takes whatever the host uses.
  { field: "zfsIoPriority", property: "zfs-io-priority", rctl: "zone.zfs-io-priority", action: "none", least: 0 }
]

const limitText = (alias: Alias, value: number | bigint): Checked<string> => {
  if (typeof value === "number") return count(alias.property, value, alias.least)
  return value >= 0n && value <= mostLimit ? Either.right(size(value)) : refuse(alias.property, "not a size in bytes")
}

/** One line for each limit that is set. */
export const limitLines = (config: Model.ZoneLimits): ReadonlyArray<readonly [alias: Alias, line: Line | undefined]> =>
  aliases.map((alias) => {
    const value = config[alias.field]
    return [alias, value === undefined ? undefined : set(alias.property, limitText(alias, value))] as const
  })

export const limits = (config: Model.ZoneLimits): ReadonlyArray<Line> => limitLines(config).flatMap(([, line]) => line ?? [])

export const net = (resource: Model.NetResource): Array<Line> =>
  block("net", [
    set("net.physical", quoted("net.physical", resource.physical)),
    ...optional(resource.address, (value) => set("net.address", address("net.address", value, false))),
    ...optional(resource.allowedAddress, (value) => set("net.allowed-address", address("net.allowed-address", value))),
    ...optional(resource.defrouter, (value) => set("net.defrouter", router("net.defrouter", value))),
    ...optional(resource.globalNic, (value) =>
      set("net.global-nic", matching("net.global-nic", value, /^[A-Za-z_.][A-Za-z0-9_.]*$/, "not a link name", 31))),
    ...optional(resource.macAddr, (value) =>
      set("net.mac-addr", matching("net.mac-addr", value, /^[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}$/i, "not a MAC address"))),
    ...optional(resource.vlanId, (value) =>
      Number.isInteger(value) && value >= 1 && value <= 4094
        ? `set vlan-id=${value}`
        : refuse("net.vlan-id", "not between 1 and 4094")),
    ...(resource.properties ?? []).map((property) =>
      Either.flatMap(
        matching("net.property", property.name, /^[a-z][a-z0-9_-]*$/, "not a property name"),
        () => Either.map(quoted("net.property", property.value, 255), (value) => `add property (name=${property.name},value=${value})`)
      )
    )
  ])

export const fsOptions = (options: ReadonlyArray<string>): Array<Line> =>
  options.length === 0 ? [] : [
    Either.map(
      Either.all(options.map((option) => matching("fs.options", option, /^[^,]+$/, "an option holds no comma", 254))),
      (texts) => `add options [${texts.join(",")}]`
    )
  ]

const fsType = (value: string): Checked<string> => matching("fs.type", value, /^[a-z][a-z0-9]*$/, "not a file system type", 254)

export const fsProperties = {
  special: (value: string): Line => set("fs.special", quoted("fs.special", value)),
  raw: (value: string): Line => set("fs.raw", quoted("fs.raw", value)),
  type: (value: string): Line => set("fs.type", fsType(value))
}

export const fs = (resource: Model.FsResource): Array<Line> =>
  block("fs", [
    set("fs.dir", absolutePath("fs.dir", resource.dir)),
    fsProperties.special(resource.special),
    ...optional(resource.raw, fsProperties.raw),
    fsProperties.type(resource.type),
    ...fsOptions(resource.options)
  ])

export const device = (match: string): Array<Line> =>
  block("device", [set("device.match", matching("device.match", match, /^\/dev\/./, "not below /dev"))])

const attrValue: Record<Model.AttrResource["type"], RegExp> = {
  string: /^/,
  boolean: /^(true|false)$/,
  int: /^-?\d+$/,
  uint: /^\d+$/
}

/** Type and value: what may change while the name stays. */
export const attrBody = (attr: Model.AttrResource): Array<Line> => [
  `set type=${attr.type}`,
  attrValue[attr.type].test(attr.value)
    ? set("attr.value", quoted(`attr ${attr.name}`, attr.value, 255))
    : refuse(`attr ${attr.name}`, `not of type ${attr.type}`)
]

export const attr = (resource: Model.AttrResource): Array<Line> =>
  block("attr", [
    set("attr.name", matching("attr.name", resource.name, /^[A-Za-z0-9][A-Za-z0-9.-]*$/, "a name has letters, digits, '-' and '.'", 255)),
    ...attrBody(resource)
  ])

const rctlValue = (name: string) => (value: Model.RctlValue): Line =>
  value.limit >= 0n && value.limit <= mostLimit
    ? `add value (priv=privileged,limit=${value.limit},action=${value.action})`
    : refuse(`rctl ${name}`, "limit is not between 0 and 2^64-1")

export const rctl = (resource: Model.RctlResource): Array<Line> =>
  block("rctl", [
    set("rctl.name", matching("rctl.name", resource.name, /^zone\.[a-z-]+$/, "a name is 'zone.' and lower case words", 255)),
    ...[resource, ...(resource.further ?? [])].map(rctlValue(resource.name))
  ])

const component = "[A-Za-z0-9_.:-]+"
const datasetName = new RegExp(`^[A-Za-z][A-Za-z0-9_.:-]*(/${component})*$`)

export const dataset = (name: string): Array<Line> =>
  block("dataset", [set("dataset.name", matching("dataset.name", name, datasetName, "not a dataset name", 255))])

export const admin = (resource: Model.AdminResource): Array<Line> =>
  block("admin", [
    set("admin.user", matching("admin.user", resource.user, /^[A-Za-z_][A-Za-z0-9_.-]*$/, "not a login name", 255)),
    resource.auths.length === 0
      ? refuse("admin.auths", "at least one authorization is required")
      : set("admin.auths", quoted("admin.auths", resource.auths.join(",")))
  ])

const flags = (name: "default" | "lower" | "upper", value: ReadonlyArray<Model.SecurityFlag>): Line => {
  if (value.length === 0) return refuse(`security-flags.${name}`, "an empty set is written as 'none'")
  const alone = value.length > 1 && value.some((flag) => flag === "all" || flag === "none")
  return alone ? refuse(`security-flags.${name}`, "'all' and 'none' stand alone") : set(name, quoted(name, value.join(",")))
}

export const securityFlags = (value: Model.SecurityFlags): Array<Line> => {
  const body = [
    ...optional(value.default, (set) => flags("default", set)),
    ...optional(value.lower, (set) => flags("lower", set)),
    ...optional(value.upper, (set) => flags("upper", set))
  ]
  return body.length === 0 ? [refuse("security-flags", "one of default, lower or upper is required")] : block("security-flags", body)
}

/** The lines inside the resource. */
export const dedicatedCpuBody = (value: Model.DedicatedCpu): Array<Line> => {
  const { importance, least, most } = value
  if (!Number.isSafeInteger(least) || least < 1 || (most !== undefined && (!Number.isSafeInteger(most) || most < least))) {
    return [refuse("dedicated-cpu.ncpus", "not a number or range of at least 1 CPU")]
  }
  return [
    `set ncpus=${least}${most === undefined || most === least ? "" : `-${most}`}`,
    ...optional(importance, (weight) => set("importance", count("dedicated-cpu.importance", weight, 0)))
  ]
}

export const dedicatedCpu = (value: Model.DedicatedCpu): Array<Line> => block("dedicated-cpu", dedicatedCpuBody(value))

/** zonecfg truncates the product with 100, so 0.29 would become 28 percent without the extra thousandth. */
const cpus = (percent: number): string => {
  const text = (percent / 100).toFixed(2)
  return Math.trunc(Number(text) * 100) === percent ? text : `${text}1`
}

/** The line inside the resource. */
export const cappedCpuBody = (percent: number): Line =>
  Number.isSafeInteger(percent) && percent >= 1 && percent <= 1_000_000
    ? `set ncpus=${cpus(percent)}`
    : refuse("capped-cpu", "not a whole percentage of at least 1")

export const cappedCpu = (percent: number): Array<Line> => block("capped-cpu", [cappedCpuBody(percent)])

/** The lines inside the resource for those caps that `wanted` accepts. */
export const cappedMemoryBody = (memory: Model.CappedMemory, wanted: (kind: keyof Model.CappedMemory) => boolean = () => true): Array<Line> => {
  const { locked, physical, swap } = memory
  if (physical === undefined && swap === undefined && locked === undefined) {
    return [refuse("capped-memory", "one of physical, swap or locked is required")]
  }
  if (physical !== undefined && physical < leastPhysical) return [refuse("capped-memory.physical", "less than 1 MiB")]
  if (swap !== undefined && swap < leastSwap) return [refuse("capped-memory.swap", "less than 50 MiB")]
  if (locked !== undefined && locked < 1n) return [refuse("capped-memory.locked", "not a positive size")]
  if (locked !== undefined && physical !== undefined && locked > physical) {
    return [refuse("capped-memory.locked", "more than physical")]
  }
  return (["physical", "swap", "locked"] as const).flatMap((kind) => {
    const bytes = memory[kind]
    if (bytes === undefined || !wanted(kind)) return []
    return [bytes > mostLimit ? refuse(`capped-memory.${kind}`, "more than 2^64-1 bytes") : `set ${kind}=${size(bytes)}`]
  })
}

export const cappedMemory = (memory: Model.CappedMemory): Array<Line> => block("capped-memory", cappedMemoryBody(memory))
