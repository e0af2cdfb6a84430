/** One attempt to place a pod: decide against a snapshot, assume, bind in the background; or say why not. */
import { ApiError } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"
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
import * as SchedulerMetrics from "../SchedulerMetrics.js"
import type { PostFilterContext, QueuedPod } from "../SchedulerPlugin.js"
import * as SchedulingCycle from "../SchedulingCycle.js"
import type { SchedulingQueue } from "../SchedulingQueue.js"
import type { Reporter } from "./reporter.js"

export interface Parts {
  readonly client: ApiClient.Service
  readonly clock: Clock.Clock
  readonly cache: ClusterCache
  readonly queue: SchedulingQueue
  readonly profileOf: (pod: CoreV1.Pod) => Profile | undefined
  readonly reporter: Reporter
  readonly random: () => number
  readonly assumedPodTimeout: Duration.Duration
  readonly bindingTimeout: Duration.Duration
  /** Runs the rest of an attempt in the background. */
  readonly fork: (effect: Effect.Effect<void>) => Effect.Effect<void>
}

const causedBy = (failure: BindingFailure, reason: string): boolean =>
  failure.cause instanceof ApiError.ApiError && failure.cause.reason === reason

const runPostFilters = Effect.fnUntraced(function*(profile: Profile, context: PostFilterContext) {
  const messages: Array<string> = []
  for (const plugin of profile.plugins) {
    if (plugin.postFilter === undefined) continue
    const result = yield* plugin.postFilter(context)
    if (result.message !== undefined) messages.push(result.message)
    if (result.nominatedNode !== undefined) break
  }
  return messages.join(", ")
})

const warnExpired = (pods: ReadonlyArray<PodInfo>): Effect.Effect<void> =>
  Effect.logWarning("bound pods were never seen on their nodes; their room is given back").pipe(
    Effect.annotateLogs("pods", pods.map((pod) => pod.key).join(" "))
  )

/** Gives the attempt as a function of the pod. It does not fail: whatever happens, the pod is answered for in the queue. */
export const make = (parts: Parts): (queued: QueuedPod) => Effect.Effect<void> => {
  const { cache, client, clock, queue, reporter } = parts
  let start = 0

  const errored = (profile: Profile, pod: PodInfo, message: string): Effect.Effect<void> => {
    SchedulerMetrics.failed.unsafeUpdate(1, [])
    return Effect.ensuring(
      reporter.notScheduled(profile, pod, "SchedulerError", message),
      Effect.sync(() => queue.retry(pod.id))
    )
  }

  const unplace = (pod: PodInfo): void => {
    for (const event of cache.forget(pod.id)) queue.notify(event)
  }

  const bindingFailed = (profile: Profile, pod: PodInfo, failure: BindingFailure): Effect.Effect<void> => {
    unplace(pod)
    if (causedBy(failure, "NotFound")) return Effect.sync(() => queue.remove(pod.id))
    if (!causedBy(failure, "Conflict")) return errored(profile, pod, failure.message)
    // The pod is bound already or on its way out: the watch will say so. Until then there is nothing to tell the user.
    SchedulerMetrics.failed.unsafeUpdate(1, [])
    return Effect.sync(() => queue.retry(pod.id))
  }

  const bound = (profile: Profile, pod: PodInfo, node: string): Effect.Effect<void> => {
    cache.expireAt(pod.id, clock.unsafeCurrentTimeMillis() + Duration.toMillis(parts.assumedPodTimeout))
    queue.remove(pod.id)
    SchedulerMetrics.scheduled.unsafeUpdate(1, [])
    return reporter.scheduled(profile, pod, node)
  }

  const bind = (profile: Profile, pod: PodInfo, node: string): Effect.Effect<void> =>
    Binding.run(profile, client, pod, node).pipe(
      Binding.within(parts.bindingTimeout, pod, node),
      Effect.matchEffect({
        onSuccess: () => bound(profile, pod, node),
        onFailure: (failure) => bindingFailed(profile, pod, failure)
      }),
      Effect.catchAllDefect((defect) => {
        unplace(pod)
        return Effect.zipRight(Effect.logError("binding died", defect), errored(profile, pod, `binding to node ${node} died: ${String(defect)}`))
      })
    )

  const place = (profile: Profile, pod: PodInfo, node: string): Effect.Effect<void> => {
    cache.assume(pod, node)
    return Effect.matchEffect(Binding.reserve(profile, pod, node), {
      onSuccess: () => parts.fork(bind(profile, pod, node)),
      onFailure: (failure) => parts.fork(bindingFailed(profile, pod, failure))
    })
  }

  const giveUp = Effect.fnUntraced(function*(profile: Profile, context: PostFilterContext) {
    const { diagnosis, pod } = context
    SchedulerMetrics.unschedulable.unsafeUpdate(1, [])
    const message = Diagnosis.message(diagnosis, yield* runPostFilters(profile, context))
    // The pod stays in flight until its condition is written, so that two attempts never write out of order.
    yield* parts.fork(Effect.ensuring(
      reporter.notScheduled(profile, pod, "Unschedulable", message),
      Effect.sync(() => queue.reject(pod.id, diagnosis.rejectedBy))
    ))
  })

  const decide = (profile: Profile, pod: PodInfo): Effect.Effect<void> =>
    Effect.suspend(() => {
      const snapshot = cache.snapshot()
      const startedAt = clock.unsafeCurrentTimeNanos()
      const decision = SchedulingCycle.schedule(profile, pod, snapshot, { start, random: parts.random })
      start = decision.nextStart
      SchedulerMetrics.algorithmSeconds.unsafeUpdate(Number(clock.unsafeCurrentTimeNanos() - startedAt) / 1e9, [])
      return decision._tag === "Placed"
        ? place(profile, pod, decision.node)
        : giveUp(profile, { pod, snapshot, diagnosis: decision.diagnosis, test: decision.test })
    })

  return ({ info }) =>
    Effect.suspend(() => {
      const profile = parts.profileOf(info.pod)
      if (profile === undefined) return Effect.sync(() => queue.remove(info.id))
      const expired = cache.dropExpired(clock.unsafeCurrentTimeMillis())
      // A plugin that throws must not end the scheduler: its pod waits, the others go on.
      const attempt = Effect.catchAllDefect(decide(profile, info), (defect) => {
        unplace(info)
        return Effect.zipRight(
          Effect.logError("scheduling attempt died", defect).pipe(Effect.annotateLogs("pod", info.key)),
          parts.fork(errored(profile, info, `running plugins of profile ${profile.schedulerName}: ${String(defect)}`))
        )
      })
      return expired.length === 0 ? attempt : Effect.zipRight(warnExpired(expired), attempt)
    })
}
