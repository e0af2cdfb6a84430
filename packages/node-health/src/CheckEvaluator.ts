/**
 * Looks at checks for requests: one look at a time for each check however many ask, observations kept for as long as they are good, and no
 * request waits longer than its deadline.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import type { HealthCheck } from "./HealthCheck.js"
import type { HealthMetrics } from "./HealthMetrics.js"
import * as Observation from "./Observation.js"

/**
 * One check as the answer of a request shows it.
 *
 * @category models
 */
export interface CheckResult {
  readonly name: string
  readonly passed: boolean
  /** Only when not passed. */
  readonly reason?: string
  /** How long the look took, in milliseconds; also when its result comes from the cache. */
  readonly duration_ms: number
  readonly observed: Observation.Observed
  /** Age of a result that comes from the cache, in milliseconds. */
  readonly stale_ms?: number
  readonly note?: string
}

/** @category models */
export interface CheckEvaluator {
  /** The results of the checks in their order, each known or timed out by the deadline. */
  readonly evaluate: (checks: ReadonlyArray<HealthCheck>, deadline: Duration.Duration) => Effect.Effect<ReadonlyArray<CheckResult>>
  /** Their last results when none is older than `maxAge`; undefined otherwise. */
  readonly last: (checks: ReadonlyArray<HealthCheck>, maxAge: Duration.Duration) => Effect.Effect<ReadonlyArray<CheckResult> | undefined>
  /** Forgets every observation, as after a change of the configuration. Looks in progress go on, and nobody hears of them. */
  readonly reset: Effect.Effect<void>
}

interface Look {
  readonly observation: Observation.Observation
  readonly durationMillis: number
  readonly at: number
}

interface Entry {
  readonly last?: Look
  readonly running?: Deferred.Deferred<Look>
}

/** Names under a prefix pattern are chosen by callers: only so many are remembered. */
const maxEntries = 256

const shown = (check: HealthCheck, { durationMillis, observation }: Look, staleMillis?: number): CheckResult => {
  const passed = Observation.passes(observation, check.onUnknown)
  const note = observation.note ?? (passed ? observation.reason : undefined)
  return {
    name: check.name,
    passed,
    ...(passed ? {} : { reason: observation.reason ?? "failed" }),
    duration_ms: Math.round(durationMillis),
    observed: observation.observed,
    ...(staleMillis === undefined ? {} : { stale_ms: Math.max(0, Math.round(staleMillis)) }),
    ...(note === undefined ? {} : { note })
  }
}

const timedOut = (duration: Duration.Duration): Observation.Observation => Observation.unknown(`timeout after ${Math.round(Duration.toMillis(duration))} ms`)

/** Where the last results stand in the metrics; the label is `other` for a name that callers made up. */
const count = (metrics: HealthMetrics, check: HealthCheck, label: string, { durationMillis, observation }: Look): void => {
  const passed = Observation.passes(observation, check.onUnknown)
  metrics.set("check_passed", passed ? 1 : 0, { check: label })
  for (const result of ["pass", "fail", "unknown"] as const) metrics.set("check_observed", observation.observed === result ? 1 : 0, { check: label, result })
  metrics.set("check_duration_seconds", durationMillis / 1000, { check: label })
  if (observation.observed !== "unknown") return
  metrics.add("check_unknown_total", 1, { check: label })
  if (passed) metrics.add("fail_open_total", 1, { check: label })
}

/**
 * An evaluator whose looks live as long as the scope: one that outlasts its request still fills the cache.
 *
 * @category constructors
 */
export const make = (metrics: HealthMetrics): Effect.Effect<CheckEvaluator, never, Scope.Scope> =>
  Effect.gen(function*() {
    const run = yield* FiberSet.makeRuntime()
    let entries = new Map<string, Entry>()

    const labelOf = (name: string): string => entries.size <= maxEntries || entries.has(name) ? name : "other"

    /** Plain code up to the fork: between seeing that nobody looks and being the one who does, nobody else may run. */
    const start = (check: HealthCheck): Deferred.Deferred<Look> => {
      const done = Deferred.unsafeMake<Look>(FiberId.none)
      const home = entries
      // The oldest that is not being looked at goes first.
      if (home.size >= maxEntries && !home.has(check.name)) {
        for (const [name, entry] of home) {
          if (entry.running !== undefined) continue
          home.delete(name)
          break
        }
      }
      home.set(check.name, { ...home.get(check.name), running: done })
      run(Effect.gen(function*() {
        const begun = yield* Clock.currentTimeMillis
        const observation = yield* check.observe.pipe(
          Effect.catchAllDefect((defect) =>
            Effect.as(Effect.logError("a health check is defective", defect), Observation.unknown("the check is defective; see the log"))),
          Effect.disconnect,
          Effect.timeoutTo({ duration: check.timeout, onSuccess: (found) => found, onTimeout: () => timedOut(check.timeout) })
        )
        const at = yield* Clock.currentTimeMillis
        const found: Look = { observation, durationMillis: at - begun, at }
        home.set(check.name, { last: found })
        count(metrics, check, labelOf(check.name), found)
        yield* Deferred.succeed(done, found)
      }))
      return done
    }

    const evaluateOne = (check: HealthCheck, deadline: Duration.Duration): Effect.Effect<CheckResult> =>
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const entry = entries.get(check.name)
        if (entry?.last !== undefined && now - entry.last.at < Duration.toMillis(check.cacheTtl)) return shown(check, entry.last, now - entry.last.at)
        const running = entries.get(check.name)?.running ?? start(check)
        return yield* Deferred.await(running).pipe(
          Effect.timeoutTo({
            duration: deadline,
            onSuccess: (found) => shown(check, found),
            onTimeout: () => shown(check, { observation: timedOut(deadline), durationMillis: Duration.toMillis(deadline), at: now })
          })
        )
      })

    return {
      evaluate: (checks, deadline) => Effect.forEach(checks, (check) => evaluateOne(check, deadline), { concurrency: "unbounded" }),
      last: (checks, maxAge) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const found = checks.flatMap((check) => {
            const last = entries.get(check.name)?.last
            return last === undefined || now - last.at > Duration.toMillis(maxAge) ? [] : [shown(check, last, now - last.at)]
          })
          return found.length === checks.length ? found : undefined
        }),
      reset: Effect.sync(() => {
        entries = new Map()
      })
    }
  })
