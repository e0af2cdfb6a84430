/** The status of a pod as a pure function of its specification, of the host and of what the supervisor recorded. */
import { type CoreV1, PodPhase, PodResources, Timestamp } from "@reddwarf/api-types"
import * as ContainerStatus from "./ContainerStatus.js"
import * as AllContainersRestart from "./AllContainersRestart.js"
import * as PodDeadline from "./PodDeadline.js"
import type * as PodProbes from "./PodProbes.js"
import * as PlanConditions from "../plan/PlanConditions.js"
import type { PlanCondition } from "../plan/PlanConditions.js"
import * as PodResize from "./PodResize.js"
import * as CriticalAdmission from "../static/CriticalAdmission.js"
import type * as Files from "../supervisor/SupervisorFiles.js"

/**
 * What is known about a pod on its node.
 *
 * @category models
 */
export interface Observation {
  readonly zone: string
  /** Whether the zone runs and has its network. */
  readonly sandboxReady: boolean
  readonly hostIP: string
  /** One for each family, the main one first. Absent until they were allocated; the last ones shown stay when they were given back. */
  readonly podIPs?: readonly [string, ...ReadonlyArray<string>] | undefined
  /** What the supervisor recorded; absent until the pod was handed over. */
  readonly state?: Files.PodState | undefined
  /** Why nothing has been started yet. */
  readonly waiting?: ContainerStatus.WaitingReason | undefined
  /** Why one container has not been started, by its name, where it has a reason of its own. */
  readonly problems?: ReadonlyMap<string, ContainerStatus.WaitingReason> | undefined
  /** Images of containers that were handed over, by container. */
  readonly imageIDs?: ReadonlyMap<string, string> | undefined
  /** Processes that were handed over, by container. */
  readonly processes?: ReadonlyMap<string, Files.ContainerSpec> | undefined
  /** What the probes of containers say, by container. */
  readonly probes?: PodProbes.Verdicts | undefined
  /** Why there is no sandbox, where that is known. */
  readonly sandboxProblem?: ContainerStatus.WaitingReason | undefined
  /** What became of other amounts that the pod asks for while it runs. */
  readonly resize?: { readonly condition: PodResize.Condition | undefined; readonly actuated: boolean } | undefined
  /** What is to be told of its plans. */
  readonly plans?: ReadonlyArray<PlanCondition> | undefined
  /** Why the node ends the pod by itself; it is Failed with this reason once it is over. */
  readonly verdict?: { readonly reason: string; readonly message: string } | undefined
  /** Set when the pod cannot ever run here: it is Failed with this reason. */
  readonly rejected?: { readonly reason: string; readonly message: string } | undefined
}

type Phase = "Pending" | "Running" | "Succeeded" | "Failed"

const isTerminated = (status: CoreV1.ContainerStatus): boolean => status.state?.terminated !== undefined

const failedInit = (pod: CoreV1.Pod, observation: Observation): boolean =>
  (pod.spec?.initContainers ?? []).some((container) => {
    if (PodResources.isSidecar(container) || (container.restartPolicy ?? pod.spec?.restartPolicy) !== "Never") return false
    const state = observation.state?.containers.find((other) => other.name === container.name)
    return state?.phase === "finished" && (state.exits[0]?.exitCode ?? 0) !== 0
  })

const ephemeralRuns = (pod: CoreV1.Pod, observation: Observation): boolean =>
  (pod.spec?.ephemeralContainers ?? []).some(({ name }) =>
    observation.state?.containers.some((container) => container.name === name && container.phase === "running") === true)

const phaseOf = (
  pod: CoreV1.Pod,
  observation: Observation,
  initialized: boolean,
  statuses: ReadonlyArray<CoreV1.ContainerStatus>
): Phase => {
  if (observation.rejected !== undefined) return "Failed"
  // Nothing is final while somebody still looks around in an ephemeral container: it is being ended.
  if (failedInit(pod, observation)) return ephemeralRuns(pod, observation) ? "Pending" : "Failed"
  const allOver = (observation.state?.containers.length ?? 0) > 0 &&
    (observation.state?.containers ?? []).every((container) => container.phase === "finished")
  const succeeded = statuses.every((status) => status.state?.terminated?.exitCode === 0)
  // Once everything ended for good, the phase is final, be it by a stop or by the restart policy.
  const forced = observation.state?.deadlineExceeded === true || observation.verdict !== undefined
  if (allOver && statuses.every(isTerminated)) return succeeded && !forced ? "Succeeded" : "Failed"
  if (allOver && forced) return "Failed"
  if (!initialized) return "Pending"
  if (statuses.some((status) => status.state?.waiting !== undefined && status.lastState?.terminated === undefined)) return "Pending"
  return "Running"
}

