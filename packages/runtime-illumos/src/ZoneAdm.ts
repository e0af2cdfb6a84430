/** zoneadm: the life cycle of zones. Pure command builders, the parser of `list -p`, and the operations on a runner. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as CommandLine from "./CommandLine.js"
import type { CommandResult, CommandRunner } from "./CommandRunner.js"
import * as BrandInstall from "./BrandInstall.js"
import { CommandMisused, type HostError, InstallSourceRejected, UnreadableOutput, ZonepathRejected } from "./HostError.js"
import { lines, splitZoneadm } from "./internal/parsable.js"
import * as refusal from "./internal/refusal.js"
import type * as ZoneName from "./ZoneName.js"
import * as ZoneRefusals from "./ZoneRefusals.js"

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

/** One zone by its uuid, in whatever state: the uuid survives a change of the name. @category constructors */
export const listByUuid = (uuid: string): CommandLine.CommandLine => CommandLine.make(program, "-u", uuid, "list", "-p")

/** One zone in whatever state. @category constructors */
export const listOne = (zone: ZoneName.ZoneName): CommandLine.CommandLine => inZone(zone, "list", "-p")

/** Installs with the arguments of the brand's installer. @category constructors */
export const install = (zone: ZoneName.ZoneName, brandArguments: ReadonlyArray<string>): CommandLine.CommandLine =>
  inZone(zone, "install", ...brandArguments)

/** How a zone is cloned. @category models */
export interface CloneOptions {
  /** Copies the files even where ZFS could clone them. Not together with a snapshot. */
  readonly copy?: boolean
  /** A ZFS snapshot of the source zone to clone from, instead of a new one. */
  readonly snapshot?: string
  readonly brandArguments?: ReadonlyArray<string>
}

/** Clones an installed, halted zone. @category constructors */
export const clone = (zone: ZoneName.ZoneName, source: ZoneName.ZoneName, options: CloneOptions = {}): CommandLine.CommandLine =>
  inZone(
    zone,
    "clone",
    ...(options.copy === true ? ["-m", "copy"] : []),
    ...(options.snapshot === undefined ? [] : ["-s", options.snapshot]),
    ...(options.brandArguments ?? []),
    source
  )

/** Checks a zone that is not incomplete; warnings do not make it fail. @category constructors */
export const verify = (zone: ZoneName.ZoneName): CommandLine.CommandLine => inZone(zone, "verify")

/** Makes the virtual platform without starting a process. @category constructors */
export const ready = (zone: ZoneName.ZoneName): CommandLine.CommandLine => inZone(zone, "ready")

/** How a zone is booted. @category models */
export interface BootOptions {
  /** Boots although the brand's checks object. */
  readonly force?: boolean
  /** To the single-user milestone only. */
  readonly singleUser?: boolean
  /** Arguments of the zone's init, such as `-m verbose`; they replace the configured ones. */
  readonly bootArguments?: ReadonlyArray<string>
}

const afterDashes = (words: ReadonlyArray<string> | undefined): ReadonlyArray<string> =>
  words === undefined || words.length === 0 ? [] : ["--", ...words]

/** Boots an installed or ready zone. @category constructors */
export const boot = (zone: ZoneName.ZoneName, options: BootOptions = {}): CommandLine.CommandLine =>
  inZone(
    zone,
    "boot",
    ...(options.force === true ? ["-f"] : []),
    ...(options.singleUser === true ? ["-s"] : []),
    ...afterDashes(options.bootArguments)
  )

/** Stops at once. @category constructors */
export const halt = (zone: ZoneName.ZoneName): CommandLine.CommandLine => inZone(zone, "halt")

/** Runs the shutdown command of the brand and waits for it. @category constructors */
export const shutdown = (zone: ZoneName.ZoneName): CommandLine.CommandLine => inZone(zone, "shutdown")

