/**
 * A watcher whose events have to be converted before anybody sees them, which takes time. One batch is converted ahead; the
 * next one is taken when that has been given out, so no more is held than the watcher behind it holds.
 */
import type { CacheEvent, WatchCache, WatchExpired } from "@reddwarf/event-bus"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"

type Events = ReadonlyArray<CacheEvent.CacheEvent>
type End = Exit.Exit<never, WatchExpired.WatchExpired>

const nothing = (): void => {}

/** `convert` gives the events that are to be seen; its failure ends the watch. */
export const make = (
  watcher: WatchCache.Watcher,
  convert: (events: Events) => Effect.Effect<Events, WatchExpired.WatchExpired>
): Effect.Effect<WatchCache.Watcher, never, Scope.Scope> =>
  Effect.gen(function*() {
    const room = yield* Effect.makeLatch(true)
    let batch: Events | undefined
    let end: End | undefined
    let listener: (() => void) | undefined
    /** What may be bookmarked while events are on their way. */
    let passed: number | undefined

    const wake = (): void => {
      const call = listener
      listener = undefined
      call?.()
    }

    const taken = Effect.async<Events, WatchExpired.WatchExpired>((resume) => {
      const forget = watcher.whenReady(() =>
        resume(Effect.suspend(() => {
          const before = watcher.bookmark()
          const events = watcher.takeNow()
          if (events.length === 0) return watcher.ended() ?? Effect.succeed(events)
          passed = before
          return Effect.succeed(events)
        }))
      )
      return Effect.sync(forget)
    })
    const ahead = Effect.gen(function*() {
      yield* room.await
      const converted = yield* convert(yield* taken)
      room.unsafeClose()
      batch = converted
      wake()
    })
    yield* Effect.forkScoped(
      Effect.onExit(Effect.forever(ahead), (exit) =>
        Effect.sync(() => {
          end = exit
          wake()
        }))
    )

    const takeNow = (limit = Infinity): Events => {
      // Events that are still being converted stay on their way.
      if (batch === undefined) return []
      const events = batch
      if (events.length > limit) {
        batch = events.slice(limit)
        return events.slice(0, limit)
      }
      batch = undefined
      if (end === undefined) passed = undefined
      room.unsafeOpen()
      return events
    }
    const ended = (): End | undefined => batch === undefined ? end : undefined
    const whenReady = (call: () => void): () => void => {
      if (batch !== undefined || end !== undefined) {
        call()
        return nothing
      }
      listener = call
      return () => {
        if (listener === call) listener = undefined
      }
    }
    return {
      startRevision: watcher.startRevision,
      takeNow,
      waiting: () => batch ?? [],
      ended,
      whenReady,
      takeAll: Effect.async<Events, WatchExpired.WatchExpired>((resume) => {
        const forget = whenReady(() => resume(Effect.suspend(() => ended() ?? Effect.sync(() => takeNow()))))
        return Effect.sync(forget)
      }),
      bookmark: () => passed ?? watcher.bookmark()
    }
  })
