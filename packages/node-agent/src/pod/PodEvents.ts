/** Which events tell users what happened between two statuses of a pod. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"
import * as ContainerEnvironment from "../container/ContainerEnvironment.js"

/** @category models */
export interface PodEvent {
  readonly type: "Normal" | "Warning"
  readonly reason: string
  readonly message: string
  /** Name of the container it is about. */
  readonly container?: string
}

const all = (status: CoreV1.PodStatus | undefined): ReadonlyArray<CoreV1.ContainerStatus> => [
  ...status?.initContainerStatuses ?? [],
  ...status?.containerStatuses ?? [],
  ...status?.ephemeralContainerStatuses ?? []
]

const ofContainer = (
  pod: CoreV1.Pod,
  before: CoreV1.ContainerStatus | undefined,
  after: CoreV1.ContainerStatus
): ReadonlyArray<PodEvent> => {
  const { name } = after
  const events: Array<PodEvent> = []
  if (after.containerID !== undefined && after.containerID !== before?.containerID) {
    events.push(
      { type: "Normal", reason: "Created", message: `Created container: ${name}`, container: name },
      { type: "Normal", reason: "Started", message: `Started container ${name}`, container: name }
    )
  }
  const waiting = after.state?.waiting
  const waited = before?.state?.waiting
  if (waiting?.reason === "CrashLoopBackOff" && (waited?.reason !== waiting.reason || before?.containerID !== after.containerID)) {
    const { name: podName = "", namespace = "", uid = "" } = pod.metadata
    events.push({
      type: "Warning",
      reason: "BackOff",
      message: `Back-off restarting failed container ${name} in pod ${podName}_${namespace}(${uid})`,
      container: name
    })
  }
  if (waiting?.reason === "RunContainerError" && waited?.message !== waiting.message) {
    events.push({ type: "Warning", reason: "Failed", message: `Error: ${waiting.message ?? ""}`, container: name })
  }
  return events
}

/**
 * What happened to the containers since `before` was shown.
 *
 * @category combinators
 */
export const between = (
  pod: CoreV1.Pod,
  before: CoreV1.PodStatus | undefined,
  after: CoreV1.PodStatus
): ReadonlyArray<PodEvent> => {
  const known = all(before)
  return all(after).flatMap((status) => ofContainer(pod, known.find((other) => other.name === status.name), status))
}

/** Keys of `envFrom` that no container gets, because no variable can have their names. @category constructors */
export const invalidVariables = (pod: CoreV1.Pod, inputs: ContainerEnvironment.Inputs): ReadonlyArray<PodEvent> =>
  [...pod.spec?.initContainers ?? [], ...pod.spec?.containers ?? []].flatMap((container) =>
    ContainerEnvironment.invalidNames(inputs, container).map(({ keys, name, source }): PodEvent => ({
      type: "Warning",
      reason: "InvalidEnvironmentVariableNames",
      message: `Keys [${keys.join(", ")}] from the EnvFrom ${source} ${pod.metadata.namespace ?? ""}/${name} were skipped since they are considered invalid environment variable names.`,
      container: container.name
    })))

/** The containers of a pod that is asked to stop. @category combinators */
export const killing = (pod: CoreV1.Pod): ReadonlyArray<PodEvent> =>
  all(pod.status).filter((status) => status.state?.running !== undefined).map(({ name }) => ({
    type: "Normal",
    reason: "Killing",
    message: `Stopping container ${name}`,
    container: name
  }))

/** Something of a pod that is being deleted is still on the host; the deletion waits for it. @category constructors */
export const notRemoved = (why: string): PodEvent => ({ type: "Warning", reason: "FailedKillPod", message: `error killing pod: ${why}` })

/** The object an event is about: the pod, or one container in it. @category constructors */
export const reference = (pod: CoreV1.Pod, container: string | undefined): CoreV1.ObjectReference => {
  const { name, namespace, resourceVersion, uid } = pod.metadata
  const { ephemeralContainers = [], initContainers = [] } = pod.spec ?? {}
  const isIn = (containers: ReadonlyArray<{ readonly name: string }>) => containers.some((other) => other.name === container)
  const list = isIn(initContainers) ? "initContainers" : isIn(ephemeralContainers) ? "ephemeralContainers" : "containers"
  return {
    kind: "Pod",
    apiVersion: "v1",
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(container === undefined ? {} : { fieldPath: `spec.${list}{${container}}` })
  }
}
