/**
 * The remote command protocol of `exec` and `attach`: a command's standard streams, its terminal size and its exit code over one
 * connection, as WebSocket (`v5.channel.k8s.io` and older) or SPDY/3.1 (`v4.channel.k8s.io` and older).
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import { Readable, Writable } from "node:stream"
import * as connections from "./internal/commandConnection.js"
import * as commandStatus from "./internal/commandStatus.js"
import * as liveness from "./internal/liveness.js"
import * as terminalSizes from "./internal/terminalSizes.js"
import type { TerminalSize } from "./TerminalSize.js"
import { refuse, type Upgrade } from "./Upgrade.js"

/**
 * What a request asks for. A terminal has no stderr.
 *
 * @category models
 */
export interface Options {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly tty: boolean
}

// The names of the API server, then those of the kubelet.
const parameters = {
  stdin: ["stdin", "input"],
  stdout: ["stdout", "output"],
  stderr: ["stderr", "error"],
  tty: ["tty", "tty"]
} as const

/**
 * Reads the options of a query, in the names of the API server (`stdin=true`) or of the kubelet (`input=1`). Left: what is wrong with
 * them, for a 400.
 *
 * @category constructors
 */
export const parseOptions = (query: URLSearchParams): Either.Either<Options, string> => {
  const asked = (names: ReadonlyArray<string>) => names.some((name) => ["1", "true"].includes(query.get(name) ?? ""))
  const stdin = asked(parameters.stdin)
  const stdout = asked(parameters.stdout)
  const tty = asked(parameters.tty)
  const stderr = asked(parameters.stderr)
  if (!stdin && !stdout && !stderr) return Either.left("you must specify at least 1 of stdin, stdout, stderr")
  return Either.right({ stdin, stdout, stderr: stderr && !tty, tty })
}

/**
 * The client's ends. What was not asked for: stdin is ended at once, stdout and stderr take everything and keep nothing. All of them have
 * bounded buffers, so whoever pipes them never holds more than those.
 *
 * @category models
 */
export interface Channels {
  /** Ends when the client half-closes its stdin, or is gone. Clients before version 5 of the WebSocket protocol cannot half-close. */
  readonly stdin: Readable
  readonly stdout: Writable
  readonly stderr: Writable
  /** The latest size not taken yet, and those that follow. Empty without a terminal. */
  readonly resize: Stream.Stream<TerminalSize>
}

/**
 * How a command ended. `Failed` is an internal error of whoever runs commands: clients show `Internal error occurred: ` and the message.
 *
 * @category models
 */
export type Outcome =
  | { readonly _tag: "Exited"; readonly exitCode: number }
  | { readonly _tag: "Failed"; readonly message: string }

/** @category models */
export interface ServeOptions extends Options {
  /** How long a session may be without a byte either way. Default 4 hours. */
  readonly idleTimeout?: Duration.DurationInput
  /** How long a SPDY client may take to open its streams. Default 30 seconds. */
  readonly handshakeTimeout?: Duration.DurationInput
}

// How long the client may take to close after it has been told the outcome.
const farewell = "5 seconds"

const emptyStdin = (): Readable => Readable.from([], { objectMode: false })

const discarding = (): Writable =>
  new Writable({
    write: (_chunk, _encoding, done) => {
      done()
    }
  })

/** Ends a stream and waits until its last byte has gone out. */
const ended = (stream: Writable | undefined): Effect.Effect<void> =>
  Effect.async((resume) => {
    if (stream === undefined || stream.writableFinished || stream.destroyed) return resume(Effect.void)
    const done = () => resume(Effect.void)
    stream.once("finish", done)
    stream.once("close", done)
    stream.end()
    return Effect.sync(() => {
      stream.off("finish", done)
      stream.off("close", done)
    })
  })

const report = (connection: connections.CommandConnection, outcome: Outcome): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { error, resize, stderr, stdin, stdout } = connection.streams
    yield* Effect.all([ended(stdout), ended(stderr)], { concurrency: 2, discard: true })
    const status = commandStatus.bytes(connection.version, outcome)
    if (status.length > 0) error.write(status)
    yield* ended(error)
    stdin?.end()
    resize?.end()
    connection.goodbye()
    yield* Effect.timeoutOption(connection.gone, farewell)
  })

/**
 * Answers the upgrade, runs `command` with the channels, sends its outcome in the protocol's form when stdout and stderr have gone out, and
 * closes. The command is interrupted when the client goes away, or when the session is idle for too long. What cannot be granted is refused
 * as plain HTTP with a Status. Never fails.
 *
 * @category combinators
 */
export const serve = <R>(
  upgrade: Upgrade,
  options: ServeOptions,
  command: (channels: Channels) => Effect.Effect<Outcome, never, R>
): Effect.Effect<void, never, R> => {
  const session = (connection: connections.CommandConnection) =>
    Effect.gen(function*() {
      const { resize, stderr, stdin, stdout } = connection.streams
      const channels: Channels = {
        stdin: stdin ?? emptyStdin(),
        stdout: stdout ?? discarding(),
        stderr: stderr ?? discarding(),
        resize: yield* terminalSizes.make(resize)
      }
      const done = Effect.flatMap(command(channels), (outcome) => report(connection, outcome))
      const over = Effect.raceFirst(connection.gone, liveness.lost(connection, options.idleTimeout ?? liveness.defaultIdleTimeout))
      yield* Effect.raceFirst(done, over)
    }).pipe(Effect.scoped)

  return Effect.acquireUseRelease(
    Effect.interruptible(connections.open(upgrade, options, options.handshakeTimeout ?? "30 seconds")),
    (opened) => {
      if (Either.isLeft(opened)) return refuse(upgrade, opened.left)
      return Option.isNone(opened.right) ? Effect.void : session(opened.right.value)
    },
    (opened) =>
      Effect.sync(() => {
        if (Either.isRight(opened) && Option.isSome(opened.right)) opened.right.value.destroy()
      })
  ).pipe(Effect.ensuring(Effect.sync(() => void upgrade.socket.destroy())))
}
