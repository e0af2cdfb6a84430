/**
 * What happens between the start of an agent and its first pass over the pods: after a restart of the agent alone nothing, after a boot of
 * the host one step after the other, each with a time limit, each repeated after a crash.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import * as AdoptionMetrics from "./AdoptionMetrics.js"
import * as BootRecord from "./BootRecord.js"

/** One step. It can be repeated at any time. @category models */
export interface Step {
  readonly name: string
  /** Whether it is done after a boot that followed an orderly end as well. */
  readonly always?: boolean
  readonly timeout: Duration.DurationInput
  /** Tried again until it succeeds or its time is over. */
  readonly run: Effect.Effect<void, { readonly message: string }>
}

/** @category models */
export interface Options {
  readonly dataDir: string
  /** Which boot of the host this is. */
  readonly bootId: string
  readonly steps: ReadonlyArray<Step>
  /** From then on the steps are done: the host is prepared as on every start. */
  readonly prepared: Effect.Effect<void>
}

/** @category models */
export interface RecoveryGate {
  readonly kind: BootRecord.RecoveryKind
  /** Whether pods may be worked on. */
  readonly isComplete: Effect.Effect<boolean>
  /** Waits until they may. */
  readonly completed: Effect.Effect<void>
  /** Steps that are not done. */
  readonly unfinished: () => ReadonlyArray<string>
  /** Says that pods are worked on although steps are not done. */
  readonly timedOut: Effect.Effect<void>
  readonly hasTimedOut: () => boolean
  /** Says that this agent ended in order; written last. */
  readonly markClean: Effect.Effect<void>
  readonly ledgerLost: boolean
}

const retry = Schedule.exponential("250 millis").pipe(Schedule.either(Schedule.spaced("5 seconds")))

/**
 * Starts the recovery, which goes on for as long as the scope lives.
 *
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<RecoveryGate, SupervisorFileFailed, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const record = yield* BootRecord.open(options.dataDir)
    const kind = BootRecord.kindOf(record.before, options.bootId)
    const steps = kind === "none" ? [] : options.steps.filter(({ always }) => kind === "full" || always === true)
    const open = new Set(steps.map(({ name }) => name))
    const results: Array<BootRecord.StepResult> = []
    let complete = false
    const completed = yield* Deferred.make<void>()
    let timedOut = false
    const write = (boot: BootRecord.Boot) =>
      record.write(boot).pipe(
        Effect.provideService(FileSystem.FileSystem, fs),
        Effect.catchAll((error) => Effect.logWarning("the record of this boot cannot be written; the next start recovers everything", error))
      )

    const once = (step: Step) =>
      Effect.gen(function*() {
        const startedAt = yield* Clock.currentTimeMillis
        let detail = ""
        const ended = yield* step.run.pipe(
          Effect.tapErrorCause((cause) =>
            Effect.suspend(() => {
              const text = Cause.pretty(cause).split("\n")[0] ?? ""
              if (text === detail) return Effect.void
              detail = text
              return Effect.logWarning("a step of the recovery failed; it is tried again").pipe(Effect.annotateLogs({ step: step.name, detail }))
            })
          ),
          Effect.retry(retry),
          Effect.timeoutOption(step.timeout),
          Effect.exit
        )
        const took = (yield* Clock.currentTimeMillis) - startedAt
        yield* Metric.set(Metric.tagged(AdoptionMetrics.bootRecovery, "step", step.name), took / 1000)
        const result = ended._tag === "Failure" ? "failed" : ended.value._tag === "None" ? "timedOut" : "done"
        if (result === "done") open.delete(step.name)
        results.push({ name: step.name, result, took, ...(detail === "" || result === "done" ? {} : { detail }) })
        return result === "done"
      })

    /** Another round of what is not done: without it, a host whose pool comes late would never be right. */
    const round: Effect.Effect<void> = Effect.gen(function*() {
      results.length = 0
      for (const step of steps) {
        // What a step needs is what the one before it has done.
        if (open.has(step.name) && !(yield* once(step))) break
      }
    })
    const finish = Effect.gen(function*() {
      // The record of the old boot stays until everything is done, so that a crash in here begins anew.
      yield* write({ bootId: options.bootId, clean: false, steps: results })
      complete = true
      yield* Deferred.succeed(completed, undefined)
      if (kind !== "none") yield* Effect.logInfo("the host has recovered").pipe(Effect.annotateLogs({ kind, steps: results.length }))
    })
    yield* Effect.forkScoped(
      Effect.repeat(round, { until: () => open.size === 0, schedule: Schedule.spaced("5 seconds") }).pipe(
        Effect.zipRight(options.prepared),
        Effect.zipRight(finish)
      )
    )
    return {
      kind,
      isComplete: Effect.sync(() => complete),
      completed: Deferred.await(completed),
      unfinished: () => [...open],
      timedOut: Effect.zipRight(Effect.sync(() => void (timedOut = true)), Metric.set(AdoptionMetrics.bootRecoveryTimedOut, 1)),
      hasTimedOut: () => timedOut && !complete,
      // A recovery that was not complete is not to be taken for one.
      markClean: Effect.suspend(() => complete ? write({ bootId: options.bootId, clean: true, steps: results }) : Effect.void),
      ledgerLost: record.wasLost
    }
  })
