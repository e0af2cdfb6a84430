/** Zones as a node agent needs them: idempotent steps from whatever state a zone is in to the wanted one. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CommandRunner } from "./CommandRunner.js"
import type { HostError } from "./HostError.js"
import { HostCommandFailed, WrongZoneState, ZoneAlreadyExists, ZoneNotFound, ZoneStuck } from "./HostError.js"
import * as keyedLock from "./internal/keyedLock.js"
import * as retry from "./internal/retry.js"
import { configOf } from "./internal/zoneSpecConfig.js"
import type { LinkName } from "./LinkName.js"
import * as ZoneAdm from "./ZoneAdm.js"
import * as ZoneCfg from "./ZoneCfg.js"
import * as Zlogin from "./Zlogin.js"
import * as ZoneName from "./ZoneName.js"

/** One address of a zone on one of its links. @category models */
export interface ZoneNetwork {
  /** The VNIC; it must exist when the zone boots and must not be plumbed in the global zone. */
  readonly link: LinkName
  /** `a.b.c.d/len`. The zone may use no other address on the link. */
  readonly address: string
  /** Gateway inside the network of `address`. */
  readonly defaultRouter?: string | undefined
}

/** One file system mounted into a zone when it becomes ready. @category models */
export interface ZoneFileSystem {
  /** Absolute path inside the zone. */
  readonly dir: string
  /** What is mounted: for `lofs` an existing absolute path of the global zone. */
  readonly special: string
  /** `lofs`, `tmpfs`, `zfs`, … */
  readonly type: string
  /** Mount options such as `ro`, `nodevices`. */
  readonly options: ReadonlyArray<string>
}

/** One string attribute: name of letters, digits, `-` and `.`; value at most 255 bytes. @category models */
export interface ZoneAttribute {
  readonly name: string
  readonly value: string
}

/** What a zone shall be. @category models */
export interface ZoneSpec {
  readonly zoneName: ZoneName.ZoneName
  /** Absolute path, not yet existing or a directory with mode 0700. */
  readonly zonepath: string
  readonly brand: string
  readonly attributes: ReadonlyArray<ZoneAttribute>
  readonly network: ReadonlyArray<ZoneNetwork>
  readonly fileSystems: ReadonlyArray<ZoneFileSystem>
  /** CPUs, to 0.01; absent means no cap. */
  readonly cpuCap?: number | undefined
  /** Bytes, for physical memory and for swap each; absent means no cap. */
  readonly memoryCap?: number | undefined
  /** Arguments of the brand's installer. */
  readonly installArguments?: ReadonlyArray<string> | undefined
}

/** One zone of the host as `zoneadm list` shows it. @category models */
export interface ZoneSummary {
  readonly name: ZoneName.ZoneName
  readonly state: ZoneAdm.ZoneState
  readonly zonepath: string
  /** Absent until the zone was first installed. */
  readonly uuid?: string
  readonly brand: string
  /** Kernel id; another one after each boot, absent when the zone is not in the kernel. */
  readonly id?: number
}

/** How a command is run in a zone. @category models */
export type ExecOptions = Zlogin.ExecOptions

/** What a command in a zone left behind. @category models */
export type ExecResult = Zlogin.ExecResult

/**
 * The zones of one host. Operations on one zone wait for each other; operations on different zones run side by side up
 * to a limit. Each operation reads the state of the zone again before it reports success.
 *
 * @category services
 */
