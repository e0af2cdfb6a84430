/** What is left in a namespace that is being deleted, and the conditions that say so. */
import type { CoreV1, Kind, KubeObject } from "@reddwarf/api-types"
import * as conditions from "./conditions.js"

export interface Remaining {
  readonly kind: Kind.Kind
  readonly objects: ReadonlyArray<KubeObject.KubeObject>
}

const countFinalizers = (remaining: ReadonlyArray<Remaining>): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const { objects } of remaining) {
    for (const object of objects) {
      for (const finalizer of object.metadata.finalizers ?? []) counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1)
    }
  }
  return counts
}

/** Core resources are written with an empty group, `pods.`, as Kubernetes does. */
const resourceName = (kind: Kind.Kind): string => `${kind.plural}.${kind.group}`

/** The conditions of the namespace; the same array if they say it already. `now` is milliseconds since the epoch. */
export const describe = (
  before: ReadonlyArray<CoreV1.NamespaceCondition>,
  remaining: ReadonlyArray<Remaining>,
  now: number
): ReadonlyArray<CoreV1.NamespaceCondition> => {
  const resources = remaining
    .map(({ kind, objects }) => `${resourceName(kind)} has ${objects.length} resource instances`)
    .sort()
  const finalizers = [...countFinalizers(remaining)].map(([name, count]) => `${name} in ${count} resource instances`).sort()
  const all: ReadonlyArray<CoreV1.NamespaceCondition> = [
    { type: "NamespaceDeletionDiscoveryFailure", status: "False", reason: "ResourcesDiscovered", message: "All resources successfully discovered" },
    {
      type: "NamespaceDeletionGroupVersionParsingFailure",
      status: "False",
      reason: "ParsedGroupVersions",
      message: "All legacy kube types successfully parsed"
    },
    {
      type: "NamespaceDeletionContentFailure",
      status: "False",
      reason: "ContentDeleted",
      message: "All content successfully deleted, may be waiting on finalization"
    },
    resources.length > 0
      ? {
        type: "NamespaceContentRemaining",
        status: "True",
        reason: "SomeResourcesRemain",
        message: `Some resources are remaining: ${resources.join(", ")}`
      }
      : { type: "NamespaceContentRemaining", status: "False", reason: "ContentRemoved", message: "All content successfully removed" },
    finalizers.length > 0
      ? {
        type: "NamespaceFinalizersRemaining",
        status: "True",
        reason: "SomeFinalizersRemain",
        message: `Some content in the namespace has finalizers remaining: ${finalizers.join(", ")}`
      }
      : {
        type: "NamespaceFinalizersRemaining",
        status: "False",
        reason: "ContentHasNoFinalizers",
        message: "All content-preserving finalizers finished"
      }
  ]
  return all.reduce((result, condition) => conditions.set(result, condition, now), before)
}
