/** What a StatefulSet says of its pods. Pure. */
import { type AppsV1, type CoreV1, PodPhase } from "@reddwarf/api-types"
import { isAvailable } from "./availability.js"
import * as pods from "./statefulSetPods.js"

type Status = AppsV1.StatefulSetStatus

/** Names of the revision that the set came from, and of the one it goes to. */
export interface Revisions {
  readonly current: string
  readonly update: string
  readonly collisions: number | undefined
}

/** The revisions that a set said last. */
export const revisionsOf = ({ status }: AppsV1.StatefulSet): Revisions => ({
  current: status?.currentRevision ?? "",
  update: status?.updateRevision ?? "",
  collisions: status?.collisionCount
})

export const describe = (set: AppsV1.StatefulSet, all: ReadonlyArray<CoreV1.Pod>, revisions: Revisions, now: number): Status => {
  const ready = all.filter(pods.isReady)
  const of = (revision: string) => all.filter((pod) => !PodPhase.isTerminating(pod) && pods.revisionOf(pod) === revision).length
  const updatedReplicas = of(revisions.update)
  // The update is over: where it went is where the next one comes from.
  const isComplete = set.spec?.updateStrategy?.type !== "OnDelete" && updatedReplicas === all.length && ready.length === all.length &&
    all.length === pods.replicas(set)
  return {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: all.length,
    readyReplicas: ready.length,
    currentReplicas: isComplete ? updatedReplicas : of(revisions.current),
    updatedReplicas,
    currentRevision: isComplete ? revisions.update : revisions.current,
    updateRevision: revisions.update,
    collisionCount: revisions.collisions ?? 0,
    ...(set.status?.conditions === undefined ? {} : { conditions: set.status.conditions }),
    availableReplicas: ready.filter((pod) => isAvailable(pod, set.spec?.minReadySeconds ?? 0, now)).length
  }
}

const numbers = [
  "observedGeneration", "replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas", "collisionCount"
] as const

/** Whether two statuses say the same; numbers that are 0 may be left out. */
export const isSame = (a: Status | undefined, b: Status): boolean =>
  a !== undefined && numbers.every((name) => (a[name] ?? 0) === (b[name] ?? 0)) && a.currentRevision === b.currentRevision && a.updateRevision === b.updateRevision
