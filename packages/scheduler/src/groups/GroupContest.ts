/** Which of several pod groups goes first when each holds room that another one needs. */
import { Timestamp } from "@reddwarf/api-types"
import * as CycleState from "../CycleState.js"
import type { PodInfo } from "../PodInfo.js"
import type { SchedulerHandle } from "../SchedulerHandle.js"
import type { WaitingPod } from "../WaitingPods.js"
import * as PodGroup from "./PodGroup.js"

/** Where a group stands: higher priority first, then the older, then by name. */
interface Rank {
  readonly key: string
  readonly priority: number
  readonly since: number
}

const comesFirst = (a: Rank, b: Rank): boolean =>
  a.priority !== b.priority ? a.priority > b.priority : a.since !== b.since ? a.since < b.since : a.key < b.key

const createdAt = ({ pod }: PodInfo): number => Timestamp.toMillis(pod.metadata.creationTimestamp) ?? 0

const rankOf = (key: string, members: ReadonlyArray<PodInfo>): Rank => ({
  key,
  priority: members.reduce((highest, { priority }) => Math.max(highest, priority), -Infinity),
  since: members.reduce((first, pod) => Math.min(first, createdAt(pod)), Infinity)
})

/**
 * Whether a pod is of the group of this key.
 *
 * @category combinators
 */
export const isOf = (key: string) => (pod: PodInfo): boolean => PodGroup.of(pod)?.key === key

/**
 * The pods of a group that hold room and wait for the others.
 *
 * @category combinators
 */
export const waitingOf = (handle: SchedulerHandle, key: string): ReadonlyArray<WaitingPod> =>
  handle.waiting.list().filter(({ pod }) => isOf(key)(pod))

/**
 * The group that has to give its room to this pod's group: of those that hold room and come after it, the last. None for pods without a group,
 * which take no part in this.
 *
 * @category combinators
 */
export const loser = (handle: SchedulerHandle, pod: PodInfo): string | undefined => {
  const key = PodGroup.of(pod)?.key
  if (key === undefined) return undefined
  const holders = new Set(handle.waiting.list().flatMap((waiting) => PodGroup.of(waiting.pod)?.key ?? []))
  holders.delete(key)
  if (holders.size === 0) return undefined
  const pending = handle.pending()
  let last = rankOf(key, [pod, ...pending.filter(isOf(key))])
  for (const holder of holders) {
    const rank = rankOf(holder, pending.filter(isOf(holder)))
    if (comesFirst(last, rank)) last = rank
  }
  return last.key === key ? undefined : last.key
}

/**
 * Set in an attempt that found no node when pods are leaving for the pod already: its group need not give up.
 *
 * @category constants
 */
export const roomIsComing: CycleState.Key<boolean> = CycleState.key("GroupContest/roomIsComing", () => false)
