/** Checks of a host before it is used: each is a question with an answer as data. One that fails or hangs stops no other. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/**
 * What a check found. `unknown` when it got no answer; it is then as much in the way as a problem.
 *
 * @category models
 */
export type Status = "ok" | "warning" | "problem" | "unknown"

/** The answer of a check. @category models */
export interface Outcome {
  readonly status: Status
  /** What was found, in one line. */
  readonly found: string
  /** What to do about it; absent when there is nothing to do. */
  readonly next?: string
}

/** The answer with the name of its check. @category models */
export interface Finding extends Outcome {
  /** Stable: scripts may look for it. */
  readonly name: string
}

/** A question to the host. @category models */
export interface Check<R = never> {
  readonly name: string
  readonly ask: Effect.Effect<Outcome, { readonly message: string }, R>
}

/** Everything is as it should be. @category constructors */
export const ok = (found: string): Outcome => ({ status: "ok", found })

/** Pods will run, but something will be missing or slower. @category constructors */
export const warning = (found: string, next: string): Outcome => ({ status: "warning", found, next })

/** Pods will not run. @category constructors */
export const problem = (found: string, next: string): Outcome => ({ status: "problem", found, next })

/** There was no answer. @category constructors */
export const unknown = (found: string, next: string): Outcome => ({ status: "unknown", found, next })

const weight: Readonly<Record<Status, number>> = { ok: 0, warning: 1, unknown: 2, problem: 3 }

/**
 * Several answers to one question: as bad as the worst of them, with the words of all that are as bad.
 *
 * @category combinators
 */
export const worst = (outcomes: readonly [Outcome, ...ReadonlyArray<Outcome>]): Outcome => {
  const [first] = outcomes
  const status = outcomes.reduce((bad, { status }) => weight[status] > weight[bad] ? status : bad, first.status)
  const told = outcomes.filter((outcome) => outcome.status === status)
  const next = told.flatMap((outcome) => outcome.next ?? [])
  return {
    status,
    found: [...new Set(told.map(({ found }) => found))].join("; "),
    ...(next.length === 0 ? {} : { next: [...new Set(next)].join("; ") })
  }
}

/** @category models */
export interface Options {
  /** How long one check may take. Default 10 seconds. */
  readonly timeout?: Duration.DurationInput
  /** How many run at the same time. Default 4. */
  readonly concurrency?: number
}

/**
 * Asks everything and gives the findings in the order of the checks. Never fails: what cannot be answered is `unknown`.
 *
 * @category constructors
 */
export const run = <R>(checks: ReadonlyArray<Check<R>>, options: Options = {}): Effect.Effect<ReadonlyArray<Finding>, never, R> => {
  const timeout = Duration.decode(options.timeout ?? "10 seconds")
  const limit = Duration.format(timeout)
  return Effect.forEach(checks, ({ ask, name }) =>
    ask.pipe(
      // What hangs in the kernel cannot be interrupted; nobody waits for it.
      Effect.disconnect,
      Effect.timeoutTo({
        duration: timeout,
        onSuccess: (outcome) => outcome,
        onTimeout: () => unknown(`no answer within ${limit}`, "look at the load and the log of the host, then run the check again")
      }),
      Effect.catchAll((error) => Effect.succeed(unknown(error.message, "find out why the host does not answer, then run the check again"))),
      // A check that dies is a defect of the check; the others still have something to say.
      Effect.catchAllCause((cause) =>
        Cause.isInterruptedOnly(cause)
          ? Effect.failCause(cause)
          : Effect.succeed(unknown(`the check itself failed: ${Cause.pretty(cause).split("\n")[0] ?? ""}`, "report this as a defect"))),
      Effect.map((outcome): Finding => ({ name, ...outcome }))
    ), { concurrency: options.concurrency ?? 4 })
}

/** Whether the host can be used: nothing is in the way, and nothing is unknown. @category combinators */
export const isUsable = (findings: ReadonlyArray<Finding>): boolean => findings.every(({ status }) => status === "ok" || status === "warning")
