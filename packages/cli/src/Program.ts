/** A command-line program: one command tree, errors on standard error, exit statuses that scripts can rely on. */
import type * as CliApp from "@effect/cli/CliApp"
import * as Command from "@effect/cli/Command"
import * as ValidationError from "@effect/cli/ValidationError"
import type { Teardown } from "@effect/platform/Runtime"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Settings from "./Settings.js"

/**
 * What a program is made of.
 *
 * @category models
 */
export interface Options<Name extends string, E, R, A> {
  readonly name: Name
  readonly version: string
  /** Prefix of the environment variables that hold settings, such as `REDDWARF`. */
  readonly prefix: string
  /** Settings that environment and configuration file may hold. */
  readonly names: ReadonlyArray<string>
  readonly command: Command.Command<Name, R, E, A>
  readonly argv: ReadonlyArray<string>
  readonly environment: Readonly<Record<string, string | undefined>>
}

/**
 * A wrong use of the command line that only the command itself can see.
 *
 * @category errors
 */
export class WrongUsage extends Schema.TaggedError<WrongUsage>()("WrongUsage", { message: Schema.String }) {}

/**
 * Fails with `WrongUsage`.
 *
 * @category constructors
 */
export const wrongUsage = (message: string): Effect.Effect<never, WrongUsage> => Effect.fail(new WrongUsage({ message }))

const hasMessage = (error: unknown): error is { readonly message: string } =>
  typeof error === "object" && error !== null && "message" in error && typeof error.message === "string"

const report = (name: string, cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  if (Cause.isInterruptedOnly(cause)) return Effect.void
  const failure = Option.getOrUndefined(Cause.failureOption(cause))
  // The parser has explained its own errors already.
  if (ValidationError.isValidationError(failure)) return Effect.void
  return Console.error(`${name}: ${hasMessage(failure) ? failure.message : Cause.pretty(cause)}`)
}

/**
 * Runs one command line. Whatever goes wrong has been printed on standard error when the effect fails.
 *
 * @category constructors
 */
export const run = <Name extends string, E, R, A>(options: Options<Name, E, R, A>): Effect.Effect<
  void,
  E | Settings.SettingsFileInvalid | ValidationError.ValidationError,
  CliApp.CliApp.Environment | R
> =>
  Command.run(options.command, { name: options.name, version: options.version })(options.argv).pipe(
    Effect.provide(Settings.layer(options)),
    Effect.tapErrorCause((cause) => report(options.name, cause))
  )

/**
 * Exit status: 0 for success and for an orderly stop by a signal, 2 for a wrong command line, 1 for every other failure.
 *
 * @category combinators
 */
export const teardown: Teardown = (exit, onExit) => {
  if (Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause)) return onExit(0)
  const failure = Option.getOrUndefined(Cause.failureOption(exit.cause))
  onExit(ValidationError.isValidationError(failure) || failure instanceof WrongUsage ? 2 : 1)
}
