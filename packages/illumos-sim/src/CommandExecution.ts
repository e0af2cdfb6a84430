/** Runs one command of the host, with the faults that were planted for it and within one life of the host. */
import type { CommandLine } from "@reddwarf/runtime-illumos"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as path from "node:path"
import type { Host, HostContext, InstantCommand, LongCommand } from "./CommandContext.js"
import * as Faults from "./Faults.js"
import * as HostState from "./HostState.js"
import { result, type Result } from "./internal/result.js"
import type { StateUnavailable } from "./StateFile.js"
import * as ZoneKernel from "./ZoneKernel.js"

/** A program of the host: done in one step, or taking time. @category models */
export type Program =
  | {
    readonly instant: InstantCommand
    /** Whether the command only reads with these arguments. */
    readonly reads?: (args: ReadonlyArray<string>) => boolean
  }
  | { readonly long: LongCommand }

/** What a program leaves behind that was killed with SIGKILL: 128 + 9, and nothing said. */
const killed: Result = result(137)

/** Ends a command wherever it is. A defect, because no part of the command may handle it: it is dead. */
class CommandKilled extends Data.TaggedError("CommandKilled") {}

const applies = (program: string, args: ReadonlyArray<string>) => (fault: { readonly program: string; readonly match: string }): boolean =>
  (fault.program === program || path.basename(fault.program) === program) && args.join(" ").includes(fault.match)

/** What is planted for one command line. @category models */
export interface Planted {
  readonly delayMillis: number | undefined
  readonly hangs: boolean
  readonly fails: Faults.Of<"failNext"> | undefined
  readonly dies: Faults.Of<"killed"> | undefined
}

/** The faults planted for a command line, used up; nothing where there are none. */
const strike = ({ host }: HostContext, program: string, args: ReadonlyArray<string>): Planted | undefined => {
  if (host.faults.length === 0) return undefined
  const matches = applies(program, args)
  const planted = {
    delayMillis: Faults.consume(host, "slow", matches)?.delayMillis,
    hangs: Faults.consume(host, "hang", matches) !== undefined,
    fails: Faults.consume(host, "failNext", matches),
    dies: Faults.consume(host, "killed", matches)
  }
  return planted.delayMillis === undefined && !planted.hangs && planted.fails === undefined && planted.dies === undefined ? undefined : planted
}

/** What a fault leaves behind before the command itself runs, or nothing when it may run. */
const suffer = (host: Host, { delayMillis, dies, fails, hangs }: Planted): Effect.Effect<Result | undefined, StateUnavailable> =>
  Effect.gen(function*() {
    if (delayMillis !== undefined) yield* Effect.sleep(delayMillis)
    if (hangs) return yield* Effect.never
    if (dies?.when === "before") {
      if (dies.reboots) yield* host.step(ZoneKernel.rebootHost)
      return killed
    }
    if (fails === undefined) return undefined
    const { exitCode, stderr } = fails
    return { exitCode, stdout: "", stderr: stderr === "" || stderr.endsWith("\n") ? stderr : `${stderr}\n` }
  })

/**
 * Looks for faults that strike before the command itself runs: what the command then leaves behind, or what else is planted for it.
 *
 * @category combinators
 */
export const faulted = (
  host: Host,
  program: string,
  line: CommandLine.CommandLine
): Effect.Effect<{ readonly struck: Result | undefined; readonly dies: Planted["dies"] }, StateUnavailable> =>
  Effect.flatMap(host.look((context) => strike(context, program, line.args)), (planted) =>
    planted === undefined
      ? Effect.succeed({ struck: undefined, dies: undefined })
      : Effect.map(suffer(host, planted), (struck) => ({ struck, dies: planted.dies })))

const locksOf = (host: HostState.HostState): ReadonlySet<string> => new Set(host.zones.flatMap((zone) => zone.operation?.token ?? []))

/** The locks that a dead process took are free: its owner is this process, which lives. */
const dropLocks = (host: HostState.HostState, before: ReadonlySet<string>): void => {
  for (const zone of host.zones) if (zone.operation !== undefined && !before.has(zone.operation.token)) delete zone.operation
}

/**
 * The host for the steps of one command: it is killed when the host was rebooted since its first step, and half-way when a fault says so. What
 * it does to clean up is still done: the system does that for a dead process.
 */
const mortal = (host: Host, dies: Faults.Of<"killed"> | undefined): Host => {
  let dead = false
  let boot: number | undefined
  const outcome = <A>(done: { readonly value: A } | undefined) => done === undefined ? Effect.die(new CommandKilled()) : Effect.succeed(done.value)
  /** Whether the command may go on: not when it died right now. */
  const goesOn = ({ host: { boots = 0 } }: HostContext): boolean => {
    boot ??= boots
    if (dead) return true
    dead = boot !== boots
    return !dead
  }
  return {
    ...host,
    look: (read) => Effect.flatMap(host.look((context) => goesOn(context) ? { value: read(context) } : undefined), outcome),
    step: (change) =>
      Effect.flatMap(
        host.step((context) => {
          if (!goesOn(context)) return undefined
          if (dead || dies?.when !== "midway") return { value: change(context) }
          const before = HostState.encode(context.host)
          const locks = locksOf(context.host)
          const value = change(context)
          dead = before !== HostState.encode(context.host)
          if (!dead) return { value }
          dropLocks(context.host, locks)
          if (dies.reboots) ZoneKernel.rebootHost(context)
          return undefined
        }),
        outcome
      )
  }
}

/** Runs a command to its end, or to that of its process. */
const live = (host: Host, program: Program, line: CommandLine.CommandLine, dies: Faults.Of<"killed"> | undefined): Effect.Effect<Result, StateUnavailable> => {
  const command = "long" in program
    ? program.long(mortal(host, dies), line)
    : mortal(host, dies).step((context) => program.instant(context, line.args, line.stdin ?? ""))
  return command.pipe(
    Effect.catchSomeDefect((defect) => defect instanceof CommandKilled ? Option.some(Effect.succeed(killed)) : Option.none()),
    Effect.flatMap((done) => {
      if (dies === undefined || done === killed) return Effect.succeed(done)
      return Effect.as(dies.reboots ? host.step(ZoneKernel.rebootHost) : Effect.void, killed)
    })
  )
}

/**
 * Runs a command, after the faults that were planted for it. One that needs nothing but the state is a single step with the look for them.
 *
 * @category combinators
 */
export const execute = (host: Host, name: string, program: Program, line: CommandLine.CommandLine): Effect.Effect<Result, StateUnavailable> => {
  if ("long" in program) {
    return Effect.flatMap(faulted(host, name, line), ({ dies, struck }) => struck === undefined ? live(host, program, line, dies) : Effect.succeed(struck))
  }
  const step = program.reads?.(line.args) === true ? host.look : host.step
  const first = step((context): { readonly planted: Planted } | { readonly result: Result } => {
    const planted = strike(context, name, line.args)
    return planted === undefined ? { result: program.instant(context, line.args, line.stdin ?? "") } : { planted }
  })
  return Effect.flatMap(first, (done) =>
    "result" in done
      ? Effect.succeed(done.result)
      : Effect.flatMap(suffer(host, done.planted), (struck) => struck === undefined ? live(host, program, line, done.planted.dies) : Effect.succeed(struck)))
}
