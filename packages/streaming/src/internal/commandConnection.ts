/** The connection of a remote command, whichever protocol it was upgraded to. */
import type { Status } from "@reddwarf/api-types"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import type { Duplex } from "node:stream"
import type { WebSocket } from "ws"
import type { Options } from "../RemoteCommand.js"
import type { Upgrade } from "../Upgrade.js"
import * as handshake from "./handshake.js"
import type { Watched } from "./liveness.js"
import * as spdySession from "./spdySession.js"
import * as webSocketChannels from "./webSocketChannels.js"

/** The streams of a command; those that were not asked for are missing. */
export interface Streams {
  readonly stdin: Duplex | undefined
  readonly stdout: Duplex | undefined
  readonly stderr: Duplex | undefined
  readonly resize: Duplex | undefined
  readonly error: Duplex
}

export interface CommandConnection extends Watched {
  /** 1 to 5. */
  readonly version: number
  readonly streams: Streams
  /** Answers when the connection is over. */
  readonly gone: Effect.Effect<void>
  /** Closes, once everything written has gone out. */
  readonly goodbye: () => void
  readonly destroy: () => void
}

const versionOf = (protocol: string): number => Number(/^v([2-5])\./.exec(protocol)?.[1] ?? 1)

const spdyProtocols = ["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"]

const webSocketProtocols = ["v5.", "v4.", "v3.", "v2.", ""].flatMap((version) => [`${version}channel.k8s.io`, `${version}base64.channel.k8s.io`])

type Name = keyof Streams

const asked = (options: Options): ReadonlySet<Name> => {
  const names = new Set<Name>(["error"])
  if (options.stdin) names.add("stdin")
  if (options.stdout) names.add("stdout")
  if (options.stderr && !options.tty) names.add("stderr")
  if (options.tty) names.add("resize")
  return names
}

const order: ReadonlyArray<Name> = ["stdin", "stdout", "stderr", "error", "resize"]

const makeGone = () => {
  const over = Deferred.unsafeMake<void>(FiberId.none)
  return { gone: Deferred.await(over), end: () => Deferred.unsafeDone(over, Exit.void) }
}

const onWebSocket = (options: Options, protocol: Option.Option<string>) => (socket: WebSocket): CommandConnection => {
  const name = Option.getOrElse(protocol, () => "channel.k8s.io")
  const version = versionOf(name)
  const { gone, end } = makeGone()
  socket.once("close", end)
  const { channels, ...rest } = webSocketChannels.make(socket, { base64: name.includes("base64"), closes: version >= 5 }, order.length)
  const wanted = asked(options)
  const channel = (name: Name): Duplex | undefined => {
    const found = channels[order.indexOf(name)]
    if (wanted.has(name)) return found
    // Nobody will read what comes on it.
    found?.resume()
    return undefined
  }
  const error = channels[3]
  if (error === undefined) throw new Error("a WebSocket without an error channel")
  const streams: Streams = { stdin: channel("stdin"), stdout: channel("stdout"), stderr: channel("stderr"), resize: channel("resize"), error }
  error.resume()
  streams.stdout?.resume()
  streams.stderr?.resume()
  // Tells old clients that the connection stands, before there is anything to say. Newer ones take the handshake for it, and kubectl 1.32
  // complains when a message comes on a channel that it is still about to make.
  if (version < 5) rest.announce(options.stdout ? 1 : streams.stderr === undefined ? 3 : 2)
  return {
    ...rest,
    version,
    streams,
    gone,
    ping: () => {
      if (socket.readyState === socket.OPEN) socket.ping()
    },
    goodbye: () => {
      rest.drop()
      socket.close(1000)
    }
  }
}

/** Waits for the streams that the client has to open. None: they did not come in time, or the client is gone. */
const onSpdy = (upgrade: Upgrade, options: Options, protocol: string, patience: Duration.DurationInput): Effect.Effect<Option.Option<CommandConnection>> =>
  Effect.suspend(() => {
    const version = versionOf(protocol)
    const wanted = new Set(asked(options))
    // Resizing came with version 3.
    if (version < 3) wanted.delete("resize")
    const found = new Map<Name, Duplex>()
    const { gone, end } = makeGone()
    const complete = makeGone()
    handshake.acceptSpdy(upgrade, protocol)
    const session = spdySession.make(upgrade.socket, {
      maxStreams: order.length,
      onStream: ({ channel, headers }) => {
        const type = headers.get("streamtype")
        const name = order.find((known) => known === type)
        if (name === undefined || !wanted.has(name) || found.has(name)) return false
        found.set(name, channel)
        if (name !== "stdin" && name !== "resize") channel.resume()
        if (found.size === wanted.size) complete.end()
        return true
      },
      onClose: end
    })
    const connection = Effect.sync(() => {
      const error = found.get("error")
      if (found.size < wanted.size || error === undefined) return Option.none()
      const streams: Streams = {
        stdin: found.get("stdin"),
        stdout: found.get("stdout"),
        stderr: found.get("stderr"),
        resize: found.get("resize"),
        error
      }
      return Option.some<CommandConnection>({ ...session, version, streams, gone })
    })
    return Effect.raceFirst(complete.gone, gone).pipe(
      Effect.timeoutOption(patience),
      Effect.zipRight(connection),
      Effect.tap((made) => Option.isNone(made) ? Effect.sync(session.destroy) : Effect.void),
      Effect.onInterrupt(() => Effect.sync(session.destroy))
    )
  })

/** Upgrades the connection. Left: what to refuse it with; none: it came to nothing, and is closed. */
export const open = (
  upgrade: Upgrade,
  options: Options,
  patience: Duration.DurationInput
): Effect.Effect<Either.Either<Option.Option<CommandConnection>, Status.Status>> => {
  const { request } = upgrade
  const carrier = handshake.carrierOf(request)
  if (Either.isLeft(carrier)) return Effect.succeed(Either.left(carrier.left))
  if (carrier.right === "WebSocket") {
    const protocol = handshake.webSocketProtocol(request, webSocketProtocols)
    return Either.isLeft(protocol)
      ? Effect.succeed(Either.left(protocol.left))
      : Effect.map(handshake.acceptWebSocket(upgrade, protocol.right, onWebSocket(options, protocol.right)), Either.right)
  }
  const protocol = handshake.spdyProtocol(request, spdyProtocols)
  return Either.isLeft(protocol)
    ? Effect.succeed(Either.left(protocol.left))
    : Effect.map(onSpdy(upgrade, options, protocol.right, patience), Either.right)
}
