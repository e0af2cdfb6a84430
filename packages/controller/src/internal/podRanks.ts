/** Which pods of a set go first when there are too many. Pure. */
import { type CoreV1, PodPhase, Timestamp } from "@reddwarf/api-types"

const costAnnotation = "controller.kubernetes.io/pod-deletion-cost"

const phases: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 }

const largestCost = 2 ** 31 - 1

/** What an operator says the loss of this pod costs; 0 unless it is a whole number of 32 bits. */
const cost = (pod: CoreV1.Pod): number => {
  const text = pod.metadata.annotations?.[costAnnotation] ?? "0"
  const value = /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : 0
  return value <= largestCost && value >= -largestCost - 1 ? value : 0
}

const restarts = (pod: CoreV1.Pod): number => Math.max(0, ...(pod.status?.containerStatuses ?? []).map(({ restartCount }) => restartCount))

const millis = (time: string | undefined): number => Timestamp.toMillis(time) ?? 0

const readySince = (pod: CoreV1.Pod): number => (PodPhase.isReady(pod) ? millis(PodPhase.condition(pod, "Ready")?.lastTransitionTime) : 0)

/** How much a pod is worth by each rule, the first rule that differs decides; less worth goes first. */
const worth = (pod: CoreV1.Pod, neighbours: number): ReadonlyArray<number> => [
  PodPhase.isBound(pod) ? 1 : 0,
  phases[pod.status?.phase ?? "Pending"] ?? 1,
  PodPhase.isReady(pod) ? 1 : 0,
  cost(pod),
  -neighbours,
  -readySince(pod),
  -restarts(pod),
  -millis(pod.metadata.creationTimestamp)
]

/**
 * The pods, those that go first at the front: unplaced before placed, pending before running, not ready before ready, cheap before dear,
 * then those on nodes with many `related` pods, those ready for a shorter time, those that restarted more, and the newer ones.
 */
export const deletionOrder = (pods: ReadonlyArray<CoreV1.Pod>, related: ReadonlyArray<CoreV1.Pod>): ReadonlyArray<CoreV1.Pod> => {
  const onNode = new Map<string, number>()
  for (const { spec } of related) onNode.set(spec?.nodeName ?? "", (onNode.get(spec?.nodeName ?? "") ?? 0) + 1)
  const ranked = pods.map((pod) => ({ pod, values: worth(pod, PodPhase.isBound(pod) ? onNode.get(pod.spec?.nodeName ?? "") ?? 0 : 0) }))
  ranked.sort((a, b) => {
    for (const [index, value] of a.values.entries()) {
      const difference = value - (b.values[index] ?? 0)
      if (difference !== 0) return difference
    }
    return 0
  })
  return ranked.map(({ pod }) => pod)
}
