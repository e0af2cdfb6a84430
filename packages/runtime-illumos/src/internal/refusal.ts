import type { CommandResult } from "../CommandRunner.js"
import type { HostError } from "../HostError.js"
import { HostCommandFailed } from "../HostError.js"

/** The three facts every host error carries. */
export interface Context {
  readonly operation: string
  readonly object: string
  readonly detail: string
}

/** One row of a failure table: the text a tool prints, and the error it means. */
export interface Row {
  readonly pattern: RegExp
  readonly error: new(context: Context) => HostError
}

const detailLimit = 600

/** What a tool printed, on one line and bounded. */
export const detailOf = (result: CommandResult): string => {
  const text = (result.stderr.trim() === "" ? result.stdout : result.stderr).trim().replaceAll(/\s*\n\s*/g, " | ")
  return text.length > detailLimit ? `${text.slice(0, detailLimit)}…` : text
}

/** The first row whose text occurs in what the tool printed, else `HostCommandFailed`. */
export const classify = (
  table: ReadonlyArray<Row>,
  operation: string,
  object: string,
  result: CommandResult
): HostError => {
  const text = `${result.stderr}\n${result.stdout}`
  const context = { operation, object, detail: detailOf(result) }
  const row = table.find((row) => row.pattern.test(text))
  return row === undefined ? new HostCommandFailed({ ...context, exitCode: result.exitCode }) : new row.error(context)
}
