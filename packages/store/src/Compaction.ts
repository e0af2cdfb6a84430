/** Keeps the history of a store bounded by age, so that the database does not grow with time. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { ObjectStore } from "./ObjectStore.js"

/**
 * How much history to keep.
 *
 * @category models
 */
export interface Options {
  /** Superseded versions and deletions younger than this are kept. Default 5 minutes. */
  readonly retention?: Duration.DurationInput
  /** Time between two compactions. Default 1 minute. */
  readonly interval?: Duration.DurationInput
}

/**
 * Compacts the store as long as the scope lives. What is older than the retention is dropped within one further interval; a
 * compaction that fails is logged and tried again with the next one.
 *
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<never, never, ObjectStore> =>
  Layer.scopedDiscard(
    Effect.gen(function*() {
      const store = yield* ObjectStore
      const retention = Duration.toMillis(options.retention ?? "5 minutes")
      const clock = yield* Effect.clock
      /** The revision at past moments, oldest first: as many as intervals fit into the retention. */
      const marks: Array<{ readonly at: number; readonly revision: number }> = []
      const pass = Effect.gen(function*() {
        const now = clock.unsafeCurrentTimeMillis()
        let target: number | undefined
        while (marks[0] !== undefined && marks[0].at <= now - retention) target = marks.shift()?.revision
        marks.push({ at: now, revision: yield* store.revision })
        if (target === undefined || target <= (yield* store.compactedRevision)) return
        const dropped = yield* store.compact(target)
        yield* Effect.logDebug("compacted").pipe(Effect.annotateLogs({ revision: target, dropped }))
      }).pipe(Effect.catchAll((error) => Effect.logWarning("compaction failed; trying again later", error)))
      yield* Effect.forkScoped(Effect.repeat(pass, Schedule.spaced(options.interval ?? "1 minute")))
    })
  )
