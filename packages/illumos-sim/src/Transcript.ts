/** What was run on a host and what came of it, one line of JSON for each command, so that it can be run again on another host. */
import { type CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"

/** A file that a command read by path: it is made again before the command is. @category schemas */
export const File = Schema.Struct({ path: Schema.String, name: Schema.String, content: Schema.String })

/** One command. @category schemas */
export const Entry = Schema.Struct({
  /** Milliseconds since the epoch at which it began. */
  at: Schema.Number,
  /** How long it took, in milliseconds. */
  millis: Schema.Number,
  /** Program and arguments. */
  argv: Schema.NonEmptyArray(Schema.String),
  /** What it read on standard input. */
  stdin: Schema.optional(Schema.String),
  /** Temporary files that its arguments name. */
  files: Schema.optional(Schema.NonEmptyArray(File)),
  stdout: Schema.String,
  stderr: Schema.String,
  /** Absent when it gave no result; `unavailable` says why. */
  exitCode: Schema.optional(Schema.Number),
  /** Why there is no result: the reason of a `CommandUnavailable`, or `Interrupted`. */
  unavailable: Schema.optional(Schema.String),
  /** Somebody talked to it, so it cannot be run again by itself. */
  interactive: Schema.optional(Schema.Literal(true))
})
/** @category models */
export type Entry = typeof Entry.Type

const encodeEntry = Schema.encodeSync(Schema.parseJson(Entry))
const decodeEntry = Schema.decodeUnknownEither(Schema.parseJson(Entry))

/** The file is no transcript, or cannot be read or written. @category errors */
export class TranscriptUnusable extends Schema.TaggedError<TranscriptUnusable>()("TranscriptUnusable", {
  path: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `transcript ${this.path}: ${this.detail}; check the path, and record it again if it was changed by hand`
  }
}

const unusable = (path: string) => (error: unknown) =>
  new TranscriptUnusable({ path, detail: error instanceof Error ? error.message : String(error) })

/**
 * The commands of a transcript. A last line that a crash cut off is passed over.
 *
 * @category constructors
 */
export const read = (path: string): Effect.Effect<ReadonlyArray<Entry>, TranscriptUnusable> =>
  Effect.gen(function*() {
    const lines = (yield* Effect.try({ try: () => fs.readFileSync(path, "utf8"), catch: unusable(path) })).split("\n")
    const entries: Array<Entry> = []
    for (const [index, line] of lines.slice(0, -1).entries()) {
      const entry = decodeEntry(line)
      if (Either.isLeft(entry)) return yield* new TranscriptUnusable({ path, detail: `line ${index + 1} is no command` })
      entries.push(entry.right)
    }
    return entries
  })

/** Where the recorder of a program writes. @category models */
export interface RecordOptions {
  /** File to append to; made with mode 0600, for it may hold what commands were told in confidence. */
  readonly path: string
}

/**
 * Runs commands on the host below and writes each into the transcript when it has ended. Commands of several programs may go into one
 * file.
 *
 * @category layers
 */
export const record = (
  options: RecordOptions
): Layer.Layer<CommandRunner.CommandRunner, TranscriptUnusable, CommandRunner.CommandRunner> =>
  Layer.scoped(
    CommandRunner.CommandRunner,
    Effect.gen(function*() {
      const runner = yield* CommandRunner.CommandRunner
      const files = new Map<string, { readonly name: string; readonly content: string }>()
      const descriptor = yield* Effect.acquireRelease(
        Effect.try({ try: () => fs.openSync(options.path, "a", 0o600), catch: unusable(options.path) }),
        (descriptor) => Effect.sync(() => fs.closeSync(descriptor))
      )
      const fileEntries = (line: CommandLine.CommandLine) => {
        const [first, ...rest] = [...files].flatMap(([path, file]) => line.args.includes(path) ? [{ path, ...file }] : [])
        return first === undefined ? {} : { files: [first, ...rest] as const }
      }
      type Outcome = Pick<Entry, "stdout" | "stderr" | "exitCode" | "unavailable" | "interactive">
      const nothing = { stdout: "", stderr: "" }
      const write = (line: CommandLine.CommandLine, at: number, outcome: Outcome) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          Effect.try({
            // One write per line: what several programs append is never mixed.
            try: () =>
              fs.writeSync(
                descriptor,
                `${
                  encodeEntry({
                    at,
                    millis: now - at,
                    argv: [line.program, ...line.args],
                    ...(line.stdin === undefined ? {} : { stdin: line.stdin }),
                    ...fileEntries(line),
                    ...outcome
                  })
                }\n`
              ),
            catch: unusable(options.path)
          })).pipe(
            // The command has been run: that its record is missing must not look like a failure of the command.
            Effect.catchAll((error) => Effect.logWarning("a command is missing in the transcript", error))
          )
      return CommandRunner.CommandRunner.of({
        run: (line) =>
          Effect.flatMap(Clock.currentTimeMillis, (at) =>
            runner.run(line).pipe(
              Effect.tap(({ exitCode, stderr, stdout }) => write(line, at, { exitCode, stderr, stdout })),
              Effect.tapError(({ reason }) => write(line, at, { ...nothing, unavailable: reason })),
              Effect.onInterrupt(() => write(line, at, { ...nothing, unavailable: "Interrupted" }))
            )),
        start: (line, started) =>
          Effect.flatMap(Clock.currentTimeMillis, (at) =>
            Effect.tap(runner.start(line, started), () => write(line, at, { ...nothing, interactive: true }))),
        tempFile: (name, content) =>
          Effect.tap(runner.tempFile(name, content), (path) =>
            Effect.acquireRelease(Effect.sync(() => files.set(path, { name, content })), () => Effect.sync(() => files.delete(path))))
      })
    })
  )

/** The command line of an entry. @category combinators */
export const commandLine = (entry: Entry): CommandLine.CommandLine => {
  const [program, ...args] = entry.argv
  return { program, args, ...(entry.stdin === undefined ? {} : { stdin: entry.stdin }) }
}

/** The entry's time and duration as text, for a listing. @category combinators */
export const timing = (entry: Entry): string => `${DateTime.formatIso(DateTime.unsafeMake(entry.at))} ${Duration.format(Duration.millis(entry.millis))}`
