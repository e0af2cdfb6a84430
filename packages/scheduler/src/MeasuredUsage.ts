/** What nodes really use, smoothed over time: from `metrics.k8s.io`. */
import { Kinds, type MetricsV1beta1, Quantity, Timestamp } from "@reddwarf/api-types"
import { ApiClient, ClientError } from "@reddwarf/client"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"

/**
 * CPU in thousandths of a core and memory in bytes, and when it was measured, in milliseconds since the epoch.
 *
 * @category models
 */
export interface Usage {
  readonly cpuMillis: number
  readonly memoryBytes: number
  readonly measuredAt: number
}

/**
 * The usage of nodes by name; absent for nodes that are not measured.
 *
 * @category models
 */
export interface MeasuredUsage {
  readonly of: (node: string) => Usage | undefined
  /** Now, in milliseconds since the epoch. */
  readonly now: () => number
}

/**
 * The next smoothed value: an older value counts half as much with every half-life that has passed since. A measurement that is not newer changes nothing.
 *
 * @category combinators
 */
export const smoothed = (before: Usage | undefined, next: Usage, halfLifeMillis: number): Usage => {
  if (before === undefined) return next
  const passed = next.measuredAt - before.measuredAt
  if (passed <= 0) return before
  const weight = 0.5 ** (passed / halfLifeMillis)
  return {
    cpuMillis: before.cpuMillis * weight + next.cpuMillis * (1 - weight),
    memoryBytes: before.memoryBytes * weight + next.memoryBytes * (1 - weight),
    measuredAt: next.measuredAt
  }
}

const usageOf = ({ timestamp, usage }: MetricsV1beta1.NodeMetrics): Usage | undefined => {
  const measuredAt = Timestamp.toMillis(timestamp)
  return measuredAt === undefined ? undefined : {
    cpuMillis: Quantity.toMillis(Quantity.fromText(usage["cpu"])),
    memoryBytes: Quantity.toNumber(Quantity.fromText(usage["memory"])),
    measuredAt
  }
}

/**
 * How fast old values fade, and how often the measurements are read.
 *
 * @category models
 */
export interface Options {
  readonly halfLife: Duration.DurationInput
  /** 15 seconds unless given. */
  readonly interval?: Duration.DurationInput
}

/**
 * Reads the measurements again and again as long as the scope. A server without them leaves everything unmeasured; nodes that are not in the
 * answer any more are forgotten.
 *
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<MeasuredUsage, never, ApiClient.ApiClient | Scope.Scope> =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    const clock = yield* Effect.clock
    const halfLife = Duration.toMillis(options.halfLife)
    let known: ReadonlyMap<string, Usage> = new Map()

    const read = Effect.map(client.list(Kinds.nodeMetrics), ({ items }) => {
      const next = new Map<string, Usage>()
      for (const item of items) {
        const name = item.metadata.name ?? ""
        const usage = usageOf(item)
        if (usage !== undefined) next.set(name, smoothed(known.get(name), usage, halfLife))
      }
      known = next
    }).pipe(
      Effect.timeoutOption("10 seconds"),
      Effect.catchAll((error) =>
        ClientError.isNotFound(error) ? Effect.void : Effect.logDebug("the usage of nodes cannot be read", error))
    )
    yield* Effect.forkScoped(Effect.repeat(read, Schedule.spaced(options.interval ?? "15 seconds")))
    return { of: (node) => known.get(node), now: () => clock.unsafeCurrentTimeMillis() }
  })