export class ZoneRuntime extends Context.Tag("@reddwarf/runtime-illumos/ZoneRuntime")<ZoneRuntime, {
  /** All zones but the global one. */
  readonly list: Effect.Effect<ReadonlyArray<ZoneSummary>, HostError>
  /** The attributes in the zone's configuration, by name. */
  readonly attributes: (zone: ZoneName.ZoneName) => Effect.Effect<Readonly<Record<string, string>>, HostError>
  /** Writes the configuration of a zone that is absent or only configured. On failure nothing of it stays. */
  readonly configure: (spec: ZoneSpec) => Effect.Effect<void, HostError>
  /** Installs a configured zone; an incomplete one is uninstalled first; an installed one is left alone. */
  readonly install: (zone: ZoneName.ZoneName, brandArguments: ReadonlyArray<string>) => Effect.Effect<void, HostError>
  /** Boots an installed or ready zone and succeeds once it is seen running. */
  readonly boot: (zone: ZoneName.ZoneName) => Effect.Effect<void, HostError>
  /** Asks the zone to shut down, halts it when `timeout` has passed, and succeeds once it is out of the kernel. */
  readonly shutdown: (
    zone: ZoneName.ZoneName,
    options: { readonly timeout: Duration.DurationInput }
  ) => Effect.Effect<void, HostError>
  /** Stops the zone at once and succeeds once it is out of the kernel. */
  readonly halt: (zone: ZoneName.ZoneName) => Effect.Effect<void, HostError>
  /** Removes the root of a halted zone; the configuration stays. */
  readonly uninstall: (zone: ZoneName.ZoneName) => Effect.Effect<void, HostError>
  /** Forgets the configuration of an uninstalled zone; an absent zone is fine. */
  readonly remove: (zone: ZoneName.ZoneName) => Effect.Effect<void, HostError>
  /** From whatever state to running. The configuration of a zone that is installed already is not changed. */
  readonly ensureRunning: (spec: ZoneSpec) => Effect.Effect<void, HostError>
  /** From whatever state to absent. Waits, bounded, while the kernel still tears the zone down. */
  readonly ensureRemoved: (zone: ZoneName.ZoneName) => Effect.Effect<void, HostError>
  /** Runs a command in a running zone and gives its true exit code. */
  readonly exec: (
    zone: ZoneName.ZoneName,
    argv: ReadonlyArray<string>,
    options: ExecOptions
  ) => Effect.Effect<ExecResult, HostError>
}>() {}

/**
 * Limits of the runtime.
 *
 * @category models
 */
export interface Options {
  /** How many zoneadm and zonecfg commands that change something run at the same time. Default 4. */
  readonly concurrency?: number
  /** How long a zone may take to leave a transient state, or to be seen running after boot. Default 2 minutes. */
  readonly settleTimeout?: Duration.DurationInput
  /** How often the state is read while waiting. Default 250 milliseconds. */
  readonly pollInterval?: Duration.DurationInput
  /** Time limits of single commands. */
  readonly timeouts?: ZoneAdm.Timeouts
}

/** States from which the way leads on without a command: wait and look again. */
const isPassing = (state: ZoneAdm.ZoneState): boolean =>
  state === "shutting_down" || state === "down" || state === "transient"

const isHalted = (entry: ZoneAdm.ZoneEntry | undefined): boolean =>
  entry === undefined || entry.state === "installed" || entry.state === "configured" || entry.state === "incomplete"

/** A step that has read the state it led to hands it on, and it is not read once more. */
type Step = Effect.Effect<"done" | "again" | { readonly reached: ZoneAdm.ZoneEntry | undefined }, HostError>

/** What to do from which state; a state that is not named cannot lead to the goal. */
type Steps = Partial<Readonly<Record<ZoneAdm.ZoneState | "absent", Step>>>

const done: Step = Effect.succeed("done")
const again = (effect: Effect.Effect<unknown, HostError>): Step => Effect.as(effect, "again")
const reaching = (effect: Effect.Effect<ZoneAdm.ZoneEntry | undefined, HostError>): Step =>
  Effect.map(effect, (reached) => ({ reached }))

/** No path through the states is longer; more steps mean that something else works on the zone. */
const mostSteps = 12

const summaryOf = (entry: ZoneAdm.ZoneEntry): ReadonlyArray<ZoneSummary> =>
  ZoneName.is(entry.name)
    ? [{
      name: entry.name,
      state: entry.state,
      zonepath: entry.zonepath,
      brand: entry.brand,
      ...(entry.uuid === undefined ? {} : { uuid: entry.uuid }),
      ...(entry.id === undefined ? {} : { id: entry.id })
    }]
    : []

/**
 * A runtime with the given limits.
 *
 * @category layers
 */
