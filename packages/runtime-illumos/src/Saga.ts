/**
 * Sagas: something that is made in several steps on a host that can fail between any two of them. Every step can be repeated, so a saga
 * that was cut off is simply run again; what a failed attempt made is taken back; and taking down goes on past what cannot be removed,
 * as long as nothing stands on it any more.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"

/** What a step may fail with: anything that can say what happened. @category models */
export interface Failure {
  readonly message: string
}

/**
 * One step. All three effects look at the host, not at what an earlier call knew: whoever ran before may have been killed anywhere.
 *
 * @category models
 */
export interface Step<E extends Failure = Failure> {
  /** A noun: what the step makes. */
  readonly name: string
  /** Whether anything of it is there already, be it half made. What was there before an attempt is never taken back by it. */
  readonly exists: Effect.Effect<boolean, E>
  /** Brings it from whatever state to the wanted one. */
  readonly ensure: Effect.Effect<void, E>
  /** Removes it. Succeeds when nothing of it is there. */
  readonly remove: Effect.Effect<void, E>
  /** Names of the steps it stands on: those are not removed while it could not be. */
  readonly needs?: ReadonlyArray<string>
}

const StepFailure = Schema.Struct({
  step: Schema.String,
  message: Schema.String,
  cause: Schema.Defect
})

/** What could not be removed, and why. @category models */
export type StepFailure = typeof StepFailure.Type

const quoted = (failures: ReadonlyArray<StepFailure>): string => failures.map(({ message, step }) => `${step}: ${message}`).join("; ")

/**
 * A step failed. What the attempt had made by then was removed again, but for `leftovers`; what had been there before it stays.
 *
 * @category errors
 */
export class ProvisionFailed extends Schema.TaggedError<ProvisionFailed>()("ProvisionFailed", {
  object: Schema.String,
  step: Schema.String,
  /** Tag of the failure, such as `LinkBusy`; empty when it has none. */
  tag: Schema.String,
  detail: Schema.String,
  cause: Schema.Defect,
  /** What the attempt made and could not take back. */
  leftovers: Schema.Array(StepFailure)
}) {
  override get message(): string {
    const rest = this.leftovers.length === 0 ? "" : `; not taken back: ${quoted(this.leftovers)}`
    return `${this.step} of ${this.object}: ${this.detail}${rest}`
  }
}

/**
 * Something could not be removed; everything else is gone.
 *
 * @category errors
 */
export class DeprovisionFailed extends Schema.TaggedError<DeprovisionFailed>()("DeprovisionFailed", {
  object: Schema.String,
  /** Every step that failed, in the order in which they were tried. */
  failures: Schema.Array(StepFailure),
  /** Steps that were not tried, because something that could not be removed stands on them. */
  kept: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const kept = this.kept.length === 0 ? "" : `; kept because of that: ${this.kept.join(", ")}`
    return `${this.object} was not removed completely: ${quoted(this.failures)}${kept}`
  }
}

const failureOf = (step: string, error: Failure): StepFailure => ({ step, message: error.message, cause: error })

const tagOf = (error: Failure): string => "_tag" in error && typeof error._tag === "string" ? error._tag : ""

interface Removal {
  readonly failures: ReadonlyArray<StepFailure>
  readonly kept: ReadonlyArray<string>
}

/** Removes the steps, the last first, but for those on which something stands that could not be removed. */
const removeAll = <E extends Failure>(steps: ReadonlyArray<Step<E>>): Effect.Effect<Removal> =>
  Effect.gen(function*() {
    const failures: Array<StepFailure> = []
    const kept: Array<string> = []
    /** Steps on which something stands that is still there. */
    const blocked = new Set<string>()
    for (const step of steps.toReversed()) {
      const outcome = blocked.has(step.name) ? undefined : yield* Effect.either(step.remove)
      if (outcome !== undefined && Either.isRight(outcome)) continue
      if (outcome === undefined) kept.push(step.name)
      else failures.push(failureOf(step.name, outcome.left))
      for (const name of step.needs ?? []) blocked.add(name)
    }
    return { failures, kept }
  })

/**
 * Runs the steps in order. When one fails, the steps that this run made, the failed one included, are removed in reverse order; steps of
 * which something was there before are left as they are. An interruption takes nothing back: the next run goes on from there.
 *
 * @category combinators
 */
export const provision = <E extends Failure>(object: string, steps: ReadonlyArray<Step<E>>): Effect.Effect<void, ProvisionFailed> =>
  Effect.gen(function*() {
    const made: Array<Step<E>> = []
    for (const step of steps) {
      const outcome = yield* Effect.either(Effect.flatMap(step.exists, (exists) => {
        if (!exists) made.push(step)
        return step.ensure
      }))
      if (Either.isRight(outcome)) continue
      const error = outcome.left
      const removal = yield* removeAll(made)
      return yield* new ProvisionFailed({
        object,
        step: step.name,
        tag: tagOf(error),
        detail: error.message,
        cause: error,
        leftovers: removal.failures
      })
    }
    return undefined
  })

/**
 * Removes what the steps made, the last first, from whatever is there. Goes on past failures, and reports all of them at the end.
 *
 * @category combinators
 */
export const deprovision = <E extends Failure>(object: string, steps: ReadonlyArray<Step<E>>): Effect.Effect<void, DeprovisionFailed> =>
  Effect.flatMap(removeAll(steps), ({ failures, kept }) =>
    failures.length === 0 ? Effect.void : Effect.fail(new DeprovisionFailed({ object, failures, kept })))
