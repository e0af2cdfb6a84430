/** Pods and the volumes that they claim. */
import type { CoreV1 } from "@reddwarf/api-types"
import { quantity } from "./amounts.js"
import { termMatches } from "./matching.js"
import { nameOf, namespaceOf, placed, unresolvable, unschedulable, type Verdict, type World } from "./world.js"

type Claim = CoreV1.PersistentVolumeClaim
type Volume = CoreV1.PersistentVolume

const claimNames = (pod: CoreV1.Pod): ReadonlyArray<string> =>
  (pod.spec?.volumes ?? []).flatMap(({ ephemeral, name, persistentVolumeClaim }) =>
    persistentVolumeClaim !== undefined ? [persistentVolumeClaim.claimName] : ephemeral === undefined ? [] : [`${nameOf(pod)}-${name}`]
  )

const find = (world: World, pod: CoreV1.Pod, name: string): Claim | undefined =>
  world.claims.find((claim) => nameOf(claim) === name && claim.metadata.namespace === namespaceOf(pod))

/** The claims of a pod that exist. */
export const claimsOf = (world: World, pod: CoreV1.Pod): ReadonlyArray<Claim> =>
  claimNames(pod).flatMap((name) => find(world, pod, name) ?? [])

export const isBound = (claim: Claim): boolean => (claim.spec?.volumeName ?? "") !== ""

const classOf = (world: World, claim: Claim) => world.classes.find((each) => nameOf(each) === claim.spec?.storageClassName)
/** Datasets are made where a pod is, whatever their class says. */
const waits = (world: World, claim: Claim): boolean =>
  classOf(world, claim)?.volumeBindingMode === "WaitForFirstConsumer" || classOf(world, claim)?.provisioner === "reddwarf.io/zfs"

const isOn = (volume: Volume, node: CoreV1.Node): boolean =>
  volume.spec?.nodeAffinity?.required?.nodeSelectorTerms.some((term) => termMatches(term, node)) ?? true

/** What refuses the pod whatever the nodes are. */
export const refusal = (world: World, pod: CoreV1.Pod): Verdict | undefined => {
  const missing = claimNames(pod).find((name) => find(world, pod, name) === undefined)
  if (missing !== undefined) return unresolvable(`persistentvolumeclaim "${missing}" not found`)
  return claimsOf(world, pod).some((claim) => !isBound(claim) && !waits(world, claim))
    ? unresolvable("pod has unbound immediate PersistentVolumeClaims")
    : undefined
}

/** A volume that nobody has claimed and that would do for the claim. */
const suits = (claim: Claim, volume: Volume): boolean =>
  volume.spec?.claimRef === undefined &&
  volume.spec?.storageClassName === claim.spec?.storageClassName &&
  (claim.spec?.accessModes ?? []).every((mode) => volume.spec?.accessModes?.includes(mode)) &&
  quantity(volume.spec?.capacity?.["storage"]) >= quantity(claim.spec?.resources?.requests?.["storage"])

/** For pods with at most one claim that is not bound: two could want the same volume. */
export const binding = (world: World, pod: CoreV1.Pod, node: CoreV1.Node): Verdict | undefined => {
  const claims = claimsOf(world, pod)
  const bound = claims.filter(isBound).map((claim) => world.volumes.find((volume) => nameOf(volume) === claim.spec?.volumeName))
  const isGone = bound.some((volume) => volume === undefined)
  const isElsewhere = !isGone && bound.some((volume) => volume !== undefined && !isOn(volume, node))
  const isLacking = claims.filter((claim) => !isBound(claim)).some((claim) =>
    classOf(world, claim)?.provisioner === "kubernetes.io/no-provisioner" &&
    !world.volumes.some((volume) => suits(claim, volume) && isOn(volume, node))
  )
  const reasons = [
    ...(isGone ? ["node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"] : []),
    ...(isElsewhere ? ["node(s) didn't match PersistentVolume's node affinity"] : []),
    ...(isLacking ? ["node(s) didn't find available persistent volumes to bind"] : [])
  ]
  return reasons.length === 0 ? undefined : unresolvable(...reasons)
}

/** A claim for one pod at a time that another pod has. */
export const restrictions = (world: World, pod: CoreV1.Pod): Verdict | undefined => {
  const exclusive = claimsOf(world, pod).filter((claim) => claim.spec?.accessModes?.includes("ReadWriteOncePod"))
  const isTaken = exclusive.some((claim) =>
    placed(world).some((other) => namespaceOf(other.pod) === namespaceOf(pod) && claimNames(other.pod).includes(nameOf(claim)))
  )
  return isTaken
    ? unschedulable("node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod")
    : undefined
}

/** A bound claim whose volume is not there: nobody knows where that would be. */
export const unknownPlace = (world: World, pod: CoreV1.Pod): Verdict | undefined => {
  const gone = claimsOf(world, pod).find((claim) => isBound(claim) && !world.volumes.some((volume) => nameOf(volume) === claim.spec?.volumeName))
  return gone === undefined ? undefined : unresolvable(`persistentvolume "${gone.spec?.volumeName ?? ""}" not found`)
}

const places = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"]

/** Volumes with the labels of another place than the node's. */
export const zones = (world: World, pod: CoreV1.Pod, node: CoreV1.Node): Verdict | undefined => {
  if (places.every((place) => node.metadata.labels?.[place] === undefined)) return undefined
  const isElsewhere = claimsOf(world, pod).some((claim) => {
    const labels = world.volumes.find((volume) => nameOf(volume) === claim.spec?.volumeName)?.metadata.labels ?? {}
    return places.some((place) => {
      const named = labels[place]?.split("__") ?? []
      return named.length > 0 && !named.includes("") && !named.includes(node.metadata.labels?.[place] ?? "")
    })
  })
  return isElsewhere ? unresolvable("node(s) had no available volume zone") : undefined
}
