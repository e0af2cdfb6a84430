/**
 * From a watcher to its connection. Plain code between two waits: a change goes to thousands of watchers, and a fiber that wakes
 * for each of them would cost more than sending. Those that have something to take stand in one line and are served in slices,
 * so that writes and reads go on meanwhile; what changes in the meantime is then sent along in the same piece.
 */
import type { WatchCache, WatchExpired } from "@reddwarf/event-bus"
import * as Effect from "effect/Effect"
import type { Sink } from "../ApiResponse.js"
import type { NextPiece } from "./watchPieces.js"

// Longer than a turn's fixed costs, shorter than anybody notices.
const sliceMillis = 4

// A long line gets longer slices: writers that went on at full speed would only leave the watchers further behind.
const longestSliceMillis = 16
const turnsPerMilli = 150

let line: Array<() => void> = []
let isScheduled = false

const serve = (): void => {
  const until = performance.now() + Math.min(longestSliceMillis, Math.max(sliceMillis, line.length / turnsPerMilli))
  const turns = line
  line = []
  let served = 0
  while (served < turns.length) {
    turns[served++]?.()
    if (served % 8 === 0 && performance.now() > until) break
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

const nothing = (): void => {}

/** Sends what the watcher gets, piece by piece, as fast as the receiver takes it. Ends as the watcher does. */
export const pump = (watcher: WatchCache.Watcher, next: NextPiece, sink: Sink): Effect.Effect<never, WatchExpired.WatchExpired> => {
  const untilWaiting = Effect.async<Effect.Effect<void, WatchExpired.WatchExpired>>((resume) => {
    let live = true
    let forget = nothing
    const settle = (outcome: Effect.Effect<void, WatchExpired.WatchExpired>): void => {
      live = false
      resume(Effect.succeed(outcome))
    }
    const ready = (): void => enqueue(turn)
    const follow = (): void => {
      if (live) forget = watcher.whenReady(ready)
    }
    const turn = (): void => {
      if (!live) return
      try {
        const piece = next(watcher)
        if (piece === undefined) {
          const end = watcher.ended()
          if (end !== undefined) return settle(end)
        } else if (!sink.write(piece)) {
          if (sink.whenDrained === undefined) return settle(sink.drained)
          forget = sink.whenDrained(follow)
          return
        }
      } catch (defect) {
        return settle(Effect.die(defect))
      }
      follow()
    }
    follow()
    return Effect.sync(() => {
      live = false
      forget()
    })
  })
  return Effect.forever(Effect.flatten(untilWaiting))
}
