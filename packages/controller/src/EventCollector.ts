/** Removes Events some time after they last happened. Each pass reads page by page and removes a bounded number, oldest pages first. */
import { type CoreV1, Kinds, Timestamp } from "@reddwarf/api-types"
import { ApiClient, ClientError } from "@reddwarf/client"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"
import * as ControllerMetrics from "./ControllerMetrics.js"
import * as Reconciler from "./Reconciler.js"

/**
 * How long events are kept, and how fast old ones go.
 *
 * @category models
 */
export interface Options {
  /** How long an Event is kept after it last happened: 1 hour unless given. */
  readonly ttl?: Duration.DurationInput
  /** Time between passes: 1 minute unless given. */
  readonly every?: Duration.DurationInput
  /** Events that one pass removes at most: 2,000 unless given. */
  readonly maxRemovals?: number
}

const pageSize = 500
const concurrency = 4

/** When an Event last happened, in milliseconds since the epoch. */
const lastSeen = (event: CoreV1.Event): number =>
  Math.max(
    ...[event.metadata.creationTimestamp, event.firstTimestamp, event.lastTimestamp, event.eventTime, event.series?.lastObservedTime]
      .map((time) => Timestamp.toMillis(time) ?? 0)
  )

/**
 * Starts the controller, which then runs as long as the scope.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<void, never, ApiClient.ApiClient | Scope.Scope> {
  const client = yield* ApiClient.ApiClient
  const clock = yield* Effect.clock
  const ttlMillis = Duration.toMillis(options.ttl ?? "1 hour")
  const maxRemovals = options.maxRemovals ?? 2000
  const removals = Metric.tagged(ControllerMetrics.removals, "controller", "event-collector")

  const remove = (event: CoreV1.Event) => {
    const { name = "", namespace, resourceVersion, uid } = event.metadata
    // With the version as precondition: an Event that has just happened again stays.
    return client.delete(Kinds.event, { namespace, name }, { preconditions: { uid, resourceVersion } }).pipe(
      Effect.tap(() => Effect.sync(() => removals.unsafeUpdate(1, []))),
      Effect.catchIf((error) => ClientError.isNotFound(error) || ClientError.isConflict(error), () => Effect.void)
    )
  }

  const collect = (budget: number, token?: string): Effect.Effect<void, ClientError.ClientError> =>
    Effect.gen(function*() {
      const page = yield* client.list(Kinds.event, { limit: pageSize, continue: token })
      const oldest = clock.unsafeCurrentTimeMillis() - ttlMillis
      const expired = page.items.filter((event) => lastSeen(event) <= oldest).slice(0, budget)
      yield* Effect.forEach(expired, remove, { concurrency, discard: true })
      const left = budget - expired.length
      if (page.continue !== undefined && left > 0) yield* collect(left, page.continue)
    })

  yield* Reconciler.periodic({ name: "event-collector", every: options.every ?? "1 minute", pass: collect(maxRemovals) })
})
