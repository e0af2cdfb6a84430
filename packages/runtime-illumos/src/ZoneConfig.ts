/** The configuration of a zone as a typed model, and its text as a zonecfg script. */
import * as Either from "effect/Either"
import { isDeepStrictEqual } from "node:util"
import { ZoneConfigRejected } from "./HostError.js"
import { normal } from "./internal/zonecfg/normal.js"
import * as resources from "./internal/zonecfg/resources.js"
import * as rules from "./internal/zonecfg/rules.js"
import type { Line } from "./internal/zonecfg/values.js"
import type { LinkName } from "./LinkName.js"

/**
 * Whose zonecfg: `omnios` (OmniOS and SmartOS) knows `mac-addr`, `vlan-id`, `global-nic` and `property` of a `net`, and `zfs-io-priority`;
 * to `gate` (illumos-gate, OpenIndiana, Helios) they are syntax errors.
 *
 * @category models
 */
export type Dialect = "gate" | "omnios"

/** A `net` resource. @category models */
export interface NetResource {
  readonly physical: LinkName
  /** Address, for IPv6 with prefix length; shared IP only, and required there. */
  readonly address?: string
  /** Address with prefix length; exclusive IP only. The zone may use no other address on the link. */
  readonly allowedAddress?: string
  /** With exclusive IP some `net` of the same link must have an `allowedAddress`. */
  readonly defrouter?: string
  /** OmniOS and SmartOS only. */
  readonly macAddr?: string
  /** OmniOS and SmartOS only; 1 to 4094. */
  readonly vlanId?: number
  /** OmniOS and SmartOS only: the brand makes the VNIC over this link when the zone becomes ready. `auto` lets it choose. */
  readonly globalNic?: string
  /** OmniOS and SmartOS only. */
  readonly properties?: ReadonlyArray<{ readonly name: string; readonly value: string }>
}

/** An `fs` resource. @category models */
export interface FsResource {
  /** Absolute path inside the zone; no two file systems share it. */
  readonly dir: string
  readonly special: string
  readonly raw?: string
  readonly type: string
  readonly options: ReadonlyArray<string>
}

/** What happens at a limit of a resource control. @category models */
export interface RctlValue {
  /** 0 to 2^64-1. */
  readonly limit: bigint
  readonly action: "none" | "deny"
}

