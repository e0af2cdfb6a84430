/**
 * The scheduler as a running part of a cluster: watches nodes and pods, and gives every pod that names one of its profiles a node.
 *
 * Several schedulers can run beside each other under different names. The same name must run once at a time (see leader election in the
 * client package); were it to run twice, the API server still binds each pod only once, but nodes could be filled beyond what they have.
 */
import { Kinds } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"
import { ApiClient, Informer } from "@reddwarf/client"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Utils from "effect/Utils"
import * as ClusterCache from "./ClusterCache.js"
import type { ClusterEvent } from "./ClusterEvent.js"
import * as Attempt from "./internal/attempt.js"
import * as ClusterFeed from "./internal/clusterFeed.js"
import * as ReporterModule from "./internal/reporter.js"
import type { PodInfo } from "./PodInfo.js"
import * as PrioritySort from "./plugins/PrioritySort.js"
import * as Profile from "./Profile.js"
import type { Rejection } from "./Rejection.js"
import * as SchedulingQueue from "./SchedulingQueue.js"
import type { SchedulerPlugin } from "./SchedulerPlugin.js"
import type { Snapshot } from "./Snapshot.js"

/**
 * All values are optional.
 *
 * @category models
 */
export interface Options {
  /** One for each name; the built-in scheduler alone unless given. Only the first profile's queue sort counts for the common queue. */
  readonly profiles?: ReadonlyArray<Profile.Profile>
  /** Bindings and status writes under way at a time: 64 unless given. Further pods wait. */
  readonly concurrency?: number
  /** Delay after the first failed attempt, doubled with each further one: 1 second unless given. */
  readonly initialBackoff?: Duration.DurationInput
  /** Longest delay after a failed attempt: 10 seconds unless given. */
  readonly maxBackoff?: Duration.DurationInput
  /** A pod that found no node is tried again after this time, whatever happened: 5 minutes unless given. */
  readonly unschedulableTimeout?: Duration.DurationInput
  /** How long a bound pod may take to be seen on its node before its room is given to others: 15 minutes unless given. */
  readonly assumedPodTimeout?: Duration.DurationInput
  /** Longest time for the binding of one pod, plugins included: 2 minutes unless given. */
  readonly bindingTimeout?: Duration.DurationInput
  /** What has to be known besides nodes and pods before the first pod is placed; nothing unless given. */
  readonly ready?: Effect.Effect<void>
  /** Numbers in [0, 1) that settle ties between nodes; seeded from the `Random` service unless given. */
  readonly random?: () => number
}

/**
 * A view on the running scheduler.
 *
 * @category models
 */
export interface Service {
  /** How many pods wait, and where. */
  readonly depth: Effect.Effect<SchedulingQueue.Depth>
  /** The nodes and what is placed on them, as the next attempt will see them. */
  readonly snapshot: Effect.Effect<Snapshot>
}

/**
 * The running scheduler.
 *
 * @category services
 */
export class Scheduler extends Context.Tag("@reddwarf/scheduler/Scheduler")<Scheduler, Service>() {}

const defaultName = Profile.builtIn.schedulerName

/** Which of the plugins that rejected a pod an event may satisfy. */
const requeueRules = (profiles: ReadonlyArray<Profile.Profile>) => {
  const plugins = new Map<string, SchedulerPlugin>(
    profiles.flatMap((profile) => profile.plugins.map((plugin) => [`${profile.schedulerName}/${plugin.name}`, plugin] as const))
  )
  const interests = [...plugins.values()].map((plugin) => plugin.requeueOn)
  const wanted = interests.includes(undefined) ? undefined : new Set(interests.flatMap((events) => events ?? []))
  const cares = (plugin: SchedulerPlugin | undefined, event: ClusterEvent): boolean => plugin?.requeueOn?.includes(event) ?? true
  return {
    wakes: (info: PodInfo, rejectedBy: ReadonlySet<string>, event: ClusterEvent): boolean =>
      Array.from(rejectedBy).some((name) => cares(plugins.get(`${info.pod.spec?.schedulerName ?? defaultName}/${name}`), event)),
    matters: (event: ClusterEvent): boolean => event === "NodeAdd" || wanted === undefined || wanted.has(event)
  }
}

