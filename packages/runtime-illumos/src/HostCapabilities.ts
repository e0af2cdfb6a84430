/**
 * What zones a host can have: brands with the hardware they need, the dialects of its tools, how it enforces limits. One value, read once; what
 * depends on it asks for a field instead of asking for the name of a distribution.
 */
import * as Effect from "effect/Effect"
import * as CommandLine from "./CommandLine.js"
import { CommandRunner, type CommandUnavailable } from "./CommandRunner.js"
import type { HostError } from "./HostError.js"
import * as HostInfo from "./HostInfo.js"
import { lines } from "./internal/parsable.js"
import * as Smf from "./Smf.js"

/** What the CPUs offer to virtual machines. `unknown` when the host has no way to tell. @category models */
export type Virtualization = "vmx" | "amd_svm" | "none" | "unknown"

/** A brand that is installed. @category models */
export interface BrandCapability {
  readonly name: string
  /** Why no zone of this brand can boot here; absent when it can, as far as the host tells. */
  readonly unusable?: string
}

/** What a host can do for zones. @category models */
export interface HostCapabilities {
  readonly distribution: HostInfo.Distribution
  /** `uname -v`, the build tag. */
  readonly kernelVersion: string
  /** `uname -r`. */
  readonly osRelease: string
  /** Installed brands, sorted by name; absent when the host has no way to list them. */
  readonly brands?: ReadonlyArray<BrandCapability>
  readonly virtualization: Virtualization
  /** Which zonecfg: that of illumos-gate, or the one of OmniOS and SmartOS with more `net` properties. */
  readonly zonecfgDialect: "gate" | "omnios"
  /** Fields of a line of `zoneadm list -p`: 7, or 8 with the zone DID. */
  readonly zoneListFields: number
  /** Who keeps a zone within `capped-memory.physical`: the kernel, or rcapd, which pages out after the fact. */
  readonly physicalMemoryCap: "kernel" | "rcapd"
  /** Whether svcs and its relatives look into zones with `-z`. */
  readonly smfZoneOption: boolean
  /** Whether zones can log what their init prints (`zlog-mode`). */
  readonly zoneLogs: boolean
}

/** What the instruction sets of the host can do. @category constructors */
export const instructionSets: CommandLine.CommandLine = CommandLine.make("/usr/bin/isainfo", "-x")

/** Whether each of these folders below `/usr/lib/brand` is a brand: only brands have a `config.xml`. @category constructors */
export const brandConfigurations = (names: ReadonlyArray<string>): CommandLine.CommandLine =>
  CommandLine.make("/usr/bin/ls", "-1", ...names.map((name) => `/usr/lib/brand/${name}/config.xml`))

/** Reads the output of {@link instructionSets}. @category combinators */
export const parseVirtualization = (text: string): Virtualization => {
  const words = new Set(text.split(/[\s:,]+/))
  return words.has("vmx") ? "vmx" : words.has("amd_svm") || words.has("svm") ? "amd_svm" : text.trim() === "" ? "unknown" : "none"
}

/** Reads the output of {@link brandConfigurations}: the brands, sorted. @category combinators */
export const parseBrands = (text: string): ReadonlyArray<string> =>
  lines(text).flatMap((line) => /^\/usr\/lib\/brand\/([a-z0-9][a-z0-9-]*)\/config\.xml$/.exec(line.trim())?.[1] ?? []).sort()

/** Brands that are virtual machines, and the hardware each of them takes. */
const hardware: Readonly<Record<string, ReadonlyArray<Virtualization>>> = { bhyve: ["vmx", "amd_svm"], kvm: ["vmx"] }

const unusableBecause = (brand: string, virtualization: Virtualization): string | undefined => {
  const needed = hardware[brand]
  if (needed === undefined || virtualization === "unknown" || needed.includes(virtualization)) return undefined
  return virtualization === "none"
    ? "the CPUs offer no hardware virtualisation, or it is switched off in the firmware"
    : `it needs ${needed.join(" or ")}, and the CPUs offer ${virtualization}`
}

/**
 * The capabilities that follow from what was read. Pure.
 *
 * @category constructors
 */
export const of = (facts: {
  readonly host: HostInfo.HostInfo
  readonly brands?: ReadonlyArray<string>
  readonly virtualization: Virtualization
  readonly smfZoneOption: boolean
}): HostCapabilities => {
  const { host, smfZoneOption, virtualization } = facts
  return {
    distribution: host.distribution,
    kernelVersion: host.kernelVersion,
    osRelease: host.osRelease,
    ...(facts.brands === undefined ? {} : {
      brands: [...new Set(facts.brands)].sort().map((name): BrandCapability => {
        const unusable = unusableBecause(name, virtualization)
        return { name, ...(unusable === undefined ? {} : { unusable }) }
      })
    }),
    virtualization,
    zonecfgDialect: host.netExtras ? "omnios" : "gate",
    zoneListFields: host.zoneListFields,
    // One source tree brought the extra net properties, the eighth field, the memory cap of the kernel and the logs.
    physicalMemoryCap: host.netExtras ? "kernel" : "rcapd",
    smfZoneOption,
    zoneLogs: host.netExtras
  }
}

/** Whether zones of the brand can boot. A host that cannot list its brands is believed to have it. @category combinators */
export const supports = (capabilities: HostCapabilities, brand: string): boolean =>
  capabilities.brands === undefined || capabilities.brands.some(({ name, unusable }) => name === brand && unusable === undefined)

/** The names of the brands whose zones can boot; absent when the host cannot list its brands. @category combinators */
export const usableBrands = ({ brands }: HostCapabilities): ReadonlyArray<string> | undefined =>
  brands?.flatMap(({ name, unusable }) => unusable === undefined ? [name] : [])

/** The output of a program, or nothing when this host has no such program or it refuses. */
const optional = (line: CommandLine.CommandLine): Effect.Effect<string, CommandUnavailable, CommandRunner> =>
  Effect.flatMap(CommandRunner, (runner) => runner.run(line)).pipe(
    Effect.map(({ stdout }) => stdout),
    Effect.catchIf((error) => error.reason === "NotFound", () => Effect.succeed(""))
  )

/**
 * Asks the host, beyond what is known of it already. The answers do not change while it runs.
 *
 * @category constructors
 */
export const readWith = (host: HostInfo.HostInfo): Effect.Effect<HostCapabilities, CommandUnavailable, CommandRunner> =>
  Effect.gen(function*() {
    const runner = yield* CommandRunner
    const { configured, isa, smfZoneOption } = yield* Effect.all({
      isa: optional(instructionSets),
      configured: host.brands === undefined || host.brands.length === 0 ? Effect.succeed("") : optional(brandConfigurations(host.brands)),
      smfZoneOption: Effect.catchIf(Smf.probeZoneOption(runner), (error) => error.reason === "NotFound", () => Effect.succeed(false))
    }, { concurrency: 3 })
    return of({
      host,
      ...(host.brands === undefined ? {} : { brands: parseBrands(configured) }),
      virtualization: parseVirtualization(isa),
      smfZoneOption
    })
  })

/**
 * Asks the host for everything.
 *
 * @category constructors
 */
export const read: Effect.Effect<HostCapabilities, HostError, CommandRunner> = Effect.flatMap(HostInfo.read, readWith)
