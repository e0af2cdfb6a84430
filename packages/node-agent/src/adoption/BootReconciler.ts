/**
 * The loop that looks at everything: when the host has recovered, at once; then again and again, each time a fixed while after the last look
 * ended. Looks never overlap, are never cut off, and whatever happens inside one does not end the loop.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as AdoptionMetrics from "./AdoptionMetrics.js"
import * as ReconcileReport from "./ReconcileReport.js"

/** What the stage of the zones gives. @category models */
export interface ZoneStageResult extends Pick<ReconcileReport.Report, "actions" | "failures" | "mode"> {
  /** Uids of the pods of which a zone is installed on this host, whether or not they are wanted. */
  readonly installed: ReadonlySet<string>
}

/** @category models */
export interface Options<E> {
  /** From the end of a pass to the start of the next. Default 30 seconds. */
  readonly interval?: Duration.DurationInput
  /** Whether passes wait for the recovery of the host. Default true. */
  readonly waitForRecovery?: boolean
  /** Whether the companions are repaired after each pass. Default true. */
  readonly companionStage?: boolean
  /** Longest wait for the recovery. Default 30 minutes. */
  readonly recoveryCap?: Duration.DurationInput
  /** How often the recovery is asked about. Default 5 seconds. */
  readonly recoveryPoll?: Duration.DurationInput
  readonly isRecovered: Effect.Effect<boolean>
  /** Resolves when the host has recovered: spares the rest of the time until it is asked about again. */
  readonly recovered?: Effect.Effect<void>
  /** Called once when the cap was reached. */
  readonly onRecoveryTimedOut?: Effect.Effect<void>
  readonly zones: Effect.Effect<ZoneStageResult, E>
  /** Repairs the services of the host and of the pods that are installed here. Absorbs its failures. */
  readonly companions?: (installedUids: ReadonlySet<string>) => Effect.Effect<ReadonlyArray<ReconcileReport.CompanionResult>>
}

/** @category models */
export interface BootReconciler {
  /** Runs until `shutdown`; meant to be run once. */
  readonly run: Effect.Effect<void>
  /** Ends the loop: at once while it waits, after the pass in progress otherwise. A call before `run` counts as well. */
  readonly shutdown: Effect.Effect<void>
  /** What the last pass did. */
  readonly lastReport: () => ReconcileReport.Report | undefined
  /** When the last pass ended, in milliseconds since the epoch; also one that failed. */
  readonly lastEnd: () => number | undefined
}

const kindOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "_tag" in error && typeof error._tag === "string" ? error._tag : "Unknown"

/** @category constructors */
export const make = <E>(options: Options<E>): Effect.Effect<BootReconciler> =>
  Effect.gen(function*() {
    const stop = yield* Deferred.make<void>()
    const damped = ReconcileReport.damping()
    let last: ReconcileReport.Report | undefined
    let lastEnd: number | undefined
    let passId = 0

    /** Waits at most that long; true when the loop is to end. */
    const waited = (duration: Duration.DurationInput): Effect.Effect<boolean> =>
      Effect.interruptible(Effect.raceFirst(Effect.as(Deferred.await(stop), true), Effect.as(Effect.sleep(duration), false)))

    const recoveryPoll = options.recoveryPoll ?? "5 seconds"
    const recoveryCap = Duration.toMillis(options.recoveryCap ?? "30 minutes")

    /** True when the loop is to end. */
    const gate = Effect.gen(function*() {
      if (options.waitForRecovery === false) return yield* Deferred.isDone(stop)
      const startedAt = yield* Clock.currentTimeMillis
      while (!(yield* options.isRecovered)) {
        if ((yield* Clock.currentTimeMillis) - startedAt >= recoveryCap) {
          yield* Effect.logWarning("the host has not recovered in time; pods are worked on anyway")
          yield* options.onRecoveryTimedOut ?? Effect.void
          return false
        }
        const poll = options.recovered === undefined ? waited(recoveryPoll) : Effect.raceFirst(waited(recoveryPoll), Effect.as(options.recovered, false))
        if (yield* poll) return true
      }
      return yield* Deferred.isDone(stop)
    })

    const zones: Effect.Effect<ZoneStageResult> = options.zones.pipe(
      Effect.catchAllCause((cause) => {
        const failure = Cause.squash(cause)
        const error = failure instanceof Error ? failure.message : String(failure)
        return Effect.succeed<ZoneStageResult>({
          mode: "ExistingOnly",
          actions: [],
          failures: [{ pod: "*", kind: kindOf(failure), error }],
          installed: new Set()
        })
      })
    )
    const companions = (installed: ReadonlySet<string>) =>
      options.companionStage === false || options.companions === undefined
        ? Effect.succeed<ReadonlyArray<ReconcileReport.CompanionResult>>([])
        : Effect.suspend(() => options.companions?.(installed) ?? Effect.succeed([])).pipe(
          Effect.catchAllCause((cause) => Effect.succeed([{ name: "*", error: Cause.pretty(cause) }]))
        )

    const pass = Effect.uninterruptible(Effect.gen(function*() {
      const startedAt = yield* Clock.currentTimeMillis
      const { installed, ...result } = yield* zones
      // Without a listing of the zones nobody knows whose companions are wanted.
      const failed = result.failures.some(({ pod }) => pod === "*")
      const repaired = failed ? [] : yield* companions(installed)
      const endedAt = yield* Clock.currentTimeMillis
      last = { passId: passId += 1, startedAt, durationMs: endedAt - startedAt, companions: repaired, ...result }
      lastEnd = endedAt
      yield* Metric.update(Metric.tagged(AdoptionMetrics.passDuration, "mode", last.mode), last.durationMs / 1000)
      if (!failed) yield* Metric.set(AdoptionMetrics.lastSuccess, Math.floor(endedAt / 1000))
      yield* ReconcileReport.tell(last, damped)
    })).pipe(Effect.catchAllCause((cause) => Effect.logError("a pass over all pods died; the next one comes", cause)))

    const interval = Duration.decode(options.interval ?? "30 seconds")

    return {
      run: Effect.gen(function*() {
        if (yield* gate) return
        do yield* pass
        while (!(yield* waited(interval)))
      }),
      shutdown: Effect.asVoid(Deferred.succeed(stop, undefined)),
      lastReport: () => last,
      lastEnd: () => lastEnd
    }
  })
