/** What eviction looks at on a node, and how it ends a pod there. */
import type { CoreV1 } from "@reddwarf/api-types"
import { EventRecorder } from "@reddwarf/client"
import type { CommandRunner } from "@reddwarf/runtime-illumos"
import { StorageEngine } from "@reddwarf/storage-zfs"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ContainerImages from "../container/ContainerImages.js"
import * as Eviction from "../eviction/Eviction.js"
import type * as EvictionRanking from "../eviction/EvictionRanking.js"
import type * as EvictionThresholds from "../eviction/EvictionThresholds.js"
import * as SupervisorClient from "../supervisor/SupervisorClient.js"
import type * as HostMeasurements from "./HostMeasurements.js"
import type { UsageMeter } from "./UsageMeter.js"

/** @category models */
export interface Options {
  readonly thresholds: ReadonlyArray<EvictionThresholds.Threshold>
  readonly interval: Duration.DurationInput
  readonly transitionPeriod: Duration.DurationInput
  readonly pods: () => ReadonlyArray<CoreV1.Pod>
  readonly meter: UsageMeter
  /** Measures the host. */
  readonly measure: HostMeasurements.Shared["now"]
  /** Hears that the shortages are others now. */
  readonly onChange: Effect.Effect<void>
}

/** Seconds that a pod gets to end by itself when its node runs short, as the kubelet gives them. */
const graceSeconds = 1

const none: ReadonlyMap<string, EvictionRanking.Usage> = new Map()

const observationsOf = ({ memory, pool, processes }: HostMeasurements.Snapshot): EvictionThresholds.Observations => ({
  ...(memory === undefined ? {} : { "memory.available": { available: memory.free, capacity: memory.total } }),
  ...(pool === undefined ? {} : { "nodefs.available": { available: pool.available, capacity: pool.size } }),
  ...(processes === undefined ? {} : { "pid.available": { available: processes.limit - processes.used, capacity: processes.limit } })
})

/**
 * Eviction by the measurements of this host.
 *
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<
  Eviction.Eviction,
  never,
  CommandRunner.CommandRunner | EventRecorder.EventRecorder | StorageEngine.StorageEngine | SupervisorClient.SupervisorClient
> =>
  Effect.gen(function*() {
    const context = yield* Effect.context<CommandRunner.CommandRunner | StorageEngine.StorageEngine>()
    const recorder = yield* EventRecorder.EventRecorder
    const storage = yield* StorageEngine.StorageEngine
    const supervisor = yield* SupervisorClient.SupervisorClient
    const images = yield* Effect.serviceOption(ContainerImages.ContainerImages)

    const measured = options.meter.read.pipe(
      Effect.map(({ pods }) => pods),
      Effect.catchAll((error) => Effect.as(Effect.logWarning("what pods use cannot be measured", error), []))
    )
    const memory = Effect.map(measured, (pods) =>
      new Map(pods.map(({ containers, uid, workingSet = 0 }): readonly [string, EvictionRanking.Usage] => [
        uid,
        { total: workingSet, containers: new Map(containers.map(({ name, workingSet: bytes = 0 }) => [name, bytes])) }
      ])))
    const space = storage.listOwned.pipe(
      Effect.map((datasets) => new Map(datasets.map(({ uid, used }): readonly [string, EvictionRanking.Usage] => [uid, { total: used, containers: new Map() }]))),
      Effect.catchAll((error) => Effect.as(Effect.logWarning("the space of pods cannot be measured", error), none))
    )

    return Eviction.make({
      thresholds: options.thresholds,
      interval: options.interval,
      transitionPeriod: options.transitionPeriod,
      pods: options.pods,
      observe: Effect.map(options.measure, observationsOf).pipe(Effect.provide(context)),
      usage: (signal) => signal === "memory.available" ? memory : signal === "nodefs.available" ? space : Effect.succeed(none),
      reclaim: Option.match(images, { onNone: () => Effect.void, onSome: ({ reclaim }) => reclaim }),
      end: (pod, verdict) =>
        Effect.gen(function*() {
          const uid = pod.metadata.uid ?? ""
          const requestedAt = yield* Clock.currentTimeMillis
          yield* recorder.event(pod, "Warning", verdict.reason, verdict.message)
          yield* supervisor.stop(uid, { requestId: `${uid}/evicted`, requestedAt, graceSeconds, verdict })
        }).pipe(Effect.catchAll((error) => Effect.logWarning("a pod could not be evicted; the next look comes", error))),
      isEnding: (pod) =>
        supervisor.read(pod.metadata.uid ?? "").pipe(
          Effect.map(Option.exists(({ spec }) => spec.desired.state === "stop")),
          // What cannot be read is not chosen either.
          Effect.orElseSucceed(() => true)
        ),
      onChange: options.onChange
    })
  })
