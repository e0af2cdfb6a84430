import type { Feature } from "./zfsBackend.js"
import type { CommandRunner } from "@reddwarf/runtime-illumos"

/** What a command is expected to answer. */
export type Expected =
  /** It works; what it prints does not matter. */
  | 0
  /** It works and prints this, without the last newline. */
  | string
  /** It is refused with this reason: the text after the last `': '` of the first line, and all lines after it. */
  | { readonly fails: string }
  /** It is used wrongly: status 2. */
  | { readonly usage: true }

export const fails = (reason: string): Expected => ({ fails: reason })
export const usage: Expected = { usage: true }

/** The differences between implementations that are known, and only those. */
const sayings: ReadonlyArray<readonly [RegExp, string]> = [
  [/^umount: .*target is busy\.\n/m, ""],
  [/(?:pool or dataset is busy|dataset is busy|Device busy|umount failed: .*|it's being held\. .*)$/m, "busy"],
  [/^could not find any snapshots to destroy; check snapshot names\.$/m, "dataset does not exist"],
  [/^WARNING: could not send \S+: does not exist$/m, "dataset does not exist"],
  [/^WARNING: could not send \S+:\nincremental source \(\S+\) does not exist$/im, "incremental source does not exist"],
  [/^incremental source \(\S+\) does not exist$/im, "incremental source does not exist"],
  [/more recent snapshots or bookmarks exist/, "more recent snapshots exist"],
  [/'recordsize' must be power of 2 from .*/, "'recordsize' must be power of 2"],
  [/^snapshot delimiter '@' .*/m, "snapshot delimiter"],
  [/^(?:invalid backup stream|incomplete stream|checksum mismatch or incomplete stream|invalid stream \(checksum mismatch\))$/m, "incomplete stream"],
  [/^missing '=' .*/m, "missing '='"],
  [/^usage:[\s\S]*/m, ""],
  // One system names the parent that is missing, the other the dataset.
  [/^dataset does not exist\n.*dataset does not exist$/m, "dataset does not exist"]
]

/** The reason of a refusal in the words that all implementations share. */
export const reason = (stderr: string): string => {
  const text = stderr.trim()
  const [first = "", ...rest] = text.split("\n")
  const at = /^(?:cannot|warning: cannot) .*?(?:'|snapshot \S+@\S+|stream|receive|rename to '[^']*'): (?=\S)/i.exec(first)
  const detail = at === null ? first : first.slice(at[0].length)
  let said = [detail, ...rest].join("\n")
  for (const [pattern, plain] of sayings) said = said.replace(pattern, plain)
  return said.trim()
}

/** What differs between what was expected and what was answered; `undefined` when nothing does. */
export const difference = (expected: Expected, answer: CommandRunner.CommandResult, plainStatus: boolean): unknown => {
  if (expected === 0) return answer.exitCode === 0 ? undefined : answer
  if (typeof expected === "string") {
    return answer.exitCode === 0 && answer.stdout.replace(/\n$/, "") === expected ? undefined : { expected, ...answer }
  }
  if ("usage" in expected) return answer.exitCode === 2 ? undefined : { expected: "status 2", ...answer }
  const status = plainStatus ? answer.exitCode === 1 : answer.exitCode !== 0
  return status && reason(answer.stderr) === expected.fails ? undefined : { expected: expected.fails, said: reason(answer.stderr), ...answer }
}

/** Commands in order, with their answers. `%` is a fresh dataset of the case without mountpoint, `%%` its pool, `^` a folder to mount in. */
export interface Case {
  readonly name: string
  readonly needs?: Feature
  readonly steps: ReadonlyArray<readonly [command: string, expected: Expected]>
}

/** What every command says of a dataset that is not there. */
export const missing = fails("dataset does not exist")