/** A resource control; the privilege is always `privileged`. @category models */
export interface RctlResource extends RctlValue {
  /** `zone.` and lower case words. Controls that another property of the model stands for are written through that property. */
  readonly name: string
  /** Further values of the same control. */
  readonly further?: ReadonlyArray<RctlValue>
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

/** CPUs nobody else uses while the zone runs; not together with a pool, a CPU cap or CPU shares. @category models */
export interface DedicatedCpu {
  /** At least 1. */
  readonly least: number
  /** At least `least`; absent for exactly that many. */
  readonly most?: number
  readonly importance?: number
}

/** What a user of the global zone may do with the zone. @category models */
export interface AdminResource {
  /** A user that exists in the global zone. */
  readonly user: string
  readonly auths: ReadonlyArray<"login" | "manage" | "clonefrom">
}

/** A security flag of a process, or a word for several. @category models */
export type SecurityFlag = "ASLR" | "FORBIDNULLMAP" | "NOEXECSTACK" | "all" | "none"

/** Security flags of the zone's processes. At least one set is given. @category models */
export interface SecurityFlags {
  readonly default?: ReadonlyArray<SecurityFlag>
  readonly lower?: ReadonlyArray<SecurityFlag>
  readonly upper?: ReadonlyArray<SecurityFlag>
}

/** Limits zonecfg has a property of its own for; the host stores them as resource controls. @category models */
export interface ZoneLimits {
  /** Weight of the zone in the fair share scheduler. */
  readonly cpuShares?: number
  /** At least 100. */
  readonly maxLwps?: number
  /** At least 100. */
  readonly maxProcesses?: number
  readonly maxMsgIds?: number
  readonly maxSemIds?: number
  readonly maxShmIds?: number
  /** Bytes. */
  readonly maxShmMemory?: bigint
  /** OmniOS and SmartOS only. */
  readonly zfsIoPriority?: number
}

/** Everything zonecfg stores about a zone. Resources are sets: their order means nothing. @category models */
export interface ZoneConfig extends ZoneLimits {
  readonly zonepath: string
  readonly brand: string
  readonly autoboot: boolean
  readonly ipType: "shared" | "exclusive"
  /** Comma separated privileges, usually beginning with `default`; `!` before a privilege removes it. */
  readonly limitpriv?: string
  /** At most 256 characters. */
  readonly bootargs?: string
  readonly pool?: string
  readonly schedulingClass?: "FSS" | "TS" | "FX" | "RT" | "IA"
  /** Comma separated file system types the zone may mount itself. */
  readonly fsAllowed?: string
  /** 1 to 8 hexadecimal digits. */
  readonly hostid?: string
  readonly net: ReadonlyArray<NetResource>
  readonly fs: ReadonlyArray<FsResource>
  /** Paths or globs below `/dev`. */
  readonly device: ReadonlyArray<string>
  readonly rctl: ReadonlyArray<RctlResource>
  readonly attr: ReadonlyArray<AttrResource>
  /** Delegated ZFS datasets. */
  readonly dataset: ReadonlyArray<string>
  readonly admin?: ReadonlyArray<AdminResource>
  readonly securityFlags?: SecurityFlags
  readonly dedicatedCpu?: DedicatedCpu
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

/** Least swap cap zonecfg accepts, in bytes. @category models */
export const leastSwap: bigint = resources.leastSwap

/** Least physical memory cap zonecfg accepts, in bytes. @category models */
export const leastPhysical: bigint = resources.leastPhysical

/**
 * How a configuration is written.
 *
 * @category models
 */
export interface RenderOptions {
  /** Default `omnios`. */
  readonly dialect?: Dialect
}

const scriptLines = (config: ZoneConfig, dialect: Dialect): ReadonlyArray<Line> => [
  "create -b",
  // ip-type is among them, and comes before the net resources whose checks depend on it.
  ...resources.globals(config),
  ...resources.limits(config),
  ...config.net.flatMap(resources.net),
  ...(config.dedicatedCpu === undefined ? [] : resources.dedicatedCpu(config.dedicatedCpu)),
  ...(config.cappedCpuPercent === undefined ? [] : resources.cappedCpu(config.cappedCpuPercent)),
  ...(config.cappedMemory === undefined ? [] : resources.cappedMemory(config.cappedMemory)),
  ...config.fs.flatMap(resources.fs),
  ...config.device.flatMap(resources.device),
  ...config.rctl.flatMap(resources.rctl),
  ...config.attr.flatMap(resources.attr),
  ...config.dataset.flatMap(resources.dataset),
  ...(config.admin ?? []).flatMap(resources.admin),
  ...(config.securityFlags === undefined ? [] : resources.securityFlags(config.securityFlags)),
  // After the values: a rule about a value that is none helps nobody.
  ...rules.problems(config, dialect),
  "verify",
  "commit"
]

/**
 * The script for `zonecfg -f` that makes exactly this configuration from nothing, or `ZoneConfigRejected` naming the
 * first property zonecfg has no way to store, or would not verify.
 *
 * @category combinators
 */
export const render = (
  zone: string,
  config: ZoneConfig,
  options: RenderOptions = {}
): Either.Either<string, ZoneConfigRejected> =>
  Either.mapBoth(
    Either.all(scriptLines(config, options.dialect ?? "omnios").map((line) => typeof line === "string" ? Either.right(line) : line)),
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

/**
 * The one form of all configurations a host cannot tell apart: resources in the order of their names, sizes in the whole KiB they are
 * stored in, resource controls that are caps or limits as such.
 *
 * @category combinators
 */
export const normalize: (config: ZoneConfig) => ZoneConfig = normal

/**
 * Whether a host could not tell the two apart.
 *
 * @category combinators
 */
export const isEquivalent = (a: ZoneConfig, b: ZoneConfig): boolean => isDeepStrictEqual(normal(a), normal(b))
