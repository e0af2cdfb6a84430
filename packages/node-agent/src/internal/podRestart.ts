/** All containers of a pod, from their ends to a new start: what one of its rules asked for when a container ended. */
import type * as PodRestart from "../supervisor/PodRestart.js"
import type * as Files from "../supervisor/SupervisorFiles.js"

/**
 * A container that has ended, as one that is to be started once more, whatever became of it before: init containers run again as well. Its
 * attempts are counted on. The one that ended first waits as long as after any other failure, so that a pod which never works does not start
 * over and over; the others wait for nothing but their turn.
 */
export const again = (state: Files.ContainerState, restarting: PodRestart.PodRestart | undefined): Files.ContainerState => {
  const { backOffUntil, hooks: _hooks, launch: _launch, pid: _pid, problem: _problem, startedAt: _startedAt, ...rest } = state
  const isFirst = restarting?.container === state.name && restarting.attempt === state.attempt
  return { ...rest, phase: "waiting", ...(isFirst && backOffUntil !== undefined ? { backOffUntil } : {}) }
}
