/** What follows the end of an attempt. Pure, so that the rules can be read and tested in one place. */
import type { ContainerLifecycle } from "../supervisor/ContainerLifecycle.js"
import type { BackOffOptions, ContainerKind, ExitRecord, RestartPolicy } from "../supervisor/SupervisorFiles.js"

const ruled = (exitCode: number, { restartRules = [] }: Pick<ContainerLifecycle, "restartRules">) =>
  restartRules.find(({ exitCodes, operator }) => exitCodes.includes(exitCode) === (operator === "In"))

/** Whether all containers of the pod start anew after this one ended by itself. */
export const restartsAll = (kind: ContainerKind, exitCode: number, lifecycle: Pick<ContainerLifecycle, "restartRules"> = {}): boolean =>
  kind !== "ephemeral" && ruled(exitCode, lifecycle)?.action === "RestartAllContainers"

/** Whether a container is started again after it ended by itself. Its own rules come first, then its own policy, then that of the pod. */
export const restarts = (
  kind: ContainerKind,
  podPolicy: RestartPolicy,
  exitCode: number,
  lifecycle: Pick<ContainerLifecycle, "restartPolicy" | "restartRules"> = {}
): boolean => {
  if (kind === "ephemeral") return false
  if (kind === "sidecar") return true
  if (ruled(exitCode, lifecycle) !== undefined) return true
  const policy = lifecycle.restartPolicy ?? podPolicy
  if (kind === "init") return exitCode !== 0 && policy !== "Never"
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0)
}

/** Whether a container that was asked to end for it is started again, whatever its exit code. */
export const restartsWhenAsked = (
  kind: ContainerKind,
  podPolicy: RestartPolicy,
  { restartPolicy }: Pick<ContainerLifecycle, "restartPolicy"> = {}
): boolean => kind === "sidecar" || (kind === "main" && (restartPolicy ?? podPolicy) !== "Never")

/** The waiting time before the next attempt, and the one to remember for the attempt after it. */
export const backOff = (
  remembered: number,
  exit: ExitRecord,
  options: BackOffOptions
): { readonly delay: number; readonly next: number } => {
  const delay = exit.finishedAt - exit.startedAt >= options.resetMillis ? 0 : remembered
  return { delay, next: delay === 0 ? options.initialMillis : Math.min(delay * 2, options.maxMillis) }
}