/** A phase that never changes again. */
const finalPhase = (pod: CoreV1.Pod): Phase | undefined => {
  const phase = pod.status?.phase
  return phase === "Succeeded" ? "Succeeded" : phase === "Failed" ? "Failed" : undefined
}

const list = (names: ReadonlyArray<string>): string => `[${names.join(" ")}]`

interface Fact {
  readonly type: string
  readonly status: "True" | "False" | "Unknown"
  readonly reason?: string
  readonly message?: string
}

const readyFacts = (
  pod: CoreV1.Pod,
  phase: Phase,
  statuses: ReadonlyArray<CoreV1.ContainerStatus>,
  plans: ReadonlyArray<PlanCondition> = []
): ReadonlyArray<Fact> => {
  const both = (fact: Omit<Fact, "type">): ReadonlyArray<Fact> => [{ type: "Ready", ...fact }, { type: "ContainersReady", ...fact }]
  if (phase === "Succeeded") return both({ status: "False", reason: "PodCompleted" })
  if (phase === "Failed") return both({ status: "False", reason: "PodFailed" })
  const unready = statuses.filter((status) => !status.ready).map((status) => status.name)
  if (unready.length > 0) {
    return both({ status: "False", reason: "ContainersNotReady", message: `containers with unready status: ${list(unready)}` })
  }
  const planned = plans.find(({ type }) => type === PlanConditions.types.gates)
  const gates = pod.spec?.readinessGates ?? []
  // A pod whose API server knows nothing of gates was not given a readiness gate for them: its containers are not ready before they are open.
  if (planned !== undefined && planned.status !== "True" && !gates.some(({ conditionType }) => conditionType === planned.type)) {
    return both({ status: "False", reason: planned.reason ?? "GateClosed", message: planned.message ?? "the gates of the pod are not open" })
  }
  const closed = gates.filter((gate) =>
    gate.conditionType === planned?.type ? planned.status !== "True" : !PodPhase.isConditionTrue(pod, gate.conditionType))
  if (closed.length === 0) return both({ status: "True" })
  const texts = closed.map((gate) => {
    const condition = PodPhase.condition(pod, gate.conditionType)
    return condition === undefined
      ? `corresponding condition of pod readiness gate "${gate.conditionType}" does not exist.`
      : `the status of pod readiness gate "${gate.conditionType}" is not "True", but ${condition.status}`
  })
  return [
    { type: "Ready", status: "False", reason: "ReadinessGatesNotReady", message: texts.join(", ") },
    { type: "ContainersReady", status: "True" }
  ]
}

const initializedFact = (
  phase: Phase,
  initialized: boolean,
  initStatuses: ReadonlyArray<CoreV1.ContainerStatus>,
  isDone: (name: string) => boolean
): Fact => {
  if (initialized) return phase === "Succeeded" ? { type: "Initialized", status: "True", reason: "PodCompleted" } : { type: "Initialized", status: "True" }
  const incomplete = initStatuses.filter((status) => !isDone(status.name)).map((status) => status.name)
  return {
    type: "Initialized",
    status: "False",
    reason: "ContainersNotInitialized",
    message: `containers with incomplete status: ${list(incomplete)}`
  }
}

const sandboxFact = ({ sandboxProblem, sandboxReady }: Observation): Fact => {
  const type = "PodReadyToStartContainers"
  if (sandboxReady) return { type, status: "True" }
  if (sandboxProblem === undefined) return { type, status: "False" }
  const { message, reason } = sandboxProblem
  return { type, status: "False", reason, ...(message === undefined ? {} : { message }) }
}

/** Controllers that make a new pod for this one can tell from it that the pod itself did nothing wrong. */
const disruption = ({ message, reason }: { readonly reason: string; readonly message: string }): Fact => ({
  type: "DisruptionTarget",
  status: "True",
  reason: "TerminationByKubelet",
  message: reason === CriticalAdmission.reason ? CriticalAdmission.disruption : message
})

/** Conditions this agent writes; all others belong to somebody else and are kept as they are. */
const owned: ReadonlySet<string> = new Set([
  "PodReadyToStartContainers",
  "Initialized",
  "Ready",
  "ContainersReady",
  "PodScheduled",
  ...Object.values(PodResize.conditionTypes)
])

