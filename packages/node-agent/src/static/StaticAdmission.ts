/** Whether a static pod fits on its node. No scheduler has looked at it, so the node does; one that does not fit waits until it does. Pure. */
import { type CoreV1, PodPhase, PodResources } from "@reddwarf/api-types"
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

/**
 * Undefined when the pod fits beside those that have begun, and beside the static pods that go before it and fit.
 *
 * @category combinators
 */
export const refusal = (pod: CoreV1.Pod, all: ReadonlyArray<CoreV1.Pod>, begun: ReadonlySet<string>, room: Room): Refusal | undefined => {
  const others = all.filter((other) => uidOf(other) !== uidOf(pod) && !PodPhase.isTerminal(other))
  let used = others.filter((other) => begun.has(uidOf(other))).map(demandOf).reduce(sum, { cpuMillis: 0, memoryBytes: 0, ephemeralStorageBytes: 0, pods: 0 })
  const waiting = others.filter((other) => StaticPod.isStatic(other) && !begun.has(uidOf(other)) && before(other, pod) < 0)
  for (const other of waiting.toSorted(before)) {
    const demand = demandOf(other)
    if (refused(demand, used, room) === undefined) used = sum(used, demand)
  }
  return refused(demandOf(pod), used, room)
}
