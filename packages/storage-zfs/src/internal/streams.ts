/** Streams between zfs processes and the program: `zfs send` as a stream of bytes, `zfs receive` as a sink for one. */
import { type CommandLine, type CommandRunner, type HostProcess } from "@reddwarf/runtime-illumos"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Readable, Writable } from "node:stream"
import { type StorageError, ZfsCommandFailed } from "../StorageError.js"
import * as ZfsFailure from "../ZfsFailure.js"

type Runner = Context.Tag.Service<CommandRunner.CommandRunner>

/** A stream in which nothing moves for so long is given up. */
const stall = "10 minutes"
const messageLimit = 16_384

/** What a process says on standard error, up to a limit; the rest is read and dropped, so that the process never waits. */
const messages = (stream: Readable): Effect.Effect<string> => {
  let text = ""
  let over = false
  stream.on("data", (chunk: unknown) => {
    if (text.length < messageLimit) text += String(chunk)
  })
  const end = () => {
    over = true
  }
  stream.once("close", end).once("end", end)
  return Effect.async<string>((resume) => {
    if (over) return resume(Effect.sync(() => text))
    const done = () => resume(Effect.sync(() => text))
    stream.once("close", done).once("end", done)
    return Effect.sync(() => void stream.off("close", done).off("end", done))
  })
}

const ended = (operation: string, dataset: string, process: HostProcess.HostProcess, said: Effect.Effect<string>): Effect.Effect<void, StorageError> =>
  Effect.flatMap(process.exit, (exitCode) =>
    exitCode === 0
      ? Effect.void
      : Effect.flatMap(
        Effect.map(Effect.timeoutOption(said, "2 seconds"), Option.getOrElse(() => "")),
        (stderr) => Effect.fail(ZfsFailure.classify(operation, dataset, { exitCode, stdout: "", stderr }))
      ))

const stalled = (operation: string, dataset: string) => () =>
  new ZfsCommandFailed({ operation, dataset, detail: `nothing moved for ${stall}`, exitCode: -1 })

/** The bytes a command prints. The stream fails with what the command said when it ends with another status than 0. */
export const send = (runner: Runner, operation: string, dataset: string, line: CommandLine.CommandLine): Stream.Stream<Uint8Array, StorageError> =>
  Stream.unwrapScoped(Effect.gen(function*() {
    const process = yield* runner.start(line)
    process.stdin.end()
    const said = messages(process.stderr)
    const bytes = Stream.fromAsyncIterable<Uint8Array, StorageError>(process.stdout, (cause) =>
      new ZfsCommandFailed({ operation, dataset, detail: String(cause), exitCode: -1 }))
    return bytes.pipe(
      Stream.timeoutFail(stalled(operation, dataset), stall),
      Stream.concat(Stream.drain(Stream.fromEffect(ended(operation, dataset, process, said))))
    )
  }))

const write = (target: Writable, chunk: Uint8Array): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    if (target.destroyed || target.write(chunk)) return resume(Effect.void)
    const done = () => resume(Effect.void)
    target.once("drain", done).once("close", done)
    return Effect.sync(() => void target.off("drain", done).off("close", done))
  })

/**
 * Feeds a command. When the source fails, the command sees the end of its input, so that it can keep what it has, and its own complaint
 * about that gives way to the failure of the source.
 */
export const receive = <E>(
  runner: Runner,
  operation: string,
  dataset: string,
  line: CommandLine.CommandLine,
  source: Stream.Stream<Uint8Array, E>
): Effect.Effect<void, StorageError | E> =>
  Effect.scoped(Effect.gen(function*() {
    const process = yield* runner.start(line)
    process.stdout.resume()
    const said = messages(process.stderr)
    const feeder = yield* source.pipe(
      Stream.runForEach((chunk) => write(process.stdin, chunk)),
      Effect.ensuring(Effect.sync(() => process.stdin.end())),
      Effect.fork
    )
    const outcome = yield* Effect.either(ended(operation, dataset, process, said))
    // A command that has seen enough ends before its input does: then nobody needs the rest.
    const fed = yield* Fiber.interrupt(feeder)
    if (Exit.isFailure(fed) && !Cause.isInterruptedOnly(fed.cause)) yield* Effect.failCause(fed.cause)
    yield* outcome
  }))
