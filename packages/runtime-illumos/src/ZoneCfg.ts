/** zonecfg: configurations of zones. Pure command builders, failure texts, and the operations on a runner. */
import * as Effect from "effect/Effect"
import * as CommandLine from "./CommandLine.js"
import type { CommandResult, CommandRunner } from "./CommandRunner.js"
import { CommandMisused, type HostError, UnreadableOutput, ZoneConfigRejected } from "./HostError.js"
import * as refusal from "./internal/refusal.js"
import * as ZoneConfig from "./ZoneConfig.js"
import * as ZoneConfigDiff from "./ZoneConfigDiff.js"
import * as ZoneConfigExport from "./ZoneConfigExport.js"
import type * as ZoneName from "./ZoneName.js"
import * as ZoneRefusals from "./ZoneRefusals.js"

const program = "/usr/sbin/zonecfg"

/** Runs the script in a regular file: only there does zonecfg stop at the first error. @category constructors */
export const applyFile = (zone: ZoneName.ZoneName, path: string): CommandLine.CommandLine =>
  CommandLine.make(program, "-z", zone, "-f", path)

/** Forgets the zone without asking; its files stay. @category constructors */
export const deleteForced = (zone: ZoneName.ZoneName): CommandLine.CommandLine =>
  CommandLine.make(program, "-z", zone, "delete", "-F")

/** Gives a halted zone another name; the index and the stored configuration follow. @category constructors */
export const rename = (zone: ZoneName.ZoneName, to: ZoneName.ZoneName): CommandLine.CommandLine =>
  CommandLine.make(program, "-z", zone, `set zonename=${to}`)

/** Makes a configuration that is the copy of another zone's, net and fs resources included. @category constructors */
export const createCopy = (zone: ZoneName.ZoneName, template: ZoneName.ZoneName): CommandLine.CommandLine =>
  CommandLine.make(program, "-z", zone, "create", "-t", template)

/** Checks the stored configuration; prints nothing when it is fine. @category constructors */
export const verify = (zone: ZoneName.ZoneName): CommandLine.CommandLine => CommandLine.make(program, "-z", zone, "verify")

/** Prints the configuration as a script. @category constructors */
export const exportConfig = (zone: ZoneName.ZoneName): CommandLine.CommandLine =>
  CommandLine.make(program, "-z", zone, "export")

/** Prints the configuration for people; sizes are rounded. @category constructors */
export const info = (zone: ZoneName.ZoneName): CommandLine.CommandLine => CommandLine.make(program, "-z", zone, "info")

/** Prints the grammar this host knows. @category constructors */
export const help: CommandLine.CommandLine = CommandLine.make(program, "help")

/**
 * The dialect of the host that printed this `help`. Depending on the release the text is on either stream.
 *
 * @category combinators
 */
export const dialectOf = (result: CommandResult): ZoneConfig.Dialect =>
  /\bglobal-nic\b/.test(`${result.stdout}\n${result.stderr}`) ? "omnios" : "gate"

/**
 * The error a refusal of zonecfg means.
 *
 * @category errors
 */
export const classify = (operation: string, zone: string, result: CommandResult): HostError => {
  const error = refusal.classify(ZoneRefusals.zonecfg, operation, zone, result)
  return error._tag === "HostCommandFailed" && result.exitCode === 2
    ? new CommandMisused({ operation, object: zone, detail: error.detail })
    : error
}

/**
 * How configurations are written.
 *
 * @category models
 */
export interface Options {
  /** Whose zonecfg the host has; default `omnios`. See `dialectOf`. */
  readonly dialect?: ZoneConfig.Dialect
}

/**
 * zonecfg on one host.
 *
 * @category models
 */
