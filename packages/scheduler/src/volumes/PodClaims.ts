/** The claims of one pod, sorted by what the scheduler has to do about them. */
import { type CoreV1, OwnerReference, type StorageV1, VolumeClaims } from "@reddwarf/api-types"
import type { Listers } from "../Listers.js"
import * as Rejection from "../Rejection.js"

/**
 * Provisioner of the volumes that are datasets of a node. It acts when the node is known, also for classes that bind at once.
 *
 * @category constants
 */
export const zfsProvisioner = "reddwarf.io/zfs"

/**
 * Provisioner of classes whose volumes an operator makes by hand.
 *
 * @category constants
 */
export const noProvisioner = "kubernetes.io/no-provisioner"

/**
 * `bound` claims have their volume; `waiting` ones get it where the pod goes.
 *
 * @category models
 */
export interface PodClaims {
  readonly bound: ReadonlyArray<CoreV1.PersistentVolumeClaim>
  readonly waiting: ReadonlyArray<CoreV1.PersistentVolumeClaim>
}

const quoted = JSON.stringify

const problemOf = (pod: CoreV1.Pod, volume: CoreV1.Volume, name: string, claim: CoreV1.PersistentVolumeClaim | undefined): string | undefined => {
  if (claim === undefined) {
    return volume.ephemeral === undefined
      ? `persistentvolumeclaim ${quoted(name)} not found`
      : `waiting for ephemeral volume controller to create the persistentvolumeclaim ${quoted(name)}`
  }
  if (claim.status?.phase === "Lost") {
    return `persistentvolumeclaim ${quoted(name)} bound to non-existent persistentvolume ${quoted(claim.spec?.volumeName ?? "")}`
  }
  if (claim.metadata.deletionTimestamp !== undefined) return `persistentvolumeclaim ${quoted(name)} is being deleted`
  if (volume.ephemeral !== undefined && OwnerReference.controller(claim)?.uid !== pod.metadata.uid) {
    const key = `${pod.metadata.namespace ?? ""}/${name}`
    return `PVC ${key} was not created for pod ${pod.metadata.namespace ?? ""}/${pod.metadata.name ?? ""} (pod is not owner)`
  }
  return undefined
}

const unboundImmediate = Rejection.unresolvable("pod has unbound immediate PersistentVolumeClaims")

/**
 * Whether claims of a class get their volume only where their first pod goes.
 *
 * @category combinators
 */
export const waitsForPod = (storageClass: StorageV1.StorageClass | undefined): boolean =>
  storageClass !== undefined && (storageClass.volumeBindingMode === "WaitForFirstConsumer" || storageClass.provisioner === zfsProvisioner)

/**
 * The claims of a pod, or why it cannot go anywhere because of one. A pod without claims has none of either.
 *
 * @category constructors
 */
export const of = (pod: CoreV1.Pod, { persistentVolumeClaims, storageClasses }: Listers): PodClaims | Rejection.Rejection => {
  const bound: Array<CoreV1.PersistentVolumeClaim> = []
  const waiting: Array<CoreV1.PersistentVolumeClaim> = []
  const seen = new Set<string>()
  let isImmediate = false
  for (const volume of pod.spec?.volumes ?? []) {
    const name = VolumeClaims.claimName(pod, volume)
    if (name === undefined || seen.has(name)) continue
    seen.add(name)
    const { namespace } = pod.metadata
    const claim = persistentVolumeClaims.get(VolumeClaims.claimKey(namespace === undefined ? { name } : { name, namespace }))
    const problem = problemOf(pod, volume, name, claim)
    if (claim === undefined || problem !== undefined) return Rejection.unresolvable(problem ?? "")
    if (VolumeClaims.isBound(claim)) bound.push(claim)
    else if ((claim.spec?.volumeName ?? "") === "" && waitsForPod(storageClasses.get(VolumeClaims.classOf(claim)))) waiting.push(claim)
    else isImmediate = true
  }
  return isImmediate ? unboundImmediate : { bound, waiting }
}

/**
 * Tells claims from a rejection.
 *
 * @category refinements
 */
export const isClaims = (found: PodClaims | Rejection.Rejection): found is PodClaims => "waiting" in found
