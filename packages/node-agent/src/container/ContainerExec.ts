/** A command beside the process of a container: same zone, same variables, same directory, same user. */
import { type CommandRunner, type HostError, ZoneSession } from "@reddwarf/runtime-illumos"
import type { RemoteCommand } from "@reddwarf/streaming"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { ContainerTarget } from "./ContainerTarget.js"
import * as byteStreams from "../internal/byteStreams.js"
import * as containerEntry from "../internal/containerEntry.js"

/** @category models */
export interface Request {
  readonly target: ContainerTarget
  readonly argv: ReadonlyArray<string>
  readonly options: RemoteCommand.Options
}

/** Exit code of a command whose zone went away: it was killed. */
const lost = 137

/** What a container runtime says when a command cannot be started, and the exit code that goes with it. @category combinators */
export const notStarted = (
  program: string,
  workingDirectory: string,
  reason: "missing" | "denied" | "directory"
): { readonly exitCode: number; readonly message: string } => {
  const why = reason === "directory"
    ? `chdir to cwd (${JSON.stringify(workingDirectory)}) set in config.json failed: no such file or directory`
    : reason === "denied"
    ? `exec: ${JSON.stringify(program)}: permission denied`
    : program.includes("/")
    ? `exec: ${JSON.stringify(program)}: stat ${program}: no such file or directory`
    : `exec: ${JSON.stringify(program)}: executable file not found in $PATH`
  return {
    exitCode: reason === "missing" ? 127 : 126,
    message: `OCI runtime exec failed: exec failed: unable to start container process: ${why}: unknown`
  }
}

/** How long a command waits for the size of its terminal, which clients send first. */
const sizeTimeout = "200 millis"

/** The variables of a container's process, with a terminal type for a terminal. */
const environmentOf = ({ options, target }: Request): ReadonlyArray<readonly [string, string]> => {
  const own = target.spec.env.map(({ name, value }) => [name, value] as const)
  return options.tty && !own.some(([name]) => name === "TERM") ? [["TERM", "xterm"], ...own] : own
}

/**
 * The command, and how the session starts it. A container with a root or a user of its own needs a script for that; a program that is missing
 * is then told by the zone's own words, and status 127.
 */
const sessionOf = (request: Request): { readonly words: ReadonlyArray<string>; readonly options: ZoneSession.Options } => {
  const { root, user, workingDirectory } = request.target.spec
  const env = environmentOf(request)
  if (user === undefined && root === undefined) {
    return { words: request.argv, options: { environment: env, workingDirectory: `.${workingDirectory}` } }
  }
  const script = containerEntry.script({ root, user, workingDirectory, env, argv: request.argv })
  return { words: ["/bin/sh", "-c", script], options: {} }
}

/**
 * Runs the command until it ends, or until interrupted; then it is killed with everything it started in its group.
 *
 * @category constructors
 */
export const run = (
  runner: CommandRunner.CommandRunner["Type"],
  request: Request,
  channels: RemoteCommand.Channels
): Effect.Effect<RemoteCommand.Outcome> =>
  Effect.gen(function*() {
    const { argv, options, target } = request
    const size = options.tty ? Option.flatten(yield* Effect.timeoutOption(Stream.runHead(channels.resize), sizeTimeout)) : Option.none()
    const { options: place, words } = sessionOf(request)
    const session = yield* ZoneSession.open(runner, target.zone, words, {
      terminal: options.tty,
      ...(Option.isSome(size) ? { size: size.value } : {}),
      ...place
    })
    // A terminal without a keyboard is silent; it does not type the end-of-file character.
    if (options.stdin) yield* Effect.forkScoped(byteStreams.copyAll(channels.stdin, session.stdin))
    else if (!options.tty) session.stdin.end()
    if (options.tty) {
      yield* Effect.forkScoped(
        Stream.runForEach(channels.resize, ({ height, width }) =>
          Effect.catchAll(session.resize(width, height), (error) => Effect.logDebug("the terminal was not resized", error)))
      )
    }
    yield* Effect.all([byteStreams.copy(session.stdout, channels.stdout), byteStreams.copy(session.stderr, channels.stderr)], {
      concurrency: 2,
      discard: true
    })
    const outcome = yield* Effect.catchAll(session.outcome, () => Effect.succeed({ _tag: "Exited" as const, exitCode: lost }))
    if (outcome._tag === "Exited") return outcome
    const { exitCode, message } = notStarted(argv[0] ?? "", target.spec.workingDirectory, outcome.reason)
    yield* byteStreams.write(options.tty || !options.stderr ? channels.stdout : channels.stderr, Buffer.from(`${message}\r\n`))
    return { _tag: "Exited", exitCode } as const
  }).pipe(
    Effect.scoped,
    Effect.catchAll((error: HostError.HostError) =>
      Effect.succeed({ _tag: "Failed", message: `error executing command in container: ${error.message}` } as const))
  )
