/** zoneadm: the life cycle of zones. Pure command builders, the parser of `list -p`, and the operations on a runner. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as CommandLine from "./CommandLine.js"
import type { CommandResult, CommandRunner } from "./CommandRunner.js"
import {
  BrandMissing,
  HostCommandFailed,
  type HostError,
  HostPermissionDenied,
  UnreadableOutput,
  WrongZoneState,
  ZoneConfigRejected,
  ZoneLocked,
  ZoneNotFound
} from "./HostError.js"
import { lines, splitZoneadm } from "./internal/parsable.js"
import * as refusal from "./internal/refusal.js"
import type * as ZoneName from "./ZoneName.js"

/**
 * States of a zone. `transient` stands for any state this package does not know: look again later.
 *
 * @category models
 */
export type ZoneState =
  | "configured"
  | "incomplete"
  | "installed"
  | "ready"
  | "mounted"
  | "running"
  | "shutting_down"
  | "down"
  | "transient"

const states: ReadonlySet<string> = new Set<ZoneState>([
  "configured",
  "incomplete",
  "installed",
  "ready",
  "mounted",
  "running",
  "shutting_down",
  "down"
])

const isZoneState = (text: string): text is ZoneState => states.has(text)

/**
 * One line of `zoneadm list -p`, the global zone included.
 *
 * @category models
 */
export interface ZoneEntry {
  readonly name: string
  readonly state: ZoneState
  readonly zonepath: string
  readonly uuid?: string
  readonly brand: string
  readonly ipType: string
  /** Kernel id; absent when the zone is not in the kernel, or on its way in or out. */
  readonly id?: number
  /** How many fields the host prints: 7 on illumos-gate, 8 on OmniOS and SmartOS. */
  readonly fields: number
}

const program = "/usr/sbin/zoneadm"
const inZone = (zone: ZoneName.ZoneName, ...args: ReadonlyArray<string>): CommandLine.CommandLine =>
  CommandLine.make(program, "-z", zone, ...args)

/** Every zone in every state. @category constructors */
export const list: CommandLine.CommandLine = CommandLine.make(program, "list", "-cp")

/** One zone in whatever state. @category constructors */
export const listOne = (zone: ZoneName.ZoneName): CommandLine.CommandLine => inZone(zone, "list", "-p")

/** Installs with the arguments of the brand's installer. @category constructors */
export const install = (zone: ZoneName.ZoneName, brandArguments: ReadonlyArray<string>): CommandLine.CommandLine =>
  inZone(zone, "install", ...brandArguments)

/** Clones an installed zone. @category constructors */
export const clone = (zone: ZoneName.ZoneName, source: ZoneName.ZoneName): CommandLine.CommandLine =>
  inZone(zone, "clone", source)

/** Makes the virtual platform without starting a process. @category constructors */
export const ready = (zone: ZoneName.ZoneName): CommandLine.CommandLine => inZone(zone, "ready")

/** Boots an installed or ready zone. @category constructors */
export const boot = (zone: ZoneName.ZoneName): CommandLine.CommandLine => inZone(zone, "boot")

/** Stops at once. @category constructors */
export const halt = (zone: ZoneName.ZoneName): CommandLine.CommandLine => inZone(zone, "halt")

/** Runs the shutdown command of the brand and waits for it. @category constructors */
export const shutdown = (zone: ZoneName.ZoneName): CommandLine.CommandLine => inZone(zone, "shutdown")

/** Halt and boot without shutdown scripts. @category constructors */
export const reboot = (zone: ZoneName.ZoneName): CommandLine.CommandLine => inZone(zone, "reboot")

/** Removes the root without asking. @category constructors */
export const uninstall = (zone: ZoneName.ZoneName): CommandLine.CommandLine => inZone(zone, "uninstall", "-F")

/** Writes a state into the index of the host. @category constructors */
export const mark = (
  zone: ZoneName.ZoneName,
  state: "configured" | "incomplete" | "installed"
): CommandLine.CommandLine => inZone(zone, "mark", "-F", state)

/**
 * One line of `list -p`; `undefined` when it has fewer than seven fields. Further fields are ignored.
 *
 * @category combinators
 */
export const parseEntry = (line: string): ZoneEntry | undefined => {
  const fields = splitZoneadm(line)
  const [id, name, state, zonepath, uuid, brand, ipType] = fields
  if (
    id === undefined || name === undefined || state === undefined || zonepath === undefined || uuid === undefined ||
    brand === undefined || ipType === undefined || name === ""
  ) return undefined
  return {
    name,
    state: isZoneState(state) ? state : "transient",
    zonepath,
    ...(uuid === "" ? {} : { uuid }),
    brand,
    ipType,
    ...(/^\d+$/.test(id) ? { id: Number(id) } : {}),
    fields: fields.length
  }
}

/**
 * The texts by which zoneadm and zoneadmd refuse, from the specific to the general.
 */
