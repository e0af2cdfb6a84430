/**
 * A node attaches only so many volumes of a CSI driver: as many as its CSINode says. Drivers for which it names no number, and nodes without a CSINode,
 * have no limit. Volumes that are datasets of the node are not attached, and count only if a CSINode names a number for their driver.
 */
import { type StorageV1, VolumeClaims } from "@reddwarf/api-types"
import * as ClusterEvent from "../ClusterEvent.js"
import type { PodInfo } from "../PodInfo.js"
import * as Rejection from "../Rejection.js"
import * as SchedulerPlugin from "../SchedulerPlugin.js"
import * as ClaimUse from "../volumes/ClaimUse.js"
import * as CsiVolumes from "../volumes/CsiVolumes.js"

const tooMany = Rejection.unschedulable("node(s) exceed max volume count")

/** The number for each driver that has one. */
const limitsOf = (csiNode: StorageV1.CSINode | undefined): ReadonlyMap<string, number> =>
  new Map((csiNode?.spec.drivers ?? []).flatMap(({ allocatable, name }) => allocatable?.count === undefined ? [] : [[name, allocatable.count] as const]))

const usesClaims = ({ pod }: PodInfo): boolean => VolumeClaims.claimsOf(pod).length > 0

/** Whether some driver may have more volumes than before. */
const isRaised = (old: StorageV1.CSINode | undefined, next: StorageV1.CSINode | undefined): boolean => {
  const after = limitsOf(next)
  return [...limitsOf(old)].some(([driver, limit]) => (after.get(driver) ?? Infinity) > limit)
}

const missingClaim = (key: string): Rejection.Rejection => {
  const name = key.slice(key.indexOf("/") + 1)
  return Rejection.unresolvable(`looking up PVC ${key}: persistentvolumeclaim ${JSON.stringify(name)} not found`)
}

/**
 * Rejects nodes that would have more volumes of a driver than they can attach.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin.SchedulerPlugin = {
  name: "NodeVolumeLimits",
  uses: ["csiNodes", "persistentVolumeClaims", "persistentVolumes", "storageClasses", "volumeAttachments"],
  requeueOn: [
    "CSINodeAdd",
    ClusterEvent.when("CSINodeUpdate", (_, old, next) => isRaised(old, next) ? "Queue" : "Skip"),
    ClusterEvent.when("AssignedPodDelete", (_, gone) => gone === undefined || usesClaims(gone) ? "Queue" : "Skip"),
    ClaimUse.whenOwnClaim("PersistentVolumeClaimAdd"),
    ClusterEvent.when("VolumeAttachmentDelete", (pod) => usesClaims(pod) ? "Queue" : "Skip")
  ],
  preFilter: (pod, { listers }) => {
    if (!usesClaims(pod)) return SchedulerPlugin.skip
    const unknown = VolumeClaims.claimsOf(pod.pod).find((key) => listers.persistentVolumeClaims.get(key) === undefined)
    if (unknown !== undefined) {
      const missing = missingClaim(unknown)
      return SchedulerPlugin.filterBy(() => missing)
    }
    const wanted = CsiVolumes.ofPod(pod.pod, listers)
    if (wanted.size === 0) return SchedulerPlugin.skip
    return SchedulerPlugin.filterBy(({ name, pods }) => {
      const csiNode = listers.csiNodes.get(name)
      if (csiNode === undefined) return undefined
      const limits = limitsOf(csiNode)
      if (![...wanted.values()].some((driver) => limits.has(driver))) return undefined
      const present = new Map(CsiVolumes.attachedTo(name, listers))
      for (const other of pods) for (const [volume, driver] of CsiVolumes.ofPod(other.pod, listers)) present.set(volume, driver)
      const added = [...wanted].filter(([volume]) => !present.has(volume)).map(([, driver]) => driver)
      const counts = new Map<string, number>()
      for (const driver of [...present.values(), ...added]) counts.set(driver, (counts.get(driver) ?? 0) + 1)
      // A node that is over its limit already takes pods that add nothing to it.
      return added.some((driver) => (counts.get(driver) ?? 0) > (limits.get(driver) ?? Infinity)) ? tooMany : undefined
    })
  }
}
