/** When the next attempt to pull an image is due after failures: 10 s, doubling to 5 minutes, for each key on its own. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** Bounds of the delay and of the memory. @category models */
export interface Options {
  /** After the first failure: 10 seconds unless given. */
  readonly initial?: Duration.DurationInput
  /** 5 minutes unless given. A key that was quiet for twice as long starts anew. */
  readonly max?: Duration.DurationInput
  /** Keys that are remembered: 4096 unless given; the longest quiet ones are forgotten first. */
  readonly capacity?: number
}

/** @category models */
export interface PullBackOff {
  /** Milliseconds until the next attempt is due; 0 if it is. */
  readonly remaining: (key: string) => Effect.Effect<number>
  /** Counts a failure and gives the milliseconds until the next attempt is due. */
  readonly failed: (key: string) => Effect.Effect<number>
  /** Forgets the failures of a key: it was pulled, or nobody asks for it any more. */
  readonly forget: (key: string) => Effect.Effect<void>
}

interface Entry {
  readonly delay: number
  readonly at: number
}

/** A back-off without failures yet. The key is what fails together: an image and the pod that wants it. @category constructors */
export const make = (options: Options = {}): PullBackOff => {
  const initial = Duration.toMillis(options.initial ?? "10 seconds")
  const max = Duration.toMillis(options.max ?? "5 minutes")
  const capacity = options.capacity ?? 4096
  /** In the order of their last failure. */
  const entries = new Map<string, Entry>()
  const left = (entry: Entry | undefined, now: number): number => (entry === undefined ? 0 : Math.max(0, entry.at + entry.delay - now))
  return {
    remaining: (key) => Effect.map(Clock.currentTimeMillis, (now) => left(entries.get(key), now)),
    failed: (key) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const before = entries.get(key)
        const fresh = before === undefined || now - before.at > 2 * max
        const delay = fresh ? initial : Math.min(max, before.delay * 2)
        entries.delete(key)
        entries.set(key, { delay, at: now })
        for (const oldest of entries.keys()) {
          if (entries.size <= capacity) break
          entries.delete(oldest)
        }
        return delay
      }),
    forget: (key) => Effect.sync(() => void entries.delete(key))
  }
}
