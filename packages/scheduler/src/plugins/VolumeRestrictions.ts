/** A claim of access mode ReadWriteOncePod is for one pod of the whole cluster. */
import { VolumeClaims } from "@reddwarf/api-types"
import * as ClusterEvent from "../ClusterEvent.js"
import type { PodInfo } from "../PodInfo.js"
import * as Rejection from "../Rejection.js"
import * as SchedulerPlugin from "../SchedulerPlugin.js"
import * as ClaimUse from "../volumes/ClaimUse.js"

const inUse = Rejection.unschedulable(
  "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod"
)

const shares = (pod: PodInfo, other: PodInfo | undefined): boolean => {
  if (other === undefined || pod.id === other.id) return false
  const theirs = VolumeClaims.claimsOf(other.pod)
  return theirs.length > 0 && VolumeClaims.claimsOf(pod.pod).some((claim) => theirs.includes(claim))
}

/**
 * Rejects all nodes while another pod has such a claim of this pod.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin.SchedulerPlugin = {
  name: "VolumeRestrictions",
  uses: ["persistentVolumeClaims"],
  requeueOn: [
    ClusterEvent.when("AssignedPodDelete", (pod, old) => shares(pod, old) ? "Queue" : "Skip"),
    ClaimUse.whenOwnClaim("PersistentVolumeClaimAdd"),
    ClaimUse.whenOwnClaim("PersistentVolumeClaimUpdate")
  ],
  preFilter: (pod, { index, listers }) => {
    if ((pod.pod.spec?.volumes ?? []).length === 0) return SchedulerPlugin.skip
    const exclusive = VolumeClaims.claimsOf(pod.pod).filter((claim) =>
      listers.persistentVolumeClaims.get(claim)?.spec?.accessModes?.includes("ReadWriteOncePod") === true)
    if (exclusive.length === 0) return SchedulerPlugin.skip
    const { users } = index(ClaimUse.index)
    const used = exclusive.reduce((sum, claim) => sum + users(claim).size, 0)
    const usedBy = (other: PodInfo): number => {
      const claims = VolumeClaims.claimsOf(other.pod)
      return exclusive.reduce((sum, claim) => claims.includes(claim) ? sum + 1 : sum, 0)
    }
    return SchedulerPlugin.filterBy(() => used > 0 ? inUse : undefined, undefined, () => {
      let left = used
      return {
        addPod: (other) => void (left += usedBy(other)),
        removePod: (other) => void (left -= usedBy(other)),
        test: () => left > 0 ? inUse : undefined
      }
    })
  }
}
