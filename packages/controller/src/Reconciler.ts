/**
 * Level-triggered reconciliation: workers take keys from a queue and bring the object of each key one step closer to what is desired.
 *
 * A pass gets only the key and reads the current state itself, so a missed or repeated event does not matter. Passes for one key never
 * overlap. A failing pass is repeated with back-off, and a resync visits every known key from time to time.
 */
import { WorkQueue } from "@reddwarf/client"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as ControllerMetrics from "./ControllerMetrics.js"

/**
 * What a successful pass asks for next: nothing until something changes, or another pass after a delay.
 *
 * @category models
 */
export type Outcome = Data.TaggedEnum<{
  Settled: {}
  RequeueAfter: { readonly delay: Duration.DurationInput }
}>

/**
 * Constructors and matcher of `Outcome`.
 *
 * @category constructors
 */
export const Outcome = Data.taggedEnum<Outcome>()

/**
 * What a reconciler does with a key, how often, and what failures mean.
 *
 * @category models
 */
export interface Options<K extends string, E, R> {
  /** Name of the controller in logs, spans and metrics. */
  readonly name: string
  /** One pass over one key. It must be idempotent and must not wait: it returns `RequeueAfter` instead. */
  readonly reconcile: (key: K) => Effect.Effect<Outcome, E, R>
  /** Passes at the same time, for different keys: 2 unless given. */
  readonly workers?: number
  /** A failure that a repetition cannot heal; the key waits for its next change or resync. None unless given. */
  readonly isTerminal?: (error: E) => boolean
  /** A failure that is part of the course, such as a conflict: repeated without a warning in the log. None unless given. */
  readonly isRoutine?: (error: E) => boolean
  /** The keys that a resync adds. Without it there is no resync. */
  readonly keys?: () => Iterable<K>
  /** Time between resyncs, varied by a fifth: 30 seconds unless given. */
  readonly resync?: Duration.DurationInput
  /** Longest time of one pass; then it is interrupted and repeated: 2 minutes unless given. */
  readonly timeout?: Duration.DurationInput
  /** First delay of the back-off: 5 ms unless given. */
  readonly baseDelay?: Duration.DurationInput
  /** Longest delay of the back-off: 1 minute unless given. */
  readonly maxDelay?: Duration.DurationInput
}

class PassTimedOut extends Data.TaggedError("PassTimedOut")<{ readonly key: string }> {
  override get message(): string {
    return `the pass over ${this.key} took too long and was interrupted`
  }
}

