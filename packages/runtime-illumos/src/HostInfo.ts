/** What a host is and can do: its capacity, its release, and which dialects of the tools it speaks. */
import * as Effect from "effect/Effect"
import * as CommandLine from "./CommandLine.js"
import { CommandRunner } from "./CommandRunner.js"
import { HostCommandFailed, type HostError, UnreadableOutput } from "./HostError.js"
import { lines } from "./internal/parsable.js"
import { detailOf } from "./internal/refusal.js"
import * as Prtconf from "./Prtconf.js"
import * as Psrinfo from "./Psrinfo.js"
import * as ZoneAdm from "./ZoneAdm.js"
import * as ZoneCfg from "./ZoneCfg.js"

/**
 * Which family of illumos distributions a host belongs to, as far as its build tag says.
 *
 * @category models
 */
export type Distribution = "OmniOS" | "SmartOS" | "Helios" | "OpenIndiana" | "illumos"

/** The facts a node reports about its host. @category models */
export interface HostInfo {
  /** Virtual CPUs that are on-line. */
  readonly cpus: number
  /** Physical memory in bytes. */
  readonly memoryBytes: number
  /** `uname -r`, for instance `5.11`. */
  readonly osRelease: string
  /** `uname -v`, the build tag. */
  readonly kernelVersion: string
  /** `uname -m`, for instance `i86pc`. */
  readonly machine: string
  readonly distribution: Distribution
  /** Brands a zone can have on this host, sorted; absent when the host has no way to list them. */
  readonly brands?: ReadonlyArray<string>
  /** Whether `net` resources know `mac-addr`, `vlan-id`, `global-nic` and `property`. */
  readonly netExtras: boolean
  /** Fields of a line of `zoneadm list -p`. */
  readonly zoneListFields: number
}

/** One word about the system. @category constructors */
export const uname = (flag: "-r" | "-v" | "-m"): CommandLine.CommandLine => CommandLine.make("/usr/bin/uname", flag)

/** One directory per brand. @category constructors */
export const brandDirectories: CommandLine.CommandLine = CommandLine.make("/usr/bin/ls", "-1", "/usr/lib/brand")

/** The distribution a build tag (`uname -v`) names. @category combinators */
export const distributionOf = (kernelVersion: string): Distribution =>
  /^omnios/i.test(kernelVersion)
    ? "OmniOS"
    : /^joyent/i.test(kernelVersion)
    ? "SmartOS"
    : /^helios/i.test(kernelVersion)
    ? "Helios"
    : /^(oi|illumos-oi|openindiana)/i.test(kernelVersion)
    ? "OpenIndiana"
    : "illumos"

/** Directories below `/usr/lib/brand` that are no brands: files shared by several. */
const notBrands: ReadonlySet<string> = new Set(["shared", "jcommon"])

const brandsOf = (text: string): ReadonlyArray<string> =>
  lines(text).filter((name) => /^[a-z0-9][a-z0-9-]*$/.test(name) && !notBrands.has(name)).sort()

/**
 * Asks the host once. The answers but the number of CPUs do not change while it runs.
 *
 * @category constructors
 */
export const read: Effect.Effect<HostInfo, HostError, CommandRunner> = Effect.gen(function*() {
  const runner = yield* CommandRunner
  const output = (line: CommandLine.CommandLine) =>
    Effect.flatMap(runner.run(line), (result) =>
      result.exitCode === 0 ? Effect.succeed(result.stdout.trim()) : Effect.fail(
        new HostCommandFailed({
          operation: "read",
          object: CommandLine.format(line),
          detail: detailOf(result),
          exitCode: result.exitCode
        })
      ))
  const counted = (line: CommandLine.CommandLine, parse: (text: string) => number) =>
    Effect.flatMap(output(line), (text) => {
      const value = parse(text)
      return Number.isFinite(value) && value > 0 ? Effect.succeed(value) : Effect.fail(
        new UnreadableOutput({ operation: "read", object: CommandLine.format(line), detail: text.slice(0, 200) })
      )
    })
  const facts = yield* Effect.all({
    cpus: counted(Psrinfo.list, (text) => Psrinfo.online(Psrinfo.parse(text))),
    memoryBytes: counted(Prtconf.memory, (text) => Prtconf.parseMemory(text) ?? 0),
    osRelease: output(uname("-r")),
    kernelVersion: output(uname("-v")),
    machine: output(uname("-m")),
    brands: output(brandDirectories).pipe(
      Effect.map((text) => ({ brands: brandsOf(text) })),
      Effect.catchIf((error) => error._tag === "CommandUnavailable" && error.reason === "NotFound", () => Effect.succeed({}))
    ),
    // Depending on the release, help exits with the status of a usage error.
    grammar: Effect.map(runner.run(ZoneCfg.help), (result) => `${result.stdout}\n${result.stderr}`),
    zones: ZoneAdm.make(runner).list
  }, { concurrency: 4 })
  return {
    cpus: facts.cpus,
    memoryBytes: facts.memoryBytes,
    osRelease: facts.osRelease,
    kernelVersion: facts.kernelVersion,
    machine: facts.machine,
    distribution: distributionOf(facts.kernelVersion),
    ...facts.brands,
    netExtras: /\bglobal-nic\b/.test(facts.grammar),
    zoneListFields: facts.zones[0]?.fields ?? 7
  }
})
