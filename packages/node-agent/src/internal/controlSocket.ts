/**
 * Local sockets that only one's own user reaches: mode 0600, in a folder of mode 0700, and only such ones are used. Whoever could put another
 * one there could be asked for certificates and commands.
 */
import { OwnPath } from "@reddwarf/runtime-illumos"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import { chmodSync, mkdirSync, rmSync } from "node:fs"
import { connect as connectTo, createServer, type Socket } from "node:net"
import { dirname } from "node:path"
import * as localPeer from "./localPeer.js"

/** The socket or its folder is not as it must be, or nobody is there. */
export class ControlSocketFailed extends Data.TaggedError("ControlSocketFailed")<{
  readonly message: string
  /** Nobody will ever answer there again. */
  readonly stale: boolean
}> {}

const failed = (cause: unknown): ControlSocketFailed => {
  const code: unknown = cause instanceof Error ? Reflect.get(cause, "code") : undefined
  return new ControlSocketFailed({ message: cause instanceof Error ? cause.message : String(cause), stale: code === "ECONNREFUSED" || code === "ENOENT" })
}

const attempt = <A>(body: () => A): Effect.Effect<A, ControlSocketFailed> => Effect.try({ try: body, catch: failed })

const checkOwn = (path: string, kind: "folder" | "socket"): void => {
  const problem = OwnPath.problemOf(path, kind)
  if (problem !== undefined) throw new Error(problem)
}

/** Makes the folder if it is missing; fails when others may change it. */
export const prepareFolder = (path: string): Effect.Effect<void, ControlSocketFailed> =>
  attempt(() => {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    checkOwn(path, "folder")
  })

/** What whoever listens does. */
export interface Listener {
  /** Runs for each connection, whose end is that of the effect. */
  readonly onPeer: (peer: localPeer.LocalPeer) => Effect.Effect<void>
  readonly onAsk: (peer: localPeer.LocalPeer) => (body: unknown) => Effect.Effect<unknown>
}

const maxPeers = 8

/** Listens for as long as the scope lives, and takes the socket away then. */
export const listen = (path: string, listener: Listener): Effect.Effect<void, ControlSocketFailed, Scope.Scope> =>
  Effect.gen(function*() {
    yield* prepareFolder(dirname(path))
    const run = yield* FiberSet.makeRuntime()
    const talk = (socket: Socket): Effect.Effect<void> =>
      Effect.gen(function*() {
        const known = yield* Deferred.make<localPeer.LocalPeer>()
        const peer = yield* localPeer.make(socket, {
          onAsk: (body) => Effect.flatMap(Deferred.await(known), (self) => listener.onAsk(self)(body)),
          onTell: () => undefined
        })
        yield* Deferred.succeed(known, peer)
        yield* listener.onPeer(peer)
      }).pipe(Effect.scoped)
    yield* Effect.acquireRelease(
      Effect.async<ReturnType<typeof createServer>, ControlSocketFailed>((resume) => {
        const server = createServer((socket) => void run(talk(socket)))
        server.maxConnections = maxPeers
        server.once("error", (cause) => resume(Effect.fail(failed(cause))))
        server.listen(path, () => resume(Effect.as(attempt(() => chmodSync(path, 0o600)), server)))
      }),
      (server) =>
        Effect.sync(() => {
          server.close()
          rmSync(path, { force: true })
        })
    )
  })

/** Connects for as long as the scope lives. */
export const connect = (
  path: string,
  handlers: localPeer.Handlers
): Effect.Effect<localPeer.LocalPeer, ControlSocketFailed, Scope.Scope> =>
  Effect.gen(function*() {
    yield* attempt(() => {
      checkOwn(dirname(path), "folder")
      checkOwn(path, "socket")
    })
    const socket = yield* Effect.acquireRelease(
      Effect.async<Socket, ControlSocketFailed>((resume) => {
        const connecting = connectTo(path)
        const refused = (cause: unknown) => resume(Effect.fail(failed(cause)))
        connecting.on("error", () => undefined)
        connecting.once("error", refused)
        connecting.once("connect", () => {
          connecting.off("error", refused)
          resume(Effect.succeed(connecting))
        })
        return Effect.sync(() => void connecting.destroy())
      }).pipe(Effect.interruptible),
      (socket) => Effect.sync(() => void socket.destroy())
    )
    return yield* localPeer.make(socket, handlers)
  })
