/** Since when a pod serves. */
import { type CoreV1, PodPhase, Timestamp } from "@reddwarf/api-types"

/** Milliseconds until a ready pod counts as available, 0 if it does; undefined if it is not ready. */
export const untilAvailable = (pod: CoreV1.Pod, minReadySeconds: number, now: number): number | undefined => {
  const ready = PodPhase.condition(pod, "Ready")
  if (ready?.status !== "True") return undefined
  const since = Timestamp.toMillis(ready.lastTransitionTime)
  return minReadySeconds === 0 ? 0 : since === undefined ? 1000 * minReadySeconds : Math.max(0, since + 1000 * minReadySeconds - now)
}

/** The pod has been ready for this long. */
export const isAvailable = (pod: CoreV1.Pod, minReadySeconds: number, now: number): boolean => untilAvailable(pod, minReadySeconds, now) === 0

/** Milliseconds until the next of these pods becomes available; undefined if only a change can bring that. */
export const nextAvailable = (pods: ReadonlyArray<CoreV1.Pod>, minReadySeconds: number, now: number): number | undefined => {
  const waits = pods.flatMap((pod) => untilAvailable(pod, minReadySeconds, now) ?? []).filter((wait) => wait > 0)
  return waits.length === 0 ? undefined : Math.min(...waits)
}
