/**
 * A command in a zone that somebody talks to while it runs, with its true exit code, and on request with a terminal.
 *
 * zlogin gives pipes for a command, and a terminal only when it has one itself (`-i`, of OmniOS and SmartOS; it then runs the command
 * without a shell in between). What it reports as exit status is not reliable, so a script in the zone says how the command ended, by marks
 * in the stream that nobody sees.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import { type Readable, Transform, type TransformCallback, type Writable } from "node:stream"
import type { CommandLine } from "./CommandLine.js"
import type { CommandRunner } from "./CommandRunner.js"
import { type HostError, ZoneLoginFailed } from "./HostError.js"
import * as markers from "./internal/sessionMarkers.js"
import { killScript, resizeScript, sessionScript } from "./internal/sessionScript.js"
import * as Zlogin from "./Zlogin.js"
import type * as ZoneName from "./ZoneName.js"

/**
 * How the command is run.
 *
 * @category models
 */
export interface Options {
  /** Gives the command a terminal. There is no standard error then. */
  readonly terminal?: boolean
  /** Size of the terminal at the start, in characters; default unknown (0). */
  readonly size?: { readonly width: number; readonly height: number }
  /** Set before the command starts. Any name without `=` and NUL. */
  readonly environment?: ReadonlyArray<readonly [name: string, value: string]>
  /** Path inside the zone, relative to its root or absolute. */
  readonly workingDirectory?: string
  /** Login name; default root by `/sbin/sh`, without `su`. Not with a terminal. */
  readonly user?: string
}

/**
 * How the command ended, or why it never began.
 *
 * @category models
 */
export type Outcome =
  | { readonly _tag: "Exited"; readonly exitCode: number }
  | { readonly _tag: "NotStarted"; readonly reason: "missing" | "denied" | "directory" }

/**
 * A running command.
 *
 * @category models
 */
export interface ZoneSession {
  /** Ending it is the end of the command's standard input; in a terminal, the end-of-file character. */
  readonly stdin: Writable
  /** Both must be read. They end when the command has ended and everything was read. */
  readonly stdout: Readable
  readonly stderr: Readable
  /** Fails when the command ended without anybody seeing how, such as with its zone. */
  readonly outcome: Effect.Effect<Outcome, HostError>
  /** Changes the size of the terminal, in characters. Without a terminal nothing happens. */
  readonly resize: (width: number, height: number) => Effect.Effect<void, HostError>
}

const operation = "open a session in zone"

/** How long zlogin may take until the command runs. */
const startTimeout = "30 seconds"

const tokenOf = Effect.map(
  Effect.all([Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER), Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)]),
  (numbers) => numbers.map((number) => number.toString(36)).join("")
)

/**
 * The command line of a session.
 *
 * @category constructors
 */
export const command = (
  zone: ZoneName.ZoneName,
  argv: ReadonlyArray<string>,
  options: Options & { readonly token: string }
): Effect.Effect<CommandLine, ZoneLoginFailed> => {
  const environment = options.environment ?? []
  const invalid = (detail: string) => Effect.fail(new ZoneLoginFailed({ operation, object: zone, detail }))
  const words = [...argv, ...environment.flat(), options.workingDirectory ?? ""]
  if (argv.length === 0) return invalid("no command given")
  if (words.some((word) => word.includes("\0"))) return invalid("an argument or a variable holds a NUL character")
  const badName = environment.find(([name]) => name === "" || name.includes("="))
  if (badName !== undefined) return invalid(`${JSON.stringify(badName[0])} is not the name of a variable`)
  if (options.user !== undefined && (options.terminal === true || !/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(options.user))) {
    return invalid(options.terminal === true ? "no other user with a terminal" : `${JSON.stringify(options.user)} is not a login name`)
  }
  const script = sessionScript({ token: options.token, argv, environment, workingDirectory: options.workingDirectory, size: options.size })
  return Effect.succeed({
    program: "/usr/sbin/zlogin",
    args: options.terminal === true
      // With -i the words are not joined and parsed again: they are the program and its arguments.
      ? ["-Q", "-E", "-S", "-i", zone, "/bin/sh", "-c", script]
      : ["-Q", ...(options.user === undefined ? ["-S"] : ["-l", options.user]), zone, script]
  })
}

const outcomeOf = (word: string): Outcome =>
  word === "missing" || word === "denied" || word === "directory"
    ? { _tag: "NotStarted", reason: word }
    : { _tag: "Exited", exitCode: Number(word) & 255 }

/** Lets somebody see, and change, what goes through, and counts it. */
class Tap extends Transform {
  seen = 0
  readonly #see: (chunk: Buffer) => Buffer
  readonly #rest: () => Buffer

  constructor(see: (chunk: Buffer) => Buffer, rest: () => Buffer) {
    super()
    this.#see = see
    this.#rest = rest
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.seen += chunk.length
    const bytes = this.#see(chunk)
    if (bytes.length > 0) this.push(bytes)
    done()
  }

  override _flush(done: TransformCallback): void {
    const bytes = this.#rest()
    if (bytes.length > 0) this.push(bytes)
    done()
  }
}

