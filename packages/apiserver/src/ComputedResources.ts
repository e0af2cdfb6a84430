/**
 * Resources whose objects are not stored but made when they are asked for, such as measurements. They can be read, and nothing else: their
 * kinds have the verbs `get` and `list`. Routes, discovery, OpenAPI, selectors, tables and permissions follow from the kind as for every other.
 */
import type { Kind, KubeObject, Status } from "@reddwarf/api-types"
import * as Context from "effect/Context"
import type * as Either from "effect/Either"

/**
 * One such resource. Its functions are plain and answer from memory, as reads of stored objects do.
 *
 * @category models
 */
export interface ComputedResource {
  readonly kind: Kind.Kind
  /** The object of this name, or why there is none. The namespace is undefined for cluster-scoped kinds. */
  readonly get: (namespace: string | undefined, name: string) => Either.Either<KubeObject.KubeObject, Status.Status>
  /** All objects, or those of a namespace, in the order of their names. */
  readonly list: (namespace: string | undefined) => ReadonlyArray<KubeObject.KubeObject>
}

/**
 * The computed resources that an API server offers: none unless they are provided below it.
 *
 * @category services
 */
export class ComputedResources extends Context.Reference<ComputedResources>()("@reddwarf/apiserver/ComputedResources", {
  defaultValue: (): ReadonlyArray<ComputedResource> => []
}) {}
