/**
 * Runs the commands of a transcript on another host and says what came out differently. A transcript of the simulated host that replays on a
 * real one without a difference is the proof that the simulation is right for these commands.
 */
import { type CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Transcript from "./Transcript.js"

/** One thing that was different. @category models */
export interface Difference {
  /** Which command, counted from 1. */
  readonly command: number
  readonly argv: ReadonlyArray<string>
  readonly field: "exitCode" | "stdout" | "stderr" | "unavailable"
  readonly expected: string
  readonly actual: string
}

/** @category models */
export interface Report {
  readonly run: number
  /** Commands that somebody talked to, or that gave no result when they were recorded: they were not run. */
  readonly skipped: number
  readonly differences: ReadonlyArray<Difference>
}

/** @category models */
export interface Options {
  /** Ends after the first command with a difference: what follows it may rest on it. Default: goes on. */
  readonly stopAtDifference?: boolean
  /** Told before each command. */
  readonly onCommand?: (line: CommandLine.CommandLine) => Effect.Effect<void>
  /** Further texts that are never the same on two hosts; each match is compared as `<…>`. */
  readonly volatile?: ReadonlyArray<RegExp>
}

/** Names that a host makes up: each has one counterpart on the other host, in output and in the arguments of later commands. */
const madeUp = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b(?:[0-9a-f]{1,2}:){5}[0-9a-f]{1,2}\b/gi

/** Pairs of made-up names, found by their places in two texts that are otherwise alike. */
class Names {
  readonly #actual = new Map<string, string>()

  /** The text with the names of the other host. */
  translate(text: string): string {
    return text.replaceAll(madeUp, (name) => this.#actual.get(name.toLowerCase()) ?? name)
  }

  learn(expected: string, actual: string): void {
    const [theirs, ours] = [expected.match(madeUp) ?? [], actual.match(madeUp) ?? []]
    if (theirs.length !== ours.length) return
    for (const [index, name] of theirs.entries()) {
      const other = ours[index]
      if (other !== undefined && !this.#actual.has(name.toLowerCase())) this.#actual.set(name.toLowerCase(), other)
    }
  }
}

const masked = (text: string, patterns: ReadonlyArray<RegExp>): string =>
  patterns.reduce((masked, pattern) => masked.replaceAll(new RegExp(pattern.source, [...new Set(`${pattern.flags}g`)].join("")), "<…>"), text)

/** The result as it is compared: what only one of two hosts can have is put out of the way. */
const compare = (names: Names, expected: Transcript.Entry, actual: CommandRunner.CommandResult, volatile: ReadonlyArray<RegExp>) => {
  for (const field of ["stdout", "stderr"] as const) names.learn(expected[field], actual[field])
  const differences: Array<Pick<Difference, "field" | "expected" | "actual">> = []
  if (expected.exitCode !== actual.exitCode) {
    differences.push({ field: "exitCode", expected: String(expected.exitCode), actual: String(actual.exitCode) })
  }
  for (const field of ["stdout", "stderr"] as const) {
    const wanted = names.translate(expected[field])
    if (masked(wanted, volatile) !== masked(actual[field], volatile)) differences.push({ field, expected: wanted, actual: actual[field] })
  }
  return differences
}

/**
 * Runs the commands on the host of the environment, one after the other. Temporary files are made again. A difference is no failure; a command
 * that gives no result is a difference.
 *
 * @category combinators
 */
export const replay = (
  entries: ReadonlyArray<Transcript.Entry>,
  options: Options = {}
): Effect.Effect<Report, never, CommandRunner.CommandRunner> =>
  Effect.gen(function*() {
    const runner = yield* CommandRunner.CommandRunner
    const names = new Names()
    const differences: Array<Difference> = []
    let run = 0
    let skipped = 0
    const perform = (entry: Transcript.Entry) =>
      Effect.gen(function*() {
        const paths = new Map<string, string>()
        for (const { content, name, path } of entry.files ?? []) paths.set(path, yield* runner.tempFile(name, names.translate(content)))
        const line = Transcript.commandLine(entry)
        const translated = { ...line, args: line.args.map((word) => paths.get(word) ?? names.translate(word)) }
        yield* options.onCommand?.(translated) ?? Effect.void
        const result = yield* runner.run(translated)
        // A message may name the file, which has another path now.
        const restored = (text: string) => [...paths].reduce((text, [theirs, ours]) => text.replaceAll(ours, theirs), text)
        return { ...result, stdout: restored(result.stdout), stderr: restored(result.stderr) }
      }).pipe(Effect.scoped, Effect.either)
    for (const [index, entry] of entries.entries()) {
      if (entry.interactive === true || entry.exitCode === undefined) {
        skipped += 1
        continue
      }
      run += 1
      const result = yield* perform(entry)
      const found = result._tag === "Right"
        ? compare(names, entry, result.right, options.volatile ?? [])
        : [{ field: "unavailable" as const, expected: `exit ${entry.exitCode}`, actual: result.left.message }]
      differences.push(...found.map((difference) => ({ command: index + 1, argv: entry.argv, ...difference })))
      if (found.length > 0 && options.stopAtDifference === true) break
    }
    return { run, skipped, differences }
  })

/** The report as text. @category combinators */
export const format = (report: Report): string => {
  const shown = (text: string) => text.split("\n").map((line) => `      ${line}`).join("\n").trimEnd()
  const lines = report.differences.map(({ actual, argv, command, expected, field }) =>
    `${command}. ${argv.join(" ")}\n   ${field} differs\n    recorded:\n${shown(expected)}\n    now:\n${shown(actual)}`)
  const skipped = report.skipped === 0 ? "" : `, ${report.skipped} not repeatable`
  return [...lines, `${report.run} commands run${skipped}, ${report.differences.length} differences`].join("\n")
}