/**
 * Starts the workers and the resync in the current scope and gives the queue that feeds them.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*<K extends string, E, R>(
  options: Options<K, E, R>
): Effect.fn.Return<WorkQueue.WorkQueue<K>, never, R | Scope.Scope> {
  const { name } = options
  const queue = yield* WorkQueue.make<K>({ name, baseDelay: options.baseDelay ?? "5 millis", maxDelay: options.maxDelay ?? "1 minute" })
  const clock = yield* Effect.clock
  const tagged = Metric.tagged(ControllerMetrics.reconciles, "controller", name)
  const results = {
    settled: Metric.tagged(tagged, "result", "settled"),
    requeued: Metric.tagged(tagged, "result", "requeued"),
    failed: Metric.tagged(tagged, "result", "failed"),
    terminal: Metric.tagged(tagged, "result", "terminal")
  }
  const seconds = Metric.tagged(ControllerMetrics.reconcileSeconds, "controller", name)
  const active = Metric.tagged(ControllerMetrics.activeWorkers, "controller", name)
  let busy = 0

  const onSuccess = (key: K, outcome: Outcome): Effect.Effect<void> =>
    Effect.zipRight(
      queue.forget(key),
      Outcome.$match(outcome, {
        Settled: () => Effect.sync(() => results.settled.unsafeUpdate(1, [])),
        RequeueAfter: ({ delay }) => {
          results.requeued.unsafeUpdate(1, [])
          // A part of a millisecond could end before the clock has moved, and the pass would find itself early again.
          return queue.addAfter(key, Math.ceil(Duration.toMillis(delay)))
        }
      })
    )

  const onFailure = (key: K, error: E | PassTimedOut): Effect.Effect<void> => {
    if (!(error instanceof PassTimedOut)) {
      if (options.isTerminal?.(error) === true) {
        results.terminal.unsafeUpdate(1, [])
        return Effect.zipRight(Effect.logError("reconcile failed and will not be repeated", error), queue.forget(key))
      }
      if (options.isRoutine?.(error) === true) {
        results.failed.unsafeUpdate(1, [])
        return Effect.zipRight(Effect.logDebug("reconcile will be repeated", error), queue.addRateLimited(key))
      }
    }
    results.failed.unsafeUpdate(1, [])
    return Effect.zipRight(Effect.logWarning("reconcile failed", error), queue.addRateLimited(key))
  }

  const pass = (key: K): Effect.Effect<void, never, R> =>
    Effect.suspend(() => {
      const startedAt = clock.unsafeCurrentTimeMillis()
      active.unsafeUpdate(++busy, [])
      return options.reconcile(key).pipe(
        Effect.timeoutFail({ duration: options.timeout ?? "2 minutes", onTimeout: () => new PassTimedOut({ key }) }),
        Effect.matchEffect({ onFailure: (error) => onFailure(key, error), onSuccess: (outcome) => onSuccess(key, outcome) }),
        // Neither a bug in one pass nor something inside it that was interrupted may end the worker; its own interruption is not caught.
        Effect.catchAllCause((cause) => {
          results.failed.unsafeUpdate(1, [])
          return Effect.zipRight(Effect.logError("reconcile died", cause), queue.addRateLimited(key))
        }),
        Effect.annotateLogs({ controller: name, key }),
        Effect.withSpan("reconcile", { attributes: { controller: name, key } }),
        Effect.ensuring(Effect.suspend(() => {
          active.unsafeUpdate(--busy, [])
          seconds.unsafeUpdate((clock.unsafeCurrentTimeMillis() - startedAt) / 1000, [])
          return queue.done(key)
        }))
      )
    })

  const worker = Effect.uninterruptibleMask((restore) => Effect.flatMap(restore(queue.take), (key) => restore(pass(key))))
  yield* Effect.forever(worker).pipe(
    Effect.interruptible,
    Effect.replicateEffect(options.workers ?? 2, { concurrency: "unbounded" }),
    Effect.forkScoped
  )

  const { keys } = options
  if (keys !== undefined) {
    const resync = Effect.sync(() => {
      for (const key of keys()) queue.unsafeAdd(key)
    })
    const every = Schedule.spaced(options.resync ?? "30 seconds").pipe(Schedule.jittered)
    yield* Effect.forkScoped(Effect.schedule(resync, every))
  }
  return queue
})

/**
 * Repeats a pass over everything, for controllers that compare whole collections. A failing pass is logged; the next one comes in time.
 *
 * @category constructors
 */
export const periodic = <E, R>(options: {
  /** Name of the controller in logs, spans and metrics. */
  readonly name: string
  readonly pass: Effect.Effect<void, E, R>
  /** Time between passes, varied by a fifth. */
  readonly every: Duration.DurationInput
  /** Longest time of one pass: 5 minutes unless given. */
  readonly timeout?: Duration.DurationInput
}): Effect.Effect<void, never, R | Scope.Scope> => {
  const results = Metric.tagged(ControllerMetrics.reconciles, "controller", options.name)
  const once = options.pass.pipe(
    Effect.timeoutFail({ duration: options.timeout ?? "5 minutes", onTimeout: () => new PassTimedOut({ key: "everything" }) }),
    Effect.withSpan("reconcile", { attributes: { controller: options.name } }),
    Effect.exit,
    Effect.tap((exit) => Effect.sync(() => Metric.tagged(results, "result", Exit.isSuccess(exit) ? "settled" : "failed").unsafeUpdate(1, []))),
    Effect.flatMap((exit) =>
      Exit.isFailure(exit) && !Cause.isInterruptedOnly(exit.cause) ? Effect.logWarning("pass failed", exit.cause) : Effect.void),
    Effect.annotateLogs({ controller: options.name })
  )
  return Effect.asVoid(Effect.forkScoped(Effect.interruptible(Effect.repeat(once, Schedule.jittered(Schedule.spaced(options.every))))))
}
