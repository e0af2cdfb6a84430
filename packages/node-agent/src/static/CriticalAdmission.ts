/**
 * Which pods have to go so that a critical static pod can begin, by the rules of a kubelet: as few as possible, first those that asked for
 * nothing, last those that asked for all they may use. Pure.
 */
import { type CoreV1, PodResources } from "@reddwarf/api-types"
import * as EvictionRanking from "../eviction/EvictionRanking.js"

/** Reason of a pod that was ended for another one, and of the event about it. @category models */
export const reason = "Preempting"

/** What users are told about such a pod. @category models */
export const message = "Preempted in order to admit critical pod"

/** What controllers are told about it. @category models */
export const disruption = "Pod was preempted by Kubelet to accommodate a critical pod."

/** Amounts by the names that pods use for them. @category models */
export type Amounts = Readonly<Record<"cpu" | "memory" | "ephemeral-storage" | "pods", number>>

/** What a pod holds of the node. @category constructors */
export const amountsOf = (pod: CoreV1.Pod): Amounts => {
  const { cpuMillis, ephemeralStorageBytes, memoryBytes } = PodResources.requests({ ...pod, status: {} })
  return { cpu: cpuMillis, memory: memoryBytes, "ephemeral-storage": ephemeralStorageBytes, pods: 1 }
}

/** What is short, and by how much. @category models */
export type Shortage = Partial<Amounts>

const names = ["cpu", "memory", "ephemeral-storage", "pods"] as const

/** Priority from which on a pod is part of the system. */
const systemCritical = 2_000_000_000

/** Whether others give way to a pod: one of `system-cluster-critical` or `system-node-critical`. @category combinators */
export const isCritical = ({ spec }: CoreV1.Pod): boolean => (spec?.priority ?? 0) >= systemCritical

/** Whether a pod may be ended for a critical one: those of the system only where both say how important they are, and it is the lesser. */
const mayGo = (pod: CoreV1.Pod, critical: CoreV1.Pod): boolean =>
  !EvictionRanking.isCritical(pod) || (pod.spec?.priority !== undefined && (critical.spec?.priority ?? 0) > pod.spec.priority)

const without = (shortage: Shortage, pods: ReadonlyArray<CoreV1.Pod>): Shortage => {
  const freed = pods.map(amountsOf)
  return Object.fromEntries(names.flatMap((name) => {
    const left = (shortage[name] ?? 0) - freed.reduce((sum, amounts) => sum + amounts[name], 0)
    return left > 0 ? [[name, left] as const] : []
  }))
}

const isEmpty = (shortage: Shortage): boolean => names.every((name) => (shortage[name] ?? 0) <= 0)

/** How far a pod alone is from filling the gap, each amount by its share; 0 fills it. */
const distance = (shortage: Shortage, pod: CoreV1.Pod): number => {
  const amounts = amountsOf(pod)
  return names.reduce((sum, name) => {
    const wanted = shortage[name] ?? 0
    const left = wanted - amounts[name]
    return left > 0 ? sum + (left / wanted) ** 2 : sum
  }, 0)
}

/** Of two that do equally well, the one that asked for less. */
const smallerFirst = (a: CoreV1.Pod, b: CoreV1.Pod): number => {
  const [left, right] = [amountsOf(a), amountsOf(b)]
  return left.memory - right.memory || left.cpu - right.cpu || ((a.metadata.uid ?? "") < (b.metadata.uid ?? "") ? -1 : 1)
}

const nearest = (pods: ReadonlyArray<CoreV1.Pod>, shortage: Shortage): ReadonlyArray<CoreV1.Pod> => {
  const chosen: Array<CoreV1.Pod> = []
  let left = shortage
  let others = pods
  while (!isEmpty(left) && others.length > 0) {
    const wanted = left
    const [best] = others.toSorted((a, b) => distance(wanted, a) - distance(wanted, b) || smallerFirst(a, b))
    if (best === undefined) break
    chosen.push(best)
    others = others.filter((other) => other !== best)
    left = without(left, [best])
  }
  return chosen
}

/**
 * The pods that go, in the order in which they are ended; undefined when all that may go would not be enough: then none is ended.
 *
 * @category combinators
 */
export const victims = (
  critical: CoreV1.Pod,
  running: ReadonlyArray<CoreV1.Pod>,
  shortage: Shortage
): ReadonlyArray<CoreV1.Pod> | undefined => {
  const candidates = running.filter((pod) => mayGo(pod, critical))
  if (!isEmpty(without(shortage, candidates))) return undefined
  const of = (wanted: string) => candidates.filter((pod) => PodResources.qosClass({ ...pod, status: {} }) === wanted)
  const [bestEffort, burstable, guaranteed] = [of("BestEffort"), of("Burstable"), of("Guaranteed")]
  const lastOnes = nearest(guaranteed, without(shortage, [...bestEffort, ...burstable]))
  const middle = nearest(burstable, without(shortage, [...bestEffort, ...lastOnes]))
  const firstOnes = nearest(bestEffort, without(shortage, [...middle, ...lastOnes]))
  return [...firstOnes, ...middle, ...lastOnes]
}