const refusals: ReadonlyArray<refusal.Row> = [
  { pattern: /: No such zone configured/, error: ZoneNotFound },
  { pattern: /another zoneadm may have an operation in progress/, error: ZoneLocked },
  { pattern: /only a privileged user may|must be in the global zone to/, error: HostPermissionDenied },
  { pattern: /missing or invalid brand|unknown brand/, error: BrandMissing },
  { pattern: /is already installed\./, error: WrongZoneState },
  { pattern: /zone is incomplete; uninstall required/, error: WrongZoneState },
  { pattern: /operation is invalid for (running|[a-z_]+) zones|operation is invalid for zones in state/, error: WrongZoneState },
  { pattern: /must be installed before|is already in state '|: not running\b/, error: WrongZoneState },
  { pattern: /cannot manage a zone which is in state|shutdown already in progress/, error: WrongZoneState },
  { pattern: /is [a-z_]+; installed is required/, error: WrongZoneState },
  { pattern: /failed to verify/, error: ZoneConfigRejected }
]

/**
 * The error a refusal of zoneadm means.
 *
 * @category errors
 */
export const classify = (operation: string, zone: string, result: CommandResult): HostError =>
  refusal.classify(refusals, operation, zone, result)

/**
 * Time limits of the operations.
 *
 * @category models
 */
export interface Timeouts {
  /** Installing: brands that download packages take minutes. */
  readonly install: Duration.DurationInput
  /** Booting, halting, uninstalling: usually a second. */
  readonly transition: Duration.DurationInput
}

/** What suits brands that install from a local image, and most that download. @category models */
export const defaultTimeouts: Timeouts = { install: "20 minutes", transition: "3 minutes" }

/**
 * zoneadm on one host. A success says that the command was accepted, not that a state was reached: read it again.
 *
 * @category models
 */
export interface ZoneAdm {
  /** Every zone, the global one included. */
  readonly list: Effect.Effect<ReadonlyArray<ZoneEntry>, HostError>
  /** One zone; `undefined` when it is not configured. */
  readonly find: (zone: ZoneName.ZoneName) => Effect.Effect<ZoneEntry | undefined, HostError>
  readonly install: (zone: ZoneName.ZoneName, brandArguments: ReadonlyArray<string>) => Effect.Effect<void, HostError>
  readonly clone: (zone: ZoneName.ZoneName, source: ZoneName.ZoneName) => Effect.Effect<void, HostError>
  readonly ready: (zone: ZoneName.ZoneName) => Effect.Effect<void, HostError>
  readonly boot: (zone: ZoneName.ZoneName) => Effect.Effect<void, HostError>
  readonly halt: (zone: ZoneName.ZoneName) => Effect.Effect<void, HostError>
  readonly shutdown: (zone: ZoneName.ZoneName, timeout: Duration.DurationInput) => Effect.Effect<void, HostError>
  readonly uninstall: (zone: ZoneName.ZoneName) => Effect.Effect<void, HostError>
  readonly mark: (
    zone: ZoneName.ZoneName,
    state: "configured" | "incomplete" | "installed"
  ) => Effect.Effect<void, HostError>
}

const parse = (operation: string, object: string, stdout: string) =>
  Effect.forEach(lines(stdout), (line) => {
    const entry = parseEntry(line)
    return entry === undefined
      ? Effect.fail(new UnreadableOutput({ operation, object, detail: line }))
      : Effect.succeed(entry)
  })

/** zoneadm passes installer arguments through a shell without quoting them. */
const plainArgument = /^[A-Za-z0-9_@%+=:,./-]+$/

/**
 * zoneadm through the given runner.
 *
 * @category constructors
 */
export const make = (runner: CommandRunner["Type"], timeouts: Timeouts = defaultTimeouts): ZoneAdm => {
  const accepted = (operation: string, zone: ZoneName.ZoneName, line: CommandLine.CommandLine) =>
    Effect.flatMap(
      runner.run(line),
      (result) => result.exitCode === 0 ? Effect.void : Effect.fail(classify(operation, zone, result))
    )
  const transition = (operation: string, build: (zone: ZoneName.ZoneName) => CommandLine.CommandLine) =>
  (zone: ZoneName.ZoneName) => accepted(operation, zone, CommandLine.withTimeout(build(zone), timeouts.transition))

  return {
    list: Effect.flatMap(runner.run(list), (result) =>
      result.exitCode === 0
        ? parse("list zones of", "this host", result.stdout)
        : Effect.fail(classify("list zones of", "this host", result))),
    find: (zone) =>
      Effect.gen(function*() {
        const result = yield* runner.run(listOne(zone))
        if (result.exitCode === 0) {
          const entries = yield* parse("read zone", zone, result.stdout)
          return entries.find((entry) => entry.name === zone)
        }
        const error = classify("read zone", zone, result)
        return error._tag === "ZoneNotFound" ? undefined : yield* error
      }),
    install: (zone, brandArguments) => {
      const bad = brandArguments.find((argument) => !plainArgument.test(argument))
      return bad === undefined
        ? accepted("install zone", zone, CommandLine.withTimeout(install(zone, brandArguments), timeouts.install))
        : Effect.fail(
          new HostCommandFailed({
            operation: "install zone",
            object: zone,
            detail: `installer argument ${JSON.stringify(bad)} has characters a shell would interpret`,
            exitCode: 2
          })
        )
    },
    clone: (zone, source) =>
      accepted("clone zone", zone, CommandLine.withTimeout(clone(zone, source), timeouts.install)),
    ready: transition("ready zone", ready),
    boot: transition("boot zone", boot),
    halt: transition("halt zone", halt),
    shutdown: (zone, timeout) =>
      accepted("shut down zone", zone, CommandLine.withTimeout(shutdown(zone), timeout)),
    uninstall: transition("uninstall zone", uninstall),
    mark: (zone, state) => accepted("mark zone", zone, mark(zone, state))
  }
}
