/** What a deletion means for the dependents of an object, said by finalizers that the garbage collector works off. */
import type { KubeObject } from "@reddwarf/api-types"
import type { DeleteOptions } from "./deleteOptions.js"

const orphan = "orphan"
const foreground = "foregroundDeletion"

// Kinds from before dependents were collected leave them alone unless told otherwise.
const orphaning = new Set(["core/ReplicationController", "batch/Job"])

// Nothing can depend on these.
const independent = new Set(["core/Event", "events.k8s.io/Event"])

const nameOf = ({ apiVersion, kind }: KubeObject.KubeObject): string => {
  const slash = apiVersion.indexOf("/")
  return `${slash < 0 ? "core" : apiVersion.slice(0, slash)}/${kind}`
}

const policyOf = (
  object: KubeObject.KubeObject,
  present: ReadonlyArray<string>,
  requested: DeleteOptions["propagation"]
): DeleteOptions["propagation"] => {
  if (requested !== undefined) return requested
  if (present.includes(orphan)) return "Orphan"
  if (present.includes(foreground)) return "Foreground"
  return object.metadata.deletionTimestamp === undefined && orphaning.has(nameOf(object)) ? "Orphan" : undefined
}

/** The finalizers of an object that is to be deleted. */
export const finalizersOf = (object: KubeObject.KubeObject, requested: DeleteOptions["propagation"]): ReadonlyArray<string> => {
  const present = object.metadata.finalizers ?? []
  const policy = independent.has(nameOf(object)) ? "Background" : policyOf(object, present, requested)
  if (policy === undefined) return present
  const others = present.filter((name) => name !== orphan && name !== foreground)
  if (policy === "Foreground") return [...others, foreground]
  return policy === "Orphan" ? [...others, orphan] : others
}

/** What a client is told that did not say what happens to dependents. */
export const warningOf = (object: KubeObject.KubeObject, requested: DeleteOptions["propagation"]): ReadonlyArray<string> =>
  requested === undefined && nameOf(object) === "batch/Job"
    ? [
      "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning"
    ]
    : []
