/**
 * The port-forward protocol: any number of connections to ports of a pod over one connection of the client, as SPDY/3.1, as SPDY/3.1 in the
 * messages of a WebSocket, or as a WebSocket with two channels for each port (`v4.channel.k8s.io`).
 */
import { Status } from "@reddwarf/api-types"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { Duplex } from "node:stream"
import { createWebSocketStream, type WebSocket } from "ws"
import { forward } from "./internal/forwarding.js"
import * as handshake from "./internal/handshake.js"
import * as liveness from "./internal/liveness.js"
import * as spdySession from "./internal/spdySession.js"
import * as streamPairs from "./internal/streamPairs.js"
import * as webSocketChannels from "./internal/webSocketChannels.js"
import { refuse, type Upgrade } from "./Upgrade.js"

/** @category models */
export interface Options {
  /** The ports of the query, for clients that do not name one with each connection. */
  readonly ports: ReadonlyArray<number>
  /** How long a session may be without a byte either way. Default 4 hours. */
  readonly idleTimeout?: Duration.DurationInput
  /** How long the second stream of a connection may take to come. Default 30 seconds. */
  readonly streamCreationTimeout?: Duration.DurationInput
  /** Streams open at once, two for each connection; more are refused. Default 512. */
  readonly maxStreams?: number
}

/**
 * Opens a port of the pod, for as long as the scope lives. It should allow half-open connections. The message of a failure is what the client
 * sees.
 *
 * @category models
 */
export type Connect<R> = (port: number) => Effect.Effect<Duplex, { readonly message: string }, R | Scope.Scope>

const spdy = "portforward.k8s.io"
const tunnel = `SPDY/3.1+${spdy}`
const channelProtocols = ["v4.channel.k8s.io", "v4.base64.channel.k8s.io"]

// A message names its channel in one byte.
const maxPorts = 100

interface Gone {
  readonly wait: Effect.Effect<void>
  readonly tell: () => void
}

const makeGone = (): Gone => {
  const gone = Deferred.unsafeMake<void>(FiberId.none)
  return { wait: Deferred.await(gone), tell: () => Deferred.unsafeDone(gone, Exit.void) }
}

/** Serves SPDY on a byte stream until the client is gone. */
const onSpdy = <R>(transport: Duplex, options: Options, connect: Connect<R>): Effect.Effect<void, never, R> =>
  Effect.gen(function*() {
    const run = yield* FiberSet.makeRuntime<Exclude<R, Scope.Scope>>()
    const pairs = streamPairs.make()
    const expiries = new Map<spdySession.SpdyStream, Fiber.RuntimeFiber<void>>()
    const gone = makeGone()
    const session = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spdySession.make(transport, {
          maxStreams: options.maxStreams ?? 512,
          onStream: (stream) => {
            const pair = pairs.add(stream)
            if (pair === false) return false
            if (pair === undefined) {
              const expiry = Effect.delay(Effect.sync(() => pairs.expire(stream)), options.streamCreationTimeout ?? "30 seconds")
              expiries.set(stream, run(Effect.ensuring(expiry, Effect.sync(() => expiries.delete(stream)))))
            } else {
              expiries.get(pair.first)?.unsafeInterruptAsFork(FiberId.none)
              run(forward(pair, connect))
            }
            return true
          },
          onClose: gone.tell
        })
      ),
      ({ destroy }) => Effect.sync(destroy)
    )
    yield* Effect.raceFirst(gone.wait, liveness.lost(session, options.idleTimeout ?? liveness.defaultIdleTimeout))
  }).pipe(Effect.scoped)

const portBytes = (port: number): Buffer => {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(port)
  return bytes
}

