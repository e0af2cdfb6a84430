/** The single door to the host: everything this package knows about a host, it learned by running a `CommandLine`. */
import * as Command from "@effect/platform/Command"
import * as CommandExecutor from "@effect/platform/CommandExecutor"
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { constants } from "node:os"
import * as CommandLine from "./CommandLine.js"
import * as HostProcess from "./HostProcess.js"
import { quote } from "./internal/shell.js"

/**
 * What a finished program left behind.
 *
 * @category models
 */
export interface CommandResult {
  /** Exit status; `128 + n` when signal `n` ended the program. */
  readonly exitCode: number
  /** Standard output, decoded as UTF-8. */
  readonly stdout: string
  /** Standard error, decoded as UTF-8. */
  readonly stderr: string
}

/**
 * The program gave no result: it could not be started, did not end in time, or printed more than the limit.
 *
 * @category errors
 */
export class CommandUnavailable extends Schema.TaggedError<CommandUnavailable>()("CommandUnavailable", {
  program: Schema.String,
  args: Schema.Array(Schema.String),
  reason: Schema.Literal("NotFound", "PermissionDenied", "Timeout", "OutputLimit", "TempFile", "Failed"),
  detail: Schema.String
}) {
  override get message(): string {
    const next = {
      NotFound: "check that this host provides the program at that path",
      PermissionDenied: "run the agent with the privileges of root in the global zone",
      Timeout: "look at the state of the host before trying again; the program was killed",
      OutputLimit: "narrow the query, or raise the output limit of the runner",
      TempFile: "check space and permissions of the temporary directory",
      Failed: "check free memory and process limits of the host"
    }[this.reason]
    return `${CommandLine.format(this)}: ${this.detail}; ${next}`
  }
}

/**
 * How a program is started that others talk to.
 *
 * @category models
 */
export interface StartOptions {
  /** Gives the program a terminal of its own as its standard input, output and error. Default pipes. */
  readonly terminal?: boolean
}

/**
 * Runs command lines on one host, real or simulated.
 *
 * @category services
 */
export class CommandRunner extends Context.Tag("@reddwarf/runtime-illumos/CommandRunner")<CommandRunner, {
  /** Runs to the end and gives the result whatever the exit code is. Fails only when the program cannot be started, times out, or prints more than the output limit. */
  readonly run: (line: CommandLine.CommandLine) => Effect.Effect<CommandResult, CommandUnavailable>
  /**
   * Starts a program to talk to: no time or output limit, and the input of the line is not used. It is killed with its process group when
   * the scope closes. Fails when the program cannot be started, and when a terminal is asked for where none can be had.
   */
  readonly start: (line: CommandLine.CommandLine, options?: StartOptions) => Effect.Effect<HostProcess.HostProcess, CommandUnavailable, Scope.Scope>
  /** Writes a file that a command will read by path (`zonecfg -f`): content, mode 0600, removed when the scope closes. Gives its absolute path. */
  readonly tempFile: (name: string, content: string) => Effect.Effect<string, CommandUnavailable, Scope.Scope>
}>() {}

/**
 * Limits of a live runner.
 *
 * @category models
 */
export interface Options {
  /** Time limit of a command line that names none. Default 60 seconds. */
  readonly timeout?: Duration.DurationInput
  /** Most bytes a program may print on each of its two streams. Default 16 MiB. */
  readonly outputLimit?: number
  /** The whole environment of every program. Default `PATH` of the system directories and `LC_ALL=C`. */
  readonly environment?: Readonly<Record<string, string>>
}

/**
 * The environment host programs get: messages are parsed, so the locale is fixed, and nothing of the agent leaks in.
 *
 * @category models
 */
export const defaultEnvironment: Readonly<Record<string, string>> = {
  PATH: "/usr/sbin:/usr/bin:/sbin",
  LC_ALL: "C"
}