/** As `shutdown`, then boots again. @category constructors */
export const shutdownAndBoot = (zone: ZoneName.ZoneName, bootArguments: ReadonlyArray<string> = []): CommandLine.CommandLine =>
  inZone(zone, "shutdown", "-r", ...afterDashes(bootArguments))

/** Halt and boot without shutdown scripts. @category constructors */
export const reboot = (zone: ZoneName.ZoneName, bootArguments: ReadonlyArray<string> = []): CommandLine.CommandLine =>
  inZone(zone, "reboot", ...afterDashes(bootArguments))

/** Removes the root without asking. @category constructors */
export const uninstall = (zone: ZoneName.ZoneName, brandArguments: ReadonlyArray<string> = []): CommandLine.CommandLine =>
  inZone(zone, "uninstall", "-F", ...brandArguments)

/** Forgets that the zone is installed; its root stays. With `dryRun` it only prints what another host needs to attach it. @category constructors */
export const detach = (
  zone: ZoneName.ZoneName,
  options: { readonly dryRun?: boolean; readonly brandArguments?: ReadonlyArray<string> } = {}
): CommandLine.CommandLine => inZone(zone, "detach", ...(options.dryRun === true ? ["-n"] : []), ...(options.brandArguments ?? []))

/** Takes an existing root for the zone's; with `force` without looking at it, and also of an incomplete zone. @category constructors */
export const attach = (
  zone: ZoneName.ZoneName,
  options: { readonly force?: boolean; readonly brandArguments?: ReadonlyArray<string> } = {}
): CommandLine.CommandLine => inZone(zone, "attach", ...(options.force === true ? ["-F"] : []), ...(options.brandArguments ?? []))

/** Moves an installed, halted zone to another path. @category constructors */
export const move = (zone: ZoneName.ZoneName, zonepath: string): CommandLine.CommandLine => inZone(zone, "move", zonepath)

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
 * The error a refusal of zoneadm means.
 *
 * @category errors
 */
export const classify = (operation: string, zone: string, result: CommandResult): HostError => {
  const error = refusal.classify(ZoneRefusals.zoneadm, operation, zone, result)
  // Some wrong arguments are answered by the exit status alone.
  return error._tag === "HostCommandFailed" && result.exitCode === 2
    ? new CommandMisused({ operation, object: zone, detail: error.detail === "" ? "exit status 2" : error.detail })
    : error
}

/**
 * What an accepted command said besides: it had nothing to do, or did something with a reservation.
 *
 * @category models
 */
export interface Notices {
  /** The zone was already booted, ready or halted. For a zone that is being torn down this is a lie: read the state again. */
  readonly already: boolean
  readonly warnings: ReadonlyArray<string>
}

/**
 * Notices of a command that ended with exit status 0.
 *
 * @category combinators
 */
export const noticesOf = (result: CommandResult): Notices => ({
  already: /: zone is already (booted|ready|halted)$/m.test(result.stderr),
  warnings: lines(result.stderr).flatMap((line) => /WARNING: (.*)$/.exec(line)?.[1] ?? [])
})

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
  readonly clone: (zone: ZoneName.ZoneName, source: ZoneName.ZoneName, options?: CloneOptions) => Effect.Effect<void, HostError>
  /** Gives the warnings, which do not make it fail. */
  readonly verify: (zone: ZoneName.ZoneName) => Effect.Effect<ReadonlyArray<string>, HostError>
  readonly ready: (zone: ZoneName.ZoneName) => Effect.Effect<void, HostError>
  readonly boot: (zone: ZoneName.ZoneName, options?: BootOptions) => Effect.Effect<void, HostError>
  readonly halt: (zone: ZoneName.ZoneName) => Effect.Effect<void, HostError>
  /** The host's own limit is that of its zones service, usually 100 seconds. */
  readonly shutdown: (zone: ZoneName.ZoneName, timeout: Duration.DurationInput) => Effect.Effect<void, HostError>
  /** Halts without shutdown scripts, and boots. */
  readonly reboot: (zone: ZoneName.ZoneName, bootArguments?: ReadonlyArray<string>) => Effect.Effect<void, HostError>
  readonly uninstall: (zone: ZoneName.ZoneName) => Effect.Effect<void, HostError>
  readonly detach: (zone: ZoneName.ZoneName) => Effect.Effect<void, HostError>
  readonly attach: (zone: ZoneName.ZoneName, options?: { readonly force?: boolean }) => Effect.Effect<void, HostError>
  /** Moves a halted zone; across datasets its files are copied. */
  readonly move: (zone: ZoneName.ZoneName, zonepath: string) => Effect.Effect<void, HostError>
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

