/** The configuration of a zone as a typed model, and its text as a zonecfg script. */
import * as Either from "effect/Either"
import { isIPv4, isIPv6 } from "node:net"
import { ZoneConfigRejected } from "./HostError.js"
import type { LinkName } from "./LinkName.js"

/** A `net` resource. @category models */
export interface NetResource {
  readonly physical: LinkName
  /** Address with prefix length; exclusive IP only. */
  readonly allowedAddress?: string
  /** Needs `allowedAddress`. */
  readonly defrouter?: string
  /** OmniOS and SmartOS only. */
  readonly macAddr?: string
  /** OmniOS and SmartOS only; 1 to 4094. */
  readonly vlanId?: number
  /** OmniOS and SmartOS only: the brand makes the VNIC over this link when the zone becomes ready. */
  readonly globalNic?: string
  /** OmniOS and SmartOS only. */
  readonly properties?: ReadonlyArray<{ readonly name: string; readonly value: string }>
}

/** An `fs` resource. @category models */
export interface FsResource {
  /** Absolute path inside the zone. */
  readonly dir: string
  readonly special: string
  readonly raw?: string
  readonly type: string
  readonly options: ReadonlyArray<string>
}

/** A resource control; the privilege is always `privileged`. @category models */
export interface RctlResource {
  /** `zone.` and lower case words. */
  readonly name: string
  readonly limit: bigint
  readonly action: "none" | "deny"
}

/** An `attr` resource. @category models */
export interface AttrResource {
  readonly name: string
  readonly type: "string" | "boolean" | "int" | "uint"
  /** At most 255 bytes. */
  readonly value: string
}

/** Caps in bytes. At least one is set. @category models */
export interface CappedMemory {
  /** At least 1 MiB. */
  readonly physical?: bigint
  /** At least 50 MiB. */
  readonly swap?: bigint
  /** Not more than `physical`. */
  readonly locked?: bigint
}

/** Everything this package writes into the configuration of a zone. @category models */
export interface ZoneConfig {
  readonly zonepath: string
  readonly brand: string
  readonly autoboot: boolean
  readonly ipType: "shared" | "exclusive"
  readonly limitpriv?: string
  /** At most 256 characters. */
  readonly bootargs?: string
  readonly pool?: string
  readonly schedulingClass?: "FSS" | "TS" | "FX" | "RT" | "IA"
  readonly fsAllowed?: string
  readonly hostid?: string
  readonly net: ReadonlyArray<NetResource>
  readonly fs: ReadonlyArray<FsResource>
  /** Paths or globs below `/dev`. */
  readonly device: ReadonlyArray<string>
  readonly rctl: ReadonlyArray<RctlResource>
  readonly attr: ReadonlyArray<AttrResource>
  /** Delegated ZFS datasets. */
  readonly dataset: ReadonlyArray<string>
  /** Percent of one CPU, a whole number of at least 1. */
  readonly cappedCpuPercent?: number
  readonly cappedMemory?: CappedMemory
}

/**
 * A configuration with the required properties and nothing else: exclusive IP, not booted by the host.
 *
 * @category constructors
 */
export const make = (zonepath: string, brand: string): ZoneConfig => ({
  zonepath,
  brand,
  autoboot: false,
  ipType: "exclusive",
  net: [],
  fs: [],
  device: [],
  rctl: [],
  attr: [],
  dataset: []
})

const mebibyte = 1024n * 1024n

/** Least swap cap zonecfg accepts, in bytes. @category models */
export const leastSwap: bigint = 50n * mebibyte

/** Least physical memory cap zonecfg accepts, in bytes. @category models */
export const leastPhysical: bigint = mebibyte

class Refused {
  readonly property: string
  readonly reason: string
  constructor(property: string, reason: string) {
    this.property = property
    this.reason = reason
  }
}

type Checked<A> = Either.Either<A, Refused>

const refuse = (property: string, reason: string): Checked<never> => Either.left(new Refused(property, reason))

/** The lexer of zonecfg has no escapes: a quoted value holds anything but a quote and a newline. */
const quoted = (property: string, value: string, bytes = 1024): Checked<string> => {
  if (value === "") return refuse(property, "an empty value cannot be stored")
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/["\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) {
    return refuse(property, "a double quote or control character cannot be stored; encode the value")
  }
  if (Buffer.byteLength(value) > bytes) return refuse(property, `more than ${bytes} bytes`)
  return Either.right(`"${value}"`)
}

const matching = (property: string, value: string, pattern: RegExp, rule: string): Checked<string> =>
  pattern.test(value) ? quoted(property, value) : refuse(property, rule)

