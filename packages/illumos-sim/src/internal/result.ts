import type { CommandRunner } from "@reddwarf/runtime-illumos"

/** What a command leaves behind. */
export type Result = CommandRunner.CommandResult

const block = (text: string): string => (text === "" || text.endsWith("\n") ? text : `${text}\n`)

/** The result of a command; both texts get their final newline. */
export const result = (exitCode: number, stdout = "", stderr = ""): Result => ({
  exitCode,
  stdout: block(stdout),
  stderr: block(stderr)
})

/** Exit status 0 with `stdout`. */
export const ok = (stdout = ""): Result => result(0, stdout)

/** A failure with `stderr`; status 1 unless said otherwise. */
export const fail = (stderr: string, exitCode = 1): Result => result(exitCode, "", stderr)
