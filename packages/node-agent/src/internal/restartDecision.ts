/** What follows the end of an attempt. Pure, so that the rules can be read and tested in one place. */
import type { BackOffOptions, ContainerKind, ExitRecord, RestartPolicy } from "../supervisor/SupervisorFiles.js"

/** Whether a container is started again after it ended by itself. */
export const restarts = (kind: ContainerKind, policy: RestartPolicy, exitCode: number): boolean => {
  if (kind === "ephemeral") return false
  if (kind === "sidecar") return true
  if (kind === "init") return exitCode !== 0 && policy !== "Never"
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0)
}

/** The waiting time before the next attempt, and the one to remember for the attempt after it. */
export const backOff = (
  remembered: number,
  exit: ExitRecord,
  options: BackOffOptions
): { readonly delay: number; readonly next: number } => {
  const delay = exit.finishedAt - exit.startedAt >= options.resetMillis ? 0 : remembered
  return { delay, next: delay === 0 ? options.initialMillis : Math.min(delay * 2, options.maxMillis) }
}
