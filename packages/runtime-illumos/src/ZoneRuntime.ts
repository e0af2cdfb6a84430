/**
 * Zones as a node agent needs them: from whatever state a zone is in to the wanted one, with what it stands on, in spite of crashes, hangs
 * and answers that are not true.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CommandRunner } from "./CommandRunner.js"
import type { HostError } from "./HostError.js"
import * as keyedLock from "./internal/keyedLock.js"
import * as zoneLimits from "./internal/zoneLimits.js"
import * as zoneOperations from "./internal/zoneOperations.js"
import * as Saga from "./Saga.js"
import type * as ZoneAdm from "./ZoneAdm.js"
import * as ZoneBrands from "./ZoneBrands.js"
import type * as ZoneConfig from "./ZoneConfig.js"
import type * as ZoneConfigExport from "./ZoneConfigExport.js"
import * as ZoneConfigStamps from "./ZoneConfigStamps.js"
import * as Zlogin from "./Zlogin.js"
import * as ZoneName from "./ZoneName.js"
import type { ZoneResources } from "./ZoneResources.js"
import type { ZoneSpec } from "./ZoneSpec.js"

export type { ZoneAttribute, ZoneDns, ZoneFileSystem, ZoneMachine, ZoneNetwork, ZoneSpec } from "./ZoneSpec.js"

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
 * A zone together with what it stands on.
 *
 * @category models
 */
export interface Provisioning<E extends Saga.Failure> {
  readonly zone: ZoneName.ZoneName
  /** What must be there before the zone is configured, such as its dataset and its links, in this order. Removed after the zone. */
  readonly foundations: ReadonlyArray<Saga.Step<E>>
  /** What the zone shall be; asked for when the foundations are there. */
  readonly spec: Effect.Effect<ZoneSpec, E>
  /** What is done to the zone once it runs and is ready, in this order. When one of these fails, a zone that this call made is taken back too. */
  readonly afterwards?: ReadonlyArray<Saga.Step<E>>
}

/** What is to be removed. @category models */
export interface Deprovisioning<E extends Saga.Failure> {
  readonly zone: ZoneName.ZoneName
  readonly foundations: ReadonlyArray<Saga.Step<E>>
}

/** Where other bounds of a zone hold now. @category models */
export interface ResourceOutcome {
  /** Names of the controls that hold at once; those included that held before. */
  readonly live: ReadonlyArray<string>
  /** Names of the controls that hold from the next boot on, because the zone is halted or the host cannot change them while it runs. */
  readonly nextBoot: ReadonlyArray<string>
}

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
  /**
   * Brings up a zone with everything it stands on, from whatever is there, in steps: foundations, `configuration`, `installation`, `boot`,
   * `readiness`, and what comes afterwards. Each can be repeated, so after a crash the same call goes on where the last one stopped. When a step fails, what this call
   * made is taken back; what was there before it stays.
   */
  readonly provision: <E extends Saga.Failure>(plan: Provisioning<E>) => Effect.Effect<void, Saga.ProvisionFailed>
  /**
   * Removes a zone and then what it stood on, from whatever is there. Goes on past failures and reports all of them; what a zone that cannot
   * be removed stands on is kept.
   */
  readonly deprovision: <E extends Saga.Failure>(plan: Deprovisioning<E>) => Effect.Effect<void, Saga.DeprovisionFailed>
  /**
   * One step of `provision` by its name, for callers that keep a record of each: foundations by their own names, `configuration`,
   * `installation`, `boot`, `readiness`, and what comes afterwards. Nothing is taken back when it fails. Dies for a name that is none.
   */
  readonly provisionStep: <E extends Saga.Failure>(plan: Provisioning<E>, step: string) => Effect.Effect<void, E | HostError>
  /** Removes what one step of `provision` made. Dies for a name that is none. */
  readonly deprovisionStep: <E extends Saga.Failure>(plan: Deprovisioning<E>, step: string) => Effect.Effect<void, E | HostError>
  /**
   * Gives a zone other bounds: in its configuration, and at once where it runs and the host can. Bounds that are absent are removed.
   */
  readonly setResources: (zone: ZoneName.ZoneName, resources: ZoneResources) => Effect.Effect<ResourceOutcome, HostError>
  /** The configuration that a zone of this spec is given. */
  readonly configurationOf: (spec: ZoneSpec) => Effect.Effect<ZoneConfig.ZoneConfig, HostError>
  /** The stored configuration of a zone, and the names of the resources in it that the model has no place for. */
  readonly configuration: (zone: ZoneName.ZoneName) => Effect.Effect<ZoneConfigExport.Reading, HostError>
  /** A word for each stored configuration, by the name of its zone; another one after each write of it. One look for all zones. */
  readonly configurationStamps: Effect.Effect<ReadonlyMap<string, string>, HostError>
  /**
   * Stores exactly this configuration for a zone in whatever state, and reads it again; false when it was stored already. A zone that runs
   * goes on as it was booted.
   */
  readonly persist: (zone: ZoneName.ZoneName, config: ZoneConfig.ZoneConfig) => Effect.Effect<boolean, HostError>
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
  /** From whatever state to running and ready; `provision` without foundations, and without taking anything back. */
  readonly ensureRunning: (spec: ZoneSpec) => Effect.Effect<void, HostError>
  /** From whatever state to absent. Waits, bounded, while the kernel still tears the zone down, and halts it once more when that takes long. */
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
  /** How many zoneadm and zonecfg commands that change something run at the same time. Halts have turns of their own. Default 4. */
  readonly concurrency?: number
  /** How long a zone may take to leave a transient state, or to be seen running after boot. Default 2 minutes. */
  readonly settleTimeout?: Duration.DurationInput
  /** How long a running zone may take to become ready, as its brand defines it. Default 2 minutes. */
  readonly readyTimeout?: Duration.DurationInput
  /**
   * The most that passes between two looks at the zones that something waits for; it is less at first, and one look serves all of them.
   * Where looking is slow it takes at most a fifth of the time. Default 250 milliseconds.
   */
  readonly pollInterval?: Duration.DurationInput
  /** Time limits of single commands. */
  readonly timeouts?: ZoneAdm.Timeouts
  /** Whose zonecfg the host has. Default `omnios`; `ZoneCfg.dialectOf` tells. */
  readonly dialect?: ZoneConfig.Dialect
  /** What is particular about which brand. Default: those of `ZoneBrands`. */
  readonly brands?: ZoneBrands.Registry
}

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

