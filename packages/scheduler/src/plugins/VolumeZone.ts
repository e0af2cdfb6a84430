/**
 * A volume with labels of a zone or a region is for nodes with the same ones: of volumes that say where they are by their labels and not by their node
 * affinity. A label with several zones, joined by `__`, is for nodes of any of them. Nodes without labels of that kind take every volume.
 */
import { type CoreV1, VolumeClaims } from "@reddwarf/api-types"
import { isDeepStrictEqual } from "node:util"
import * as ClusterEvent from "../ClusterEvent.js"
import type { Listers } from "../Listers.js"
import * as Rejection from "../Rejection.js"
import * as SchedulerPlugin from "../SchedulerPlugin.js"
import * as ClaimUse from "../volumes/ClaimUse.js"
import * as PodClaims from "../volumes/PodClaims.js"

/** Each label, and the one that took its place. */
const topologyLabels: ReadonlyArray<readonly [label: string, current: string]> = [
  ["failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"],
  ["failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"],
  ["topology.kubernetes.io/zone", "topology.kubernetes.io/zone"],
  ["topology.kubernetes.io/region", "topology.kubernetes.io/region"]
]

/** Where a volume is, as one of its labels says. */
interface Topology {
  readonly label: string
  readonly current: string
  readonly values: ReadonlySet<string>
}

/** A label that cannot be read says nothing. */
const valuesOf = (text: string): ReadonlySet<string> | undefined => {
  const values = text.split("__").map((value) => value.trim())
  return values.includes("") ? undefined : new Set(values)
}

const topologiesOf = ({ metadata: { labels = {} } }: CoreV1.PersistentVolume): ReadonlyArray<Topology> =>
  topologyLabels.flatMap(([label, current]) => {
    const text = Object.hasOwn(labels, label) ? labels[label] : undefined
    const values = text === undefined ? undefined : valuesOf(text)
    return values === undefined ? [] : [{ label, current, values }]
  })

const quoted = JSON.stringify
const conflict = Rejection.unresolvable("node(s) had no available volume zone")

/** Where the volume of a claim is; nothing for a claim that gets one where its first pod goes. */
const ofClaim = (key: string, name: string, { persistentVolumeClaims, persistentVolumes, storageClasses }: Listers): ReadonlyArray<Topology> | string => {
  const claim = persistentVolumeClaims.get(key)
  if (claim === undefined) return `persistentvolumeclaim ${quoted(name)} not found`
  const volumeName = claim.spec?.volumeName ?? ""
  if (volumeName !== "") {
    const volume = persistentVolumes.get(volumeName)
    return volume === undefined ? `persistentvolume ${quoted(volumeName)} not found` : topologiesOf(volume)
  }
  const className = VolumeClaims.classOf(claim)
  if (className === "") return "PersistentVolumeClaim had no pv name and storageClass name"
  const storageClass = storageClasses.get(className)
  if (storageClass === undefined) return `storageclass.storage.k8s.io ${quoted(className)} not found`
  if (PodClaims.waitsForPod(storageClass)) return []
  return storageClass.volumeBindingMode === undefined
    ? `VolumeBindingMode not set for StorageClass ${quoted(className)}`
    : "PersistentVolume had no name"
}

const ofPod = ({ metadata, spec }: CoreV1.Pod, listers: Listers): ReadonlyArray<Topology> | string => {
  const found: Array<Topology> = []
  for (const { persistentVolumeClaim } of spec?.volumes ?? []) {
    if (persistentVolumeClaim === undefined) continue
    const { claimName: name } = persistentVolumeClaim
    if (name === "") return "PersistentVolumeClaim had no name"
    const topologies = ofClaim(VolumeClaims.claimKey(metadata.namespace === undefined ? { name } : { name, namespace: metadata.namespace }), name, listers)
    if (typeof topologies === "string") return topologies
    found.push(...topologies)
  }
  return found
}

/**
 * Rejects nodes of other zones or regions than those of the pod's volumes.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin.SchedulerPlugin = {
  name: "VolumeZone",
  uses: ["persistentVolumeClaims", "persistentVolumes", "storageClasses"],
  requeueOn: [
    "NodeAdd",
    "NodeUpdateLabels",
    ClusterEvent.when("StorageClassAdd", (_, __, added) => PodClaims.waitsForPod(added) ? "Queue" : "Skip"),
    ClaimUse.whenOwnClaim("PersistentVolumeClaimAdd"),
    ClaimUse.whenOwnClaim("PersistentVolumeClaimUpdate"),
    "PersistentVolumeAdd",
    ClusterEvent.when("PersistentVolumeUpdate", (_, old, next) =>
      old === undefined || next === undefined || !isDeepStrictEqual(topologiesOf(old), topologiesOf(next)) ? "Queue" : "Skip")
  ],
  preFilter: ({ pod }, { listers }) => {
    if ((pod.spec?.volumes ?? []).length === 0) return SchedulerPlugin.skip
    const topologies = ofPod(pod, listers)
    if (typeof topologies === "string") return SchedulerPlugin.reject(Rejection.unresolvable(topologies))
    if (topologies.length === 0) return SchedulerPlugin.skip
    return SchedulerPlugin.filterBy(({ node: { metadata: { labels = {} } } }) => {
      if (!topologyLabels.some(([label]) => Object.hasOwn(labels, label))) return undefined
      const fits = topologies.every(({ current, label, values }) => values.has(labels[label] ?? labels[current] ?? ""))
      return fits ? undefined : conflict
    })
  }
}
