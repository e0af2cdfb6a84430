/**
 * From a watcher to its connection. Plain code between two waits: a change goes to thousands of watchers, and a fiber that wakes
 * for each of them would cost more than sending. Those that have something to take stand in one line and are served in slices,
 * so that writes and reads go on meanwhile; what changes in the meantime is then sent along in the same piece.
 */
import type { CacheEvent, WatchCache, WatchExpired } from "@reddwarf/event-bus"
import * as Effect from "effect/Effect"
import type { EventEncoder } from "../WatchStream.js"
import * as chunks from "./chunks.js"

// Longer than a turn's fixed costs, shorter than anybody notices.
const sliceMillis = 4

let line: Array<() => void> = []
let isScheduled = false

const serve = (): void => {
  const until = performance.now() + sliceMillis
  const turns = line
  line = []
  let served = 0
  while (served < turns.length) {
    turns[served++]?.()
    if (served % 16 === 0 && performance.now() > until) break
  }
  // Those who came meanwhile stand behind.
  if (served < turns.length) line = turns.slice(served).concat(line)
  isScheduled = line.length > 0
  if (isScheduled) setImmediate(serve)
}

/** Runs `turn` soon: not within the commit, and fairly among all others. */
const enqueue = (turn: () => void): void => {
  line.push(turn)
  if (isScheduled) return
  isScheduled = true
  setImmediate(serve)
}

/**
 * Gives each batch that a watcher takes to `send`, which answers undefined when it is ready for more, else what to wait for. Ends
 * as the watcher does.
 */
export const pump = (
  watcher: WatchCache.Watcher,
  send: (events: ReadonlyArray<CacheEvent.CacheEvent>) => Effect.Effect<void> | undefined
): Effect.Effect<never, WatchExpired.WatchExpired> => {
  const untilFull = Effect.async<Effect.Effect<void, WatchExpired.WatchExpired>>((resume) => {
    let live = true
    let forget = (): void => {}
    const settle = (next: Effect.Effect<void, WatchExpired.WatchExpired>): void => {
      live = false
      resume(Effect.succeed(next))
    }
    const turn = (): void => {
      if (!live) return
      try {
        const events = watcher.takeNow()
        if (events.length === 0) {
          const end = watcher.ended()
          if (end !== undefined) return settle(end)
        } else {
          const wait = send(events)
          if (wait !== undefined) return settle(wait)
        }
      } catch (defect) {
        return settle(Effect.die(defect))
      }
      forget = watcher.whenReady(() => enqueue(turn))
    }
    forget = watcher.whenReady(() => enqueue(turn))
    return Effect.sync(() => {
      live = false
      forget()
    })
  })
  return Effect.forever(Effect.flatten(untilFull))
}

interface Batch {
  readonly prefix: string
  readonly first: CacheEvent.CacheEvent
  readonly last: CacheEvent.CacheEvent
  readonly count: number
  readonly bytes: Uint8Array
}

// Longer batches are those of a watcher that is behind; nobody shares them.
const sharedEvents = 64

// Watchers of the same prefix that stand at the same place take the same events, one after the other.
let latest: Batch | undefined

/**
 * The lines of a batch of events, made once for all watches that see everything under `prefix`. Undefined for a batch that is
 * too long to be sent in one piece.
 */
export const sharedBatch = (
  prefix: string,
  encoder: EventEncoder
) =>
(events: ReadonlyArray<CacheEvent.CacheEvent>): Uint8Array | undefined => {
  const first = events[0]
  const last = events.at(-1)
  if (first === undefined || last === undefined) return undefined
  if (events.length === 1) return encoder.event(first)
  if (events.length > sharedEvents) return undefined
  const same = latest !== undefined && latest.prefix === prefix && latest.count === events.length && latest.first === first &&
    latest.last === last
  if (same && latest !== undefined) return latest.bytes
  const bytes = chunks.nextChunk(encodedOnes(events, encoder), Infinity)
  if (bytes === undefined) return undefined
  latest = { prefix, first, last, count: events.length, bytes }
  return bytes
}

const encodedOnes = function*(events: ReadonlyArray<CacheEvent.CacheEvent>, encoder: EventEncoder): Generator<Uint8Array> {
  for (const event of events) {
    const line = encoder.event(event)
    if (line !== undefined) yield line
  }
}