const unavailable = (line: CommandLine.CommandLine) => (error: PlatformError): CommandUnavailable => {
  const reason = error._tag === "SystemError" && (error.reason === "NotFound" || error.reason === "PermissionDenied")
    ? error.reason
    : "Failed"
  return new CommandUnavailable({ program: line.program, args: [...line.args], reason, detail: error.message })
}

const notStarted = (line: CommandLine.CommandLine) => (error: HostProcess.SpawnFailed): CommandUnavailable =>
  new CommandUnavailable({ program: line.program, args: [...line.args], reason: error.reason, detail: error.message })

/** The platform reports death by signal as an error that only names the signal in its text. */
const signalStatus = (error: PlatformError): number | undefined => {
  const name = /receipt of signal: (SIG[A-Z0-9]+)/.exec(error.message)?.[1]
  const number = Object.entries(constants.signals).find(([signal]) => signal === name)?.[1]
  return number === undefined ? undefined : 128 + number
}

const collect = (
  line: CommandLine.CommandLine,
  stream: Stream.Stream<Uint8Array, PlatformError>,
  limit: number
): Effect.Effect<string, CommandUnavailable> =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    let size = 0
    return stream.pipe(
      Stream.mapError(unavailable(line)),
      Stream.runForEach((chunk) => {
        size += chunk.byteLength
        chunks.push(chunk)
        return size <= limit
          ? Effect.void
          : new CommandUnavailable({
            program: line.program,
            args: [...line.args],
            reason: "OutputLimit",
            detail: `printed more than ${limit} bytes`
          })
      }),
      Effect.map(() => Buffer.concat(chunks).toString("utf8"))
    )
  })

/**
 * A live runner with the given limits.
 *
 * @category layers
 */
export const layerWith = (
  options: Options
): Layer.Layer<CommandRunner, never, CommandExecutor.CommandExecutor | FileSystem.FileSystem> =>
  Layer.effect(
    CommandRunner,
    Effect.gen(function*() {
      const executor = yield* CommandExecutor.CommandExecutor
      const fileSystem = yield* FileSystem.FileSystem
      const limit = options.outputLimit ?? 16 * 1024 * 1024
      const environment = options.environment ?? defaultEnvironment

      const start = Effect.fnUntraced(function*(line: CommandLine.CommandLine) {
        const command = Command.make(line.program, ...line.args).pipe(
          Command.env(environment, { extendEnv: false }),
          // Without input the program must see the end of its standard input at once, not wait for a terminal.
          Command.feed(line.stdin ?? "")
        )
        const child = yield* Effect.mapError(executor.start(command), unavailable(line))
        // Runs before the platform's own finaliser, which sends SIGTERM and then waits for as long as the program likes.
        yield* Effect.addFinalizer((exit) =>
          Exit.isSuccess(exit) ? Effect.void : Effect.ignore(child.kill("SIGKILL"))
        )
        const status = Effect.catchAll(child.exitCode, (error) => {
          const code = signalStatus(error)
          return code === undefined ? Effect.fail(unavailable(line)(error)) : Effect.succeed(code)
        })
        const [exitCode, stdout, stderr] = yield* Effect.all(
          [status, collect(line, child.stdout, limit), collect(line, child.stderr, limit)],
          { concurrency: 3 }
        )
        return { exitCode: Number(exitCode), stdout, stderr }
      })

      const run = (line: CommandLine.CommandLine): Effect.Effect<CommandResult, CommandUnavailable> => {
        const timeout = line.timeout ?? options.timeout ?? Duration.seconds(60)
        return start(line).pipe(
          Effect.scoped,
          // A program stuck in the kernel does not even die of SIGKILL: the caller must not wait for it.
          Effect.disconnect,
          Effect.timeoutFail({
            duration: timeout,
            onTimeout: () =>
              new CommandUnavailable({
                program: line.program,
                args: [...line.args],
                reason: "Timeout",
                detail: `did not end within ${Duration.format(Duration.decode(timeout))}`
              })
          })
        )
      }

      const tempFile = Effect.fnUntraced(function*(name: string, content: string) {
        const file = name.replaceAll(/[^A-Za-z0-9_.-]/g, "_")
        const failed = (error: PlatformError) =>
          new CommandUnavailable({ program: "tempFile", args: [file], reason: "TempFile", detail: error.message })
        const directory = yield* Effect.mapError(
          fileSystem.makeTempDirectoryScoped({ prefix: "reddwarf-" }),
          failed
        )
        const path = `${directory}/${file}`
        yield* Effect.mapError(fileSystem.writeFileString(path, content, { flag: "wx", mode: 0o600 }), failed)
        return path
      })

      /**
       * The script(1) of illumos runs no command but $SHELL, so the command becomes a file that is the shell. What script itself says comes
       * before and after everything the program prints. Not verified on a real host.
       */
      const inScript = Effect.fnUntraced(function*(line: CommandLine.CommandLine) {
        const words = [line.program, ...line.args].map(quote).join(" ")
        const shell = yield* tempFile("shell", `#!/bin/sh\nSHELL=/bin/sh\nexec ${words}\n`)
        yield* Effect.mapError(fileSystem.chmod(shell, 0o700), unavailable(line))
        return { program: "/usr/bin/script", args: ["/dev/null"], environment: { ...environment, SHELL: shell } }
      })

      const startProcess = Effect.fnUntraced(function*(line: CommandLine.CommandLine, { terminal = false }: StartOptions = {}) {
        const plain: HostProcess.SpawnOptions = { program: line.program, args: line.args, environment: { ...environment } }
        const wanted = !terminal ? plain : process.platform === "sunos" ? yield* inScript(line) : HostProcess.inTerminal(plain)
        if (wanted === undefined) {
          return yield* new CommandUnavailable({ program: line.program, args: [...line.args], reason: "Failed", detail: HostProcess.noTerminal })
        }
        return yield* Effect.mapError(HostProcess.spawn(wanted), notStarted(line))
      })

      return CommandRunner.of({ run, start: startProcess, tempFile })
    })
  )