const gateOf = (profile: Profile.Profile | undefined, pod: PodInfo): Rejection | undefined => {
  for (const plugin of profile?.plugins ?? []) {
    const rejection = plugin.preEnqueue?.(pod)
    if (rejection !== undefined) return rejection
  }
  return undefined
}

/**
 * Starts a scheduler that runs as long as the scope. It places the first pod when it has seen all nodes and pods. Fails only when two profiles
 * have the same name.
 *
 * @category constructors
 */
export const make = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<Service, Profile.InvalidProfile, ApiClient.ApiClient | Scope.Scope> {
  const profiles = options.profiles ?? [Profile.builtIn]
  const byName = new Map(profiles.map((profile) => [profile.schedulerName, profile]))
  if (byName.size !== profiles.length) {
    const names = profiles.map((profile) => profile.schedulerName)
    const twice = names.find((name, i) => names.indexOf(name) !== i) ?? ""
    return yield* new Profile.InvalidProfile({ schedulerName: twice, detail: "there are two of this name; give each its own" })
  }
  const client = yield* ApiClient.ApiClient
  const clock = yield* Effect.clock
  const generator = new Utils.PCGRandom(yield* Random.nextInt)
  const profileOf = (pod: CoreV1.Pod) => byName.get(pod.spec?.schedulerName ?? defaultName)
  const rules = requeueRules(profiles)

  const cache = ClusterCache.make()
  const queue = yield* SchedulingQueue.make({
    ...options,
    order: profiles.flatMap((profile) => profile.plugins).find((plugin) => plugin.queueSort !== undefined)?.queueSort ?? PrioritySort.order,
    gate: (info) => gateOf(profileOf(info.pod), info),
    wakes: rules.wakes
  })
  const pods = yield* Informer.make({
    kind: Kinds.pod,
    // Terminated pods hold nothing; the server tells of their end as a deletion.
    fieldSelector: "status.phase!=Succeeded,status.phase!=Failed",
    transform: withoutManagedFields
  })
  const nodes = yield* Informer.make({ kind: Kinds.node, transform: withoutManagedFields })
  const reporter = yield* ReporterModule.make({ client, profiles, latest: (key) => pods.get(key) })

  const feed = ClusterFeed.make({
    cache,
    queue,
    isMine: (pod) => profileOf(pod) !== undefined,
    matters: rules.matters
  })
  nodes.onChange(feed.onNode)
  pods.onChange(feed.onPod)

  const background = yield* FiberSet.make()
  const permits = yield* Effect.makeSemaphore(options.concurrency ?? 64)
  const attempt = Attempt.make({
    client,
    clock,
    cache,
    queue,
    profileOf,
    reporter,
    random: options.random ?? (() => generator.number()),
    assumedPodTimeout: Duration.decode(options.assumedPodTimeout ?? "15 minutes"),
    bindingTimeout: Duration.decode(options.bindingTimeout ?? "2 minutes"),
    fork: (effect) =>
      Effect.zipRight(permits.take(1), Effect.asVoid(FiberSet.run(background, Effect.ensuring(effect, permits.release(1)))))
  })

  yield* Effect.all([nodes.hasSynced, pods.hasSynced, options.ready ?? Effect.void], { discard: true }).pipe(
    Effect.zipRight(Effect.forever(Effect.flatMap(queue.take, attempt))),
    Effect.forkScoped
  )
  return {
    depth: Effect.sync(queue.depth),
    snapshot: Effect.sync(cache.snapshot)
  }
})

const withoutManagedFields = <A extends CoreV1.Pod | CoreV1.Node>(object: A): A => {
  if (object.metadata.managedFields === undefined) return object
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

/**
 * A running scheduler.
 *
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<Scheduler, Profile.InvalidProfile, ApiClient.ApiClient> =>
  Layer.scoped(Scheduler, make(options))