const conditionsOf = (pod: CoreV1.Pod, facts: ReadonlyArray<Fact>, now: number): ReadonlyArray<CoreV1.PodCondition> => {
  const generation = pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }
  const ours = facts.map((fact) => {
    const before = PodPhase.condition(pod, fact.type)
    const lastTransitionTime = before?.status === fact.status && before.lastTransitionTime !== undefined
      ? before.lastTransitionTime
      : Timestamp.secondsFromMillis(now)
    return { ...fact, ...generation, lastTransitionTime }
  })
  const kept = (pod.status?.conditions ?? []).filter(({ type }) => !owned.has(type) && !facts.some((fact) => fact.type === type))
  return [...ours, ...kept]
}

const shownBefore = (before: CoreV1.PodStatus | undefined): Pick<CoreV1.PodStatus, "podIP" | "podIPs"> =>
  before?.podIP === undefined ? {} : { podIP: before.podIP, podIPs: before.podIPs ?? [{ ip: before.podIP }] }

/**
 * The status to show. Transition times change only with the status of a condition, `startTime` never, a final phase never.
 *
 * `now` is milliseconds since the epoch.
 *
 * @category constructors
 */
export const of = (pod: CoreV1.Pod, observation: Observation, now: number): CoreV1.PodStatus => {
  const context: ContainerStatus.Context = {
    pod,
    zone: observation.zone,
    state: observation.state,
    // `kubectl debug` waits for its container, and tells users what that waits for.
    waiting: observation.rejected ?? observation.waiting,
    actuated: observation.resize?.actuated === true,
    imageIDs: observation.imageIDs,
    processes: observation.processes,
    probes: observation.probes
  }
  const initContainers = pod.spec?.initContainers ?? []
  const initStatuses = initContainers.map((container) => ContainerStatus.of(context, container))
  const statuses = (pod.spec?.containers ?? []).map((container) => ContainerStatus.of(context, container))
  const ephemeralStatuses = (pod.spec?.ephemeralContainers ?? []).map((container) =>
    ContainerStatus.of({ ...context, waiting: observation.problems?.get(container.name) ?? context.waiting }, container))
  const sidecars = initStatuses.filter((_, index) => {
    const container = initContainers[index]
    return container !== undefined && PodResources.isSidecar(container)
  })
  // Init containers that run once more do not take back what their pod has been.
  const initialized = ContainerStatus.initialized(context) || AllContainersRestart.hasStarted(statuses)
  const isDone = (name: string) => {
    const container = initContainers.find((other) => other.name === name)
    const state = observation.state?.containers.find((other) => other.name === name)
    return container !== undefined && ContainerStatus.isInitialized(ContainerStatus.kindOf(pod, container), state, observation.probes?.get(name))
  }
  const before = pod.status
  const phase = finalPhase(pod) ?? phaseOf(pod, observation, initialized, statuses)
  const facts: ReadonlyArray<Fact> = [
    sandboxFact(observation),
    initializedFact(phase, initialized, initStatuses, isDone),
    ...readyFacts(pod, phase, [...sidecars, ...statuses], observation.plans),
    { type: "PodScheduled", status: "True" },
    ...AllContainersRestart.condition(pod, phase, observation.state),
    ...(observation.resize?.condition === undefined ? [] : [observation.resize.condition]),
    ...(observation.plans ?? []),
    ...(observation.verdict === undefined ? [] : [disruption(observation.verdict)])
  ]
  const { podIPs } = observation
  const verdict = phase === "Failed" ? observation.verdict : undefined
  const rejected = observation.rejected ?? verdict ?? (phase === "Failed" && observation.state?.deadlineExceeded === true ? PodDeadline.exceeded : undefined)
  return {
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    phase,
    conditions: conditionsOf(pod, facts, now),
    ...(rejected ?? (before?.reason === undefined ? {} : { reason: before.reason, ...(before.message === undefined ? {} : { message: before.message }) })),
    ...(before?.nominatedNodeName === undefined ? {} : { nominatedNodeName: before.nominatedNodeName }),
    hostIP: observation.hostIP,
    hostIPs: [{ ip: observation.hostIP }],
    ...(podIPs === undefined ? shownBefore(before) : { podIP: podIPs[0], podIPs: podIPs.map((ip) => ({ ip })) }),
    startTime: before?.startTime ?? Timestamp.secondsFromMillis(now),
    ...(initStatuses.length === 0 ? {} : { initContainerStatuses: initStatuses }),
    containerStatuses: statuses,
    ...(ephemeralStatuses.length === 0 || observation.rejected !== undefined ? {} : { ephemeralContainerStatuses: ephemeralStatuses }),
    qosClass: before?.qosClass ?? PodResources.qosClass(pod)
  }
}

/**
 * Whether all containers have ended for good, so that the zone is not needed any more.
 *
 * @category combinators
 */
export const isOver = (state: Files.PodState | undefined): boolean =>
  state !== undefined && state.containers.length > 0 && state.containers.every((container) => container.phase === "finished")