/** Arguments that reach a shell as they are, or the refusal. */
const shellSafe = <A>(operation: string, zone: string, words: ReadonlyArray<string>, effect: Effect.Effect<A, HostError>) => {
  const bad = words.find((word) => !BrandInstall.isPlain(word))
  return bad === undefined
    ? effect
    : new InstallSourceRejected({ operation, object: zone, detail: `argument ${JSON.stringify(bad)} has characters a shell would interpret` })
}

/**
 * zoneadm through the given runner.
 *
 * @category constructors
 */
export const make = (runner: CommandRunner["Type"], timeouts: Timeouts = defaultTimeouts): ZoneAdm => {
  const said = (operation: string, zone: ZoneName.ZoneName, line: CommandLine.CommandLine) =>
    Effect.flatMap(
      runner.run(line),
      (result) => result.exitCode === 0 ? Effect.succeed(noticesOf(result)) : Effect.fail(classify(operation, zone, result))
    )
  const accepted = (operation: string, zone: ZoneName.ZoneName, line: CommandLine.CommandLine) =>
    Effect.flatMap(said(operation, zone, line), ({ warnings }) =>
      warnings.length === 0
        ? Effect.void
        : Effect.logDebug("the host warns").pipe(Effect.annotateLogs({ operation, zone, warnings: warnings.join(" | ") })))
  const installing = (line: CommandLine.CommandLine) => CommandLine.withTimeout(line, timeouts.install)
  const passing = (line: CommandLine.CommandLine) => CommandLine.withTimeout(line, timeouts.transition)
  const transition = (operation: string, build: (zone: ZoneName.ZoneName) => CommandLine.CommandLine) => (zone: ZoneName.ZoneName) =>
    accepted(operation, zone, passing(build(zone)))

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
    install: (zone, brandArguments) =>
      shellSafe("install zone", zone, brandArguments, accepted("install zone", zone, installing(install(zone, brandArguments)))),
    clone: (zone, source, options = {}) =>
      shellSafe(
        "clone zone",
        zone,
        [...(options.brandArguments ?? []), ...(options.snapshot === undefined ? [] : [options.snapshot])],
        accepted("clone zone", zone, installing(clone(zone, source, options)))
      ),
    verify: (zone) => Effect.map(said("verify zone", zone, verify(zone)), ({ warnings }) => warnings),
    ready: transition("ready zone", ready),
    boot: (zone, options) => accepted("boot zone", zone, passing(boot(zone, options))),
    halt: transition("halt zone", halt),
    shutdown: (zone, timeout) =>
      accepted("shut down zone", zone, CommandLine.withTimeout(shutdown(zone), timeout)),
    reboot: (zone, bootArguments) => accepted("reboot zone", zone, passing(reboot(zone, bootArguments))),
    uninstall: transition("uninstall zone", uninstall),
    detach: transition("detach zone", detach),
    attach: (zone, options) => accepted("attach zone", zone, installing(attach(zone, options))),
    move: (zone, zonepath) =>
      /^\/[A-Za-z0-9_@%+=:,./-]+$/.test(zonepath)
        ? accepted("move zone", zone, installing(move(zone, zonepath)))
        : new ZonepathRejected({ operation: "move zone", object: zone, detail: `${JSON.stringify(zonepath)} is not a plain absolute path` }),
    mark: (zone, state) => accepted("mark zone", zone, mark(zone, state))
  }
}
