/** What follows the decision: claims, permissions, waiting and the binding, in the background; and what to do when any of it fails. */
import { ApiError } from "@reddwarf/api-types"
import type { ApiClient } from "@reddwarf/client"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { BindingFailure } from "../BindingFailure.js"
import * as Binding from "../Binding.js"
import type { ClusterCache } from "../ClusterCache.js"
import * as Diagnosis from "../Diagnosis.js"
import type { PodInfo } from "../PodInfo.js"
import type { Profile } from "../Profile.js"
import * as Rejection from "../Rejection.js"
import * as SchedulerMetrics from "../SchedulerMetrics.js"
import type { Attempt, QueuedPod } from "../SchedulerPlugin.js"
import type { SchedulingQueue } from "../SchedulingQueue.js"
import type { Deadlines } from "./deadlines.js"
import * as PluginSteps from "./pluginSteps.js"
import type { Reporter } from "./reporter.js"
import type * as WaitingPods from "./waitingPods.js"

export interface Parts {
  readonly client: ApiClient.Service
  readonly clock: Clock.Clock
  readonly cache: ClusterCache
  readonly queue: SchedulingQueue
  readonly reporter: Reporter
  readonly waiting: WaitingPods.Registry
  readonly assumedPodTimeout: Duration.Duration
  readonly bindingTimeout: Duration.Duration
  /** With that time. */
  readonly deadlines: Deadlines
  /** Runs the rest of an attempt in the background, as soon as there is a place for it. */
  readonly fork: (effect: Effect.Effect<void>) => Effect.Effect<void>
  /** The same without a place: for what only waits, and takes a place later by `inPlace`. */
  readonly forkWaiting: (effect: Effect.Effect<void>) => Effect.Effect<void>
  readonly inPlace: (effect: Effect.Effect<void>) => Effect.Effect<void>
}

/** One pod on its way to a node. */
interface Journey {
  readonly profile: Profile
  readonly queued: QueuedPod
  readonly pod: PodInfo
  readonly node: string
  readonly attempt: Attempt
  /** Nanoseconds of the clock at which the attempt began. */
  readonly startedAt: bigint
}

export interface BindingCycle {
  /** From here on the pod holds room on the node. */
  readonly begin: (journey: Journey) => Effect.Effect<void>
  /** The attempt failed for another reason than that no node fits. */
  readonly errored: (profile: Profile, pod: PodInfo, message: string) => Effect.Effect<void>
  /** Gives the room of a pod back, if it holds any. */
  readonly unplace: (pod: PodInfo) => void
}

const causedBy = (failure: BindingFailure, reason: string): boolean =>
  failure.cause instanceof ApiError.ApiError && failure.cause.reason === reason

interface Permission {
  readonly waits: ReadonlyMap<string, Duration.Duration>
  readonly rejected?: { readonly plugin: string; readonly reason: string }
}

const permitted: Permission = { waits: new Map() }

const askPermission = ({ attempt, node, pod, profile }: Journey): Permission => {
  const plugins = PluginSteps.of(profile).permit
  if (plugins.length === 0) return permitted
  const waits = new Map<string, Duration.Duration>()
  for (const plugin of plugins) {
    const permit = plugin.permit(pod, node, attempt)
    if (permit._tag === "Reject") return { waits, rejected: { plugin: plugin.name, reason: permit.reason } }
    if (permit._tag === "Wait") waits.set(plugin.name, Duration.decode(permit.timeout))
  }
  return { waits }
}

