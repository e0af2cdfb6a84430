/** How much of a node's storage pool is promised, and how much is left. */
import { type CoreV1, Quantity, VolumeClaims } from "@reddwarf/api-types"
import { ObjectRef } from "@reddwarf/client"
import * as Listers from "../Listers.js"
import type { NodeInfo } from "../NodeInfo.js"
import type { ClaimUse } from "./ClaimUse.js"
import * as PodClaims from "./PodClaims.js"

/**
 * Annotation of a node with the space its storage pool has left, in bytes, as its agent measures it now and then. What is promised to volumes
 * and not written yet still counts as left.
 *
 * @category constants
 */
export const availableAnnotation = "reddwarf.io/pool-available"

/**
 * Bytes of a claim that is to become a dataset.
 *
 * @category combinators
 */
export const bytesOf = (claim: CoreV1.PersistentVolumeClaim): number =>
  Quantity.toNumber(Quantity.fromText(claim.spec?.resources?.requests?.["storage"]))

const capacities = new WeakMap<CoreV1.PersistentVolume, number>()

const capacityOf = (volume: CoreV1.PersistentVolume): number => {
  const known = capacities.get(volume)
  if (known !== undefined) return known
  const bytes = Quantity.toNumber(Quantity.fromText(volume.spec?.capacity?.["storage"]))
  capacities.set(volume, bytes)
  return bytes
}

/**
 * The claims that get a dataset made for them where their first pod goes.
 *
 * @category combinators
 */
export const datasetsFor = ({ waiting }: PodClaims.PodClaims, listers: Listers.Listers): ReadonlyArray<CoreV1.PersistentVolumeClaim> =>
  waiting.filter((claim) =>
    listers.storageClasses.get(VolumeClaims.classOf(claim))?.provisioner === PodClaims.zfsProvisioner &&
    listers.persistentVolumes.by(Listers.volumesByClaim, ObjectRef.keyOf(claim)).length === 0)

/**
 * Bytes that a node owes: the capacity of its volumes, the claims of its pods that get theirs there, and what its pods request for themselves.
 * Claims in `except` are left out while they have no volume.
 *
 * @category combinators
 */
export const promised = (
  { name, requested }: NodeInfo,
  listers: Listers.Listers,
  use: ClaimUse,
  except: ReadonlySet<string>
): { readonly volumes: number; readonly pods: number } => {
  let volumes = 0
  for (const volume of listers.persistentVolumes.by(Listers.volumesByNode, name)) volumes += capacityOf(volume)
  for (const key of use.claimsOn(name)) {
    const claim = listers.persistentVolumeClaims.get(key)
    if (claim === undefined || except.has(key) || VolumeClaims.isBound(claim)) continue
    if (datasetsFor({ bound: [], waiting: [claim] }, listers).length > 0) volumes += bytesOf(claim)
  }
  return { volumes, pods: requested.ephemeralStorageBytes }
}

/**
 * Bytes that the pool of a node has left; absent when the node does not say.
 *
 * @category combinators
 */
export const available = ({ node }: NodeInfo): number | undefined => {
  const text = node.metadata.annotations?.[availableAnnotation] ?? ""
  return /^\d{1,18}$/.test(text) ? Number(text) : undefined
}
