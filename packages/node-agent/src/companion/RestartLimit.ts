/** How often a companion that does not stay up is started again: a few times with growing waits, then no more until somebody has looked. Pure. */

/** Waits before the first, second and third attempt, in milliseconds. @category models */
export const waits: ReadonlyArray<number> = [10_000, 60_000, 300_000]

/** Attempts count for so long, in milliseconds. @category models */
export const windowMillis = 600_000

/** @category models */
export interface Attempts {
  /** When it was first seen down, and not yet up again. */
  readonly downSince?: number
  /** Times of the attempts that count. */
  readonly at: ReadonlyArray<number>
  /** The attempts are used up. Only being up again ends this. */
  readonly gaveUp: boolean
}

/** @category constructors */
export const none: Attempts = { at: [], gaveUp: false }

/** What to do now. @category models */
export type Decision =
  | { readonly _tag: "Try"; readonly attempts: Attempts }
  | { readonly _tag: "Wait"; readonly attempts: Attempts; readonly millis: number }
  | { readonly _tag: "GiveUp"; readonly attempts: Attempts }

/** What to do about one that is down at `now`. @category combinators */
export const decide = (before: Attempts, now: number): Decision => {
  const at = before.at.filter((time) => now - time < windowMillis)
  const downSince = before.downSince ?? now
  const wait = waits[at.length]
  if (before.gaveUp || wait === undefined) return { _tag: "GiveUp", attempts: { downSince, at, gaveUp: true } }
  const due = Math.max(downSince, at.at(-1) ?? 0) + wait
  return now < due
    ? { _tag: "Wait", attempts: { downSince, at, gaveUp: false }, millis: due - now }
    : { _tag: "Try", attempts: { downSince, at: [...at, now], gaveUp: false } }
}

/** What is remembered of one that is up at `now`: attempts count on for their time, so that one that falls again and again is given up. @category combinators */
export const recovered = (before: Attempts, now: number): Attempts => ({ at: before.gaveUp ? [] : before.at.filter((time) => now - time < windowMillis), gaveUp: false })
