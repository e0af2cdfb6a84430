import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as CommandLine from "../CommandLine.js"
import type { CommandRunner } from "../CommandRunner.js"
import type { HostError } from "../HostError.js"
import { HostCommandFailed, WrongZoneState, ZoneAlreadyExists, ZoneNotFound, ZoneStuck } from "../HostError.js"
import type { ZoneBrand } from "../ZoneBrand.js"
import * as ZoneAdm from "../ZoneAdm.js"
import * as ZoneBrands from "../ZoneBrands.js"
import * as ZoneCfg from "../ZoneCfg.js"
import type * as ZoneConfig from "../ZoneConfig.js"
import type { ZoneName } from "../ZoneName.js"
import type { ZoneSpec } from "../ZoneSpec.js"
import { allRootFiles } from "./brandParts.js"
import * as retry from "./retry.js"
import * as zoneObserver from "./zoneObserver.js"
import * as zoneReadiness from "./zoneReadiness.js"
import * as zoneRoot from "./zoneRoot.js"
import { configOf } from "./zoneSpecConfig.js"

export type Entry = zoneObserver.Entry

export interface Limits {
  readonly concurrency: number
  readonly settleTimeout: Duration.Duration
  readonly readyTimeout: Duration.Duration
  /** The longest time between two looks at zones that are on their way. */
  readonly pollInterval: Duration.DurationInput
  readonly timeouts: ZoneAdm.Timeouts | undefined
  readonly brands: ZoneBrands.Registry
  readonly dialect: ZoneConfig.Dialect
}

/** What one run knows about its zone: the state it has just read, so that it is not read twice. Forgotten whenever something was changed. */
export interface Cursor {
  known: { readonly entry: Entry } | undefined
}

export const cursor = (): Cursor => ({ known: undefined })

/** States from which the way leads on without a command: wait and look again. */
const isPassing = (entry: Entry): boolean =>
  entry?.state === "shutting_down" || entry?.state === "down" || entry?.state === "transient"

/** Not in the kernel. */
export const isHalted = (entry: Entry): boolean =>
  entry === undefined || entry.state === "installed" || entry.state === "configured" || entry.state === "incomplete"

/** What to do from which state; a state that is not named cannot lead to the goal. `done` is the goal. */
export type Steps = Partial<Readonly<Record<ZoneAdm.ZoneState | "absent", Effect.Effect<unknown, HostError> | "done">>>

/** No path through the states is longer; more steps mean that something else works on the zone. */
const mostSteps = 12

/** Halting waits for the kernel and would keep others from their turn; so it has turns of its own. */
const haltsAtOnce = 16

