/** What a pod asks of a node: requests, limits and quality-of-service class. Plain functions: the scheduler calls them for every pod. */
import type * as CoreV1 from "./generated/CoreV1.js"
import * as Quantity from "./Quantity.js"

/** Amounts as plain numbers, rounded up. @category models */
export interface Resources {
  /** Thousandths of a CPU. */
  readonly cpuMillis: number
  readonly memoryBytes: number
  readonly ephemeralStorageBytes: number
  /** Every other resource, such as `example.com/gpu` or `hugepages-2Mi`, in whole units. */
  readonly scalars: Readonly<Record<string, number>>
}

/** @category models */
export type QosClass = "Guaranteed" | "Burstable" | "BestEffort"

type Amounts = Map<string, Quantity.Quantity>
type Texts = Readonly<Record<string, string>> | undefined

const amountsOf = (texts: Texts): Amounts => {
  const amounts: Amounts = new Map()
  for (const [name, text] of Object.entries(texts ?? {})) amounts.set(name, Quantity.fromText(text))
  return amounts
}

const addInto = (total: Amounts, amounts: Amounts): void => {
  for (const [name, amount] of amounts) total.set(name, Quantity.add(total.get(name) ?? Quantity.zero, amount))
}

const maxInto = (total: Amounts, amounts: Amounts): void => {
  for (const [name, amount] of amounts) {
    const current = total.get(name)
    if (current === undefined || Quantity.compare(amount, current) > 0) total.set(name, amount)
  }
}

/** Whether an init container is a sidecar: it keeps running beside the app containers. @category combinators */
export const isSidecar = (container: CoreV1.Container): boolean => container.restartPolicy === "Always"

/**
 * The sum over app containers and sidecars, or what the most demanding init container needs while it runs, whichever is more.
 * Resource names map to exact amounts.
 *
 * @category combinators
 */
export const aggregate = (spec: CoreV1.PodSpec, amountsOfContainer: (container: CoreV1.Container) => Texts): ReadonlyMap<string, Quantity.Quantity> => {
  const total: Amounts = new Map()
  for (const container of spec.containers) addInto(total, amountsOf(amountsOfContainer(container)))
  const sidecars: Amounts = new Map()
  const peak: Amounts = new Map()
  for (const container of spec.initContainers ?? []) {
    const amounts = amountsOf(amountsOfContainer(container))
    if (isSidecar(container)) {
      addInto(total, amounts)
      addInto(sidecars, amounts)
      maxInto(peak, sidecars)
    } else {
      // An init container runs beside the sidecars that were declared before it.
      addInto(amounts, sidecars)
      maxInto(peak, amounts)
    }
  }
  maxInto(total, peak)
  return total
}

const isPodLevel = (name: string): boolean => name === "cpu" || name === "memory" || name.startsWith("hugepages-")

const overridden = (amounts: ReadonlyMap<string, Quantity.Quantity>, podLevel: Texts): Amounts => {
  const total: Amounts = new Map(amounts)
  for (const [name, text] of Object.entries(podLevel ?? {})) if (isPodLevel(name)) total.set(name, Quantity.fromText(text))
  return total
}

const toResources = (amounts: Amounts): Resources => {
  const scalars: Record<string, number> = {}
  for (const [name, amount] of amounts) {
    if (name !== "cpu" && name !== "memory" && name !== "ephemeral-storage") scalars[name] = Quantity.toNumber(amount)
  }
  return {
    cpuMillis: Quantity.toMillis(amounts.get("cpu") ?? Quantity.zero),
    memoryBytes: Quantity.toNumber(amounts.get("memory") ?? Quantity.zero),
    ephemeralStorageBytes: Quantity.toNumber(amounts.get("ephemeral-storage") ?? Quantity.zero),
    scalars
  }
}

const nothing: Resources = { cpuMillis: 0, memoryBytes: 0, ephemeralStorageBytes: 0, scalars: {} }

// While a resize is under way the node holds the larger of what is asked for and what it has given.
const requestsOf = (pod: CoreV1.Pod) => (container: CoreV1.Container): Texts => {
  const asked = container.resources?.requests
  const allocated = pod.status?.containerStatuses?.find((status) => status.name === container.name)?.allocatedResources
  if (allocated === undefined || Object.keys(allocated).length === 0) return asked
  const larger: Record<string, string> = { ...asked }
  for (const [name, text] of Object.entries(allocated)) {
    const current = larger[name]
    if (current === undefined || Quantity.compare(Quantity.fromText(text), Quantity.fromText(current)) > 0) larger[name] = text
  }
  return larger
}

/** What the scheduler counts for a pod, overhead included. @category combinators */
export const requests = (pod: CoreV1.Pod): Resources => {
  const { spec } = pod
  if (spec === undefined) return nothing
  const total = overridden(aggregate(spec, requestsOf(pod)), spec.resources?.requests)
  addInto(total, amountsOf(spec.overhead))
  return toResources(total)
}

/** The upper bounds of a pod; a resource without any limit is 0 here. @category combinators */
export const limits = (pod: CoreV1.Pod): Resources => {
  const { spec } = pod
  if (spec === undefined) return nothing
  const total = overridden(aggregate(spec, (container) => container.resources?.limits), spec.resources?.limits)
  const overhead = amountsOf(spec.overhead)
  // Overhead raises a bound that exists; it does not make one.
  for (const [name, amount] of overhead) {
    const current = total.get(name)
    if (current !== undefined) total.set(name, Quantity.add(current, amount))
  }
  return toResources(total)
}

/**
 * Bounds that a node may enforce on the pod as a whole: present only where every container has a limit, since one container without
 * makes the pod unbounded.
 *
 * @category combinators
 */
export const caps = (pod: CoreV1.Pod): { readonly cpuMillis?: number; readonly memoryBytes?: number } => {
  const { spec } = pod
  if (spec === undefined) return {}
  const total = limits(pod)
  const bounded = (name: string): boolean =>
    isPositive(spec.resources?.limits?.[name]) ||
    [...spec.containers, ...(spec.initContainers ?? [])].every((container) => isPositive(container.resources?.limits?.[name]))
  return {
    ...(bounded("cpu") ? { cpuMillis: total.cpuMillis } : {}),
    ...(bounded("memory") ? { memoryBytes: total.memoryBytes } : {})
  }
}

/** Requests of one container. @category combinators */
export const containerRequests = (container: CoreV1.Container): Resources => toResources(amountsOf(container.resources?.requests))

const isPositive = (text: string | undefined): boolean => Quantity.fromText(text).nanos > 0n

/**
 * Guaranteed when every container limits CPU and memory and asks for exactly that, BestEffort when nobody asks for or limits either,
 * else Burstable.
 *
 * @category combinators
 */
export const qosClass = (pod: CoreV1.Pod): QosClass => {
  const spec = pod.spec
  if (spec === undefined) return "BestEffort"
  const sources = spec.resources === undefined
    ? [...spec.containers, ...(spec.initContainers ?? [])].map((container) => container.resources)
    : [spec.resources]
  const names = ["cpu", "memory"]
  const mentions = (texts: Texts): boolean => names.some((name) => isPositive(texts?.[name]))
  if (!sources.some((source) => mentions(source?.requests) || mentions(source?.limits))) return "BestEffort"
  const guaranteed = sources.every((source) =>
    names.every((name) => {
      const limit = source?.limits?.[name]
      if (!isPositive(limit)) return false
      const request = source?.requests?.[name]
      return request === undefined || Quantity.compare(Quantity.fromText(request), Quantity.fromText(limit)) === 0
    })
  )
  return guaranteed ? "Guaranteed" : "Burstable"
}
