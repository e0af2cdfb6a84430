/**
 * Programs that end at one of their commands, as a crash or `kill -9` ends them: what they had done by then is done, and they do nothing more.
 * A test that goes through all such points in turn shows that the program can begin again from each of them.
 */
import { CommandLine, type CommandRunner } from "@reddwarf/runtime-illumos"
import type * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** Before the command runs, or after that and before the program has seen its answer. @category models */
export type Moment = "before" | "after"

/** Both of them. @category models */
export const moments: ReadonlyArray<Moment> = ["before", "after"]

/** Where a program ends. @category models */
export interface CrashPoint {
  /** Which of its commands, the first being 1. */
  readonly command: number
  readonly moment: Moment
}

/** The defect that ends a program; no program handles it. @category errors */
export class Crashed extends Data.TaggedError("Crashed")<{ readonly point: CrashPoint; readonly line: CommandLine.CommandLine }> {
  override get message(): string {
    return `the program ended ${this.point.moment} its command ${this.point.command}: ${CommandLine.format(this.line)}`
  }
}

type Runner = Context.Tag.Service<CommandRunner.CommandRunner>

/**
 * The runner of a program that ends at `point`, with `host` below it, real or simulated. What the program still tries on its way down, such as
 * to clean up, comes to nothing.
 *
 * @category constructors
 */
export const runner = (host: Runner, point: CrashPoint): Runner => {
  let commands = 0
  let crashed: Effect.Effect<never> | undefined
  const counted = <A, E, R>(line: CommandLine.CommandLine, command: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      if (crashed !== undefined) return crashed
      commands += 1
      if (commands !== point.command) return command
      crashed = Effect.die(new Crashed({ point, line }))
      return point.moment === "before" ? crashed : Effect.zipRight(command, crashed)
    })
  return {
    run: (line) => counted(line, host.run(line)),
    start: (line, options) => counted(line, host.start(line, options)),
    tempFile: (name, content) => Effect.suspend(() => crashed ?? host.tempFile(name, content))
  }
}

/**
 * Runs a program that has such a runner: whether it came to the end that was set, or was over before. Its own failures stay failures.
 *
 * @category combinators
 */
export const isReached = <A, E, R>(program: Effect.Effect<A, E, R>): Effect.Effect<boolean, E, R> =>
  Effect.catchSomeDefect(Effect.as(program, false), (defect) => defect instanceof Crashed ? Option.some(Effect.succeed(true)) : Option.none())

/**
 * Tries the first command, the second and so on, up to the first that is not reached. Gives the number of those that were.
 *
 * @category combinators
 */
export const inTurn = <E, R>(moment: Moment, trial: (point: CrashPoint) => Effect.Effect<boolean, E, R>): Effect.Effect<number, E, R> =>
  Effect.iterate({ command: 1, isReached: true }, {
    while: (last) => last.isReached,
    body: ({ command }) => Effect.map(trial({ command, moment }), (reached) => reached ? { command: command + 1, isReached: true } : { command, isReached: false })
  }).pipe(Effect.map(({ command }) => command - 1))
