/**
 * Ends pods when the node runs short of memory, space or processes, one after the other, until it does not any more.
 *
 * Nothing is ended because something could not be measured, and no pod while the one chosen before it is still ending.
 */
import { type CoreV1, PodPhase } from "@reddwarf/api-types"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import type { Rejection } from "../pod/PodAdmission.js"
import * as EvictionRanking from "./EvictionRanking.js"
import * as EvictionThresholds from "./EvictionThresholds.js"

const evictions = Metric.counter("kubelet_evictions", { description: "Pods ended because the node ran short, by signal", incremental: true })

/** Why a pod was ended by its node. @category models */
export interface Verdict {
  readonly reason: string
  readonly message: string
}

/** @category models */
export interface Options {
  readonly thresholds: ReadonlyArray<EvictionThresholds.Threshold>
  /** How often the node is looked at. Default 10 seconds. */
  readonly interval?: Duration.DurationInput
  /** How long a shortage counts after it is over. Default 5 minutes. */
  readonly transitionPeriod?: Duration.DurationInput
  /** The pods of this node. */
  readonly pods: () => ReadonlyArray<CoreV1.Pod>
  /** Looks at the node. */
  readonly observe: Effect.Effect<EvictionThresholds.Observations>
  /** What pods use, by uid. What cannot be measured is absent. */
  readonly usage: (signal: EvictionThresholds.Signal) => Effect.Effect<ReadonlyMap<string, EvictionRanking.Usage>>
  /** Gives back space that no pod needs, before any pod is ended for it. */
  readonly reclaim: Effect.Effect<void>
  /** Ends a pod for good. */
  readonly end: (pod: CoreV1.Pod, verdict: Verdict) => Effect.Effect<void>
  /** Whether a pod is ending, or has ended. */
  readonly isEnding: (pod: CoreV1.Pod) => Effect.Effect<boolean>
  /** Hears that the shortages are others now. */
  readonly onChange: Effect.Effect<void>
}

/** @category models */
export interface Eviction {
  /** What the node is, or was a short while ago, short of. */
  readonly pressures: () => ReadonlySet<EvictionThresholds.Signal>
  /** Why the node does not begin with a pod now; undefined when it does. */
  readonly rejection: (pod: CoreV1.Pod) => Rejection | undefined
  /** One look, and what follows from it. */
  readonly pass: Effect.Effect<void>
  /** Looks for as long as it runs. */
  readonly run: Effect.Effect<never>
}

const conditionOf: Readonly<Record<EvictionThresholds.Signal, string>> = {
  "memory.available": "MemoryPressure",
  "nodefs.available": "DiskPressure",
  "pid.available": "PIDPressure"
}

/** Memory first: it is what the whole host stops for. */
const urgency: ReadonlyArray<EvictionThresholds.Signal> = ["memory.available", "nodefs.available", "pid.available"]

/** A pod that was chosen and does not end is not waited for longer than this. */
const patienceMillis = 30_000

const tolerates = (pod: CoreV1.Pod, taint: string): boolean =>
  (pod.spec?.tolerations ?? []).some(({ effect, key, operator }) =>
    (effect === undefined || effect === "" || effect === "NoSchedule") && (key === taint || ((key ?? "") === "" && operator === "Exists")))

/**
 * Pods that ask for some memory may begin while it is short: they are ended last. Space and processes are taken by every pod.
 *
 * @category combinators
 */
export const rejectionFor = (pressures: ReadonlySet<EvictionThresholds.Signal>, pod: CoreV1.Pod): Rejection | undefined => {
  if (pressures.size === 0 || EvictionRanking.isCritical(pod)) return undefined
  const bestEffort = pod.status?.qosClass === "BestEffort" && !tolerates(pod, "node.kubernetes.io/memory-pressure")
  const counting = urgency.filter((signal) => pressures.has(signal) && (signal !== "memory.available" || bestEffort))
  return counting.length === 0
    ? undefined
    : { reason: "Evicted", message: `The node had condition: [${counting.map((signal) => conditionOf[signal]).join(" ")}]. ` }
}

/**
 * Nothing is short at the beginning.
 *
 * @category constructors
 */
export const make = (options: Options): Eviction => {
  const transition = Duration.toMillis(options.transitionPeriod ?? "5 minutes")
  /** When each was last short, milliseconds since the epoch. */
  const lastMet = new Map<EvictionThresholds.Signal, number>()
  let pressures: ReadonlySet<EvictionThresholds.Signal> = new Set()
  let chosen: { readonly uid: string; readonly since: number } | undefined

  const remember = (met: ReadonlyArray<EvictionThresholds.Threshold>, now: number) =>
    Effect.suspend(() => {
      for (const { signal } of met) lastMet.set(signal, now)
      const next = new Set([...lastMet].filter(([, at]) => now - at < transition).map(([signal]) => signal))
      const changed = next.size !== pressures.size || [...next].some((signal) => !pressures.has(signal))
      pressures = next
      return changed ? options.onChange : Effect.void
    })

  const waits = (active: ReadonlyArray<CoreV1.Pod>, now: number) => {
    const pod = chosen === undefined ? undefined : active.find(({ metadata }) => metadata.uid === chosen?.uid)
    return chosen !== undefined && pod !== undefined && now - chosen.since < patienceMillis
  }

  const endOne = (threshold: EvictionThresholds.Threshold, observed: EvictionThresholds.Observation, active: ReadonlyArray<CoreV1.Pod>, now: number) =>
    Effect.gen(function*() {
      const usage = yield* options.usage(threshold.signal)
      const ending = yield* Effect.filter(active, options.isEnding)
      const candidates = active.filter((pod) => !ending.includes(pod)).map((pod) => ({ pod, usage: usage.get(pod.metadata.uid ?? "") }))
      const [first] = EvictionRanking.rank(threshold.signal, candidates)
      if (first === undefined) {
        yield* Effect.logWarning("the node is short and no pod may be ended for it").pipe(Effect.annotateLogs({ signal: threshold.signal }))
        return
      }
      chosen = { uid: first.pod.metadata.uid ?? "", since: now }
      yield* options.end(first.pod, { reason: "Evicted", message: EvictionRanking.message(threshold, observed, first) })
      yield* Metric.increment(Metric.tagged(evictions, "eviction_signal", threshold.signal))
    })

  const pass = Effect.gen(function*() {
    const first = yield* options.observe
    const metFirst = EvictionThresholds.met(options.thresholds, first)
    const now = yield* Clock.currentTimeMillis
    yield* remember(metFirst, now)
    if (metFirst.length === 0) return
    const active = options.pods().filter((pod) => !PodPhase.isTerminal(pod) && !PodPhase.isTerminating(pod))
    if (waits(active, now)) return
    const short = metFirst.some(({ signal }) => signal === "nodefs.available")
    const observed = short ? yield* Effect.zipRight(options.reclaim, options.observe) : first
    const met = short ? EvictionThresholds.met(options.thresholds, observed) : metFirst
    const threshold = urgency.flatMap((signal) => met.filter((one) => one.signal === signal))[0]
    const observation = threshold === undefined ? undefined : observed[threshold.signal]
    if (threshold !== undefined && observation !== undefined) yield* endOne(threshold, observation, active, now)
  })

  const interval = options.interval ?? "10 seconds"
  return {
    pressures: () => pressures,
    rejection: (pod) => rejectionFor(pressures, pod),
    pass,
    run: pass.pipe(
      Effect.catchAllCause((cause) => Effect.logWarning("looking for shortages failed; the next look comes", cause)),
      Effect.repeat(Schedule.spaced(interval)),
      Effect.zipRight(Effect.never)
    )
  }
}
