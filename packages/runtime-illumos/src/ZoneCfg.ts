/** zonecfg: configurations of zones. Pure command builders, failure texts, and the operations on a runner. */
import * as Effect from "effect/Effect"
import * as CommandLine from "./CommandLine.js"
import type { CommandResult, CommandRunner } from "./CommandRunner.js"
import {
  BrandMissing,
  type HostError,
  HostPermissionDenied,
  WrongZoneState,
  ZoneAlreadyExists,
  ZoneConfigRejected,
  ZoneNotFound
} from "./HostError.js"
import * as refusal from "./internal/refusal.js"
import * as ZoneConfig from "./ZoneConfig.js"
import * as ZoneConfigExport from "./ZoneConfigExport.js"
import type * as ZoneName from "./ZoneName.js"

const program = "/usr/sbin/zonecfg"

/** Runs the script in a regular file: only there does zonecfg stop at the first error. @category constructors */
export const applyFile = (zone: ZoneName.ZoneName, path: string): CommandLine.CommandLine =>
  CommandLine.make(program, "-z", zone, "-f", path)

/** Forgets the zone without asking; its files stay. @category constructors */
export const deleteForced = (zone: ZoneName.ZoneName): CommandLine.CommandLine =>
  CommandLine.make(program, "-z", zone, "delete", "-F")

/** Prints the configuration as a script. @category constructors */
export const exportConfig = (zone: ZoneName.ZoneName): CommandLine.CommandLine =>
  CommandLine.make(program, "-z", zone, "export")

/** Prints the configuration for people; sizes are rounded. @category constructors */
export const info = (zone: ZoneName.ZoneName): CommandLine.CommandLine => CommandLine.make(program, "-z", zone, "info")

/** Prints the grammar this host knows. @category constructors */
export const help: CommandLine.CommandLine = CommandLine.make(program, "help")

const refusals: ReadonlyArray<refusal.Row> = [
  { pattern: /: No such zone configured/, error: ZoneNotFound },
  { pattern: /Zone name already in use|Zone exists, input not from terminal/, error: ZoneAlreadyExists },
  { pattern: /already installed; create not allowed/, error: ZoneAlreadyExists },
  { pattern: /already installed; set \S+ not allowed/, error: WrongZoneState },
  { pattern: /Zone state is invalid for the requested operation|not in configured state/, error: WrongZoneState },
  { pattern: /can only be run from the global zone|[Pp]ermission denied|privilege/, error: HostPermissionDenied },
  { pattern: /: unknown brand/, error: BrandMissing },
  { pattern: /failed to verify|syntax error|On line \d+ of|not specified|invalid|Bogus zone name/i, error: ZoneConfigRejected }
]

/**
 * The error a refusal of zonecfg means.
 *
 * @category errors
 */
export const classify = (operation: string, zone: string, result: CommandResult): HostError =>
  refusal.classify(refusals, operation, zone, result)

/**
 * zonecfg on one host.
 *
 * @category models
 */
export interface ZoneCfg {
  /** Makes the configuration of a zone that does not exist. When this fails nothing of it stays. */
  readonly create: (zone: ZoneName.ZoneName, config: ZoneConfig.ZoneConfig) => Effect.Effect<void, HostError>
  /** Forgets the configuration. The zone must be uninstalled: its files would stay. */
  readonly delete: (zone: ZoneName.ZoneName) => Effect.Effect<void, HostError>
  readonly export: (zone: ZoneName.ZoneName) => Effect.Effect<ZoneConfig.ZoneConfig, HostError>
  /** What `info` prints. */
  readonly info: (zone: ZoneName.ZoneName) => Effect.Effect<string, HostError>
}

/**
 * zonecfg through the given runner.
 *
 * @category constructors
 */
export const make = (runner: CommandRunner["Type"]): ZoneCfg => {
  /** Some refusals exit 0, so anything on standard error is one. */
  const accepted = (operation: string, zone: ZoneName.ZoneName, line: CommandLine.CommandLine) =>
    Effect.flatMap(
      runner.run(line),
      (result) =>
        result.exitCode === 0 && result.stderr.trim() === ""
          ? Effect.succeed(result.stdout)
          : Effect.fail(classify(operation, zone, result))
    )
  const remove = (zone: ZoneName.ZoneName) => Effect.asVoid(accepted("delete zone", zone, deleteForced(zone)))

  return {
    create: (zone, config) =>
      Effect.gen(function*() {
        const script = yield* ZoneConfig.render(zone, config)
        const path = yield* runner.tempFile(`${zone}.zonecfg`, script)
        yield* accepted("configure zone", zone, applyFile(zone, path)).pipe(
          // A script that fails half way is still committed as far as it was read. A zone that was there before stays.
          Effect.tapError((error) => error._tag === "ZoneAlreadyExists" ? Effect.void : Effect.ignore(remove(zone)))
        )
      }).pipe(Effect.scoped),
    delete: remove,
    export: (zone) =>
      Effect.flatMap(
        accepted("read the configuration of zone", zone, exportConfig(zone)),
        (text) => ZoneConfigExport.parse(zone, text)
      ),
    info: (zone) => accepted("read the configuration of zone", zone, info(zone))
  }
}