/** The steps of a zone, each on the one before; the first one stands on the foundations. */
const zoneSteps = <E extends Saga.Failure>(
  operations: zoneOperations.ZoneOperations,
  { foundations, zone }: Deprovisioning<E>,
  spec: Effect.Effect<ZoneSpec, E | HostError>
): ReadonlyArray<Saga.Step<E | HostError>> => {
  const at = zoneOperations.cursor()
  const state = operations.read("read zone", zone, at)
  return [
    {
      name: "configuration",
      exists: Effect.map(state, (entry) => entry !== undefined),
      ensure: Effect.flatMap(spec, (wanted) => operations.ensureConfigured(wanted, at)),
      remove: operations.ensureForgotten(zone, at),
      needs: foundations.map(({ name }) => name)
    },
    {
      name: "installation",
      exists: Effect.map(state, (entry) => entry !== undefined && entry.state !== "configured"),
      ensure: Effect.flatMap(spec, (wanted) => operations.ensureInstalled(zone, operations.installArguments(wanted), at)),
      remove: operations.ensureUninstalled(zone, at),
      needs: ["configuration"]
    },
    {
      name: "boot",
      exists: Effect.map(state, (entry) => !zoneOperations.isHalted(entry)),
      ensure: Effect.flatMap(spec, (wanted) => operations.ensureBooted(zone, operations.prepareRoot(wanted), at)),
      remove: operations.ensureHalted(zone, at),
      needs: ["installation"]
    },
    {
      name: "readiness",
      // Nothing of its own that could be taken back; but a zone that never became of use goes when this call booted it.
      exists: Effect.succeed(true),
      ensure: Effect.flatMap(spec, ({ brand }) => operations.awaitReady(zone, brand)),
      remove: Effect.void
    }
  ]
}

/** A name that is none is a mistake of the program. */
const stepNamed = <E extends Saga.Failure>(steps: ReadonlyArray<Saga.Step<E>>, name: string): Pick<Saga.Step<E>, "ensure" | "remove"> => {
  const none = Effect.dieMessage(`no step ${name} among ${steps.map((step) => step.name).join(", ")}`)
  return steps.find((step) => step.name === name) ?? { ensure: none, remove: none }
}

/**
 * A runtime with the given limits.
 *
 * @category layers
 */