const unchanged = (chunk: Buffer): Buffer => chunk
const nothing = (): Buffer => Buffer.alloc(0)

const ended = (stream: Readable): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    if (stream.readableEnded || stream.destroyed) return resume(Effect.void)
    const done = () => resume(Effect.void)
    stream.once("end", done)
    stream.once("close", done)
    return Effect.sync(() => {
      stream.off("end", done)
      stream.off("close", done)
    })
  })

/** How long processes that the command left behind may keep its output open without printing anything. */
const lingerRounds = 4
const lingerPause = "250 millis"

/**
 * Starts `argv` in a running zone. When it succeeds, the command is about to run; when the scope closes before its end, it is killed with
 * all processes of its session and group. Processes that it left in the background and that let go of its output stay.
 *
 * @category constructors
 */
export const open = (
  runner: CommandRunner["Type"],
  zone: ZoneName.ZoneName,
  argv: ReadonlyArray<string>,
  options: Options = {}
): Effect.Effect<ZoneSession, HostError, Scope.Scope> =>
  Effect.gen(function*() {
    const terminal = options.terminal === true
    // Unknown beforehand, so the command cannot print a false mark.
    const token = yield* tokenOf
    const line = yield* command(zone, argv, { ...options, token })
    const process = yield* runner.start(line, { terminal })
    const started = yield* Deferred.make<void, HostError>()
    const result = yield* Deferred.make<Outcome, HostError>()
    const scope = yield* Effect.scope
    let script: { readonly pid: number; readonly terminal: string | undefined } | undefined
    let over = false

    const filter = markers.make(token, terminal, {
      onStart: (pid, name) => {
        script = { pid, terminal: name }
        Deferred.unsafeDone(started, Effect.void)
      },
      onEnd: (word) => {
        over = true
        Deferred.unsafeDone(result, Effect.succeed(outcomeOf(word)))
      }
    })
    const closed = yield* Deferred.make<void>()
    const marked = new Tap(filter.push, () => {
      const rest = filter.flush()
      Deferred.unsafeDone(closed, Effect.void)
      return rest
    })
    const plain = new Tap(unchanged, nothing)
    const [stdout, stderr] = terminal ? [marked, plain] : [plain, marked]
    process.stdout.pipe(stdout)
    process.stderr.pipe(stderr)

    const inZone = (source: string, ...args: ReadonlyArray<string>) =>
      Zlogin.run(runner, zone, ["/bin/sh", "-c", source, "sh", ...args], { timeout: "10 seconds", failsafe: true })
    const killAll = Effect.suspend(() => script === undefined || script.pid <= 1 ? Effect.void : Effect.ignore(inZone(killScript, String(script.pid))))
    yield* Effect.addFinalizer(() => Effect.suspend(() => over ? Effect.void : Effect.zipRight(killAll, process.kill)))

    // A stream that ends without the mark means that zlogin refused, or that the zone went away.
    yield* Deferred.await(closed).pipe(
      Effect.zipRight(process.exit),
      Effect.flatMap((exitCode) => {
        const said = script === undefined ? filter.preamble() : ""
        const lost = Effect.fail(Zlogin.classify(operation, zone, { exitCode, stdout: "", stderr: said.trim() }))
        return Effect.zipRight(Deferred.complete(started, lost), Deferred.complete(result, lost))
      }),
      Effect.forkIn(scope)
    )

    /** After the command's end its output is read to the end, unless a process in the background holds it open and says nothing. */
    const finish = Effect.gen(function*() {
      yield* Effect.ignore(Deferred.await(result))
      const seen = () => plain.seen + marked.seen
      const silent = Effect.gen(function*() {
        for (let rounds = 0; rounds < lingerRounds;) {
          const before = seen()
          yield* Effect.sleep(lingerPause)
          const waiting = process.stdout.readableLength + process.stderr.readableLength + plain.readableLength + marked.readableLength
          rounds = seen() === before && waiting === 0 ? rounds + 1 : 0
        }
        yield* killAll
        yield* process.kill
      })
      yield* Effect.raceFirst(Effect.all([ended(process.stdout), ended(process.stderr)], { concurrency: 2, discard: true }), silent)
      for (const [source, stream] of [[process.stdout, stdout], [process.stderr, stderr]] as const) {
        source.unpipe(stream)
        if (!stream.writableEnded) stream.end()
      }
    })
    yield* Effect.forkIn(finish, scope)

    yield* Deferred.await(started).pipe(
      Effect.timeoutFail({
        duration: startTimeout,
        onTimeout: () => new ZoneLoginFailed({ operation, object: zone, detail: `the command did not start within ${startTimeout}` })
      })
    )
    return {
      stdin: process.stdin,
      stdout,
      stderr,
      outcome: Deferred.await(result),
      resize: (width, height) =>
        Effect.suspend(() =>
          over || script?.terminal === undefined
            ? Effect.void
            : Effect.asVoid(inZone(resizeScript, script.terminal, String(height), String(width)))
        )
    }
  })