export const layerWith = (options: Options): Layer.Layer<ZoneRuntime, never, CommandRunner> =>
  Layer.effect(
    ZoneRuntime,
    Effect.gen(function*() {
      const runner = yield* CommandRunner
      const permits = yield* Effect.makeSemaphore(options.concurrency ?? 4)
      const locked = keyedLock.make()
      const zoneadm = ZoneAdm.make(runner, options.timeouts)
      const zonecfg = ZoneCfg.make(runner)
      const settleTimeout = Duration.decode(options.settleTimeout ?? "2 minutes")
      const pollInterval = options.pollInterval ?? "250 millis"

      /** A command that changes something: bounded over all zones, again when another zoneadm is in the way. */
      const change = <A>(effect: Effect.Effect<A, HostError>): Effect.Effect<A, HostError> =>
        retry.whileLocked(permits.withPermits(1)(effect))

      const waitUntil = (
        operation: string,
        zone: ZoneName.ZoneName,
        wanted: (entry: ZoneAdm.ZoneEntry | undefined) => boolean
      ) =>
        retry.until(zoneadm.find(zone), wanted, {
          interval: pollInterval,
          timeout: settleTimeout,
          onTimeout: (last) =>
            new ZoneStuck({
              operation,
              object: zone,
              detail: `still ${last?.state ?? "absent"} after ${Duration.format(settleTimeout)}`
            })
        })

      const settled = (operation: string, zone: ZoneName.ZoneName) =>
        waitUntil(operation, zone, (entry) => entry === undefined || !isPassing(entry.state))

      /** Takes one step after another, each from the state just read, until a step says that nothing is left to do. */
      const converge = Effect.fnUntraced(function*(operation: string, zone: ZoneName.ZoneName, steps: Steps) {
        let entry = yield* settled(operation, zone)
        for (let count = 0; count < mostSteps; count++) {
          const state = entry?.state ?? "absent"
          const step = steps[state]
          if (step === undefined) {
            return yield* state === "absent"
              ? new ZoneNotFound({ operation, object: zone, detail: "" })
              : new WrongZoneState({ operation, object: zone, detail: `it is ${state}` })
          }
          const outcome = yield* step
          if (outcome === "done") return undefined
          entry = outcome === "again" ? yield* settled(operation, zone) : outcome.reached
        }
        return yield* new ZoneStuck({ operation, object: zone, detail: `no end after ${mostSteps} steps` })
      })

      const create = (spec: ZoneSpec) =>
        Effect.flatMap(configOf(spec), (config) => change(zonecfg.create(spec.zoneName, config)))
      const forget = (zone: ZoneName.ZoneName) => change(zonecfg.delete(zone))
      const clear = (zone: ZoneName.ZoneName) => change(zoneadm.uninstall(zone))

      const configure = Effect.fnUntraced(function*(spec: ZoneSpec) {
        const operation = "configure zone"
        // Before the old configuration goes: a spec that cannot be written must not cost it.
        yield* configOf(spec)
        const entry = yield* settled(operation, spec.zoneName)
        if (entry !== undefined && entry.state !== "configured") {
          return yield* new ZoneAlreadyExists({ operation, object: spec.zoneName, detail: `it is ${entry.state}` })
        }
        if (entry !== undefined) yield* forget(spec.zoneName)
        return yield* create(spec)
      })

      const runInstaller = Effect.fnUntraced(function*(zone: ZoneName.ZoneName, brandArguments: ReadonlyArray<string>) {
        yield* change(zoneadm.install(zone, brandArguments))
        const entry = yield* settled("install zone", zone)
        return entry?.state === "installed" ? entry : yield* new HostCommandFailed({
          operation: "install zone",
          object: zone,
          detail: `the installer succeeded but the zone is ${entry?.state ?? "absent"}`,
          exitCode: 0
        })
      })

      const start = Effect.fnUntraced(function*(zone: ZoneName.ZoneName) {
        yield* change(zoneadm.boot(zone))
        // Exit 0 is also the answer for a zone that is being torn down: only the state tells.
        const entry = yield* settled("boot zone", zone)
        return entry?.state !== "installed" ? entry : yield* new HostCommandFailed({
          operation: "boot zone",
          object: zone,
          detail: "the boot was accepted but the zone is halted again; its init may have ended at once",
          exitCode: 0
        })
      })

      const stop = (zone: ZoneName.ZoneName) =>
        Effect.zipRight(change(zoneadm.halt(zone)), waitUntil("halt zone", zone, isHalted))

      const install = (zone: ZoneName.ZoneName, brandArguments: ReadonlyArray<string>) =>
        converge("install zone", zone, {
          incomplete: again(clear(zone)),
          configured: reaching(runInstaller(zone, brandArguments)),
          installed: done,
          ready: done,
          running: done,
          mounted: done
        })

      const boot = (zone: ZoneName.ZoneName) =>
        converge("boot zone", zone, { installed: reaching(start(zone)), ready: reaching(start(zone)), running: done })

      const halt = (zone: ZoneName.ZoneName) =>
        converge("halt zone", zone, {
          configured: done,
          incomplete: done,
          installed: done,
          ready: reaching(stop(zone)),
          running: reaching(stop(zone))
        })

      const shutdown = Effect.fnUntraced(function*(zone: ZoneName.ZoneName, grace: Duration.DurationInput) {
        const entry = yield* zoneadm.find(zone)
        if (entry?.state === "running" && Duration.toMillis(grace) > 0) {
          // Without a permit: it mostly waits. Whatever it answers, the halt below decides.
          yield* zoneadm.shutdown(zone, grace).pipe(
            Effect.catchAll((error) =>
              Effect.logDebug("zone did not shut down by itself").pipe(Effect.annotateLogs({ zone, error }))
            )
          )
        }
        yield* halt(zone)
      })

      const uninstall = (zone: ZoneName.ZoneName) =>
        converge("uninstall zone", zone, {
          absent: done,
          configured: done,
          installed: again(clear(zone)),
          incomplete: again(clear(zone))
        })

      // Not from other states: the files of the zone would stay.
      const remove = (zone: ZoneName.ZoneName) =>
        converge("remove zone", zone, { absent: done, configured: again(forget(zone)) })

      const ensureRunning = (spec: ZoneSpec) =>
        converge("run zone", spec.zoneName, {
          absent: reaching(Effect.zipRight(create(spec), runInstaller(spec.zoneName, spec.installArguments ?? []))),
          // Written again: the configuration may come from an earlier, different attempt.
          configured: reaching(Effect.zipRight(configure(spec), runInstaller(spec.zoneName, spec.installArguments ?? []))),
          incomplete: again(clear(spec.zoneName)),
          installed: reaching(start(spec.zoneName)),
          ready: reaching(start(spec.zoneName)),
          running: done
        })

      const ensureRemoved = (zone: ZoneName.ZoneName) =>
        converge("remove zone", zone, {
          absent: done,
          configured: again(forget(zone)),
          installed: again(clear(zone)),
          incomplete: again(clear(zone)),
          ready: reaching(stop(zone)),
          running: reaching(stop(zone))
        })

      return ZoneRuntime.of({
        list: Effect.map(zoneadm.list, (entries) => entries.flatMap(summaryOf)),
        attributes: (zone) =>
          Effect.map(
            zonecfg.export(zone),
            (config) => Object.fromEntries(config.attr.map((attr) => [attr.name, attr.value]))
          ),
        configure: (spec) => locked(spec.zoneName, configure(spec)),
        install: (zone, brandArguments) => locked(zone, install(zone, brandArguments)),
        boot: (zone) => locked(zone, boot(zone)),
        shutdown: (zone, { timeout }) => locked(zone, shutdown(zone, timeout)),
        halt: (zone) => locked(zone, halt(zone)),
        uninstall: (zone) => locked(zone, uninstall(zone)),
        remove: (zone) => locked(zone, remove(zone)),
        ensureRunning: (spec) => locked(spec.zoneName, ensureRunning(spec)),
        ensureRemoved: (zone) => locked(zone, ensureRemoved(zone)),
        exec: (zone, argv, options) => Zlogin.run(runner, zone, argv, options)
      })
    })
  )

/**
 * The runtime with its default limits.
 *
 * @category layers
 */
export const layer: Layer.Layer<ZoneRuntime, never, CommandRunner> = layerWith({})