export interface ZoneCfg {
  /** Makes the configuration of a zone that does not exist. When this fails nothing of it stays. */
  readonly create: (zone: ZoneName.ZoneName, config: ZoneConfig.ZoneConfig) => Effect.Effect<void, HostError>
  /**
   * Changes the configuration of a zone to exactly this one, by the least script, and reads it again; false when there was nothing to
   * change. A change takes effect at the next boot. When this fails the configuration is what it was, unless the host refuses that too.
   * A configuration with resources the model has no place for is refused.
   */
  readonly update: (
    zone: ZoneName.ZoneName,
    config: ZoneConfig.ZoneConfig,
    options?: { readonly installed?: boolean }
  ) => Effect.Effect<boolean, HostError>
  /** Forgets the configuration. The zone must be uninstalled: its files would stay. */
  readonly delete: (zone: ZoneName.ZoneName) => Effect.Effect<void, HostError>
  /** Gives a zone that is not in the kernel another name. */
  readonly rename: (zone: ZoneName.ZoneName, to: ZoneName.ZoneName) => Effect.Effect<void, HostError>
  /** Checks the stored configuration. */
  readonly verify: (zone: ZoneName.ZoneName) => Effect.Effect<void, HostError>
  /** The configuration, and the names of the resources in it that the model has no place for. */
  readonly read: (zone: ZoneName.ZoneName) => Effect.Effect<ZoneConfigExport.Reading, HostError>
  readonly export: (zone: ZoneName.ZoneName) => Effect.Effect<ZoneConfig.ZoneConfig, HostError>
  /** What `info` prints; `ZoneConfigInfo` reads it. */
  readonly info: (zone: ZoneName.ZoneName) => Effect.Effect<string, HostError>
}

const reading = "read the configuration of zone"
const changing = "change the configuration of zone"

/**
 * zonecfg through the given runner.
 *
 * @category constructors
 */
export const make = (runner: CommandRunner["Type"], options: Options = {}): ZoneCfg => {
  const dialect = options.dialect ?? "omnios"

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

  const apply = (operation: string, zone: ZoneName.ZoneName, script: string) =>
    Effect.scoped(
      Effect.flatMap(runner.tempFile(`${zone}.zonecfg`, script), (path) => accepted(operation, zone, applyFile(zone, path)))
    )

  const read = (zone: ZoneName.ZoneName) =>
    Effect.flatMap(accepted(reading, zone, exportConfig(zone)), (text) => ZoneConfigExport.read(zone, text))

  const restore = (zone: ZoneName.ZoneName, before: ZoneConfig.ZoneConfig) =>
    Effect.gen(function*() {
      const { config } = yield* read(zone)
      const script = yield* ZoneConfigDiff.script(zone, config, before, { dialect })
      if (script !== undefined) yield* apply(changing, zone, script)
    })

  return {
    create: (zone, config) =>
      Effect.gen(function*() {
        const script = yield* ZoneConfig.render(zone, config, { dialect })
        yield* apply("configure zone", zone, script).pipe(
          // A script that fails half way is still committed as far as it was read. A zone that was there before stays.
          Effect.tapError((error) => error._tag === "ZoneAlreadyExists" ? Effect.void : Effect.ignore(remove(zone)))
        )
      }),
    update: (zone, config, { installed = true } = {}) =>
      Effect.gen(function*() {
        const before = yield* read(zone)
        if (before.unknown.length > 0) {
          const detail = `it holds resources that cannot be written back: ${before.unknown.join(", ")}`
          return yield* new UnreadableOutput({ operation: changing, object: zone, detail })
        }
        const script = yield* ZoneConfigDiff.script(zone, before.config, config, { dialect, installed })
        if (script === undefined) return false
        // A script that fails half way is still committed as far as it was read.
        yield* Effect.tapError(apply(changing, zone, script), () => Effect.ignore(restore(zone, before.config)))
        const after = yield* read(zone)
        if (!ZoneConfig.isEquivalent(after.config, config)) {
          return yield* new ZoneConfigRejected({ operation: changing, object: zone, detail: "the host accepted the change but stored something else" })
        }
        return true
      }),
    delete: remove,
    rename: (zone, to) => Effect.asVoid(accepted("rename zone", zone, rename(zone, to))),
    verify: (zone) => Effect.asVoid(accepted("verify the configuration of zone", zone, verify(zone))),
    read,
    export: (zone) => Effect.map(read(zone), ({ config }) => config),
    info: (zone) => accepted(reading, zone, info(zone))
  }
}