export const make = (parts: Parts): BindingCycle => {
  const { cache, client, clock, queue, reporter, waiting } = parts
  const seconds = (since: bigint): number => Number(clock.unsafeCurrentTimeNanos() - since) / 1e9
  const attempts = new Map<string, ReturnType<typeof SchedulerMetrics.attemptsOf>>()
  const attemptsOf = ({ schedulerName }: Profile) => {
    const known = attempts.get(schedulerName)
    if (known !== undefined) return known
    const made = SchedulerMetrics.attemptsOf(schedulerName)
    attempts.set(schedulerName, made)
    return made
  }

  const errored = (profile: Profile, pod: PodInfo, message: string): Effect.Effect<void> => {
    attemptsOf(profile).count("error")
    return Effect.ensuring(
      reporter.notScheduled(profile, pod, "SchedulerError", message),
      Effect.sync(() => queue.retry(pod.id))
    )
  }

  const unplace = (pod: PodInfo): void => {
    for (const change of cache.forget(pod.id)) queue.notify(change)
  }

  const bindingFailed = ({ pod, profile }: Journey, failure: BindingFailure): Effect.Effect<void> => {
    unplace(pod)
    if (causedBy(failure, "NotFound")) return Effect.sync(() => queue.remove(pod.id))
    if (!causedBy(failure, "Conflict")) return errored(profile, pod, failure.message)
    // The pod is bound already or on its way out: the watch will say so. Until then there is nothing to tell the user.
    attemptsOf(profile).count("error")
    return Effect.sync(() => queue.retry(pod.id))
  }

  const bound = ({ node, pod, profile, queued, startedAt }: Journey): Effect.Effect<void> => {
    const now = clock.unsafeCurrentTimeMillis()
    cache.expireAt(pod.id, now + Duration.toMillis(parts.assumedPodTimeout))
    queue.remove(pod.id)
    const counted = attemptsOf(profile)
    counted.count("scheduled")
    counted.seconds("scheduled", seconds(startedAt))
    SchedulerMetrics.placed(queued.attempts, (now - queued.since) / 1000)
    return reporter.scheduled(profile, pod, node)
  }

  const died = ({ node, pod, profile }: Journey) => (defect: unknown): Effect.Effect<void> => {
    unplace(pod)
    return Effect.zipRight(Effect.logError("binding died", defect), errored(profile, pod, `binding to node ${node} died: ${String(defect)}`))
  }

  const bind = (journey: Journey): Effect.Effect<void> => {
    const { attempt, node, pod, profile } = journey
    const late = Effect.suspend(() => bindingFailed(journey, Binding.tooLate(parts.bindingTimeout, pod, node)))
    const since = clock.unsafeCurrentTimeNanos()
    return parts.deadlines.within(Binding.run(profile, client, pod, node, attempt), late).pipe(
      Effect.matchEffect({
        onSuccess: () => {
          SchedulerMetrics.extensionPointSeconds(profile.schedulerName, "Bind", seconds(since))
          return bound(journey)
        },
        onFailure: (failure) => bindingFailed(journey, failure)
      }),
      Effect.catchAllDefect(died(journey))
    )
  }

  /** Binds once nothing is to be waited for any more. Absent: there is nothing. */
  const afterWaiting = (journey: Journey): Effect.Effect<void> | undefined => {
    const { attempt, node, pod, profile } = journey
    const waits = PluginSteps.of(profile).preBindWait.flatMap((plugin) => plugin.preBindWait(pod, node, attempt) ?? [])
    if (waits.length === 0) return undefined
    return Effect.all(waits, { discard: true }).pipe(
      Effect.onError(() => Binding.unreserve(profile, pod, node, attempt)),
      Effect.matchEffect({
        onSuccess: () => parts.inPlace(bind(journey)),
        onFailure: (failure) => parts.inPlace(bindingFailed(journey, failure))
      }),
      Effect.catchAllDefect(died(journey))
    )
  }

  const refused = ({ attempt, node, pod, profile }: Journey, plugin: string, reason: string): Effect.Effect<void> => {
    attemptsOf(profile).count("unschedulable")
    const rejectedBy = new Set([plugin])
    const message = Diagnosis.message({ rejections: [Rejection.unschedulable(reason)], rejectedBy })
    return Binding.unreserve(profile, pod, node, attempt).pipe(
      Effect.zipRight(Effect.sync(() => unplace(pod))),
      Effect.zipRight(reporter.notScheduled(profile, pod, "Unschedulable", message)),
      Effect.ensuring(Effect.sync(() => queue.reject(pod.id, rejectedBy)))
    )
  }

  const awaitPermission = (journey: Journey, waits: ReadonlyMap<string, Duration.Duration>): Effect.Effect<void> => {
    const { attempt, node, pod, profile } = journey
    const since = clock.unsafeCurrentTimeNanos()
    return Effect.flatMap(waiting.add(pod, node, waits), (outcome) => {
      SchedulerMetrics.heldBack(outcome._tag === "Allowed" ? "allowed" : "rejected", seconds(since))
      // The pod may have gone while it waited.
      if (!queue.has(pod.id)) return Effect.zipRight(Binding.unreserve(profile, pod, node, attempt), Effect.sync(() => unplace(pod)))
      if (outcome._tag === "Rejected") return parts.inPlace(refused(journey, outcome.plugin, outcome.reason))
      return afterWaiting(journey) ?? parts.inPlace(bind(journey))
    }).pipe(Effect.catchAllDefect(died(journey)))
  }

  const continued = (journey: Journey): Effect.Effect<void> =>
    Effect.suspend(() => {
      const since = clock.unsafeCurrentTimeNanos()
      const { rejected, waits } = askPermission(journey)
      if (PluginSteps.of(journey.profile).permit.length > 0) {
        SchedulerMetrics.extensionPointSeconds(journey.profile.schedulerName, "Permit", seconds(since))
      }
      if (rejected !== undefined) return parts.fork(refused(journey, rejected.plugin, rejected.reason))
      if (waits.size > 0) return parts.forkWaiting(awaitPermission(journey, waits))
      const slow = afterWaiting(journey)
      return slow === undefined ? parts.fork(bind(journey)) : parts.forkWaiting(slow)
    })

  return {
    begin: (journey) => {
      const { attempt, node, pod, profile } = journey
      cache.assume(pod, node)
      return Effect.matchEffect(Binding.reserve(profile, pod, node, attempt), {
        onSuccess: () => continued(journey),
        onFailure: (failure) => parts.fork(bindingFailed(journey, failure))
      })
    },
    errored,
    unplace
  }
}
