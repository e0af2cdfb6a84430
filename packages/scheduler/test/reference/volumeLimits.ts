/** How many volumes of CSI drivers a node has. */
import type { CoreV1 } from "@reddwarf/api-types"
import { claimsOf } from "./volumes.js"
import { nameOf, podsOn, unschedulable, type Verdict, type World } from "./world.js"

/** A driver, and what tells its volume from others: the handle, or the claim that it is to be made for. */
type Volume = readonly [driver: string, identity: string]

const volumesOf = (world: World, pod: CoreV1.Pod): ReadonlyArray<Volume> =>
  claimsOf(world, pod).flatMap((claim): ReadonlyArray<Volume> => {
    const volume = world.volumes.find((each) => nameOf(each) === claim.spec?.volumeName)
    if (volume !== undefined) return volume.spec?.csi === undefined ? [] : [[volume.spec.csi.driver, `handle ${volume.spec.csi.volumeHandle}`]]
    const storageClass = world.classes.find((each) => nameOf(each) === claim.spec?.storageClassName)
    return storageClass === undefined ? [] : [[storageClass.provisioner, `claim ${nameOf(claim)}`]]
  })

const attached = (world: World, node: CoreV1.Node): ReadonlyArray<Volume> =>
  world.attachments.filter(({ spec }) => spec.nodeName === nameOf(node)).flatMap(({ spec }): ReadonlyArray<Volume> => {
    const csi = world.volumes.find((each) => nameOf(each) === spec.source.persistentVolumeName)?.spec?.csi
    return csi === undefined ? [] : [[spec.attacher, `handle ${csi.volumeHandle}`]]
  })

const count = (volumes: ReadonlyArray<Volume>, driver: string): number =>
  new Set(volumes.filter(([each]) => each === driver).map(([, identity]) => identity)).size

export const filter = (world: World, pod: CoreV1.Pod, node: CoreV1.Node): Verdict | undefined => {
  const before = [...attached(world, node), ...podsOn(world, node).flatMap((other) => volumesOf(world, other))]
  const after = [...before, ...volumesOf(world, pod)]
  const drivers = world.csiNodes.find((each) => nameOf(each) === nameOf(node))?.spec.drivers ?? []
  const isOver = drivers.some(({ allocatable, name }) =>
    count(after, name) > count(before, name) && count(after, name) > (allocatable?.count ?? Infinity))
  return isOver ? unschedulable("node(s) exceed max volume count") : undefined
}
