/** The table row of a Pod: the one word that says best what is going on with it. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { humanDuration } from "../HumanDuration.js"
import { ageCell, none, orNone } from "../internal/columns.js"
import type { Cell, RowCondition } from "../Kind.js"
import { condition, isConditionTrue } from "../PodPhase.js"
import { isSidecar } from "../PodResources.js"
import * as Timestamp from "../Timestamp.js"

interface Restarts {
  readonly count: number
  /** Milliseconds since the epoch of the latest restart. */
  readonly last: number | undefined
}

interface Summary {
  readonly status: string
  readonly ready: number
  readonly restarts: Restarts
}

const restartsOf = (statuses: ReadonlyArray<CoreV1.ContainerStatus>): Restarts => {
  let count = 0
  let last: number | undefined
  for (const { lastState, restartCount } of statuses) {
    count += restartCount
    const finished = Timestamp.toMillis(lastState?.terminated?.finishedAt)
    if (finished !== undefined && (last === undefined || finished > last)) last = finished
  }
  return { count, last }
}

const terminatedReason = (terminated: CoreV1.ContainerStateTerminated): string => {
  if ((terminated.reason ?? "") !== "") return terminated.reason ?? ""
  return (terminated.signal ?? 0) !== 0 ? `Signal:${terminated.signal ?? 0}` : `ExitCode:${terminated.exitCode}`
}

/** What an init container that is not done yet says, or undefined when it is done or a running sidecar. */
const initProgress = (
  status: CoreV1.ContainerStatus,
  sidecar: boolean,
  index: number,
  total: number
): string | undefined => {
  const { terminated, waiting } = status.state ?? {}
  if (terminated !== undefined && terminated.exitCode === 0) return undefined
  if (sidecar && status.started === true) return undefined
  if (terminated !== undefined) return `Init:${terminatedReason(terminated)}`
  const reason = waiting?.reason ?? ""
  return reason !== "" && reason !== "PodInitializing" ? `Init:${reason}` : `Init:${index}/${total}`
}

/** Reason of the app containers, from the last to the first: the first container has the last word. */
const appProgress = (pod: CoreV1.Pod, initial: string): { readonly status: string; readonly ready: number } => {
  const statuses = pod.status?.containerStatuses ?? []
  let status = initial
  let ready = 0
  let running = false
  let failure: string | undefined
  for (const container of statuses.toReversed()) {
    const { running: runs, terminated, waiting } = container.state ?? {}
    if (waiting !== undefined && (waiting.reason ?? "") !== "") status = waiting.reason ?? ""
    else if (terminated !== undefined) {
      status = terminatedReason(terminated)
      if (terminated.exitCode !== 0) failure = status
    } else if (container.ready && runs !== undefined) {
      running = true
      ready++
    }
  }
  // One container that is done does not make the whole pod done while others run.
  if (status === "Completed") {
    if (running && isConditionTrue(pod, "Ready")) status = "Running"
    else if (failure !== undefined) status = failure
    else if (running) status = "NotReady"
  }
  return { status, ready }
}

const summarise = (pod: CoreV1.Pod): Summary => {
  const initContainers = pod.spec?.initContainers ?? []
  const sidecars = new Set(initContainers.filter(isSidecar).map((container) => container.name))
  const initStatuses = pod.status?.initContainerStatuses ?? []
  const gated = condition(pod, "PodScheduled")?.reason === "SchedulingGated"
  let status = (pod.status?.reason ?? "") === "" ? (pod.status?.phase ?? "") : (pod.status?.reason ?? "")
  if (gated) status = "SchedulingGated"
  let ready = 0
  let initializing = false
  for (const [index, container] of initStatuses.entries()) {
    const progress = initProgress(container, sidecars.has(container.name), index, initContainers.length)
    if (progress === undefined) {
      if (sidecars.has(container.name) && container.ready && container.state?.terminated === undefined) ready++
      continue
    }
    status = progress
    initializing = true
    break
  }
  let restarts = restartsOf(initStatuses)
  if (!initializing || isConditionTrue(pod, "Initialized")) {
    const apps = appProgress(pod, status)
    status = apps.status
    ready += apps.ready
    restarts = restartsOf([...initStatuses.filter(({ name }) => sidecars.has(name)), ...(pod.status?.containerStatuses ?? [])])
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (pod.status?.reason === "NodeLost") status = "Unknown"
    else if (pod.status?.phase !== "Succeeded" && pod.status?.phase !== "Failed") status = "Terminating"
  }
  return { status, ready, restarts }
}

const restartsCell = ({ count, last }: Restarts, now: number): string =>
  count === 0 || last === undefined ? String(count) : `${count} (${humanDuration(now - last)} ago)`

const gatesCell = (pod: CoreV1.Pod): string => {
  const gates = pod.spec?.readinessGates ?? []
  if (gates.length === 0) return none
  return `${gates.filter((gate) => isConditionTrue(pod, gate.conditionType)).length}/${gates.length}`
}

/** Cells in the order of the kind's columns. @category combinators */
export const podCells = (pod: CoreV1.Pod, now: number): ReadonlyArray<Cell> => {
  const { ready, restarts, status } = summarise(pod)
  const total = (pod.spec?.containers ?? []).length + (pod.spec?.initContainers ?? []).filter(isSidecar).length
  return [
    pod.metadata.name ?? "",
    `${ready}/${total}`,
    status,
    restartsCell(restarts, now),
    ageCell(pod, now),
    orNone(pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP),
    orNone(pod.spec?.nodeName),
    orNone(pod.status?.nominatedNodeName),
    gatesCell(pod)
  ]
}

/** Marks finished pods, so that clients can grey them out. @category combinators */
export const podRowConditions = (pod: CoreV1.Pod): ReadonlyArray<RowCondition> => {
  const phase = pod.status?.phase
  if (phase !== "Succeeded" && phase !== "Failed") return []
  const message = phase === "Succeeded" ? "The pod has completed successfully." : "The pod failed."
  return [{ type: "Completed", status: "True", reason: phase, message }]
}
