/**
 * Which pod has to go first when a node runs short, in the kubelet's order: pods that use more than they asked for before others, then pods
 * of lower priority, then those that exceed what they asked for by more. Pure.
 */
import { type CoreV1, PodResources, Quantity } from "@reddwarf/api-types"
import type { Observation, Signal, Threshold } from "./EvictionThresholds.js"

/** Bytes, or processes, that a pod and its containers use. @category models */
export interface Usage {
  readonly total: number
  readonly containers: ReadonlyMap<string, number>
}

/** @category models */
export interface Candidate {
  readonly pod: CoreV1.Pod
  readonly usage: Usage | undefined
}

/** Priority from which on pods are part of the system. */
const systemCritical = 2_000_000_000

/** Pods that no shortage ends: those of the system, and those that the host itself asks for. @category combinators */
export const isCritical = (pod: CoreV1.Pod): boolean => {
  const { annotations = {} } = pod.metadata
  return (pod.spec?.priority ?? 0) >= systemCritical || annotations["kubernetes.io/config.source"] === "file" ||
    annotations["kubernetes.io/config.mirror"] !== undefined
}

const requestOf: Readonly<Record<Signal, (requests: PodResources.Resources) => number>> = {
  "memory.available": ({ memoryBytes }) => memoryBytes,
  "nodefs.available": ({ ephemeralStorageBytes }) => ephemeralStorageBytes,
  "pid.available": () => 0
}

const excessOf = (signal: Signal, { pod, usage }: Candidate): number =>
  usage === undefined ? Number.NEGATIVE_INFINITY : usage.total - requestOf[signal](PodResources.requests(pod))

/**
 * The pods that may be ended for a signal, the first to go first.
 *
 * @category combinators
 */
export const rank = (signal: Signal, candidates: ReadonlyArray<Candidate>): ReadonlyArray<Candidate> =>
  candidates.filter(({ pod }) => !isCritical(pod)).map((candidate) => ({ candidate, excess: excessOf(signal, candidate) })).toSorted((a, b) => {
    // Processes are nothing that pods ask for: priority alone decides, and the number after it.
    const exceeds = signal === "pid.available" ? 0 : Number(b.excess > 0) - Number(a.excess > 0)
    const priority = (a.candidate.pod.spec?.priority ?? 0) - (b.candidate.pod.spec?.priority ?? 0)
    return exceeds || priority || (b.excess === a.excess ? 0 : b.excess - a.excess)
  }).map(({ candidate }) => candidate)

/** What users call what ran out. @category constants */
export const resourceOf: Readonly<Record<Signal, "ephemeral-storage" | "memory" | "pids">> = {
  "memory.available": "memory",
  "nodefs.available": "ephemeral-storage",
  "pid.available": "pids"
}

const bytes = (amount: number): string => Quantity.toCanonical(Quantity.fromBytes(amount))
const count = (amount: number): string => Quantity.toCanonical(Quantity.fromNumber(amount))

/**
 * Why this pod was chosen, in the words of the kubelet.
 *
 * @category constructors
 */
export const message = ({ amountOf, signal }: Threshold, observed: Observation, { pod, usage }: Candidate): string => {
  const text = signal === "pid.available" ? count : bytes
  const resource = resourceOf[signal]
  const low = `The node was low on resource: ${resource}. Threshold quantity: ${text(amountOf(observed.capacity))}, available: ${text(observed.available)}. `
  if (signal === "pid.available") return low
  const containers = (pod.spec?.containers ?? []).flatMap((container) => {
    const used = usage?.containers.get(container.name)
    const requested = requestOf[signal](PodResources.containerRequests(container))
    return used === undefined || used <= requested
      ? []
      : [`Container ${container.name} was using ${text(used)}, request is ${text(requested)}, has larger consumption of ${resource}. `]
  })
  return `${low}${containers.join("")}`
}
