/**
 * The scheduler as a running part of a cluster: watches nodes and pods, and gives every pod that names one of its profiles a node.
 *
 * Several schedulers can run beside each other under different names. The same name must run once at a time (see `ElectedScheduler`); were it to
 * run twice, the API server still binds each pod only once, but nodes could be filled beyond what they have.
 */
import { Kinds } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"
import { ApiClient, Informer } from "@reddwarf/client"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Utils from "effect/Utils"
import * as ClusterCache from "./ClusterCache.js"
import * as Explanation from "./Explanation.js"
import * as Attempt from "./internal/attempt.js"
import * as Background from "./internal/background.js"
import * as ClusterFeed from "./internal/clusterFeed.js"
import * as Deadlines from "./internal/deadlines.js"
import * as Handles from "./internal/handles.js"
import * as ListerFeed from "./internal/listerFeed.js"
import * as PluginSteps from "./internal/pluginSteps.js"
import * as ReporterModule from "./internal/reporter.js"
import * as RequeueRules from "./internal/requeueRules.js"
import * as WaitingRegistry from "./internal/waitingPods.js"
import * as PodInfo from "./PodInfo.js"
import * as PrioritySort from "./plugins/PrioritySort.js"
import * as Profile from "./Profile.js"
import type { Rejection } from "./Rejection.js"
import * as SchedulerMetrics from "./SchedulerMetrics.js"
import * as SchedulingQueue from "./SchedulingQueue.js"
import type { Snapshot } from "./Snapshot.js"
import type { WaitingPod } from "./WaitingPods.js"

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
  /** Pods that have a node and wait there for the permission of plugins. */
  readonly waiting: Effect.Effect<ReadonlyArray<WaitingPod>>
  /** What would happen to the pod `namespace/name` now, and why. A plain function: it answers from memory, and changes nothing. */
  readonly explain: (key: string) => Explanation.Answer
}

/**
 * The running scheduler.
 *
 * @category services
 */
export class Scheduler extends Context.Tag("@reddwarf/scheduler/Scheduler")<Scheduler, Service>() {}

const defaultName = Profile.builtIn.schedulerName

const gateOf = (profile: Profile.Profile | undefined, pod: PodInfo.PodInfo): Rejection | undefined => {
  if (profile === undefined) return undefined
  for (const plugin of PluginSteps.of(profile).preEnqueue) {
    const rejection = plugin.preEnqueue(pod)
    if (rejection !== undefined) return rejection
  }
  return undefined
}

/** What a binding holds for a pod that waits for its permission ends when the pod is gone. */
const goneReason = "the pod is gone"

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
  const byName = yield* Profile.byName(profiles)
  const client = yield* ApiClient.ApiClient
  const clock = yield* Effect.clock
  const generator = new Utils.PCGRandom(yield* Random.nextInt)
  const profileOf = (pod: CoreV1.Pod) => byName.get(pod.spec?.schedulerName ?? defaultName)
  const rules = RequeueRules.make(profiles)

  const queue = yield* SchedulingQueue.make({
    ...options,
    order: profiles.flatMap((profile) => profile.plugins).find((plugin) => plugin.queueSort !== undefined)?.queueSort ?? PrioritySort.order,
    gate: (info) => gateOf(profileOf(info.pod), info),
    wakes: rules.wakes,
    helped: rules.wakes,
    cares: rules.cares
  })
  const others = yield* ListerFeed.make(
    new Set(profiles.flatMap(({ plugins }) => plugins.flatMap(({ uses = [] }) => uses))),
    (change) => {
      if (rules.matters(change.event)) queue.notify(change)
    }
  )
  const cache = ClusterCache.make({ listers: others.listers })
  const waiting = WaitingRegistry.make()
  const feed = ClusterFeed.make({
    cache,
    queue,
    isMine: (pod) => profileOf(pod) !== undefined,
    matters: rules.matters,
    onGone: (id) => waiting.get(id)?.reject("", goneReason)
  })
  const pods = yield* Informer.make({
    kind: Kinds.pod,
    // Terminated pods hold nothing; the server tells of their end as a deletion.
    fieldSelector: "status.phase!=Succeeded,status.phase!=Failed",
    transform: (pod) => (pod.spec?.nodeName ?? "") === "" ? withoutManagedFields(pod) : PodInfo.placed(pod).pod
  })
  const nodes = yield* Informer.make({ kind: Kinds.node, transform: withoutManagedFields })
  const reporter = yield* ReporterModule.make({ client, profiles, latest: (key) => pods.get(key) })
  nodes.onChange(feed.onNode)
  pods.onChange(feed.onPod)

  const bindingTimeout = Duration.decode(options.bindingTimeout ?? "2 minutes")
  const background = yield* Background.make(options.concurrency ?? 64)
  const errands = yield* Background.make(errandsAtATime)
  const handleOf = Handles.make({ client, listers: others.listers, waiting, queue, cache, reporter, errands })
  const attempt = Attempt.make({
    client,
    clock,
    cache,
    queue,
    waiting,
    profileOf,
    handleOf,
    reporter,
    random: options.random ?? (() => generator.number()),
    assumedPodTimeout: Duration.decode(options.assumedPodTimeout ?? "15 minutes"),
    bindingTimeout,
    deadlines: yield* Deadlines.make(Duration.toMillis(bindingTimeout), background.forkWaiting),
    fork: background.fork,
    forkWaiting: background.forkWaiting,
    inPlace: background.inPlace
  })

  let isReady = false
  const explain = (key: string): Explanation.Answer => {
    if (!isReady) return { _tag: "NotReady" }
    const pod = pods.get(key)
    if (pod === undefined) return { _tag: "NoPod" }
    const profile = profileOf(pod)
    return profile === undefined
      ? { _tag: "OtherScheduler", schedulerName: pod.spec?.schedulerName ?? defaultName }
      : { _tag: "Explained", explanation: Explanation.of(profile, PodInfo.make(pod), cache.snapshot()) }
  }
  const known = Effect.all([nodes.hasSynced, pods.hasSynced, others.hasSynced, options.ready ?? Effect.void], { discard: true })
  const missing = () => [...nodes.isSynced() ? [] : ["nodes"], ...pods.isSynced() ? [] : ["pods"], ...others.missing()]
  yield* known.pipe(
    // Without a word, a scheduler that may not list a kind would look as if it did nothing.
    Effect.raceFirst(Effect.forever(Effect.delay(Effect.suspend(() => notKnownYet(missing())), "30 seconds"))),
    Effect.zipRight(Effect.sync(() => void (isReady = true))),
    Effect.zipRight(Effect.forever(Effect.flatMap(queue.take, attempt))),
    Effect.forkScoped
  )
  yield* Effect.sync(() => SchedulerMetrics.cached(cache.size())).pipe(Effect.repeat(Schedule.spaced("5 seconds")), Effect.forkScoped)
  return {
    depth: Effect.sync(queue.depth),
    snapshot: Effect.sync(cache.snapshot),
    waiting: Effect.sync(waiting.list),
    explain
  }
})

const notKnownYet = (kinds: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.logWarning("no pod is placed yet: not all of the cluster is known; check that the scheduler may list and watch these").pipe(
    Effect.annotateLogs("missing", kinds.length === 0 ? "what the options wait for" : kinds.join(", "))
  )

/** Work that plugins do beside the placing, such as making pods leave. */
const errandsAtATime = 64

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
