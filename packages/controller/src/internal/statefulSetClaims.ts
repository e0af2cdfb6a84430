/** The volume claims of a StatefulSet's pods, and who owns them: by that they go with the pod, with the set, or stay. Pure. */
import { type AppsV1, type CoreV1, Kinds, type MetaV1, OwnerReference } from "@reddwarf/api-types"
import type { ApiClient } from "@reddwarf/client"
import { uidOf } from "./claims.js"
import * as pods from "./statefulSetPods.js"

type Set = AppsV1.StatefulSet
type Claim = CoreV1.PersistentVolumeClaim

const policy = ({ spec }: Set) => spec?.persistentVolumeClaimRetentionPolicy

/** What is to become of claims: `scaledDown` says that their pod is going because there are to be fewer. */
const wantedOwners = (set: Set, pod: CoreV1.Pod | undefined, scaledDown: boolean): ReadonlyArray<MetaV1.OwnerReference> => {
  const goesWithPod = policy(set)?.whenScaled === "Delete" && scaledDown
  if (goesWithPod) return pod === undefined ? [] : [OwnerReference.controllerOf(Kinds.pod, pod)]
  return policy(set)?.whenDeleted === "Delete" ? [OwnerReference.controllerOf(Kinds.statefulSet, set)] : []
}

/** The claims of the pod of this number, as they are made. */
export const drafts = (set: Set, ordinal: number): ReadonlyArray<ApiClient.Draft<Claim>> => {
  const { namespace } = set.metadata
  return (set.spec?.volumeClaimTemplates ?? []).map((template) => {
    const { annotations, labels } = template.metadata
    const ownerReferences = wantedOwners(set, undefined, false)
    return {
      metadata: {
        name: pods.claimName(set, template, ordinal),
        ...(namespace === undefined ? {} : { namespace }),
        labels: { ...labels, ...set.spec?.selector.matchLabels },
        ...(annotations === undefined ? {} : { annotations }),
        ...(ownerReferences.length === 0 ? {} : { ownerReferences })
      },
      ...(template.spec === undefined ? {} : { spec: template.spec })
    }
  })
}

/** The owners that a claim should have, where they differ from those that it has; owners that others set stay. */
export const changedOwners = (set: Set, claim: Claim, pod: CoreV1.Pod, scaledDown: boolean): ReadonlyArray<MetaV1.OwnerReference> | undefined => {
  const present = claim.metadata.ownerReferences ?? []
  const isOurs = ({ kind, uid }: MetaV1.OwnerReference) => uid === uidOf(set) || (kind === "Pod" && uid === uidOf(pod))
  const wanted = wantedOwners(set, pod, scaledDown)
  const others = present.filter((owner) => !isOurs(owner))
  // Somebody else decides when it goes.
  if (others.some(({ controller }) => controller === true)) return undefined
  const ours = present.filter(isOurs)
  const isSame = ours.length === wanted.length && wanted.every(({ uid }) => ours.some((owner) => owner.uid === uid))
  return isSame ? undefined : [...others, ...wanted]
}

/** The claim belongs to an earlier pod of this name and goes with it, so that no new pod may use it. */
export const isLeftBehind = (claim: Claim | undefined, podName: string): boolean =>
  claim?.metadata.deletionTimestamp !== undefined ||
  claim?.metadata.ownerReferences?.some(({ kind, name }) => kind === "Pod" && name === podName) === true
