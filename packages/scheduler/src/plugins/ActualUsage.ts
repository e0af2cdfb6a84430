/**
 * Prefers nodes that really have room: scores by what a node uses according to its measurements, where that is more than its pods request. Requests
 * are the floor, so pods that have just been placed count before they use anything. A node without measurements is scored by requests alone.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as MeasuredUsage from "../MeasuredUsage.js"
import type { NodeInfo } from "../NodeInfo.js"
import * as PluginFactory from "../PluginFactory.js"
import type { PodInfo } from "../PodInfo.js"
import type { SchedulerPlugin } from "../SchedulerPlugin.js"
import * as Scores from "../Scores.js"

/**
 * `halfLifeSeconds`: after this time a measurement counts half as much, both beside newer ones and when there are none any more.
 *
 * @category models
 */
export const Args = Schema.Struct({
  halfLifeSeconds: Schema.optionalWith(Schema.Int.pipe(Schema.between(1, 86_400)), { default: () => 120 })
})

/**
 * @category models
 */
export type Args = typeof Args.Type

const share = (used: number, wanted: number, total: number): number => Math.max(0, (total - used - wanted) / total)

/** The requests, and the part of the measured use beyond them that still counts. */
const effective = (measured: number, requested: number, weight: number): number => requested + Math.max(0, measured - requested) * weight

/**
 * The mean over CPU and memory of the share, 0 to 100, that the node would really have left with the pod on it.
 *
 * @category combinators
 */
export const score = (
  { scoringRequests }: PodInfo,
  { allocatable, name, scoringRequested }: NodeInfo,
  usage: MeasuredUsage.MeasuredUsage,
  halfLifeMillis: number
): number => {
  if (allocatable.cpuMillis <= 0 || allocatable.memoryBytes <= 0) return 0
  const measured = usage.of(name)
  const weight = measured === undefined ? 0 : 0.5 ** (Math.max(0, usage.now() - measured.measuredAt) / halfLifeMillis)
  const cpu = effective(measured?.cpuMillis ?? 0, scoringRequested.cpuMillis, weight)
  const memory = effective(measured?.memoryBytes ?? 0, scoringRequested.memoryBytes, weight)
  const free = share(cpu, scoringRequests.cpuMillis, allocatable.cpuMillis) + share(memory, scoringRequests.memoryBytes, allocatable.memoryBytes)
  return Math.floor(Scores.max * free / 2)
}

/**
 * The plugin over these measurements.
 *
 * @category constructors
 */
export const plugin = (usage: MeasuredUsage.MeasuredUsage, halfLife: Duration.DurationInput): SchedulerPlugin => {
  const millis = Duration.toMillis(halfLife)
  return { name: "ActualUsage", requeueOn: [], score: (pod, node) => score(pod, node, usage, millis) }
}

/**
 * The plugin as configurations name it: it reads the measurements of the cluster as long as the scheduler runs.
 *
 * @category constructors
 */
export const factory: PluginFactory.PluginFactory = PluginFactory.make({
  name: "ActualUsage",
  args: Args,
  make: ({ halfLifeSeconds }) => {
    const halfLife = Duration.seconds(halfLifeSeconds)
    return Effect.map(MeasuredUsage.make({ halfLife }), (usage) => plugin(usage, halfLife))
  }
})
