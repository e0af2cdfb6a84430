/** Which waiting pods have a claim to the room of which node. */
import type { PodInfo } from "../PodInfo.js"

export interface Nominations {
  readonly byNode: ReadonlyMap<string, ReadonlyArray<PodInfo>>
  readonly set: (pod: PodInfo, node: string) => void
  readonly clear: (id: string) => void
  readonly nodeOf: (id: string) => string | undefined
  /** Whether anything is different from when this was last asked. */
  readonly changed: () => boolean
}

export const make = (): Nominations => {
  const byNode = new Map<string, ReadonlyArray<PodInfo>>()
  const nodes = new Map<string, string>()

  let differs = false

  const clear = (id: string): void => {
    const node = nodes.get(id)
    if (node === undefined) return
    differs = true
    nodes.delete(id)
    const rest = (byNode.get(node) ?? []).filter((pod) => pod.id !== id)
    if (rest.length === 0) byNode.delete(node)
    else byNode.set(node, rest)
  }
  return {
    byNode,
    set: (pod, node) => {
      clear(pod.id)
      differs = true
      nodes.set(pod.id, node)
      byNode.set(node, [...(byNode.get(node) ?? []), pod])
    },
    clear,
    nodeOf: (id) => nodes.get(id),
    changed: () => {
      const answer = differs
      differs = false
      return answer
    }
  }
}
