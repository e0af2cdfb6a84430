/**
 * Removes Events some time after they last happened, and the oldest ones when there are too many. Each pass reads page by page and removes
 * a bounded number.
 */
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
  /** Events that are kept at most, whatever their age: 50,000 unless given. */
  readonly maxEvents?: number
  /** Events that are kept at most in one namespace, so that a busy one does not drive out the others': 10,000 unless given. */
  readonly maxPerNamespace?: number
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

/** What is remembered of an Event during a pass. */
interface Known {
  readonly name: string
  readonly namespace: string | undefined
  readonly uid: string | undefined
  readonly resourceVersion: string | undefined
  readonly seenMillis: number
}

const knownOf = (event: CoreV1.Event): Known => {
  const { name = "", namespace, resourceVersion, uid } = event.metadata
  return { name, namespace, uid, resourceVersion, seenMillis: lastSeen(event) }
}

/** The Events that are too many, the oldest first: in their namespace, or in all. */
const surplusOf = (kept: Array<Known>, maxEvents: number, maxPerNamespace: number): ReadonlyArray<Known> => {
  kept.sort((a, b) => b.seenMillis - a.seenMillis)
  const perNamespace = new Map<string | undefined, number>()
  let total = 0
  return kept.filter(({ namespace }) => {
    const inNamespace = (perNamespace.get(namespace) ?? 0) + 1
    if (total >= maxEvents || inNamespace > maxPerNamespace) return true
    perNamespace.set(namespace, inNamespace)
    total++
    return false
  }).toReversed()
}

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
  const maxEvents = options.maxEvents ?? 50_000
  const maxPerNamespace = options.maxPerNamespace ?? 10_000
  const removals = Metric.tagged(ControllerMetrics.removals, "controller", "event-collector")

  const remove = ({ name, namespace, resourceVersion, uid }: Known) =>
    // With the version as precondition: an Event that has just happened again stays.
    client.delete(Kinds.event, { namespace, name }, { preconditions: { uid, resourceVersion } }).pipe(
      Effect.tap(() => Effect.sync(() => removals.unsafeUpdate(1, []))),
      Effect.catchIf((error) => ClientError.isNotFound(error) || ClientError.isConflict(error), () => Effect.void)
    )

  const removeAll = (events: ReadonlyArray<Known>) => Effect.forEach(events, remove, { concurrency, discard: true })

  /** Removes expired Events page by page and gives those that stay. */
  const expire = (budget: number, kept: Array<Known>, token?: string): Effect.Effect<number, ClientError.ClientError> =>
    Effect.gen(function*() {
      const page = yield* client.list(Kinds.event, { limit: pageSize, continue: token })
      const oldest = clock.unsafeCurrentTimeMillis() - ttlMillis
      const known = page.items.map(knownOf)
      const expired = known.filter((event) => event.seenMillis <= oldest).slice(0, budget)
      for (const event of known) if (event.seenMillis > oldest) kept.push(event)
      yield* removeAll(expired)
      const left = budget - expired.length
      return page.continue !== undefined && left > 0 ? yield* expire(left, kept, page.continue) : left
    })

  const collect = Effect.suspend(() => {
    const kept: Array<Known> = []
    return Effect.flatMap(expire(maxRemovals, kept), (left) => removeAll(surplusOf(kept, maxEvents, maxPerNamespace).slice(0, left)))
  })

  yield* Reconciler.periodic({ name: "event-collector", every: options.every ?? "1 minute", pass: collect })
})
