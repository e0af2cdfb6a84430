/** Which placed pods use which claims. */
import { type CoreV1, VolumeClaims } from "@reddwarf/api-types"
import { ObjectRef } from "@reddwarf/client"
import * as ClusterEvent from "../ClusterEvent.js"
import type { PodInfo } from "../PodInfo.js"
import * as SnapshotIndex from "../SnapshotIndex.js"

/**
 * Claims are named `namespace/name`.
 *
 * @category models
 */
export interface ClaimUse {
  /** Ids of the placed pods that use a claim. */
  readonly users: (claim: string) => ReadonlySet<string>
  /** The claims that the pods of a node use. */
  readonly claimsOn: (node: string) => Iterable<string>
}

const nobody: ReadonlySet<string> = new Set()

/**
 * Keeps `ClaimUse` current.
 *
 * @category constructors
 */
export const index: SnapshotIndex.SnapshotIndex<ClaimUse> = SnapshotIndex.define("ClaimUse", () => {
  const users = new Map<string, Set<string>>()
  const onNodes = new Map<string, Map<string, number>>()
  return {
    view: {
      users: (claim) => users.get(claim) ?? nobody,
      claimsOn: (node) => onNodes.get(node)?.keys() ?? []
    },
    nodeAdded: () => undefined,
    nodeChanged: () => undefined,
    nodeRemoved: () => undefined,
    podAdded: (pod, { name }) => {
      for (const claim of VolumeClaims.claimsOf(pod.pod)) {
        users.set(claim, (users.get(claim) ?? new Set()).add(pod.id))
        const counts = onNodes.get(name) ?? new Map<string, number>()
        onNodes.set(name, counts.set(claim, (counts.get(claim) ?? 0) + 1))
      }
    },
    podRemoved: (pod, { name }) => {
      for (const claim of VolumeClaims.claimsOf(pod.pod)) {
        const ids = users.get(claim)
        ids?.delete(pod.id)
        if (ids?.size === 0) users.delete(claim)
        const counts = onNodes.get(name)
        const count = (counts?.get(claim) ?? 0) - 1
        if (count > 0) counts?.set(claim, count)
        else counts?.delete(claim)
        if (counts?.size === 0) onNodes.delete(name)
      }
    }
  }
})

const isClaimOf = ({ pod }: PodInfo, claim: CoreV1.PersistentVolumeClaim | undefined): boolean =>
  claim !== undefined && claim.metadata.namespace === pod.metadata.namespace && VolumeClaims.claimsOf(pod).includes(ObjectRef.keyOf(claim))

/**
 * A trigger for changes of the claims that the pod itself uses.
 *
 * @category constructors
 */
export const whenOwnClaim = (event: "PersistentVolumeClaimAdd" | "PersistentVolumeClaimUpdate"): ClusterEvent.Trigger =>
  ClusterEvent.when(event, (pod, _, next) => isClaimOf(pod, next) ? "Queue" : "Skip")
