/** Makes pods leave for a more important one: tells them why in their status, deletes them gracefully, and tells users by an event. */
import { type CoreV1, Kinds, PodPhase, Timestamp } from "@reddwarf/api-types"
import { ClientError, ObjectRef } from "@reddwarf/client"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { PodInfo } from "../PodInfo.js"
import type { SchedulerHandle } from "../SchedulerHandle.js"
import type { Candidate } from "./Candidates.js"

/**
 * Type and reason of the condition that a pod gets when it has to leave.
 *
 * @category constants
 */
export const condition = { type: "DisruptionTarget", reason: "PreemptionByScheduler" }

/**
 * Whether a pod is on its way out because a more important one needs its room.
 *
 * @category combinators
 */
export const isLeaving = ({ pod }: PodInfo): boolean => {
  const found = PodPhase.condition(pod, condition.type)
  return PodPhase.isTerminating(pod) && found?.status === "True" && found.reason === condition.reason
}

/** Writing the condition meets other writers of the status; after this many conflicts the pod is deleted without it. */
const writeAttempts = 5

const announce = (handle: SchedulerHandle, victim: PodInfo, scheduler: string, attemptsLeft: number): Effect.Effect<void, ClientError.ClientError> =>
  Effect.gen(function*() {
    const ref = ObjectRef.of(victim.pod)
    const stored = yield* handle.client.get(Kinds.pod, ref)
    const now = yield* Clock.currentTimeMillis
    const old = PodPhase.condition(stored, condition.type)
    const { resourceVersion, uid } = stored.metadata
    if (uid !== victim.pod.metadata.uid || (old?.status === "True" && old.reason === condition.reason)) return
    const others: ReadonlyArray<CoreV1.PodCondition> = (stored.status?.conditions ?? []).filter(({ type }) => type !== condition.type)
    const next: CoreV1.PodCondition = {
      ...condition,
      status: "True",
      message: `${scheduler}: preempting to accommodate a higher priority pod`,
      lastTransitionTime: Timestamp.secondsFromMillis(now)
    }
    // A merge patch replaces the list, so it must not be applied to another version than the one it was made from.
    const change = { metadata: { uid, resourceVersion }, status: { conditions: [...others, next] } }
    yield* handle.client.patch(Kinds.pod, ref, change, { subresource: "status" }).pipe(
      Effect.asVoid,
      Effect.catchIf((error) => ClientError.isConflict(error), (error) =>
        attemptsLeft > 1 ? announce(handle, victim, scheduler, attemptsLeft - 1) : Effect.logWarning("a preempted pod could not be told why", error))
    )
  })

const remove = (handle: SchedulerHandle, victim: PodInfo, preemptor: PodInfo, node: string): Effect.Effect<void, ClientError.ClientError> => {
  const reason = `Preempted by pod ${preemptor.pod.metadata.uid ?? preemptor.key} on node ${node}`
  const event = handle.event(victim.pod, "Normal", "Preempted", reason, "Preempting")
  const waiting = handle.waiting.get(victim.id)
  // A pod that is not bound yet only goes back to the queue.
  if (waiting !== undefined) return Effect.zipRight(Effect.sync(() => waiting.reject("DefaultPreemption", "preempted")), event)
  const scheduler = preemptor.pod.spec?.schedulerName ?? "default-scheduler"
  const { uid } = victim.pod.metadata
  return announce(handle, victim, scheduler, writeAttempts).pipe(
    Effect.zipRight(handle.client.delete(Kinds.pod, ObjectRef.of(victim.pod), uid === undefined ? {} : { preconditions: { uid } })),
    Effect.zipRight(event),
    // Gone by itself, or replaced by another pod of the same name: the room is free either way.
    Effect.catchIf((error) => ClientError.isNotFound(error) || ClientError.isConflict(error), () => Effect.void)
  )
}

/**
 * Makes all victims of a candidate leave, at most 16 at a time. The pods of lower priority that had been promised room on that node lose the
 * promise: it may not be there any more.
 *
 * @category combinators
 */
export const run = (
  handle: SchedulerHandle,
  preemptor: PodInfo,
  { node, victims }: Candidate,
  nominated: ReadonlyArray<PodInfo>
): Effect.Effect<void, ClientError.ClientError> =>
  Effect.forEach(victims.pods, (victim) => remove(handle, victim, preemptor, node), { concurrency: 16, discard: true }).pipe(
    Effect.zipRight(Effect.forEach(
      nominated.filter(({ id, priority }) => priority < preemptor.priority && id !== preemptor.id),
      (pod) => handle.clearNomination(pod),
      { discard: true }
    ))
  )
