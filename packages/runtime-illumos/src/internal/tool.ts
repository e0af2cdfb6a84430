import * as Effect from "effect/Effect"
import type * as CommandLine from "../CommandLine.js"
import type { CommandResult, CommandRunner } from "../CommandRunner.js"
import { type HostError, UnreadableOutput } from "../HostError.js"
import { lines } from "./parsable.js"

/** How the operations of one host program run: its output, or the error its refusal means. */
export const make = (
  runner: CommandRunner["Type"],
  classify: (operation: string, object: string, result: CommandResult) => HostError
) => {
  const output = (operation: string, object: string, line: CommandLine.CommandLine): Effect.Effect<string, HostError> =>
    Effect.flatMap(
      runner.run(line),
      (result) => result.exitCode === 0 ? Effect.succeed(result.stdout) : Effect.fail(classify(operation, object, result))
    )
  return {
    output,
    done: (operation: string, object: string, line: CommandLine.CommandLine): Effect.Effect<void, HostError> =>
      Effect.asVoid(output(operation, object, line)),
    /** One value per line of output; a line that cannot be read is an error and never skipped. */
    rows: <A>(
      operation: string,
      object: string,
      line: CommandLine.CommandLine,
      parse: (line: string) => A | undefined
    ): Effect.Effect<ReadonlyArray<A>, HostError> =>
      Effect.flatMap(output(operation, object, line), (text) =>
        Effect.forEach(lines(text), (row) => {
          const entry = parse(row)
          return entry === undefined
            ? Effect.fail(new UnreadableOutput({ operation, object, detail: row }))
            : Effect.succeed(entry)
        }))
  }
}
