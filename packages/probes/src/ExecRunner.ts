/** How a command is run in a container: the one thing that probes cannot do by themselves. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"

/** Most bytes of a command's output that are of use. @category models */
export const outputLimit = 10 * 1024

/**
 * `NotRun` says why nothing was run: that is no word about the container's health.
 *
 * @category models
 */
export type ExecOutcome = Data.TaggedEnum<{
  readonly Exited: { readonly exitCode: number; readonly output: string }
  readonly NotRun: { readonly message: string }
}>

/** @category constructors */
export const ExecOutcome = Data.taggedEnum<ExecOutcome>()

/**
 * Runs commands in containers. Interruption kills the command, with everything it started.
 *
 * @category services
 */
export class ExecRunner extends Context.Tag("@reddwarf/probes/ExecRunner")<ExecRunner, {
  /** Standard output and error output together, in the order in which they came, at most `outputLimit` bytes of it. */
  readonly run: (container: string, argv: ReadonlyArray<string>) => Effect.Effect<ExecOutcome>
}>() {}
