/** Window sizes from the bytes of a resize channel: JSON objects, one after the other, in whatever pieces they come. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Readable } from "node:stream"
import * as TerminalSize from "../TerminalSize.js"

// An object has some thirty bytes; what is left of more cannot be one.
const maxPending = 1024

const object = /\{[^{}]*\}/g

/** The latest size that nobody has taken yet, and those that follow. Ends with the scope. */
export const make = (channel: Readable | undefined): Effect.Effect<Stream.Stream<TerminalSize.TerminalSize>, never, Scope.Scope> =>
  channel === undefined ? Effect.succeed(Stream.empty) : Effect.map(
    Effect.acquireRelease(Queue.dropping<void>(1), Queue.shutdown),
    (notices) => {
      // The queue only says that there is one: `unsafeOffer` of a full queue drops what is new, and here that is what matters.
      let latest = Option.none<TerminalSize.TerminalSize>()
      let pending = ""
      channel.on("data", (chunk: Buffer) => {
        pending += chunk.toString("latin1")
        let end = 0
        for (const found of pending.matchAll(object)) {
          end = found.index + found[0].length
          const size = TerminalSize.parse(found[0])
          if (Option.isNone(size)) continue
          latest = size
          notices.unsafeOffer(undefined)
        }
        pending = pending.slice(end)
        if (pending.length > maxPending) pending = ""
      })
      const taken = Effect.sync(() => {
        const size = latest
        latest = Option.none()
        return size
      })
      return Stream.fromQueue(notices).pipe(Stream.mapEffect(() => taken), Stream.filterMap((size) => size))
    }
  )
