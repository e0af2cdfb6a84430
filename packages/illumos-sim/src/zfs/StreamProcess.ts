/** `zfs send` and `zfs receive` as processes: their streams pass through pipes, however long they are. */
import { type HostProcess } from "@reddwarf/runtime-illumos"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { PassThrough, Readable } from "node:stream"
import type { Result } from "../internal/result.js"

/** Whether the arguments of zfs are those of a command that reads or writes a stream. @category combinators */
export const applies = (program: string, [subcommand]: ReadonlyArray<string>): boolean =>
  program === "zfs" && ["send", "receive", "recv"].includes(subcommand ?? "")

const everything = (stream: Readable): Effect.Effect<string> =>
  Effect.async<string>((resume) => {
    const chunks: Array<Buffer> = []
    const done = () => resume(Effect.sync(() => Buffer.concat(chunks).toString("utf8")))
    stream.on("data", (chunk: Uint8Array) => chunks.push(Buffer.from(chunk))).once("end", done).once("close", done)
  })

/** Characters given to a pipe at once. */
const piece = 65_536

const pieces = function*(text: string): Generator<Buffer> {
  for (let at = 0; at < text.length; at += piece) yield Buffer.from(text.slice(at, at + piece), "utf8")
}

/** Starts the command; `receive` runs when its input has ended. A failure of the host is exit status 1 with its message. @category constructors */
export const open = <E extends { readonly message: string }>(
  args: ReadonlyArray<string>,
  run: (stdin: string) => Effect.Effect<Result, E>
): Effect.Effect<HostProcess.HostProcess, never, Scope.Scope> =>
  Effect.gen(function*() {
    const stdin = new PassThrough()
    const stdout = new PassThrough()
    const stderr = new PassThrough()
    const exit = yield* Deferred.make<number>()
    const input = args[0] === "send" ? Effect.succeed("") : everything(stdin)
    const work = yield* input.pipe(
      Effect.flatMap(run),
      Effect.catchAll((error) => Effect.succeed<Result>({ exitCode: 1, stdout: "", stderr: `${error.message}\n` })),
      Effect.flatMap((done) =>
        Effect.suspend(() => {
          stderr.end(done.stderr)
          Readable.from(pieces(done.stdout)).pipe(stdout)
          return Deferred.succeed(exit, done.exitCode)
        })
      ),
      Effect.forkScoped
    )
    const kill = Effect.gen(function*() {
      yield* Fiber.interruptFork(work)
      for (const stream of [stdin, stdout, stderr]) stream.destroy()
      yield* Deferred.succeed(exit, 137)
    })
    yield* Effect.addFinalizer(() => kill)
    return { stdin, stdout, stderr, exit: Deferred.await(exit), kill }
  })