export const layerWith = (options: Options): Layer.Layer<ZoneRuntime, never, CommandRunner> =>
  Layer.effect(
    ZoneRuntime,
    Effect.map(CommandRunner, (runner) => {
      const locked = keyedLock.make()
      const operations = zoneOperations.make(runner, {
        concurrency: options.concurrency ?? 4,
        settleTimeout: Duration.decode(options.settleTimeout ?? "2 minutes"),
        readyTimeout: Duration.decode(options.readyTimeout ?? "2 minutes"),
        pollInterval: options.pollInterval ?? "250 millis",
        timeouts: options.timeouts,
        brands: options.brands ?? ZoneBrands.standard,
        dialect: options.dialect ?? "omnios"
      })
      const { zoneadm, zonecfg } = operations

      const shutdown = Effect.fnUntraced(function*(zone: ZoneName.ZoneName, grace: Duration.DurationInput) {
        const at = zoneOperations.cursor()
        const entry = yield* operations.find(zone)
        const asks = entry?.state === "running" && operations.profile(entry.brand).shutdown.kind === "graceful"
        if (asks && Duration.toMillis(grace) > 0) {
          // Without a permit: it mostly waits. Whatever it answers, the halt below decides.
          yield* zoneadm.shutdown(zone, grace).pipe(
            Effect.catchAll((error) =>
              Effect.logDebug("zone did not shut down by itself").pipe(Effect.annotateLogs({ zone, error }))
            )
          )
        }
        yield* operations.ensureHalted(zone, at)
      })

      const ensureRunning = (spec: ZoneSpec) =>
        Effect.forEach(
          zoneSteps(operations, { zone: spec.zoneName, foundations: [] }, Effect.succeed(spec)),
          ({ ensure }) => ensure,
          { discard: true }
        )

      const ensureRemoved = (zone: ZoneName.ZoneName) =>
        Effect.suspend(() => {
          const at = zoneOperations.cursor()
          return operations.ensureHalted(zone, at).pipe(
            Effect.zipRight(operations.ensureUninstalled(zone, at)),
            Effect.zipRight(operations.ensureForgotten(zone, at))
          )
        })

      const fresh = <A>(use: (at: zoneOperations.Cursor) => Effect.Effect<A, HostError>) => Effect.suspend(() => use(zoneOperations.cursor()))

      return ZoneRuntime.of({
        list: Effect.map(zoneadm.list, (entries) => entries.flatMap(summaryOf)),
        attributes: (zone) =>
          Effect.map(
            zonecfg.export(zone),
            (config) => Object.fromEntries(config.attr.map((attr) => [attr.name, attr.value]))
          ),
        provision: <E extends Saga.Failure>(plan: Provisioning<E>) =>
          locked(plan.zone, Effect.suspend(() => {
            const steps: ReadonlyArray<Saga.Step<E | HostError>> = [
              ...plan.foundations,
              ...zoneSteps(operations, plan, plan.spec),
              ...plan.afterwards ?? []
            ]
            return Saga.provision(`zone ${plan.zone}`, steps)
          })),
        deprovision: <E extends Saga.Failure>(plan: Deprovisioning<E>) =>
          locked(plan.zone, Effect.suspend(() => {
            // Removing asks for no spec.
            const steps: ReadonlyArray<Saga.Step<E | HostError>> = [...plan.foundations, ...zoneSteps(operations, plan, Effect.never)]
            return Saga.deprovision(`zone ${plan.zone}`, steps)
          })),
        provisionStep: <E extends Saga.Failure>(plan: Provisioning<E>, step: string) =>
          locked(plan.zone, Effect.suspend(() => stepNamed([
            ...plan.foundations,
            ...zoneSteps(operations, plan, plan.spec),
            ...plan.afterwards ?? []
          ], step).ensure)),
        deprovisionStep: <E extends Saga.Failure>(plan: Deprovisioning<E>, step: string) =>
          locked(plan.zone, Effect.suspend(() => stepNamed([...plan.foundations, ...zoneSteps(operations, plan, Effect.never)], step).remove)),
        setResources: (zone, resources) => locked(zone, zoneLimits.apply(runner, operations, zone, resources)),
        configurationOf: operations.configurationOf,
        configuration: zonecfg.read,
        configurationStamps: ZoneConfigStamps.read(runner),
        persist: (zone, config) => locked(zone, operations.change(zonecfg.update(zone, config))),
        configure: (spec) => locked(spec.zoneName, fresh((at) => operations.configure(spec, at))),
        install: (zone, brandArguments) => locked(zone, fresh((at) => operations.ensureInstalled(zone, Effect.succeed(brandArguments), at))),
        boot: (zone) => locked(zone, fresh((at) => operations.ensureBooted(zone, Effect.void, at))),
        shutdown: (zone, { timeout }) => locked(zone, shutdown(zone, timeout)),
        halt: (zone) =>
          locked(zone, fresh((at) =>
            Effect.flatMap(operations.read("halt zone", zone, at), (entry) => operations.mustExist("halt zone", zone, entry)).pipe(
              Effect.zipRight(operations.ensureHalted(zone, at))
            ))),
        uninstall: (zone) => locked(zone, fresh((at) => operations.ensureUninstalled(zone, at))),
        remove: (zone) => locked(zone, fresh((at) => operations.ensureForgotten(zone, at))),
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
