/**
 * Two processes of one host that talk over a socket in a directory only they can reach: JSON documents, one a line. Either side asks, which
 * the other answers, or tells, which nobody answers.
 */
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Socket } from "node:net"

/** The other side is gone, or does not answer. */
export class PeerGone extends Data.TaggedError("PeerGone")<{ readonly message: string }> {}

/** The other side. */
export interface LocalPeer {
  readonly ask: (body: unknown) => Effect.Effect<unknown, PeerGone>
  readonly tell: (body: unknown) => void
  /** Resolves when there is no other side any more. */
  readonly gone: Effect.Effect<void>
}

/** What this side does with what it hears. */
export interface Handlers {
  readonly onAsk: (body: unknown) => Effect.Effect<unknown>
  readonly onTell: (body: unknown) => void
}

const Line = Schema.parseJson(Schema.Union(
  Schema.Struct({ ask: Schema.Number, body: Schema.Unknown }),
  Schema.Struct({ answer: Schema.Number, body: Schema.Unknown }),
  Schema.Struct({ tell: Schema.Unknown })
))
const decode = Schema.decodeUnknownOption(Line)

/** The specification of one container, with all its variables, fits many times. */
const maxLine = 8 * 1024 * 1024
/** Questions under way, each way. */
const maxAsked = 1024
const patience = "10 seconds"

/** Talks over a connected socket for as long as the scope lives. Whoever says what is no line of this kind, or too much, is let go. */
export const make = (socket: Socket, handlers: Handlers): Effect.Effect<LocalPeer, never, Scope.Scope> =>
  Effect.gen(function*() {
    const gone = Deferred.unsafeMake<void>(FiberId.none)
    const asked = new Map<number, (body: Effect.Effect<unknown, PeerGone>) => void>()
    const run = yield* FiberSet.makeRuntime()
    const lost = new PeerGone({ message: "the other process has closed the connection" })
    let serial = 0
    let answering = 0
    let text = ""

    const send = (line: object): void => {
      if (socket.destroyed || !socket.writable) return
      if (socket.writableLength > maxLine) socket.destroy()
      else socket.write(`${JSON.stringify(line)}\n`)
    }
    const hear = (line: string): void => {
      const heard = Option.getOrUndefined(decode(line))
      if (heard === undefined) return void socket.destroy()
      if ("tell" in heard) return handlers.onTell(heard.tell)
      if ("answer" in heard) {
        asked.get(heard.answer)?.(Effect.succeed(heard.body))
        asked.delete(heard.answer)
        return
      }
      if (answering >= maxAsked) return void socket.destroy()
      answering += 1
      run(Effect.map(handlers.onAsk(heard.body), (body) => {
        answering -= 1
        send({ answer: heard.ask, body: body ?? null })
      }))
    }
    const end = (): void => {
      Deferred.unsafeDone(gone, Exit.void)
      for (const resume of asked.values()) resume(Effect.fail(lost))
      asked.clear()
    }
    socket.on("error", () => undefined)
    socket.once("close", end)
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk
      let from = 0
      for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", from)) {
        hear(text.slice(from, at))
        from = at + 1
      }
      text = text.slice(from)
      if (text.length > maxLine) socket.destroy()
    })
    if (socket.destroyed) end()
    yield* Effect.addFinalizer(() => Effect.sync(() => void socket.destroy()))
    return {
      gone: Deferred.await(gone),
      tell: (body) => send({ tell: body }),
      ask: (body) =>
        Effect.async<unknown, PeerGone>((resume) => {
          if (socket.destroyed) return resume(Effect.fail(lost))
          if (asked.size >= maxAsked) return resume(Effect.fail(new PeerGone({ message: "too many questions are under way" })))
          const number = serial += 1
          asked.set(number, resume)
          send({ ask: number, body })
          return Effect.sync(() => void asked.delete(number))
        }).pipe(Effect.timeoutFail({ duration: patience, onTimeout: () => new PeerGone({ message: `the other process has not answered within ${patience}` }) }))
    }
  })
