/** Amounts of what a pod asks for and a node has, as plain numbers: the unit of the scheduler's arithmetic. */
import { PodResources, Quantity } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"
import * as Either from "effect/Either"

/**
 * CPU in thousandths of a core, memory and ephemeral storage in bytes, every other resource (extended resources, huge pages) in its own unit.
 *
 * @category models
 */
export interface Resources {
  readonly cpuMillis: number
  readonly memoryBytes: number
  readonly ephemeralStorageBytes: number
  readonly scalars: ReadonlyMap<string, number>
}

const noScalars: ReadonlyMap<string, number> = new Map()

/**
 * Nothing at all.
 *
 * @category constructors
 */
export const none: Resources = { cpuMillis: 0, memoryBytes: 0, ephemeralStorageBytes: 0, scalars: noScalars }

const combineScalars = (a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>, sign: 1 | -1): ReadonlyMap<string, number> => {
  if (b.size === 0) return a
  const sum = new Map(a)
  for (const [name, amount] of b) {
    const left = (sum.get(name) ?? 0) + sign * amount
    if (left === 0) sum.delete(name)
    else sum.set(name, left)
  }
  return sum
}

const combine = (a: Resources, b: Resources, sign: 1 | -1): Resources => ({
  cpuMillis: a.cpuMillis + sign * b.cpuMillis,
  memoryBytes: a.memoryBytes + sign * b.memoryBytes,
  ephemeralStorageBytes: a.ephemeralStorageBytes + sign * b.ephemeralStorageBytes,
  scalars: combineScalars(a.scalars, b.scalars, sign)
})

/**
 * The sum of two amounts.
 *
 * @category combinators
 */
export const add = (a: Resources, b: Resources): Resources => combine(a, b, 1)

/**
 * What is left of `a` when `b` is taken away. Exact, so adding and subtracting the same pod gives the old amounts again.
 *
 * @category combinators
 */
export const subtract = (a: Resources, b: Resources): Resources => combine(a, b, -1)

/**
 * Whether `a` has less of anything than `b`.
 *
 * @category combinators
 */
export const isLess = (a: Resources, b: Resources): boolean => {
  if (a.cpuMillis < b.cpuMillis || a.memoryBytes < b.memoryBytes || a.ephemeralStorageBytes < b.ephemeralStorageBytes) return true
  for (const [name, amount] of b.scalars) if ((a.scalars.get(name) ?? 0) < amount) return true
  return false
}

const amount = (text: string, unit: (quantity: Quantity.Quantity) => number): number =>
  Either.match(Quantity.parse(text), { onLeft: () => 0, onRight: unit })

/**
 * The amounts of a resource list such as a node's `status.allocatable`, rounded up to whole units. `pods` is a count, not a resource, and is
 * left out; a quantity that cannot be read counts as zero, so that nothing is placed because of it.
 *
 * @category constructors
 */
export const fromList = (list: Readonly<Record<string, string>> | undefined): Resources => {
  if (list === undefined) return none
  const scalars = new Map<string, number>()
  for (const [name, text] of Object.entries(list)) {
    if (name === "cpu" || name === "memory" || name === "ephemeral-storage" || name === "pods") continue
    scalars.set(name, amount(text, Quantity.toNumber))
  }
  return {
    cpuMillis: amount(list["cpu"] ?? "0", Quantity.toMillis),
    memoryBytes: amount(list["memory"] ?? "0", Quantity.toNumber),
    ephemeralStorageBytes: amount(list["ephemeral-storage"] ?? "0", Quantity.toNumber),
    scalars
  }
}

/**
 * The number of pods a node allows; zero when its status does not say.
 *
 * @category constructors
 */
export const allowedPods = (node: CoreV1.Node): number => amount(node.status?.allocatable?.["pods"] ?? "0", Quantity.toNumber)

/**
 * What a pod asks for: containers, sidecars, init containers and overhead, as Kubernetes counts them.
 *
 * @category constructors
 */
export const requestsOf = (pod: CoreV1.Pod): Resources => {
  const requests = PodResources.requests(pod)
  const scalars = Object.entries(requests.scalars)
  return { ...requests, scalars: scalars.length === 0 ? noScalars : new Map(scalars) }
}
