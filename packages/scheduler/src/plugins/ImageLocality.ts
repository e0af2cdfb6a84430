/** Prefers nodes that have the images of the pod already, the more the larger the images are and the more nodes have them. */
import type { CoreV1 } from "@reddwarf/api-types"
import type { NodeInfo } from "../NodeInfo.js"
import type { PodShape } from "../PodShape.js"
import type { NodeScore, SchedulerPlugin } from "../SchedulerPlugin.js"
import * as Scores from "../Scores.js"
import type { Snapshot } from "../Snapshot.js"
import * as SnapshotIndex from "../SnapshotIndex.js"

const mebibyte = 1024 * 1024
/** Less than this is quickly fetched. */
const smallest = 23 * mebibyte
const largestPerImage = 1000 * mebibyte

/**
 * The name under which a node lists an image: with the tag `latest` when it has none.
 *
 * @category combinators
 */
export const normalizedName = (image: string): string => image.lastIndexOf(":") <= image.lastIndexOf("/") ? `${image}:latest` : image

/** The size of an image in bytes on each node that has it, by the names of the nodes. */
type Holders = ReadonlyMap<string, number>

const sizesOn = (node: CoreV1.Node): Holders => {
  const sizes = new Map<string, number>()
  for (const { names = [], sizeBytes = 0 } of node.status?.images ?? []) for (const name of names) sizes.set(name, sizeBytes)
  return sizes
}

const isSame = (a: Holders, b: Holders): boolean => {
  if (a.size !== b.size) return false
  for (const [name, size] of a) if (b.get(name) !== size) return false
  return true
}

/** Holders by the name of the image. */
const holdersIndex: SnapshotIndex.SnapshotIndex<ReadonlyMap<string, Holders>> = SnapshotIndex.define("ImageHolders", () => {
  const images = new Map<string, Map<string, number>>()
  const onNode = new Map<string, Holders>()
  const set = (node: string, sizes: Holders): void => {
    const known = onNode.get(node)
    if (known !== undefined && isSame(known, sizes)) return
    for (const name of known?.keys() ?? []) {
      const holders = images.get(name)
      holders?.delete(node)
      if (holders?.size === 0) images.delete(name)
    }
    if (sizes.size === 0) onNode.delete(node)
    else onNode.set(node, sizes)
    for (const [name, size] of sizes) {
      const holders = images.get(name)
      if (holders === undefined) images.set(name, new Map([[node, size]]))
      else holders.set(node, size)
    }
  }
  return {
    view: images,
    nodeAdded: ({ name, node }) => set(name, sizesOn(node)),
    nodeChanged: (_, { name, node }) => set(name, sizesOn(node)),
    nodeRemoved: ({ name }) => set(name, new Map()),
    podAdded: () => undefined,
    podRemoved: () => undefined
  }
})

const memo = new WeakMap<PodShape, ReadonlyArray<string>>()

/** The images of all containers and those mounted as volumes; one as often as it is named. */
const imagesOf = (shape: PodShape): ReadonlyArray<string> => {
  const known = memo.get(shape)
  if (known !== undefined) return known
  const { containers, initContainers = [], volumes = [] } = shape.spec
  const mounted = volumes.flatMap(({ image }) => image === undefined ? [] : [image.reference ?? ""])
  const images = [...[...initContainers, ...containers].map(({ image = "" }) => image), ...mounted].map(normalizedName)
  memo.set(shape, images)
  return images
}

const scoreOf = (bytes: number, images: number): number => {
  const largest = largestPerImage * images
  const bounded = Math.min(Math.max(bytes, smallest), largest)
  return Math.floor((Scores.max * (bounded - smallest)) / (largest - smallest))
}

const make = (shape: PodShape, snapshot: Snapshot): NodeScore | undefined => {
  const images = imagesOf(shape)
  const known = snapshot.index(holdersIndex)
  const held = images.flatMap((image) => known.get(image) ?? [])
  if (held.length === 0) return undefined
  const nodes = snapshot.nodes.length
  return ({ name }: NodeInfo) => {
    let bytes = 0
    // An image that few nodes have counts less, so that these do not draw all pods that use it.
    for (const holders of held) bytes += Math.trunc((holders.get(name) ?? 0) * (holders.size / nodes))
    return scoreOf(bytes, images.length)
  }
}

/**
 * Scores from 0, for less than 23 MiB, to 100, for 1000 MiB for each image of the pod. Left out for pods of whose images no node has any.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin = {
  name: "ImageLocality",
  requeueOn: [],
  preScore: ({ shape }, _, snapshot) => make(shape, snapshot)
}