/** Serves two channels for each port until all of them are closed, or the client is gone. */
const onChannels = <R>(
  socket: WebSocket,
  mux: webSocketChannels.Channels,
  options: Options,
  connect: Connect<R>
): Effect.Effect<void, never, Exclude<R, Scope.Scope>> =>
  Effect.gen(function*() {
    const gone = makeGone()
    socket.once("close", gone.tell)
    if (socket.readyState === socket.CLOSED) gone.tell()
    const pairs = options.ports.flatMap((port, index) => {
      const data = mux.channels[2 * index]
      const error = mux.channels[2 * index + 1]
      return data === undefined || error === undefined ? [] : [{ port, data, error }]
    })
    // The first message of a channel says which port it is for.
    for (const { data, error, port } of pairs) {
      data.write(portBytes(port))
      error.write(portBytes(port))
      error.resume()
    }
    const watched = {
      ...mux,
      ping: () => {
        if (socket.readyState === socket.OPEN) socket.ping()
      }
    }
    const all = Effect.forEach(pairs, (pair) => forward(pair, connect), { concurrency: "unbounded", discard: true })
    const farewell = Effect.sync(() => {
      mux.drop()
      socket.close(1000)
    })
    const served = all.pipe(Effect.zipRight(farewell), Effect.zipRight(Effect.timeoutOption(gone.wait, "5 seconds")))
    const over = Effect.raceFirst(gone.wait, liveness.lost(watched, options.idleTimeout ?? liveness.defaultIdleTimeout))
    yield* Effect.raceFirst(served, over)
  }).pipe(Effect.ensuring(Effect.sync(mux.destroy)))

const checkPorts = (ports: ReadonlyArray<number>): Either.Either<void, Status.Status> => {
  if (ports.length === 0) return Either.left(Status.badRequest("query parameter \"port\" is required"))
  return ports.length > maxPorts
    ? Either.left(Status.badRequest(`at most ${maxPorts} ports can be forwarded by one request`))
    : Either.void
}

const onWebSocket = <R>(upgrade: Upgrade, options: Options, connect: Connect<R>): Effect.Effect<void, never, R> => {
  const agreed = handshake.webSocketProtocol(upgrade.request, [tunnel, ...channelProtocols])
  if (Either.isLeft(agreed)) return refuse(upgrade, agreed.left)
  const name = Option.getOrElse(agreed.right, () => "")
  if (name === tunnel) {
    // Tiny messages, and empty ones, are ordinary here: they are pieces of one stream of bytes.
    return Effect.flatMap(
      handshake.acceptWebSocket(upgrade, agreed.right, (socket) => createWebSocketStream(socket)),
      Option.match({
        onNone: () => Effect.void,
        onSome: (bytes) => {
          bytes.on("error", () => {})
          return onSpdy(bytes, options, connect)
        }
      })
    )
  }
  const ports = checkPorts(options.ports)
  if (Either.isLeft(ports)) return refuse(upgrade, ports.left)
  const framing = { base64: name.includes("base64"), closes: false }
  const opened = handshake.acceptWebSocket(upgrade, agreed.right, (socket) => ({
    socket,
    mux: webSocketChannels.make(socket, framing, 2 * options.ports.length)
  }))
  return Effect.flatMap(
    opened,
    Option.match({ onNone: () => Effect.void, onSome: ({ mux, socket }) => onChannels(socket, mux, options, connect) })
  )
}

/**
 * Answers the upgrade and forwards connections until the client is gone, or the session is idle for too long. What cannot be granted is
 * refused as plain HTTP with a Status. Never fails.
 *
 * @category combinators
 */
export const serve = <R>(upgrade: Upgrade, options: Options, connect: Connect<R>): Effect.Effect<void, never, R> =>
  Effect.suspend(() => {
    const { request, socket } = upgrade
    socket.on("error", () => {})
    const carrier = handshake.carrierOf(request)
    if (Either.isLeft(carrier)) return refuse(upgrade, carrier.left)
    if (carrier.right === "WebSocket") return onWebSocket(upgrade, options, connect)
    const protocol = handshake.spdyProtocol(request, [spdy])
    if (Either.isLeft(protocol)) return refuse(upgrade, protocol.left)
    handshake.acceptSpdy(upgrade, protocol.right)
    return onSpdy(socket, options, connect)
  }).pipe(Effect.ensuring(Effect.sync(() => void upgrade.socket.destroy())))
