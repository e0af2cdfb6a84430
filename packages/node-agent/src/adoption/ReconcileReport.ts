/** What a pass over everything did, and how it is told: nothing of a clean host, failures without repeating them for ever. */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as AdoptionMetrics from "./AdoptionMetrics.js"

/** Why nothing was done for a pod. @category models */
export type SkipReason = "absent" | "userStopped" | "gated" | "notSynced" | "backoff" | "paused" | "foreign" | "unmanaged" | "mounted" | "held"

/** What was done for one pod. @category models */
export type Action =
  | { readonly type: "NoOp" | "Adopted" | "Started" | "Resized" | "Removed" | "Stopped" }
  /** The work goes on in the queue of the pod, beyond the pass. */
  | { readonly type: "Running" }
  | { readonly type: "Restarted" | "Recreated" | "Quarantined"; readonly reason: string }
  | { readonly type: "Reattached"; readonly what: "logs" | "probes" }
  | { readonly type: "Skipped"; readonly reason: SkipReason }
  | { readonly type: "Failed"; readonly error: string }

/** What the companion stage did for one service. @category models */
export interface CompanionResult {
  readonly name: string
  readonly action?: string
  readonly error?: string
}

/** `ExistingOnly` while some source of pods has not been heard completely. @category models */
export type Mode = "ExistingOnly" | "Full"

/** @category models */
export interface Failure {
  readonly pod: string
  /** The tag of the error. */
  readonly kind: string
  readonly error: string
}

/** @category models */
export interface Report {
  readonly passId: number
  readonly mode: Mode
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly durationMs: number
  readonly actions: ReadonlyArray<{ readonly pod: string; readonly action: Action }>
  readonly failures: ReadonlyArray<Failure>
  readonly companions: ReadonlyArray<CompanionResult>
}

/** Minutes after the first warning at which the same failure is warned of again; then every hour. */
const repeats: ReadonlyArray<number> = [1, 5, 30]
const minute = 60_000

/** @category models */
export interface Damping {
  /** Whether a failure is to be warned of now. */
  readonly isDue: (key: string, now: number) => boolean
  /** Forgets the failures that are not among these: when they come again, they are new. */
  readonly keep: (keys: ReadonlySet<string>) => void
}

/** Remembers which failures were warned of, and when. @category constructors */
export const damping = (): Damping => {
  const since = new Map<string, { readonly first: number; warned: number }>()
  return {
    isDue: (key, now) => {
      const known = since.get(key)
      if (known === undefined) {
        since.set(key, { first: now, warned: 0 })
        return true
      }
      const step = repeats[known.warned]
      const last = repeats.at(-1) ?? 0
      const due = known.first + minute * (step ?? last + 60 * (known.warned - repeats.length + 1))
      if (now < due) return false
      // Several that are overdue count as one.
      do known.warned += 1
      while (now >= known.first + minute * (repeats[known.warned] ?? last + 60 * (known.warned - repeats.length + 1)))
      return true
    },
    keep: (keys) => {
      for (const key of since.keys()) if (!keys.has(key)) since.delete(key)
    }
  }
}

const text = (action: Action): string => {
  const detail = "reason" in action ? action.reason : "what" in action ? action.what : "error" in action ? action.error : undefined
  return detail === undefined ? action.type : `${action.type}(${detail})`
}

const quiet: ReadonlySet<Action["type"]> = new Set(["NoOp", "Skipped"])

/**
 * Logs and counts a report. Each action at debug, each failure at warn as far as it is due, a summary at warn only when something failed that
 * was warned of.
 *
 * @category combinators
 */
export const tell = (report: Report, damped: Damping): Effect.Effect<void> =>
  Effect.gen(function*() {
    const now = report.startedAt + report.durationMs
    for (const { action, pod } of report.actions) {
      yield* Metric.increment(Metric.tagged(AdoptionMetrics.actions, "action", action.type))
      if (!quiet.has(action.type)) yield* Effect.logDebug(`reconciled a pod: ${text(action)}`).pipe(Effect.annotateLogs({ pod }))
    }
    const failures = [
      ...report.failures,
      ...report.companions.flatMap(({ error, name }) => error === undefined ? [] : [{ pod: `companion ${name}`, kind: "CompanionFailed", error }])
    ]
    damped.keep(new Set(failures.map(({ error, pod }) => `${pod}\n${error}`)))
    let warned = 0
    for (const { error, kind, pod } of failures) {
      yield* Metric.increment(Metric.tagged(AdoptionMetrics.failures, "kind", kind))
      const due = damped.isDue(`${pod}\n${error}`, now)
      if (due) warned += 1
      yield* (due ? Effect.logWarning : Effect.logDebug)("a pod could not be reconciled; it is tried again").pipe(Effect.annotateLogs({ pod, error }))
    }
    const count = report.actions.length
    const annotations = { passId: report.passId, mode: report.mode, durationMs: report.durationMs }
    yield* warned === 0
      ? Effect.logDebug("reconciled all pods").pipe(Effect.annotateLogs({ ...annotations, count, failed: failures.length }))
      : Effect.logWarning("reconciled all pods, some in vain").pipe(
        Effect.annotateLogs({ ...annotations, ok: Math.max(0, count - report.failures.length), failed: failures.length })
      )
  })
