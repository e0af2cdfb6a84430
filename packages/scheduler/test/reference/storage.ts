/** Room in the pools of the nodes. */
import type { CoreV1 } from "@reddwarf/api-types"
import { allocatable, quantity, request, used } from "./amounts.js"
import { claimsOf, isBound } from "./volumes.js"
import { nameOf, podsOn, unresolvable, unschedulable, type Verdict, type World } from "./world.js"

const storage = "ephemeral-storage"
const reason = "node(s) did not have enough free storage"

const isNamedByVolume = (world: World, claim: CoreV1.PersistentVolumeClaim): boolean =>
  world.volumes.some(({ spec }) => spec?.claimRef?.name === nameOf(claim) && spec.claimRef.namespace === claim.metadata.namespace)

/** The claims for which a dataset is still to be made. */
const datasets = (world: World, pod: CoreV1.Pod): ReadonlyArray<CoreV1.PersistentVolumeClaim> =>
  claimsOf(world, pod).filter((claim) =>
    !isBound(claim) && !isNamedByVolume(world, claim) &&
    world.classes.find((each) => nameOf(each) === claim.spec?.storageClassName)?.provisioner === "reddwarf.io/zfs"
  )

const total = (sizes: ReadonlyArray<string | undefined>): number => sizes.reduce((sum, size) => sum + quantity(size), 0)
const sizes = (claims: Iterable<CoreV1.PersistentVolumeClaim>): number => total([...claims].map((claim) => claim.spec?.resources?.requests?.["storage"]))

/** What the pod wants, the node has promised to volumes already, and to pods. */
const account = (world: World, pod: CoreV1.Pod, node: CoreV1.Node) => {
  const own = new Set(datasets(world, pod))
  const claimants = [...podsOn(world, node), ...world.leaving.filter((other) => other.spec?.nodeName === nameOf(node))]
  const others = new Set(claimants.flatMap((other) => datasets(world, other)).filter((claim) => !own.has(claim)))
  const made = world.volumes.filter((volume) => volume.spec?.csi?.volumeAttributes?.["reddwarf.io/node"] === nameOf(node))
  const left = node.metadata.annotations?.["reddwarf.io/pool-available"]
  return {
    wanted: sizes(own) + request(pod, storage),
    volumes: sizes(others) + total(made.map((volume) => volume.spec?.capacity?.["storage"])),
    pods: used(world, node, storage),
    limit: allocatable(node, storage),
    left: left === undefined ? Infinity : Number(left)
  }
}

export const filter = (world: World, pod: CoreV1.Pod, node: CoreV1.Node): Verdict | undefined => {
  const { left, limit, pods, volumes, wanted } = account(world, pod, node)
  if (wanted === 0) return undefined
  if (wanted > left) return unresolvable(reason)
  if (limit === 0 || wanted + volumes + pods <= limit) return undefined
  return wanted + volumes <= limit ? unschedulable(reason) : unresolvable(reason)
}

export const score = (world: World, pod: CoreV1.Pod, node: CoreV1.Node): number => {
  const { left, limit, pods, volumes, wanted } = account(world, pod, node)
  if (wanted === 0 || limit === 0) return 0
  return Math.max(0, Math.floor((100 * Math.min(limit - wanted - volumes - pods, left - wanted, limit)) / limit))
}
