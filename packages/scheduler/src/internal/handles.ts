/** What the plugins of each profile may do with the scheduler. */
import type { ApiClient } from "@reddwarf/client"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { ClusterCache } from "../ClusterCache.js"
import type { Listers } from "../Listers.js"
import type { Profile } from "../Profile.js"
import type { SchedulerHandle } from "../SchedulerHandle.js"
import type { SchedulingQueue } from "../SchedulingQueue.js"
import type { WaitingPods } from "../WaitingPods.js"
import type { Background } from "./background.js"
import type { Reporter } from "./reporter.js"

export interface Parts {
  readonly client: ApiClient.Service
  readonly listers: Listers
  readonly waiting: WaitingPods
  readonly queue: SchedulingQueue
  readonly cache: ClusterCache
  readonly reporter: Reporter
  readonly errands: Background
}

export const make = ({ cache, client, errands, listers, queue, reporter, waiting }: Parts): ((profile: Profile) => SchedulerHandle) => {
  const known = new Map<Profile, SchedulerHandle>()

  const handle = (profile: Profile): SchedulerHandle => ({
    client,
    listers,
    waiting,
    pending: queue.pods,
    activate: queue.activate,
    clearNomination: (pod) =>
      Effect.zipRight(
        Effect.sync(() => {
          cache.clearNomination(pod.id)
          queue.activate([pod.id])
        }),
        reporter.clearNomination(pod)
      ),
    event: (object, type, reason, message, action) =>
      reporter.recorderOf(profile)?.event(object, type, reason, message, action) ?? Effect.void,
    // The place is waited for beside the attempt: it must not stand still because plugins have much to do.
    fork: (work) =>
      errands.forkWaiting(errands.inPlace(
        Effect.catchAllCause(work, (cause) =>
          Cause.isInterrupted(cause)
            ? Effect.interrupt
            : Effect.logWarning(`background work of a plugin of profile ${profile.schedulerName} failed`, cause))
      ))
  })
  return (profile) => {
    const found = known.get(profile)
    if (found !== undefined) return found
    const made = handle(profile)
    known.set(profile, made)
    return made
  }
}
