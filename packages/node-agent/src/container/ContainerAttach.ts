/** Attaching to a container: its output from now on, its input if it has one, the size of its terminal. Leaving it ends nothing. */
import type * as FileSystem from "@effect/platform/FileSystem"
import { type CommandRunner, Zlogin } from "@reddwarf/runtime-illumos"
import type { RemoteCommand } from "@reddwarf/streaming"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as ContainerLogs from "./ContainerLogs.js"
import type { ContainerTarget } from "./ContainerTarget.js"
import * as byteStreams from "../internal/byteStreams.js"
import * as inputFifo from "../internal/inputFifo.js"
import * as LogTarget from "./LogTarget.js"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"
import * as Paths from "../supervisor/SupervisorPaths.js"

/** @category models */
export interface Request {
  /** The agent's data directory. */
  readonly dataDir: string
  readonly target: ContainerTarget
  readonly options: RemoteCommand.Options
}

/** Arguments: the file that names the terminal, rows, columns. */
const resizeScript = `exec stty rows "$2" columns "$3" <"$(cat "$1")"`

/**
 * Stays until the container's process has ended, or until interrupted.
 *
 * The input of a container with `stdinOnce` ends for good with the first client that was attached to it.
 *
 * @category constructors
 */
export const run = (
  runner: CommandRunner.CommandRunner["Type"],
  supervisor: SupervisorClient.SupervisorClient["Type"],
  { dataDir, options, target }: Request,
  channels: RemoteCommand.Channels
): Effect.Effect<RemoteCommand.Outcome, never, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const { attempt, spec } = target
    const directory = `${Paths.zone(dataDir, target.pod.uid)}/${target.launch}`
    const isOver = supervisor.read(target.pod.uid).pipe(
      Effect.map((now) => LogTarget.isOver(now, spec.name, attempt)),
      Effect.orElseSucceed(() => true)
    )
    const output = yield* ContainerLogs.follow(Paths.log(target.logDirectory, spec.name, attempt), isOver)
    if (options.stdin && spec.stdin === true) {
      // When the client leaves, what it sent is still read by the container before the end.
      if (spec.stdinOnce === true) yield* Effect.addFinalizer(() => inputFifo.end(directory))
      yield* Effect.forkScoped(
        Effect.scoped(Effect.flatMap(inputFifo.open(directory), (input) => byteStreams.copyAll(channels.stdin, input))).pipe(
          Effect.zipRight(spec.stdinOnce === true ? inputFifo.end(directory) : Effect.void),
          Effect.catchAll((error) => Effect.logDebug("the input of a container is gone", error.message))
        )
      )
    } else {
      channels.stdin.resume()
    }
    if (spec.tty === true) {
      const file = `${Paths.zoneMountPoint.slice(1)}/${target.launch}/tty`
      yield* Effect.forkScoped(
        Stream.runForEach(channels.resize, ({ height, width }) =>
          Zlogin.run(runner, target.zone, ["/bin/sh", "-c", resizeScript, "sh", file, String(height), String(width)], {
            timeout: "10 seconds",
            failsafe: true
          }).pipe(Effect.catchAll((error) => Effect.logDebug("the terminal was not resized", error))))
      )
    }
    yield* Stream.runForEach(output, ({ bytes, stream }) =>
      byteStreams.write(stream === "stderr" ? channels.stderr : channels.stdout, bytes))
    return { _tag: "Exited", exitCode: 0 } as const
  }).pipe(
    Effect.scoped,
    Effect.catchAll((error) => Effect.succeed({ _tag: "Failed", message: `error attaching to container: ${error.message}` } as const))
  )
