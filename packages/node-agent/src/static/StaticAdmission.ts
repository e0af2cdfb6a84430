/**
 * Whether a static pod fits on its node. No scheduler has looked at it, so the node does; one that does not fit waits until it does, and a critical
 * one may have others give way. Pure.
 */
import { type CoreV1, PodPhase, PodResources } from "@reddwarf/api-types"
import * as CriticalAdmission from "./CriticalAdmission.js"
import * as StaticPod from "./StaticPod.js"

/** What the node has for pods. @category models */
export interface Room {
  readonly cpuMillis: number
  readonly memoryBytes: number
  readonly ephemeralStorageBytes: number
  readonly pods: number
}

/** Why a pod does not begin, in the words of a kubelet. @category models */
export interface Refusal {
  readonly reason: string
  readonly message: string
}

const resources = [
  ["cpu", "cpuMillis"],
  ["memory", "memoryBytes"],
  ["ephemeral-storage", "ephemeralStorageBytes"],
  ["pods", "pods"]
] as const

const demandOf = (pod: CoreV1.Pod): Room => {
  const { cpuMillis, ephemeralStorageBytes, memoryBytes } = PodResources.requests({ ...pod, status: {} })
  return { cpuMillis, memoryBytes, ephemeralStorageBytes, pods: 1 }
}

const nothing: Room = { cpuMillis: 0, memoryBytes: 0, ephemeralStorageBytes: 0, pods: 0 }

const refused = (demand: Room, used: Room, room: Room): Refusal | undefined => {
  const short = resources.find(([, field]) => demand[field] > 0 && used[field] + demand[field] > room[field])
  if (short === undefined) return undefined
  const [name, field] = short
  return {
    reason: `OutOf${name}`,
    message: `Node didn't have enough resource: ${name}, requested: ${demand[field]}, used: ${used[field]}, capacity: ${room[field]}; it is tried again`
  }
}

const sum = (a: Room, b: Room): Room => ({
  cpuMillis: a.cpuMillis + b.cpuMillis,
  memoryBytes: a.memoryBytes + b.memoryBytes,
  ephemeralStorageBytes: a.ephemeralStorageBytes + b.ephemeralStorageBytes,
  pods: a.pods + b.pods
})

const uidOf = ({ metadata: { uid = "" } }: CoreV1.Pod): string => uid

/** The more important one first, else always the same one. */
const before = (a: CoreV1.Pod, b: CoreV1.Pod): number => (b.spec?.priority ?? 0) - (a.spec?.priority ?? 0) || (uidOf(a) < uidOf(b) ? -1 : 1)

/** The other pods of the node that are not over. @category combinators */
export const others = (pod: CoreV1.Pod, all: ReadonlyArray<CoreV1.Pod>): ReadonlyArray<CoreV1.Pod> =>
  all.filter((other) => uidOf(other) !== uidOf(pod) && !PodPhase.isTerminal(other))

/** The static pods that have not begun and go before this one. */
const waitingBefore = (pod: CoreV1.Pod, all: ReadonlyArray<CoreV1.Pod>, begun: ReadonlySet<string>): ReadonlyArray<CoreV1.Pod> =>
  others(pod, all).filter((other) => StaticPod.isStatic(other) && !begun.has(uidOf(other)) && before(other, pod) < 0).toSorted(before)

/**
 * What is missing for a critical pod beside those that stay, and beside the critical ones that go before it: these get their room first.
 *
 * @category combinators
 */
export const shortage = (
  pod: CoreV1.Pod,
  staying: ReadonlyArray<CoreV1.Pod>,
  all: ReadonlyArray<CoreV1.Pod>,
  begun: ReadonlySet<string>,
  room: Room
): CriticalAdmission.Shortage => {
  const first = waitingBefore(pod, all, begun).filter(CriticalAdmission.isCritical)
  const used = [...staying, ...first].map(demandOf).reduce(sum, nothing)
  const demand = demandOf(pod)
  return Object.fromEntries(resources.flatMap(([name, field]) => {
    const missing = demand[field] - (room[field] - used[field])
    return demand[field] > 0 && missing > 0 ? [[name, missing] as const] : []
  }))
}

/**
 * Undefined when the pod fits beside those that have begun, and beside the static pods that go before it and fit.
 *
 * @category combinators
 */
export const refusal = (pod: CoreV1.Pod, all: ReadonlyArray<CoreV1.Pod>, begun: ReadonlySet<string>, room: Room): Refusal | undefined => {
  let used = others(pod, all).filter((other) => begun.has(uidOf(other))).map(demandOf).reduce(sum, nothing)
  for (const other of waitingBefore(pod, all, begun)) {
    const demand = demandOf(other)
    if (refused(demand, used, room) === undefined) used = sum(used, demand)
  }
  return refused(demandOf(pod), used, room)
}
