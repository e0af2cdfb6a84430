/** Names an object within its kind: the key of informers, work queues and reconcilers. */
import type { KubeObject } from "@reddwarf/api-types"

/**
 * Name of an object, with its namespace unless its kind is cluster-scoped.
 *
 * @category models
 */
export interface ObjectRef {
  readonly namespace?: string | undefined
  readonly name: string
}

/**
 * The reference of an object.
 *
 * @category constructors
 */
export const of = (object: KubeObject.KubeObject): ObjectRef => {
  const { name = "", namespace } = object.metadata
  return namespace === undefined || namespace === "" ? { name } : { namespace, name }
}

/**
 * `namespace/name`, or `name` for a cluster-scoped object.
 *
 * @category combinators
 */
export const key = (ref: ObjectRef): string =>
  ref.namespace === undefined || ref.namespace === "" ? ref.name : `${ref.namespace}/${ref.name}`

/**
 * The key of an object.
 *
 * @category combinators
 */
export const keyOf = (object: KubeObject.KubeObject): string => key({ namespace: object.metadata.namespace, name: object.metadata.name ?? "" })

/**
 * The inverse of `key`.
 *
 * @category constructors
 */
export const fromKey = (text: string): ObjectRef => {
  const slash = text.indexOf("/")
  return slash < 0 ? { name: text } : { namespace: text.slice(0, slash), name: text.slice(slash + 1) }
}
