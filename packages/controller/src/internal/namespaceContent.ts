/** What is left in a namespace that is being deleted, and the conditions that say so. */
import type { CoreV1, Kind, KubeObject } from "@reddwarf/api-types"
import * as conditions from "./conditions.js"

/** A kind after its objects in the namespace were asked to go: those that are still there, or why that is not known. */
export interface Emptied {
  readonly kind: Kind.Kind
  readonly objects: ReadonlyArray<KubeObject.KubeObject>
  readonly failure?: string
}

/** How far a pass over a namespace came. */
export interface Progress {
  /** Why the kinds of the server are not known. */
  readonly discovery?: string
  readonly emptied: ReadonlyArray<Emptied>
}

/** Whether something of the kind is, or may be, still there. */
export const isLeft = ({ failure, objects }: Emptied): boolean => objects.length > 0 || failure !== undefined

const countFinalizers = (remaining: ReadonlyArray<Emptied>): ReadonlyMap<string, number> => {
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
  { discovery, emptied }: Progress,
  now: number
): ReadonlyArray<CoreV1.NamespaceCondition> => {
  const remaining = emptied.filter(({ objects }) => objects.length > 0)
  const failures = emptied.flatMap(({ failure }) => (failure === undefined ? [] : [failure]))
  const resources = remaining
    .map(({ kind, objects }) => `${resourceName(kind)} has ${objects.length} resource instances`)
    .sort()
  const finalizers = [...countFinalizers(remaining)].map(([name, count]) => `${name} in ${count} resource instances`).sort()
  const all: ReadonlyArray<CoreV1.NamespaceCondition> = [
    discovery === undefined
      ? {
        type: "NamespaceDeletionDiscoveryFailure",
        status: "False",
        reason: "ResourcesDiscovered",
        message: "All resources successfully discovered"
      }
      : { type: "NamespaceDeletionDiscoveryFailure", status: "True", reason: "DiscoveryFailed", message: discovery },
    {
      type: "NamespaceDeletionGroupVersionParsingFailure",
      status: "False",
      reason: "ParsedGroupVersions",
      message: "All legacy kube types successfully parsed"
    },
    failures.length === 0
      ? {
        type: "NamespaceDeletionContentFailure",
        status: "False",
        reason: "ContentDeleted",
        message: "All content successfully deleted, may be waiting on finalization"
      }
      : {
        type: "NamespaceDeletionContentFailure",
        status: "True",
        reason: "ContentDeletionFailed",
        message: `Failed to delete all resource types, ${failures.length} remaining: ${failures.join(", ")}`
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
