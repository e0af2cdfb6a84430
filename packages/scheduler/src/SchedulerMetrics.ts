/** What an operator watches of a scheduler, under the names of kube-scheduler. */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"

const attempts = Metric.counter("scheduler_schedule_attempts_total", {
  description: "Attempts to place a pod, by result and profile",
  incremental: true
})

const attemptSeconds = Metric.histogram(
  "scheduler_scheduling_attempt_duration_seconds",
  MetricBoundaries.exponential({ start: 0.001, factor: 2, count: 15 }),
  "Time of an attempt from the queue to the end of the binding, by result and profile"
)

/**
 * How an attempt ended: the pod has a node, no node was found, or something else failed (a plugin broke, or the binding did).
 *
 * @category models
 */
export type Result = "scheduled" | "unschedulable" | "error"

interface Attempts {
  readonly count: (result: Result) => void
  readonly seconds: (result: Result, value: number) => void
}

const results: ReadonlyArray<Result> = ["scheduled", "unschedulable", "error"]

/**
 * Counts and times the attempts of a profile.
 *
 * @category metrics
 */
export const attemptsOf = (profile: string): Attempts => {
  const tagged = new Map(results.map((result) => [result, {
    counter: attempts.pipe(Metric.tagged("result", result), Metric.tagged("profile", profile)),
    histogram: attemptSeconds.pipe(Metric.tagged("result", result), Metric.tagged("profile", profile))
  }]))
  return {
    count: (result) => tagged.get(result)?.counter.unsafeUpdate(1, []),
    seconds: (result, value) => tagged.get(result)?.histogram.unsafeUpdate(value, [])
  }
}

/**
 * Time to decide for one pod, without the binding, in seconds.
 *
 * @category metrics
 */
export const algorithmSeconds = Metric.histogram(
  "scheduler_scheduling_algorithm_duration_seconds",
  MetricBoundaries.exponential({ start: 0.0001, factor: 2, count: 16 }),
  "Time to choose a node for one pod"
)

const sli = Metric.histogram(
  "scheduler_pod_scheduling_sli_duration_seconds",
  MetricBoundaries.exponential({ start: 0.01, factor: 2, count: 20 }),
  "Time from the first sight of a pod to its binding, by number of attempts"
)
const sliByAttempts = Array.from({ length: 16 }, (_, i) => Metric.tagged(sli, "attempts", i < 15 ? String(i + 1) : "15+"))

const attemptsPerPod = Metric.histogram(
  "scheduler_pod_scheduling_attempts",
  MetricBoundaries.exponential({ start: 1, factor: 2, count: 5 }),
  "Attempts it took to place a pod"
)

/**
 * A pod was bound, after this many attempts and so many seconds.
 *
 * @category metrics
 */
export const placed = (attempts: number, seconds: number): void => {
  sliByAttempts[Math.min(attempts, 16) - 1]?.unsafeUpdate(seconds, [])
  attemptsPerPod.unsafeUpdate(attempts, [])
}

const permitWait = Metric.histogram(
  "scheduler_permit_wait_duration_seconds",
  MetricBoundaries.exponential({ start: 0.001, factor: 2, count: 15 }),
  "Time that plugins held pods back before the binding, by result"
)
const permitWaits = {
  allowed: Metric.tagged(permitWait, "result", "allowed"),
  rejected: Metric.tagged(permitWait, "result", "rejected")
}

/**
 * A pod was held back for so many seconds.
 *
 * @category metrics
 */
export const heldBack = (result: keyof typeof permitWaits, seconds: number): void => permitWaits[result].unsafeUpdate(seconds, [])

const pendingPods = Metric.gauge("scheduler_pending_pods", { description: "Pods without a node, by the place where they wait" })

const gauges = {
  active: Metric.tagged(pendingPods, "queue", "active"),
  backoff: Metric.tagged(pendingPods, "queue", "backoff"),
  unschedulable: Metric.tagged(pendingPods, "queue", "unschedulable"),
  gated: Metric.tagged(pendingPods, "queue", "gated"),
  inFlight: Metric.tagged(pendingPods, "queue", "in_flight")
}

/**
 * Sets the number of pods waiting in one place of the queue.
 *
 * @category metrics
 */
export const pending = (place: keyof typeof gauges, count: number): void => gauges[place].unsafeUpdate(count, [])

const incoming = Metric.counter("scheduler_queue_incoming_pods_total", {
  description: "Pods that came to a place of the queue, by the event that brought them",
  incremental: true
})
const incomingBy = new Map<string, Metric.Metric.Counter<number>>()

/**
 * A pod came to a place of the queue because of this event. Events are few, so there are few counters.
 *
 * @category metrics
 */
export const queued = (place: keyof typeof gauges, event: string): void => {
  const key = `${place} ${event}`
  let counter = incomingBy.get(key)
  if (counter === undefined) {
    counter = incoming.pipe(Metric.tagged("queue", place === "inFlight" ? "in_flight" : place), Metric.tagged("event", event))
    incomingBy.set(key, counter)
  }
  counter.unsafeUpdate(1, [])
}

const cacheSize = Metric.gauge("scheduler_cache_size", { description: "Nodes, pods on them, and pods of these that are assumed" })
const cacheSizes = {
  nodes: Metric.tagged(cacheSize, "type", "nodes"),
  pods: Metric.tagged(cacheSize, "type", "pods"),
  assumed: Metric.tagged(cacheSize, "type", "assumed_pods")
}

/**
 * Sets what is in the cache.
 *
 * @category metrics
 */
export const cached = (size: { readonly nodes: number; readonly pods: number; readonly assumed: number }): void => {
  cacheSizes.nodes.unsafeUpdate(size.nodes, [])
  cacheSizes.pods.unsafeUpdate(size.pods, [])
  cacheSizes.assumed.unsafeUpdate(size.assumed, [])
}

const preemptionAttempts = Metric.counter("scheduler_preemption_attempts_total", {
  description: "Attempts to make room for a pod by making others leave",
  incremental: true
})

const preemptionVictims = Metric.histogram(
  "scheduler_preemption_victims",
  MetricBoundaries.exponential({ start: 1, factor: 2, count: 7 }),
  "Pods that had to leave for one other"
)

/**
 * So many pods have to leave for one other.
 *
 * @category metrics
 */
export const preempted = (victims: number): void => {
  preemptionAttempts.unsafeUpdate(1, [])
  preemptionVictims.unsafeUpdate(victims, [])
}

const extensionPoint = Metric.histogram(
  "scheduler_framework_extension_point_duration_seconds",
  MetricBoundaries.exponential({ start: 0.0001, factor: 2, count: 12 }),
  "Time of all plugins of an extension point, by profile"
)

const extensionPoints = new Map<string, (seconds: number) => void>()

/**
 * Times an extension point of a profile, in seconds. Those within the decision are in `algorithmSeconds`: timing each would cost more than they do.
 *
 * @category metrics
 */
export const extensionPointSeconds = (profile: string, point: "PostFilter" | "Permit" | "Bind", seconds: number): void => {
  const key = `${profile} ${point}`
  let update = extensionPoints.get(key)
  if (update === undefined) {
    const tagged = extensionPoint.pipe(Metric.tagged("profile", profile), Metric.tagged("extension_point", point))
    update = (value) => tagged.unsafeUpdate(value, [])
    extensionPoints.set(key, update)
  }
  update(seconds)
}