const absolutePath = (property: string, value: string): Checked<string> =>
  /^\/.*[^/]$/.test(value) && !/(^|\/)\.{1,2}(\/|$)|\/\//.test(value)
    ? quoted(property, value)
    : refuse(property, "not an absolute path without '.', '..' and doubled or trailing slashes")

/** zonecfg takes a malformed address for a host name, and the zone then fails to boot: so it is checked here. */
const address = (property: string, value: string): Checked<string> => {
  const [ip = "", length = "", ...rest] = value.split("/")
  const bits = isIPv4(ip) ? 32 : isIPv6(ip) ? 128 : 0
  return rest.length === 0 && bits > 0 && /^\d{1,3}$/.test(length) && Number(length) <= bits
    ? quoted(property, value)
    : refuse(property, `${JSON.stringify(value)} is not an IP address with prefix length`)
}

const router = (property: string, value: string): Checked<string> =>
  isIPv4(value) || isIPv6(value) ? quoted(property, value) : refuse(property, `${JSON.stringify(value)} is not an IP address`)

/** Exact when the size is a whole number of KiB, else rounded up: a suffix is required by some releases. */
const size = (bytes: bigint): string => {
  for (const [unit, suffix] of [[1024n ** 3n, "G"], [1024n ** 2n, "M"]] as const) {
    if (bytes % unit === 0n) return `${bytes / unit}${suffix}`
  }
  return `${(bytes + 1023n) / 1024n}K`
}

/** zonecfg truncates the product with 100, so 0.29 would become 28 percent without the extra thousandth. */
const cpus = (percent: number): string => {
  const text = (percent / 100).toFixed(2)
  return Math.trunc(Number(text) * 100) === percent ? text : `${text}1`
}

type Line = string | Checked<string>

const set = (property: string, value: Checked<string>): Checked<string> =>
  Either.map(value, (text) => `set ${property.slice(property.lastIndexOf(".") + 1)}=${text}`)

const optional = <A>(value: A | undefined, build: (value: A) => Line): Array<Line> =>
  value === undefined ? [] : [build(value)]

const block = (resource: string, body: ReadonlyArray<Line>): Array<Line> => [`add ${resource}`, ...body, "end"]

const netLines = (net: NetResource): Array<Line> =>
  net.defrouter !== undefined && net.allowedAddress === undefined
    ? [refuse("net.defrouter", "needs an allowed address on the same link")]
    : block("net", [
      set("net.physical", quoted("net.physical", net.physical)),
      ...optional(net.allowedAddress, (value) => set("net.allowed-address", address("net.allowed-address", value))),
      ...optional(net.defrouter, (value) => set("net.defrouter", router("net.defrouter", value))),
      ...optional(net.globalNic, (value) =>
        set("net.global-nic", matching("net.global-nic", value, /^[A-Za-z0-9_.]+$/, "not a link name"))),
      ...optional(net.macAddr, (value) =>
        set("net.mac-addr", matching("net.mac-addr", value, /^[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}$/i, "not a MAC address"))),
      ...optional(net.vlanId, (value) =>
        Number.isInteger(value) && value >= 1 && value <= 4094
          ? `set vlan-id=${value}`
          : refuse("net.vlan-id", "not between 1 and 4094")),
      ...(net.properties ?? []).map((property) =>
        Either.flatMap(
          matching("net.property", property.name, /^[a-z][a-z0-9_-]*$/, "not a property name"),
          () => Either.map(quoted("net.property", property.value), (value) => `add property (name=${property.name},value=${value})`)
        )
      )
    ])

const fsLines = (fs: FsResource): Array<Line> =>
  block("fs", [
    set("fs.dir", absolutePath("fs.dir", fs.dir)),
    set("fs.special", quoted("fs.special", fs.special)),
    ...optional(fs.raw, (value) => set("fs.raw", quoted("fs.raw", value))),
    set("fs.type", matching("fs.type", fs.type, /^[a-z][a-z0-9]*$/, "not a file system type")),
    ...(fs.options.length === 0 ? [] : [
      Either.map(
        Either.all(fs.options.map((option) => matching("fs.options", option, /^[^,]+$/, "an option holds no comma"))),
        (options) => `add options [${options.join(",")}]`
      )
    ])
  ])

const attrValue: Record<AttrResource["type"], RegExp> = {
  string: /^/,
  boolean: /^(true|false)$/,
  int: /^-?\d+$/,
  uint: /^\d+$/
}

