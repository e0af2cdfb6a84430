/** One invocation of a host program as plain data: what builders produce and a `CommandRunner` runs. */
import type * as Duration from "effect/Duration"

/**
 * One program with its arguments. Nothing in it passes through a shell.
 *
 * @category models
 */
export interface CommandLine {
  /** Absolute path of the program. */
  readonly program: string
  /** Arguments, one array element per argument. */
  readonly args: ReadonlyArray<string>
  /** What the program reads on standard input; absent means an empty input. */
  readonly stdin?: string
  /** How long the program may run before it is killed; absent means the default of the runner. */
  readonly timeout?: Duration.DurationInput
}

/**
 * A command line without standard input and with the runner's default time limit.
 *
 * @category constructors
 */
export const make = (program: string, ...args: ReadonlyArray<string>): CommandLine => ({ program, args })

/**
 * The same command line with another time limit.
 *
 * @category combinators
 */
export const withTimeout = (line: CommandLine, timeout: Duration.DurationInput): CommandLine => ({ ...line, timeout })

/**
 * The same command line with text on standard input.
 *
 * @category combinators
 */
export const withStdin = (line: CommandLine, stdin: string): CommandLine => ({ ...line, stdin })

const bare = /^[A-Za-z0-9_@%+=:,./-]+$/

/**
 * The command line as an operator would type it, for messages and logs only. It is never executed.
 *
 * @category combinators
 */
export const format = (line: CommandLine): string =>
  [line.program, ...line.args].map((word) => bare.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`).join(" ")
