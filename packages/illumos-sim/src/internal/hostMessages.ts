/**
 * What a served host and its clients say to each other. Read by hand: both are programs of one user, and a look at the shape of each message
 * costs less than decoding it.
 */
import type { CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import * as Duration from "effect/Duration"

/** Another number is another language. */
export const protocol = 1

/** Commands of one client under way: it waits with more of them, and who does not is let go. */
export const maxCommands = 256

/** What a client says. */
export type Request =
  | { readonly kind: "run"; readonly id: number; readonly line: CommandLine.CommandLine }
  /** The command is to be killed. */
  | { readonly kind: "cancel"; readonly id: number }
  /** As long as this client is connected the host is served. */
  | { readonly kind: "keep" }
  /** The host is not to be served any longer than it takes to finish what it does. */
  | { readonly kind: "end" }

/** Why a command gave no result, as `CommandUnavailable` has it. */
type Reason = CommandRunner.CommandUnavailable["reason"]

/** What the server says. */
export type Answer =
  /** The first message on a connection. */
  | { readonly kind: "hello"; readonly protocol: number; readonly identity: string; readonly pid: number }
  | { readonly kind: "result"; readonly id: number; readonly result: CommandRunner.CommandResult }
  | { readonly kind: "unavailable"; readonly id: number; readonly reason: Reason; readonly detail: string }
  /** The command was killed because the client wanted it. */
  | { readonly kind: "killed"; readonly id: number }
  /** The command was not begun, and nothing of it will be done: the server ends. */
  | { readonly kind: "refused"; readonly id: number }
  /** The server ends: what it has not begun it will not begin. */
  | { readonly kind: "leaving" }

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null

const isWords = (value: unknown): value is ReadonlyArray<string> => Array.isArray(value) && value.every((word) => typeof word === "string")

const reasons: Readonly<Record<Reason, true>> = { NotFound: true, PermissionDenied: true, Timeout: true, OutputLimit: true, TempFile: true, Failed: true }
const isReason = (value: unknown): value is Reason => typeof value === "string" && Object.hasOwn(reasons, value)

/** A command line as it is sent. */
export const runMessage = (id: number, { args, program, stdin, timeout }: CommandLine.CommandLine): object => ({
  kind: "run",
  id,
  program,
  args,
  ...(stdin === undefined ? {} : { stdin }),
  ...(timeout === undefined ? {} : { timeoutMillis: Duration.toMillis(timeout) })
})

const lineOf = ({ args, program, stdin, timeoutMillis }: Fields): CommandLine.CommandLine | undefined => {
  if (typeof program !== "string" || !isWords(args)) return undefined
  if (stdin !== undefined && typeof stdin !== "string") return undefined
  if (timeoutMillis !== undefined && typeof timeoutMillis !== "number") return undefined
  return { program, args, ...(stdin === undefined ? {} : { stdin }), ...(timeoutMillis === undefined ? {} : { timeout: timeoutMillis }) }
}

/** What a client said, if it is anything. */
export const request = (message: unknown): Request | undefined => {
  if (!isFields(message)) return undefined
  const { id, kind } = message
  if (kind === "keep" || kind === "end") return { kind }
  if (typeof id !== "number") return undefined
  if (kind === "cancel") return { kind, id }
  const line = kind === "run" ? lineOf(message) : undefined
  return line === undefined ? undefined : { kind: "run", id, line }
}

const resultOf = (value: unknown): CommandRunner.CommandResult | undefined => {
  if (!isFields(value)) return undefined
  const { exitCode, stderr, stdout } = value
  return typeof exitCode === "number" && typeof stdout === "string" && typeof stderr === "string" ? { exitCode, stdout, stderr } : undefined
}

/** What the server said, if it is anything. */
export const answer = (message: unknown): Answer | undefined => {
  if (!isFields(message)) return undefined
  const { detail, id, identity, kind, pid, protocol, reason, result: given } = message
  if (kind === "leaving") return { kind }
  if (kind === "hello") return typeof protocol === "number" && typeof identity === "string" && typeof pid === "number" ? { kind, protocol, identity, pid } : undefined
  if (typeof id !== "number") return undefined
  if (kind === "killed" || kind === "refused") return { kind, id }
  if (kind === "unavailable") return isReason(reason) && typeof detail === "string" ? { kind, id, reason, detail } : undefined
  const result = kind === "result" ? resultOf(given) : undefined
  return result === undefined ? undefined : { kind: "result", id, result }
}