const attrLines = (attr: AttrResource): Array<Line> =>
  block("attr", [
    set("attr.name", matching("attr.name", attr.name, /^[A-Za-z0-9][A-Za-z0-9.-]*$/, "a name has letters, digits, '-' and '.'")),
    `set type=${attr.type}`,
    attrValue[attr.type].test(attr.value)
      ? set("attr.value", quoted(`attr ${attr.name}`, attr.value, 255))
      : refuse(`attr ${attr.name}`, `not of type ${attr.type}`)
  ])

const rctlLines = (rctl: RctlResource): Array<Line> =>
  block("rctl", [
    set("rctl.name", matching("rctl.name", rctl.name, /^zone\.[a-z-]+$/, "a name is 'zone.' and lower case words")),
    rctl.limit >= 0n
      ? `add value (priv=privileged,limit=${rctl.limit},action=${rctl.action})`
      : refuse(`rctl ${rctl.name}`, "negative limit")
  ])

const memoryLines = (memory: CappedMemory): Array<Line> => {
  const { locked, physical, swap } = memory
  if (physical === undefined && swap === undefined && locked === undefined) {
    return [refuse("capped-memory", "one of physical, swap or locked is required")]
  }
  if (physical !== undefined && physical < leastPhysical) return [refuse("capped-memory.physical", "less than 1 MiB")]
  if (swap !== undefined && swap < leastSwap) return [refuse("capped-memory.swap", "less than 50 MiB")]
  if (locked !== undefined && physical !== undefined && locked > physical) {
    return [refuse("capped-memory.locked", "more than physical")]
  }
  return block("capped-memory", [
    ...optional(physical, (bytes) => `set physical=${size(bytes)}`),
    ...optional(swap, (bytes) => `set swap=${size(bytes)}`),
    ...optional(locked, (bytes) => `set locked=${size(bytes)}`)
  ])
}

const scriptLines = (config: ZoneConfig): Array<Line> => [
  "create -b",
  set("zonepath", absolutePath("zonepath", config.zonepath)),
  set("brand", matching("brand", config.brand, /^[a-z0-9][a-z0-9-]*$/, "not the name of a brand")),
  `set autoboot=${config.autoboot}`,
  // Checks of net resources depend on it, so it comes before them.
  `set ip-type=${config.ipType}`,
  ...optional(config.bootargs, (value) => set("bootargs", quoted("bootargs", value, 256))),
  ...optional(config.pool, (value) => set("pool", matching("pool", value, /^(?!SUNW)/, "names starting with SUNW are reserved"))),
  ...optional(config.limitpriv, (value) => set("limitpriv", quoted("limitpriv", value))),
  ...optional(config.schedulingClass, (value) => `set scheduling-class=${value}`),
  ...optional(config.hostid, (value) =>
    set("hostid", matching("hostid", value, /^(0x)?(?!f{8}$)[0-9a-f]{1,8}$/i, "not 1 to 8 hexadecimal digits"))),
  ...optional(config.fsAllowed, (value) =>
    set("fs-allowed", matching("fs-allowed", value, /^[A-Za-z0-9-]+(,[A-Za-z0-9-]+)*$/, "not a comma separated list"))),
  ...config.net.flatMap(netLines),
  ...(config.cappedCpuPercent === undefined
    ? []
    : Number.isInteger(config.cappedCpuPercent) && config.cappedCpuPercent >= 1
    ? block("capped-cpu", [`set ncpus=${cpus(config.cappedCpuPercent)}`])
    : [refuse("capped-cpu", "not a whole percentage of at least 1")]),
  ...(config.cappedMemory === undefined ? [] : memoryLines(config.cappedMemory)),
  ...config.fs.flatMap(fsLines),
  ...config.device.flatMap((match) =>
    block("device", [set("device.match", matching("device.match", match, /^\/dev\//, "not below /dev"))])
  ),
  ...config.rctl.flatMap(rctlLines),
  ...config.attr.flatMap(attrLines),
  ...config.dataset.flatMap((name) =>
    block("dataset", [set("dataset.name", matching("dataset.name", name, /^[A-Za-z][^\s"@]*$/, "not a dataset name"))])
  ),
  "verify",
  "commit"
]

/**
 * The script for `zonecfg -f` that makes exactly this configuration from nothing, or `ZoneConfigRejected` naming the
 * first property zonecfg has no way to store.
 *
 * @category combinators
 */
export const render = (zone: string, config: ZoneConfig): Either.Either<string, ZoneConfigRejected> =>
  Either.mapBoth(
    Either.all(scriptLines(config).map((line) => typeof line === "string" ? Either.right(line) : line)),
    {
      onLeft: (refused) =>
        new ZoneConfigRejected({
          operation: "write the configuration of zone",
          object: zone,
          detail: `${refused.property}: ${refused.reason}`
        }),
      onRight: (script) => `${script.join("\n")}\n`
    }
  )