/**
 * The live runner: real programs, a fixed environment, 60 seconds and 16 MiB unless the command line says otherwise.
 *
 * @category layers
 */
export const layer: Layer.Layer<CommandRunner, never, CommandExecutor.CommandExecutor | FileSystem.FileSystem> =
  layerWith({})

/**
 * How a scripted runner answers: the command line, and the content of every temporary file written so far by path.
 *
 * @category testing
 */
export type Respond = (
  line: CommandLine.CommandLine,
  files: ReadonlyMap<string, string>
) => CommandResult | Effect.Effect<CommandResult, CommandUnavailable>

/**
 * A scripted runner that writes every command line it is asked to run into `journal`.
 *
 * @category testing
 */
export const layerTest = (respond: Respond, journal: Array<CommandLine.CommandLine> = []): Layer.Layer<CommandRunner> =>
  Layer.sync(CommandRunner, () => {
    const files = new Map<string, string>()
    let serial = 0
    return CommandRunner.of({
      run: (line) =>
        Effect.suspend(() => {
          journal.push(line)
          const answer = respond(line, files)
          return Effect.isEffect(answer) ? answer : Effect.succeed(answer)
        }),
      // A script says what a program leaves behind, not how it talks.
      start: (line) =>
        new CommandUnavailable({ program: line.program, args: [...line.args], reason: "Failed", detail: "a scripted runner starts nothing" }),
      tempFile: (name, content) =>
        Effect.acquireRelease(
          Effect.sync(() => {
            serial += 1
            const path = `/tmp/reddwarf-test-${serial}/${name}`
            files.set(path, content)
            return path
          }),
          (path) => Effect.sync(() => files.delete(path))
        )
    })
  })

/**
 * A result of a scripted program: nothing printed and exit 0 unless given.
 *
 * @category testing
 */
export const result = (fields: Partial<CommandResult> = {}): CommandResult => ({
  exitCode: 0,
  stdout: "",
  stderr: "",
  ...fields
})