/** The operations on zones from which everything else is made. Nothing here locks: callers hold the lock of the zone. */
export const make = (runner: CommandRunner["Type"], limits: Limits) => {
  const zoneadm = ZoneAdm.make(runner, limits.timeouts)
  const zonecfg = ZoneCfg.make(runner, { dialect: limits.dialect })
  const observer = zoneObserver.make(runner, zoneadm, limits.pollInterval)
  const permits = Effect.unsafeMakeSemaphore(limits.concurrency)
  const haltPermits = Effect.unsafeMakeSemaphore(haltsAtOnce)
  const patience = Duration.times(limits.settleTimeout, 0.5)

  /** A command that changes something: bounded over all zones, again when another zoneadm is in the way. */
  const change = <A>(effect: Effect.Effect<A, HostError>, turns = permits): Effect.Effect<A, HostError> =>
    retry.whileLocked(turns.withPermits(1)(effect))

  const haltOnce = (zone: ZoneName) => Effect.either(change(zoneadm.halt(zone), haltPermits))

  /** Who keeps the zone from going; only for the message, so no answer is an answer too. */
  const processesIn = (zone: ZoneName): Effect.Effect<string> =>
    runner.run(CommandLine.make("/usr/bin/ps", "-z", zone, "-o", "pid")).pipe(
      Effect.map(({ stdout }) => stdout.split("\n").map((line) => line.trim()).filter((line) => /^\d+$/.test(line))),
      Effect.map((pids) => pids.length === 0 ? "" : `, processes ${pids.slice(0, 5).join(" ")}${pids.length > 5 ? " …" : ""} are left in it`),
      Effect.orElseSucceed(() => "")
    )

  /** Waits while the state is a passing one; gives the last state seen. */
  const wait = (zone: ZoneName, timeout: Duration.Duration): Effect.Effect<Entry, HostError> =>
    observer.until(zone, (entry) => !isPassing(entry), timeout)

  /**
   * The state of a zone once it is not on its way any more. A zone that is torn down and does not come to its end is halted once more,
   * which makes the daemon of the zone try what it could not do the first time. Nothing else may be done to a zone in that state.
   */
  const settled = (operation: string, zone: ZoneName): Effect.Effect<Entry, HostError> =>
    Effect.gen(function*() {
      const first = yield* wait(zone, patience)
      if (!isPassing(first)) return first
      if (first?.state !== "transient") yield* haltOnce(zone)
      const second = yield* wait(zone, patience)
      if (!isPassing(second)) return second
      return yield* new ZoneStuck({
        operation,
        object: zone,
        detail: `still ${second?.state ?? "absent"} after ${Duration.format(limits.settleTimeout)}${yield* processesIn(zone)}`
      })
    })

  const read = (operation: string, zone: ZoneName, at: Cursor): Effect.Effect<Entry, HostError> =>
    Effect.suspend(() => {
      if (at.known !== undefined) return Effect.succeed(at.known.entry)
      return Effect.tap(settled(operation, zone), (entry) => Effect.sync(() => void (at.known = { entry })))
    })

  /** Runs something that changes the zone; what was known about it is forgotten, however it ends. */
  const changing = <A>(at: Cursor, effect: Effect.Effect<A, HostError>): Effect.Effect<A, HostError> =>
    Effect.ensuring(effect, Effect.sync(() => void (at.known = undefined)))

  /** Takes one step after another, each from the state just read, until that state is the goal. */
  const converge = (operation: string, zone: ZoneName, at: Cursor, steps: Steps): Effect.Effect<void, HostError> =>
    Effect.gen(function*() {
      for (let count = 0; count < mostSteps; count++) {
        const entry = yield* read(operation, zone, at)
        const state = entry?.state ?? "absent"
        const step = steps[state]
        if (step === undefined) {
          return yield* state === "absent"
            ? new ZoneNotFound({ operation, object: zone, detail: "" })
            : new WrongZoneState({ operation, object: zone, detail: `it is ${state}` })
        }
        if (step === "done") return undefined
        yield* step
      }
      return yield* new ZoneStuck({ operation, object: zone, detail: `no end after ${mostSteps} steps` })
    })

  /**
   * Runs a command and reads the state it led to, which alone decides: exit 0 is also said of a zone that is being torn down, and a command
   * that was given up after its time may have got there.
   */
  const towards = (
    operation: string,
    zone: ZoneName,
    at: Cursor,
    command: Effect.Effect<unknown, HostError>,
    reached: (entry: Entry) => boolean,
    /** What is odd about another state than the wanted one. */
    missed: string
  ): Effect.Effect<void, HostError> =>
    changing(at, Effect.gen(function*() {
      const outcome = yield* Effect.either(command)
      const entry = yield* Effect.mapError(settled(operation, zone), (error) =>
        Either.isLeft(outcome) && error._tag !== "ZoneStuck" ? outcome.left : error)
      if (reached(entry)) return entry
      if (Either.isLeft(outcome)) return yield* outcome.left
      return yield* new HostCommandFailed({ operation, object: zone, detail: `${missed}: it is ${entry?.state ?? "absent"}`, exitCode: 0 })
    })).pipe(Effect.map((entry) => void (at.known = { entry })))

  const awaitReady = zoneReadiness.make(runner, observer, { interval: limits.pollInterval, timeout: limits.readyTimeout })

  const profile = (name: string): ZoneBrand => ZoneBrands.profileOf(limits.brands, name)

  const create = (spec: ZoneSpec, at: Cursor) =>
    Effect.flatMap(configOf(profile(spec.brand), spec, limits.dialect), (config) => changing(at, change(zonecfg.create(spec.zoneName, config))))

  const forget = (zone: ZoneName, at: Cursor) =>
    towards("remove zone", zone, at, change(zonecfg.delete(zone)), (entry) => entry === undefined, "the deletion was accepted but the zone is still there")

  const clear = (zone: ZoneName, at: Cursor) =>
    towards(
      "uninstall zone",
      zone,
      at,
      change(zoneadm.uninstall(zone)),
      (entry) => entry === undefined || entry.state === "configured",
      "the uninstallation was accepted but the zone is still there"
    )

  const runInstaller = (zone: ZoneName, brandArguments: ReadonlyArray<string>, at: Cursor) =>
    towards(
      "install zone",
      zone,
      at,
      change(zoneadm.install(zone, brandArguments)),
      (entry) => entry?.state === "installed",
      "the installer succeeded but the zone is not installed"
    )

  const start = (zone: ZoneName, at: Cursor) =>
    towards(
      "boot zone",
      zone,
      at,
      change(zoneadm.boot(zone)),
      (entry) => entry?.state === "running",
      "the boot was accepted but the zone is halted again; its init may have ended at once"
    )

  const stop = (zone: ZoneName, at: Cursor) =>
    towards("halt zone", zone, at, change(zoneadm.halt(zone), haltPermits), isHalted, "the halt was accepted but the zone is not halted")

  const installArguments = (spec: ZoneSpec) =>
    Effect.suspend(() => spec.installArguments === undefined ? profile(spec.brand).installArguments(spec) : Either.right(spec.installArguments))

  /** The configuration of a zone that is absent or only configured, written anew. */
  const configure = (spec: ZoneSpec, at: Cursor) =>
    Effect.gen(function*() {
      const operation = "configure zone"
      // Before the old configuration goes: a spec that cannot be written must not cost it.
      yield* configOf(profile(spec.brand), spec, limits.dialect)
      const entry = yield* read(operation, spec.zoneName, at)
      if (entry !== undefined && entry.state !== "configured") {
        return yield* new ZoneAlreadyExists({ operation, object: spec.zoneName, detail: `it is ${entry.state}` })
      }
      if (entry !== undefined) yield* forget(spec.zoneName, at)
      return yield* create(spec, at)
    })

  /** What an installed zone may still change, brought up to date: it takes effect when the zone becomes ready. */
  const update = (spec: ZoneSpec) =>
    Effect.flatMap(configOf(profile(spec.brand), spec, limits.dialect), (config) => change(zonecfg.update(spec.zoneName, config)))

  /** The zone has a configuration as in the spec, unless it is in the kernel and so has what it was made ready with. */
  const ensureConfigured = (spec: ZoneSpec, at: Cursor) =>
    Effect.gen(function*() {
      const operation = "configure zone"
      const entry = yield* read(operation, spec.zoneName, at)
      const state = entry?.state ?? "absent"
      if (state === "incomplete") yield* clear(spec.zoneName, at)
      // Written again: it may come from an earlier, different attempt.
      if (state === "absent" || state === "configured" || state === "incomplete") return yield* configure(spec, at)
      return state === "installed" ? yield* update(spec) : undefined
    })

  const ensureInstalled = (zone: ZoneName, args: Effect.Effect<ReadonlyArray<string>, HostError>, at: Cursor) =>
    converge("install zone", zone, at, {
      incomplete: clear(zone, at),
      configured: Effect.flatMap(args, (words) => runInstaller(zone, words, at)),
      installed: "done",
      ready: "done",
      running: "done",
      mounted: "done"
    })

  const ensureBooted = (zone: ZoneName, prepare: Effect.Effect<void, HostError>, at: Cursor) =>
    converge("boot zone", zone, at, {
      installed: Effect.zipRight(prepare, start(zone, at)),
      ready: start(zone, at),
      running: "done"
    })

  const prepareRoot = (spec: ZoneSpec) =>
    Effect.suspend(() => zoneRoot.prepare(runner, spec.zoneName, `${spec.zonepath}/root`, allRootFiles(profile(spec.brand), spec)))

  const ensureHalted = (zone: ZoneName, at: Cursor) =>
    converge("halt zone", zone, at, {
      absent: "done",
      configured: "done",
      incomplete: "done",
      installed: "done",
      ready: stop(zone, at),
      running: stop(zone, at)
    })

  const ensureUninstalled = (zone: ZoneName, at: Cursor) =>
    converge("uninstall zone", zone, at, {
      absent: "done",
      configured: "done",
      installed: clear(zone, at),
      incomplete: clear(zone, at)
    })

  // Not from other states: the files of the zone would stay.
  const ensureForgotten = (zone: ZoneName, at: Cursor) => converge("remove zone", zone, at, { absent: "done", configured: forget(zone, at) })

  const mustExist = (operation: string, zone: ZoneName, entry: Entry): Effect.Effect<void, ZoneNotFound> =>
    entry === undefined ? Effect.fail(new ZoneNotFound({ operation, object: zone, detail: "" })) : Effect.void

  return {
    zoneadm,
    zonecfg,
    /** What a zone of this spec is configured as. */
    configurationOf: (spec: ZoneSpec) => configOf(profile(spec.brand), spec, limits.dialect),
    /** One zone as it is now. */
    find: observer.now,
    profile,
    change,
    read,
    mustExist,
    configure,
    create,
    ensureConfigured,
    installArguments,
    ensureInstalled,
    prepareRoot,
    ensureBooted,
    ensureHalted,
    ensureUninstalled,
    ensureForgotten,
    awaitReady: (zone: ZoneName, brand: string) => awaitReady(zone, profile(brand).ready)
  }
}

export type ZoneOperations = ReturnType<typeof make>
