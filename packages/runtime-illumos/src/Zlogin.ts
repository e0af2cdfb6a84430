/** zlogin: commands inside zones, with their arguments and exit codes intact. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import type * as CommandLine from "./CommandLine.js"
import { type CommandResult, type CommandRunner, CommandUnavailable } from "./CommandRunner.js"
import { type HostError, ZoneLoginFailed } from "./HostError.js"
import { execScript, markerOf, patternOf, signalScript } from "./internal/execScript.js"
import * as refusal from "./internal/refusal.js"
import { quote } from "./internal/shell.js"
import type * as ZoneName from "./ZoneName.js"
import * as ZoneRefusals from "./ZoneRefusals.js"

/**
 * How a command is run in a zone.
 *
 * @category models
 */
export interface ExecOptions {
  /**
   * After this time the command gets SIGTERM, then SIGKILL, then zlogin is killed, and the call fails with `CommandUnavailable`
   * (`Timeout`). Signals reach everything that descends from the command or is in its process group; what left both stays.
   */
  readonly timeout: Duration.DurationInput
  /** How long each signal may take to end the command before the next one follows. Default 2 seconds. */
  readonly killAfter?: Duration.DurationInput
  /** Set before the command starts. Names are shell identifiers. */
  readonly environment?: Readonly<Record<string, string>>
  /** Absolute path inside the zone. */
  readonly workingDirectory?: string
  readonly stdin?: string
  /** Login name whose shell is a POSIX shell; default root. Not together with `failsafe`. */
  readonly user?: string
  /** Use `/sbin/sh` directly instead of `su`: for zones whose name services or `su` do not work. */
  readonly failsafe?: boolean
}

/**
 * What a command in a zone left behind.
 *
 * @category models
 */
