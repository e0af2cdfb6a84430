/** What the API shows about one container, worked out from what the supervisor recorded. Pure. */
import { type CoreV1, PodResources, Timestamp } from "@reddwarf/api-types"
import * as ContainerFacts from "./ContainerFacts.js"
import * as PodRestart from "../supervisor/PodRestart.js"
import * as PodResize from "./PodResize.js"
import type { Verdict } from "./ProbeRules.js"
import type * as Files from "../supervisor/SupervisorFiles.js"

/**
 * Why containers wait that have not been started, such as `ContainerCreating` while the zone is made.
 *
 * @category models
 */
export interface WaitingReason {
  readonly reason: string
  readonly message?: string | undefined
}

/** @category models */
export interface Context {
  readonly pod: CoreV1.Pod
  readonly zone: string
  /** Absent while the pod was not handed over to the supervisor. */
  readonly state: Files.PodState | undefined
  /** Applies to containers that were never started. */
  readonly waiting: WaitingReason | undefined
  /** Whether the zone has the amounts that the pod asks for now; otherwise it has those shown before. */
  readonly actuated?: boolean
  /** Images of containers that were handed over, by container. */
  readonly imageIDs?: ReadonlyMap<string, string> | undefined
  /** Processes that were handed over, by container. */
  readonly processes?: ReadonlyMap<string, Files.ContainerSpec> | undefined
  /** What the probes of containers say, by container; those without probes have none. */
  readonly probes?: ReadonlyMap<string, Verdict> | undefined
}

/**
 * The role a container of a pod has.
 *
 * @category models
 */
export const kindOf = (pod: CoreV1.Pod, container: CoreV1.Container): Files.ContainerKind =>
  (pod.spec?.initContainers ?? []).some((other) => other.name === container.name)
    ? (PodResources.isSidecar(container) ? "sidecar" : "init")
    : (pod.spec?.ephemeralContainers ?? []).some((other) => other.name === container.name)
    ? "ephemeral"
    : "main"

const containerId = (zone: string, name: string, attempt: number): string => `zone://${zone}/${name}/${attempt}`

const terminated = (zone: string, name: string, exit: Files.ExitRecord): CoreV1.ContainerState => ({
  terminated: {
    exitCode: exit.exitCode,
    ...(exit.signal === undefined ? {} : { signal: exit.signal }),
    reason: exit.reason,
    ...(exit.message !== undefined ? { message: exit.message } : exit.reason === "Unknown" ? { message: "the end of the container was not observed" } : {}),
    startedAt: Timestamp.secondsFromMillis(exit.startedAt),
    finishedAt: Timestamp.secondsFromMillis(exit.finishedAt),
    containerID: containerId(zone, name, exit.attempt)
  }
})

const neverStarted: CoreV1.ContainerState = {
  terminated: {
    exitCode: 137,
    reason: "ContainerStatusUnknown",
    message: "The container could not be located when the pod was terminated"
  }
}

const hookError = ({ hookFailures = [] }: Files.ContainerState): WaitingReason => ({
  reason: "PostStartHookError",
  message: hookFailures.find(({ hook }) => hook === "postStart")?.message
})

