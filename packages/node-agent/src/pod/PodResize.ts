/**
 * In-place resize: a running pod whose containers ask for other amounts than its zone was given. What was given stands in the status of the
 * containers, so an agent that was killed in between finds out by itself what is left to do. Pure.
 */
import { type CoreV1, PodPhase, PodResources, Quantity } from "@reddwarf/api-types"

/** What becomes of a resize. @category models */
export type Decision =
  /** The zone has what its pod asks for. */
  | { readonly kind: "none" }
  /** The node has room: the zone gets it now. */
  | { readonly kind: "proceed" }
  /** Not now: others hold what is asked for. Tried again. */
  | { readonly kind: "deferred"; readonly message: string }
  /** Never on this node. */
  | { readonly kind: "infeasible"; readonly message: string }

/** Condition types of a resize. @category models */
export const conditionTypes = { pending: "PodResizePending", inProgress: "PodResizeInProgress" } as const

/** One condition of a resize, as it is shown. @category models */
export interface Condition {
  readonly type: string
  readonly status: "True"
  readonly reason?: string
  readonly message?: string
}

const sameAmounts = (a: Readonly<Record<string, string>> = {}, b: Readonly<Record<string, string>> = {}): boolean => {
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...names].every((name) => {
    const [left, right] = [a[name], b[name]]
    return left !== undefined && right !== undefined && Quantity.compare(Quantity.fromText(left), Quantity.fromText(right)) === 0
  })
}

const same = (a: CoreV1.ResourceRequirements | undefined, b: CoreV1.ResourceRequirements | undefined): boolean =>
  sameAmounts(a?.requests, b?.requests) && sameAmounts(a?.limits, b?.limits)

const givenTo = (pod: CoreV1.Pod, name: string): CoreV1.ResourceRequirements | undefined =>
  [...pod.status?.containerStatuses ?? [], ...pod.status?.initContainerStatuses ?? []].find((status) => status.name === name)?.resources

/**
 * The pod with the amounts its zone was given in place of those it asks for; the pod as it is where nothing was given yet.
 *
 * @category combinators
 */
export const allocated = (pod: CoreV1.Pod): CoreV1.Pod => {
  const { spec } = pod
  if (spec === undefined) return pod
  const given = <A extends CoreV1.Container>(container: A): A => {
    const resources = givenTo(pod, container.name)
    return resources === undefined || same(resources, container.resources) ? container : { ...container, resources }
  }
  return {
    ...pod,
    spec: {
      ...spec,
      containers: spec.containers.map(given),
      ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(given) })
    }
  }
}

/** Whether the pod asks for other amounts than its zone was given. @category combinators */
export const isAsked = (pod: CoreV1.Pod): boolean =>
  [...pod.spec?.containers ?? [], ...pod.spec?.initContainers ?? []].some(({ name, resources }) => {
    const given = givenTo(pod, name)
    return given !== undefined && !same(given, resources)
  })

/**
 * Names of the resources of which a container asks for other amounts than it was given; none when nothing was given yet.
 *
 * @category combinators
 */
export const changed = (pod: CoreV1.Pod, { name, resources }: CoreV1.Container): ReadonlyArray<string> => {
  const given = givenTo(pod, name)
  if (given === undefined) return []
  const kindsOf = ({ limits, requests }: CoreV1.ResourceRequirements): ReadonlyArray<string> => [...Object.keys(limits ?? {}), ...Object.keys(requests ?? {})]
  const only = (amounts: Readonly<Record<string, string>> = {}, kind: string): Readonly<Record<string, string>> =>
    amounts[kind] === undefined ? {} : { [kind]: amounts[kind] }
  return [...new Set([...kindsOf(given), ...kindsOf(resources ?? {})])].filter((kind) =>
    !sameAmounts(only(given.limits, kind), only(resources?.limits, kind)) || !sameAmounts(only(given.requests, kind), only(resources?.requests, kind)))
}

/** What pods may use of the node, in plain numbers. @category models */
export interface Capacity {
  readonly cpuMillis: number
  readonly memoryBytes: number
}

const demanded = (pod: CoreV1.Pod): Capacity => {
  const { cpuMillis, memoryBytes } = PodResources.requests({ ...pod, status: {} })
  return { cpuMillis, memoryBytes }
}

const kinds = [["cpu", "cpuMillis"], ["memory", "memoryBytes"]] as const

/**
 * What becomes of the resize that a pod asks for, with the other pods of the node as they were given their amounts.
 *
 * @category combinators
 */
export const decide = (pod: CoreV1.Pod, others: ReadonlyArray<CoreV1.Pod>, capacity: Capacity): Decision => {
  if (!isAsked(pod)) return { kind: "none" }
  const wanted = demanded(pod)
  const held = others.map((other) => demanded(allocated(other)))
  for (const [name, field] of kinds) {
    if (wanted[field] > capacity[field]) {
      return { kind: "infeasible", message: `Node didn't have enough capacity: ${name}, requested: ${wanted[field]}, capacity: ${capacity[field]}` }
    }
  }
  for (const [name, field] of kinds) {
    const used = held.reduce((sum, amounts) => sum + amounts[field], 0)
    // Less than it holds already always fits.
    if (wanted[field] > demanded(allocated(pod))[field] && used + wanted[field] > capacity[field]) {
      return { kind: "deferred", message: `Node didn't have enough resource: ${name}, requested: ${wanted[field]}, used: ${used}, capacity: ${capacity[field]}` }
    }
  }
  return { kind: "proceed" }
}

/**
 * The pod with the amounts that its zone has, or is about to get because the node has room for them.
 *
 * @category combinators
 */
export const granted = (pod: CoreV1.Pod, pods: () => ReadonlyArray<CoreV1.Pod>, capacity: Capacity): CoreV1.Pod => {
  if (!isAsked(pod)) return pod
  const others = pods().filter((other) => other.metadata.uid !== pod.metadata.uid && !PodPhase.isTerminal(other))
  return decide(pod, others, capacity).kind === "proceed" ? pod : allocated(pod)
}

/**
 * The condition that tells users of a resize which is not done; none when there is nothing to tell.
 *
 * @category combinators
 */
export const conditionOf = (decision: Decision, failure?: string): Condition | undefined => {
  const { inProgress, pending } = conditionTypes
  if (decision.kind === "none") return undefined
  if (decision.kind === "proceed") {
    return { type: inProgress, status: "True", ...(failure === undefined ? {} : { reason: "Error", message: failure }) }
  }
  return { type: pending, status: "True", reason: decision.kind === "deferred" ? "Deferred" : "Infeasible", message: decision.message }
}

/** What a container is shown to have been given. @category models */
export interface Given {
  readonly resources?: CoreV1.ResourceRequirements
  readonly allocatedResources?: Readonly<Record<string, string>>
}

const isEmpty = (resources: CoreV1.ResourceRequirements | undefined): boolean =>
  Object.keys(resources?.requests ?? {}).length === 0 && Object.keys(resources?.limits ?? {}).length === 0

/**
 * The amounts to show for a container that runs: those shown before, until `actuated` says that the zone has what is asked for now.
 *
 * @category combinators
 */
export const shown = (container: CoreV1.Container, before: CoreV1.ContainerStatus | undefined, actuated: boolean): Given => {
  const resources = actuated ? container.resources : before?.resources ?? container.resources
  if (resources === undefined || isEmpty(resources)) return {}
  const { limits, requests } = resources
  return {
    ...(requests === undefined ? {} : { allocatedResources: requests }),
    resources: { ...(limits === undefined ? {} : { limits }), ...(requests === undefined ? {} : { requests }) }
  }
}
