/**
 * Whom pods of one shape would make leave, node by node, for as long as the node and the pods nominated to it are the same. Pods that come in a crowd
 * and find no room would each rehearse it again on hundreds of nodes, of which the one before has changed one.
 */
import type { NodeInfo } from "../NodeInfo.js"
import type { PodInfo } from "../PodInfo.js"
import type { PodShape } from "../PodShape.js"
import type { Rejection } from "../Rejection.js"
import type { Victims } from "./Victims.js"

/**
 * The pods nominated to a node, as a snapshot has them.
 *
 * @category models
 */
export type Nominated = ReadonlyArray<PodInfo> | undefined

/**
 * What is known of nodes for one shape, by their positions in the snapshot. Of a node that is another by now nothing is known.
 *
 * @category models
 */
export interface Outcomes {
  readonly get: (position: number, node: NodeInfo, nominated: Nominated) => Victims | Rejection | undefined
  readonly set: (position: number, node: NodeInfo, nominated: Nominated, outcome: Victims | Rejection) => void
}

/**
 * Outcomes by shape.
 *
 * @category models
 */
export interface VictimMemory {
  /** Those of this shape; undefined where nothing is kept. */
  readonly of: (shape: PodShape) => Outcomes | undefined
}

/**
 * Keeps nothing.
 *
 * @category constructors
 */
export const none: VictimMemory = { of: () => undefined }

/** Shapes at a time, each with at most one outcome a node; the one that was asked about longest ago goes first. */
const capacity = 8

interface Known {
  readonly node: NodeInfo
  readonly nominated: Nominated
  readonly outcome: Victims | Rejection
}

const outcomes = (): Outcomes => {
  const known = new Map<number, Known>()
  return {
    get: (position, node, nominated) => {
      const found = known.get(position)
      return found !== undefined && found.node === node && found.nominated === nominated ? found.outcome : undefined
    },
    set: (position, node, nominated, outcome) => void known.set(position, { node, nominated, outcome })
  }
}

/**
 * Nothing known yet.
 *
 * @category constructors
 */
export const make = (): VictimMemory => {
  const shapes = new Map<PodShape, Outcomes>()
  return {
    of: (shape) => {
      const found = shapes.get(shape) ?? outcomes()
      // The order of a map is that of insertion.
      shapes.delete(shape)
      shapes.set(shape, found)
      const { value: oldest } = shapes.keys().next()
      if (shapes.size > capacity && oldest !== undefined) shapes.delete(oldest)
      return found
    }
  }
}
