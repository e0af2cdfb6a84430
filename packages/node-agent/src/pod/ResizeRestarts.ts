/**
 * Containers that a resize starts anew, because their `resizePolicy` says so of a resource that changes. What was asked of the supervisor
 * tells the amounts that it was asked for, so an agent that was killed in between asks for nothing twice. Pure.
 */
import { type CoreV1, PodResources } from "@reddwarf/api-types"
import { createHash } from "node:crypto"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"
import * as PodResize from "./PodResize.js"

/** A container that is to be started anew. @category models */
export interface ResizeRestart {
  readonly container: string
  /** The same for the same amounts. */
  readonly requestId: string
}

const prefix = "resize/"

const containersOf = ({ spec }: CoreV1.Pod): ReadonlyArray<CoreV1.Container> => [
  ...(spec?.initContainers ?? []).filter(PodResources.isSidecar),
  ...spec?.containers ?? []
]

/** One that is never started again must not be ended for other amounts. */
const staysEnded = (pod: CoreV1.Pod, container: CoreV1.Container): boolean =>
  (container.restartPolicy ?? pod.spec?.restartPolicy) === "Never"

/**
 * Those that the resize starts anew which the pod asks for.
 *
 * @category combinators
 */
export const of = (pod: CoreV1.Pod): ReadonlyArray<ResizeRestart> =>
  containersOf(pod).flatMap((container) => {
    const { name, resizePolicy = [], resources } = container
    const kinds = resizePolicy.flatMap(({ resourceName, restartPolicy }) => restartPolicy === "RestartContainer" ? [resourceName] : [])
    const changed = PodResize.changed(pod, container).filter((kind) => kinds.includes(kind))
    if (changed.length === 0 || staysEnded(pod, container)) return []
    const amounts = kinds.toSorted().map((kind) => [kind, resources?.requests?.[kind] ?? "", resources?.limits?.[kind] ?? ""])
    return [{ container: name, requestId: `${prefix}${createHash("sha256").update(JSON.stringify(amounts)).digest("hex").slice(0, 32)}` }]
  })

const stateOf = ({ state }: SupervisorClient.SupervisedPod, name: string) =>
  state._tag === "None" ? undefined : state.value.containers.find((container) => container.name === name)

/**
 * Those of them that nobody has asked the supervisor for, with the attempts that are to end. What does not run has nothing to end: it starts
 * with the new amounts.
 *
 * @category combinators
 */
export const unasked = (
  restarts: ReadonlyArray<ResizeRestart>,
  supervised: SupervisorClient.SupervisedPod
): ReadonlyArray<ResizeRestart & { readonly attempt: number }> =>
  restarts.flatMap((restart) => {
    const state = stateOf(supervised, restart.container)
    const known = supervised.spec.restarts?.some(({ container, requestId }) => container === restart.container && requestId === restart.requestId)
    return known === true || state?.phase !== "running" ? [] : [{ ...restart, attempt: state.attempt }]
  })

/** Whether the last thing asked of any container was to be started anew for other amounts. @category combinators */
export const isKnown = ({ spec: { restarts = [] } }: SupervisorClient.SupervisedPod): boolean => restarts.some(({ requestId }) => requestId.startsWith(prefix))

/**
 * Whether a container that was asked to be started anew for other amounts does not run again yet.
 *
 * @category combinators
 */
export const isPending = (supervised: SupervisorClient.SupervisedPod): boolean =>
  (supervised.spec.restarts ?? []).some(({ attempt, container, requestId }) => {
    const state = stateOf(supervised, container)
    return requestId.startsWith(prefix) && state !== undefined && state.phase !== "finished"
      && (state.attempt <= attempt || (state.attempt === attempt + 1 && state.phase === "starting"))
  })
