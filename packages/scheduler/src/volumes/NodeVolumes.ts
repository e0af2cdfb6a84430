/** Whether the volumes of a pod can be on a node, and what is to be done so that they are. */
import { type CoreV1, NodeSelector, Quantity, type StorageV1, VolumeClaims } from "@reddwarf/api-types"
import { ObjectRef } from "@reddwarf/client"
import * as Listers from "../Listers.js"
import * as Rejection from "../Rejection.js"
import type { PodClaims } from "./PodClaims.js"
import { noProvisioner } from "./PodClaims.js"
import type { VolumeDecisions } from "./VolumeDecisions.js"

/**
 * What the claims of a pod become on one node: some get a volume that exists, for the others one is made.
 *
 * @category models
 */
export interface NodeVolumes {
  readonly matched: ReadonlyArray<{ readonly claim: CoreV1.PersistentVolumeClaim; readonly volume: CoreV1.PersistentVolume }>
  readonly provisioned: ReadonlyArray<CoreV1.PersistentVolumeClaim>
}

const missingVolume = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
const otherNode = "node(s) didn't match PersistentVolume's node affinity"
const nothingToBind = "node(s) didn't find available persistent volumes to bind"
const nothing = Rejection.unresolvable(nothingToBind)
const alone = { missing: Rejection.unresolvable(missingVolume), elsewhere: Rejection.unresolvable(otherNode) }
const withNothingToBind = {
  missing: Rejection.unresolvable(missingVolume, nothingToBind),
  elsewhere: Rejection.unresolvable(otherNode, nothingToBind)
}

/**
 * Whether a volume can be used on a node.
 *
 * @category combinators
 */
export const isReachable = ({ spec }: CoreV1.PersistentVolume, node: CoreV1.Node): boolean => {
  const required = spec?.nodeAffinity?.required
  return required === undefined || NodeSelector.matches(required, node)
}

const sizeOf = (claim: CoreV1.PersistentVolumeClaim): Quantity.Quantity => Quantity.fromText(claim.spec?.resources?.requests?.["storage"])

interface Wish {
  readonly claim: CoreV1.PersistentVolumeClaim
  readonly key: string
  readonly storageClass: StorageV1.StorageClass | undefined
  /** Volumes that would do, the best first. */
  readonly volumes: ReadonlyArray<CoreV1.PersistentVolume>
}

const wishOf = (claim: CoreV1.PersistentVolumeClaim, { persistentVolumes, storageClasses }: Listers.Listers, decisions: VolumeDecisions): Wish => {
  const key = ObjectRef.keyOf(claim)
  const className = VolumeClaims.classOf(claim)
  const kept = persistentVolumes.by(Listers.volumesByClaim, key).filter((volume) => VolumeClaims.isFor(volume, claim))
  const free = persistentVolumes.by(Listers.freeVolumesByClass, className).filter((volume) => !decisions.isTaken(volume.metadata.name ?? ""))
  return {
    claim,
    key,
    storageClass: storageClasses.get(className),
    volumes: kept.length > 0 ? kept : VolumeClaims.matching(free, claim)
  }
}

const allows = ({ allowedTopologies = [] }: StorageV1.StorageClass, node: CoreV1.Node): boolean =>
  allowedTopologies.length === 0 ||
  allowedTopologies.some(({ matchLabelExpressions = [] }) =>
    matchLabelExpressions.every(({ key, values }) => values.includes(node.metadata.labels?.[key] ?? "")))

/** Whether somebody would make a volume of this class on the node. */
const isProvisioned = (storageClass: StorageV1.StorageClass | undefined, node: CoreV1.Node): boolean =>
  storageClass !== undefined && storageClass.provisioner !== "" && storageClass.provisioner !== noProvisioner && allows(storageClass, node)

const place = (
  wishes: ReadonlyArray<Wish>,
  { persistentVolumes }: Listers.Listers,
  decisions: VolumeDecisions,
  isThere: (node: string) => boolean,
  node: CoreV1.Node
): NodeVolumes | undefined => {
  const name = node.metadata.name ?? ""
  const matched: Array<NodeVolumes["matched"][number]> = []
  const provisioned: Array<CoreV1.PersistentVolumeClaim> = []
  const chosen = new Set<CoreV1.PersistentVolume>()
  for (const { claim, key, storageClass, volumes } of wishes) {
    const decided = decisions.get(key)
    const selected = decided?.node ?? claim.metadata.annotations?.[VolumeClaims.selectedNodeAnnotation]
    // A node that is gone makes no volume any more.
    if (selected !== undefined && (decided !== undefined || isThere(selected))) {
      if (selected !== name) return undefined
      const volume = decided?.volume === undefined ? undefined : persistentVolumes.get(decided.volume)
      if (volume === undefined) provisioned.push(claim)
      else matched.push({ claim, volume })
      continue
    }
    const volume = volumes.find((each) => !chosen.has(each) && isReachable(each, node))
    if (volume !== undefined) {
      chosen.add(volume)
      matched.push({ claim, volume })
    } else if (isProvisioned(storageClass, node)) provisioned.push(claim)
    else return undefined
  }
  return { matched, provisioned }
}

/**
 * Gives the answer for each node, prepared once for a pod. `isThere` says whether a node of this name exists. The smallest claims choose first,
 * so that each takes the smallest volume that fits.
 *
 * @category constructors
 */
export const planner = (
  claims: PodClaims,
  listers: Listers.Listers,
  decisions: VolumeDecisions,
  isThere: (node: string) => boolean
): (node: CoreV1.Node) => NodeVolumes | Rejection.Rejection => {
  const volumes = claims.bound.map((claim) => listers.persistentVolumes.get(claim.spec?.volumeName ?? ""))
  const wishes = claims.waiting.toSorted((a, b) => Quantity.compare(sizeOf(a), sizeOf(b))).map((claim) => wishOf(claim, listers, decisions))
  const isMissing = volumes.includes(undefined)
  return (node) => {
    const isReached = isMissing || volumes.every((volume) => volume === undefined || isReachable(volume, node))
    const placed = wishes.length === 0 ? none : place(wishes, listers, decisions, isThere, node)
    const rejections = placed === undefined ? withNothingToBind : alone
    if (isMissing) return rejections.missing
    return isReached ? placed ?? nothing : rejections.elsewhere
  }
}

const none: NodeVolumes = { matched: [], provisioned: [] }

/**
 * Tells an answer from a rejection.
 *
 * @category refinements
 */
export const isPlaced = (outcome: NodeVolumes | Rejection.Rejection): outcome is NodeVolumes => "matched" in outcome
