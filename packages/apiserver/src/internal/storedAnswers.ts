/** Lists and watches for callers in this process: the entries of the cache themselves, so that nothing is encoded or copied. */
import { ApiError, Status } from "@reddwarf/api-types"
import type { Transport } from "@reddwarf/client"
import type { WatchCache, WatchExpired } from "@reddwarf/event-bus"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ApiResponse } from "../ApiResponse.js"
import * as Response from "../ApiResponse.js"
import * as WatchStream from "../WatchStream.js"
import { objectOf, type ResourceRequest } from "./apiContext.js"
import * as eager from "./eager.js"
import { withRevision } from "./encode.js"
import { prefixOf } from "./keys.js"
import type { Selection } from "./selection.js"

/** A version in the store, with the key that clients know it by. */
class Stored implements Transport.StoredObject {
  readonly key: string
  readonly #version: { readonly revision: number; readonly object: unknown }

  constructor(key: string, version: { readonly revision: number; readonly object: unknown }) {
    this.key = key
    this.#version = version
  }

  get resourceVersion(): string {
    return String(this.#version.revision)
  }

  get object(): unknown {
    return this.#version.object
  }
}

/** What a list answers. */
export interface Listed {
  /** Those of a list without pages are looked for while they are taken. */
  readonly items: Iterable<{ readonly key: string; readonly revision: number; readonly object: unknown }>
  readonly revision: number | undefined
  /** Token for the next page. */
  readonly next?: string | undefined
}

/** A list, or a page of one. */
export const list = ({ kind }: ResourceRequest, { items, next, revision }: Listed): ApiResponse => {
  const start = prefixOf(kind, undefined).length
  return Response.stored({
    _tag: "List",
    items: {
      *[Symbol.iterator]() {
        for (const item of items) yield new Stored(item.key.slice(start), item)
      }
    },
    resourceVersion: String(revision),
    ...(next === undefined ? {} : { continue: next })
  })
}

/** How a watch is opened and bounded. */
export interface WatchSession {
  readonly call: ResourceRequest
  readonly selection: Selection
  readonly open: Effect.Effect<WatchCache.Watcher, Status.Status, Scope.Scope>
  readonly seconds: number
}

/** A watch without initial events; between events it tells now and then how far it is. */
export const watch = ({ call, open, seconds, selection }: WatchSession): ApiResponse => {
  const start = prefixOf(call.kind, undefined).length
  const toStored = (event: WatchCache.CacheEvent): ReadonlyArray<Transport.StoredEvent> => {
    const seen = WatchStream.classify(event, selection)
    if (seen === undefined) return []
    const version = seen.left
      ? { revision: event.revision, object: withRevision(objectOf(event.previous ?? event.entry), event.revision) }
      : event.entry
    return [{ type: seen.type, stored: new Stored(event.key.slice(start), version) }]
  }
  const follow = (watcher: WatchCache.Watcher, emit: Transport.EmitStored) => {
    const bookmark = Effect.suspend(() => emit([{ type: "BOOKMARK", resourceVersion: String(watcher.bookmark()) }]))
    // Between takes everything taken has been emitted, so a bookmark may stand there.
    let idle = true
    // Plain code between two waits: a fiber that wakes for each change costs more than to tell of it.
    const step = Effect.flatten(Effect.async<Effect.Effect<void, WatchExpired.WatchExpired>>((resume) => {
      let live = true
      let forget: () => void
      const settle = (rest: Effect.Effect<void, WatchExpired.WatchExpired>): void => {
        live = false
        resume(Effect.succeed(rest))
      }
      const turn = (): void => {
        if (!live) return
        const end = watcher.ended()
        if (end !== undefined) return settle(end)
        try {
          const emitted = emit(watcher.takeNow().flatMap(toStored))
          if (eager.hasSucceeded(emitted)) return follow()
          idle = false
          settle(Effect.map(emitted, () => {
            idle = true
          }))
        } catch (defect) {
          settle(Effect.die(defect))
        }
      }
      // Not within the commit.
      const follow = (): void => {
        forget = watcher.whenReady(() => queueMicrotask(turn))
      }
      follow()
      return Effect.sync(() => {
        live = false
        forget()
      })
    }))
    const ticks = Effect.forever(
      Effect.delay(Effect.suspend(() => idle ? bookmark : Effect.void), Duration.millis(call.context.bookmarkMillis))
    )
    return Effect.forever(step).pipe(
      Effect.raceFirst(ticks),
      Effect.timeoutOption(Duration.seconds(seconds)),
      Effect.zipRight(bookmark),
      Effect.mapError((error) => ApiError.make(Status.expired(error.message)))
    )
  }
  return Response.stored({
    _tag: "Watch",
    run: (emit) =>
      Effect.scoped(
        Effect.flatMap(Effect.mapError(open, ApiError.make), (watcher) => follow(watcher, emit))
      )
  })
}