export interface ExecResult {
  /** Exit status; `128 + n` when signal `n` ended the command, 126 or 127 when the shell could not start it. */
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

const invalid = (zone: string, detail: string) =>
  Either.left(new ZoneLoginFailed({ operation: "run a command in zone", object: zone, detail }))

/**
 * The command line that runs `argv` in a zone. zlogin joins its arguments and gives them to a shell, and reports exit 0
 * for a command killed by a signal: so the command is one quoted argument, and the shell prints `token` and the true
 * exit code at the end of standard error.
 *
 * @category constructors
 */
export const command = (
  zone: ZoneName.ZoneName,
  argv: ReadonlyArray<string>,
  options: ExecOptions & { readonly token: string }
): Either.Either<CommandLine.CommandLine, ZoneLoginFailed> => {
  const environment = Object.entries(options.environment ?? {})
  const badName = environment.find(([name]) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
  if (argv.length === 0) return invalid(zone, "no command given")
  if (badName !== undefined) return invalid(zone, `${JSON.stringify(badName[0])} is not the name of a variable`)
  if (options.user !== undefined && options.failsafe === true) return invalid(zone, "no user in failsafe mode")
  if (options.user !== undefined && !/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(options.user)) {
    return invalid(zone, `${JSON.stringify(options.user)} is not a login name`)
  }
  const words = [...argv, ...environment.map(([, value]) => value), options.workingDirectory ?? ""]
  if (words.some((word) => word.includes("\0"))) return invalid(zone, "an argument holds a NUL character")

  const call = [
    ...environment.map(([name, value]) => `${name}=${quote(value)}`),
    ...argv.map(quote)
  ].join(" ")
  const there = options.workingDirectory === undefined ? call : `cd ${quote(options.workingDirectory)} && ${call}`
  const script = execScript(options.token, there)
  return Either.right({
    program: "/usr/sbin/zlogin",
    args: [
      "-Q",
      ...(options.stdin === undefined ? ["-n"] : []),
      ...(options.failsafe === true ? ["-S"] : []),
      ...(options.user === undefined ? [] : ["-l", options.user]),
      zone,
      script
    ],
    ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
    timeout: options.timeout
  })
}

/**
 * Takes the marker off standard error; `undefined` when the command never came to its end.
 *
 * @category combinators
 */
export const parseResult = (token: string, result: CommandResult): ExecResult | undefined => {
  const marker = markerOf(token)
  const at = result.stderr.lastIndexOf(marker)
  const code = at < 0 ? null : /^(\d{1,3})\n?/.exec(result.stderr.slice(at + marker.length))
  if (code === null) return undefined
  // A process the command left behind may still have written something after the marker.
  const after = result.stderr.slice(at + marker.length + code[0].length)
  return { exitCode: Number(code[1]), stdout: result.stdout, stderr: result.stderr.slice(0, at) + after }
}

/** A signal that ends commands. @category models */
export type EndingSignal = "TERM" | "INT" | "HUP" | "QUIT" | "KILL"

/**
 * The command line that sends a signal to the command that runs in the zone under this token, and to what an earlier such line printed.
 *
 * @category constructors
 */
export const signalCommand = (
  zone: ZoneName.ZoneName,
  token: string,
  signal: EndingSignal,
  found: ReadonlyArray<string> = []
): CommandLine.CommandLine => ({
  program: "/usr/sbin/zlogin",
  args: ["-Q", "-n", "-S", zone, ["/bin/sh", "-c", signalScript, "sh", patternOf(token), signal, ...found].map(quote).join(" ")]
})

/** Processes, and groups behind a dash, as `signalCommand` prints them. */
const targetsOf = (output: string): ReadonlyArray<string> => output.split(/\s+/).filter((word) => /^-?[1-9]\d*$/.test(word))

/**
 * The error it means when no marker came back.
 *
 * @category errors
 */
export const classify = (operation: string, zone: string, result: CommandResult): HostError =>
  refusal.classify(ZoneRefusals.zlogin, operation, zone, {
    ...result,
    stderr: result.stderr === "" ? `exit status ${result.exitCode} without an end marker` : result.stderr
  })

const defaultKillAfter: Duration.DurationInput = "2 seconds"

/**
 * Runs the line to its end, or ends it: by SIGTERM to what runs in the zone, by SIGKILL, and last by killing zlogin, which alone would
 * leave the command behind. Whoever is interrupted leaves nothing behind either.
 */
const runBounded = (
  runner: CommandRunner["Type"],
  zone: ZoneName.ZoneName,
  line: CommandLine.CommandLine,
  token: string,
  options: ExecOptions
): Effect.Effect<CommandResult, CommandUnavailable> => {
  const timeout = Duration.decode(options.timeout)
  const killAfter = Duration.decode(options.killAfter ?? defaultKillAfter)
  const signal = (name: EndingSignal, found: ReadonlyArray<string> = []) =>
    runner.run({ ...signalCommand(zone, token, name, found), timeout: killAfter }).pipe(
      Effect.map(({ stdout }) => targetsOf(stdout)),
      Effect.orElseSucceed((): ReadonlyArray<string> => [])
    )
  // The runner's own limit comes after both signals: it is what kills zlogin when nothing else helps.
  const last = Duration.sum(timeout, Duration.sum(Duration.times(killAfter, 4), Duration.seconds(5)))
  const timedOut = new CommandUnavailable({
    program: line.program,
    args: [...line.args],
    reason: "Timeout",
    detail: `did not end within ${Duration.format(timeout)}`
  })
  return Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const running = yield* Effect.fork(restore(runner.run({ ...line, timeout: last })))
      const endedAfter = (duration: Duration.Duration) => Effect.timeoutOption(Fiber.await(running), duration)
      const escalate = Effect.gen(function*() {
        const found = yield* signal("TERM")
        if ((yield* endedAfter(killAfter))._tag === "Some") return
        yield* signal("KILL", found)
        yield* endedAfter(killAfter)
      })
      const first = yield* restore(endedAfter(timeout)).pipe(
        Effect.onInterrupt(() => Effect.zipRight(signal("KILL"), Fiber.interruptFork(running)))
      )
      if (first._tag === "Some") return yield* first.value
      yield* restore(escalate).pipe(Effect.ensuring(Fiber.interruptFork(running)))
      return yield* timedOut
    })
  )
}

/**
 * Runs `argv` in a running zone and gives its true exit code.
 *
 * @category combinators
 */
export const run = Effect.fnUntraced(function*(
  runner: CommandRunner["Type"],
  zone: ZoneName.ZoneName,
  argv: ReadonlyArray<string>,
  options: ExecOptions
) {
  // Unknown beforehand, so the command cannot print a false marker.
  const token = (yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)).toString(36)
  const line = yield* command(zone, argv, { ...options, token })
  const result = yield* runBounded(runner, zone, line, token, options)
  const outcome = parseResult(token, result)
  if (outcome !== undefined) return outcome
  return yield* Effect.fail<HostError>(classify("run a command in zone", zone, result))
})