const duration = (millis: number): string => {
  const seconds = Math.round(millis / 1000)
  const minutes = Math.floor(seconds / 60)
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds % 60}s`
}

const waitingState = ({ message, reason }: WaitingReason): CoreV1.ContainerState => ({
  waiting: { reason, ...(message === undefined ? {} : { message }) }
})

/** Whether an init container has done its part: ended well, or, as a sidecar, is up. @category combinators */
export const isInitialized = (kind: Files.ContainerKind, state: Files.ContainerState | undefined, probes?: Verdict): boolean => {
  if (state === undefined) return false
  if (kind === "sidecar") return (state.phase === "running" && state.hooks?.postStart !== "running" && probes?.started !== false) || state.exits.length > 0
  return state.phase === "finished" && state.exits[0]?.attempt === state.attempt && state.exits[0].exitCode === 0
}

/** Whether all init containers of the pod have done their part. @category combinators */
export const initialized = (context: Context): boolean =>
  (context.pod.spec?.initContainers ?? []).every((container) =>
    isInitialized(kindOf(context.pod, container), find(context, container.name), context.probes?.get(container.name)))

const find = (context: Context, name: string): Files.ContainerState | undefined =>
  context.state?.containers.find((container) => container.name === name)

const stateOf = (
  context: Context,
  container: CoreV1.Container,
  state: Files.ContainerState | undefined
): { readonly state: CoreV1.ContainerState; readonly lastState?: CoreV1.ContainerState } => {
  const { pod, zone } = context
  const [last, beforeLast] = state?.exits ?? []
  const lastState = (exit: Files.ExitRecord | undefined) => exit === undefined ? {} : { lastState: terminated(zone, container.name, exit) }
  const initializing = ["main", "ephemeral"].includes(kindOf(pod, container)) && (pod.spec?.initContainers ?? []).length > 0 && !initialized(context)
  const notStarted = waitingState(
    context.waiting ?? { reason: initializing ? "PodInitializing" : "ContainerCreating" }
  )
  if (state === undefined) return { state: notStarted }
  if (context.state?.restarting !== undefined && state.phase !== "running" && last !== undefined) {
    return { state: waitingState({ reason: PodRestart.reason, message: PodRestart.message }), ...lastState(last) }
  }
  switch (state.phase) {
    case "waiting":
    case "starting":
      return {
        state: state.problem === undefined ? (last === undefined ? notStarted : waitingState({ reason: initializing ? "PodInitializing" : "ContainerCreating" })) : waitingState(state.problem),
        ...lastState(last)
      }
    case "running":
      // A container is told to run when its postStart hook is over.
      if (state.hooks?.postStart === "running") return { state: notStarted, ...lastState(last) }
      if (state.hooks?.postStart === "failed") return { state: waitingState(hookError(state)), ...lastState(last) }
      return {
        state: { running: state.startedAt === undefined ? {} : { startedAt: Timestamp.secondsFromMillis(state.startedAt) } },
        ...lastState(last)
      }
    case "backOff": {
      const pause = last === undefined ? 0 : (state.backOffUntil ?? last.finishedAt) - last.finishedAt
      if (last === undefined) return { state: notStarted }
      if (pause <= 0) return { state: terminated(zone, container.name, last), ...lastState(beforeLast) }
      const { name = "", namespace = "", uid = "" } = pod.metadata
      return {
        state: waitingState({
          reason: "CrashLoopBackOff",
          message: `back-off ${duration(pause)} restarting failed container=${container.name} pod=${name}_${namespace}(${uid})`
        }),
        ...lastState(last)
      }
    }
    case "finished":
      break
  }
  if (last !== undefined) return { state: terminated(zone, container.name, last), ...lastState(beforeLast) }
  return { state: context.state?.stop === undefined ? notStarted : neverStarted }
}

const statusBefore = ({ status }: CoreV1.Pod, name: string): CoreV1.ContainerStatus | undefined =>
  [...status?.containerStatuses ?? [], ...status?.initContainerStatuses ?? []].find((shown) => shown.name === name)

/**
 * The status of one container. A container without a startup probe has started when it runs, one without a readiness probe is ready when it
 * has started. An ephemeral container is never ready, as nobody waits for it.
 *
 * @category constructors
 */
export const of = (context: Context, container: CoreV1.Container): CoreV1.ContainerStatus => {
  const kind = kindOf(context.pod, container)
  const state = find(context, container.name)
  const shown = stateOf(context, container, state)
  const running = state?.phase === "running"
  const up = running && (state.hooks?.postStart ?? "done") === "done"
  const probes = context.probes?.get(container.name)
  const attempt = Math.max(0, state?.attempt ?? 0)
  const hasAttempt = state !== undefined && (running || state.exits.length > 0)
  const idAttempt = running ? attempt : state?.exits[0]?.attempt ?? attempt
  return {
    name: container.name,
    lastState: {},
    ...shown,
    ready: kind === "init" ? isInitialized(kind, state) : kind !== "ephemeral" && up && (probes?.ready ?? true),
    ...(kind === "ephemeral" ? {} : { started: kind !== "init" && up && (probes?.started ?? true) }),
    restartCount: attempt,
    image: container.image ?? "",
    imageID: context.imageIDs?.get(container.name) ?? "",
    ...(running ? PodResize.shown(container, statusBefore(context.pod, container.name), context.actuated === true) : {}),
    ...(hasAttempt ? { containerID: containerId(context.zone, container.name, idAttempt), ...ContainerFacts.of(container, context.processes?.get(container.name)) } : {})
  }
}
