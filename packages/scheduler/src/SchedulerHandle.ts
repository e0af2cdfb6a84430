/** What a plugin may do with the scheduler it runs in, from `reserve` on and in `postFilter`. */
import type { ApiClient, EventRecorder } from "@reddwarf/client"
import type * as Effect from "effect/Effect"
import type { Listers } from "./Listers.js"
import type { PodInfo } from "./PodInfo.js"
import type { WaitingPods } from "./WaitingPods.js"

/**
 * The running scheduler, as its plugins see it.
 *
 * @category models
 */
export interface SchedulerHandle {
  readonly client: ApiClient.Service
  readonly listers: Listers
  readonly waiting: WaitingPods
  /** Pods of the cluster that wait for a node, of this scheduler's profiles: those in flight included, those that wait in `waiting` too. */
  readonly pending: () => ReadonlyArray<PodInfo>
  /** Earns waiting pods another attempt at once, back-off or not; ids that do not wait are left out. */
  readonly activate: (ids: Iterable<string>) => void
  /** Takes back the claim of a nominated pod, here and in its status, and lets it try again. */
  readonly clearNomination: (pod: PodInfo) => Effect.Effect<void>
  /** Records an event in the name of the profile's scheduler. */
  readonly event: EventRecorder.Service["event"]
  /** Runs work in the background as long as the scheduler runs; at most 64 at a time, more wait. A failure is logged. */
  readonly fork: (work: Effect.Effect<void, Error>) => Effect.Effect<void>
}
