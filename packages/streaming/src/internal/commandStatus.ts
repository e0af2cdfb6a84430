/** How a command ended, as the versions of the protocol say it. */
import { Status } from "@reddwarf/api-types"
import type { Outcome } from "../RemoteCommand.js"

const nonZero = (exitCode: number) => ({
  metadata: {},
  status: "Failure",
  message: `command terminated with non-zero exit code: exit status ${exitCode}`,
  reason: "NonZeroExitCode",
  details: { causes: [{ reason: "ExitCode", message: String(exitCode) }] }
})

const statusOf = (outcome: Outcome) => {
  if (outcome._tag === "Exited") return outcome.exitCode === 0 ? { metadata: {}, status: "Success" } : nonZero(outcome.exitCode)
  const { code, details, message, metadata, reason, status } = Status.internalError(outcome.message)
  return { metadata, status, message, reason, details, code }
}

/** What the error channel carries: a Status from version 4 on, before that the text of a failure. */
export const bytes = (version: number, outcome: Outcome): Buffer => {
  const status = statusOf(outcome)
  if (version >= 4) return Buffer.from(JSON.stringify(status))
  return Buffer.from("message" in status ? status.message ?? "" : "")
}
