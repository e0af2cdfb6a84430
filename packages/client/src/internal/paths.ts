/** URLs of the API, from kinds and names. */
import type { Kind } from "@reddwarf/api-types"
import type { ObjectRef } from "../ObjectRef.js"

type Resource = Pick<Kind.Kind, "group" | "version" | "plural" | "namespaced">

/** Path of the collection of a kind in one namespace, or in all. */
export const collection = (kind: Resource, namespace?: string): string => {
  const root = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`
  return kind.namespaced && namespace !== undefined && namespace !== ""
    ? `${root}/namespaces/${encodeURIComponent(namespace)}/${kind.plural}`
    : `${root}/${kind.plural}`
}

/** Path of one object, or of its subresource. */
export const object = (kind: Resource, ref: ObjectRef, subresource?: string): string =>
  `${collection(kind, ref.namespace)}/${encodeURIComponent(ref.name)}${subresource === undefined ? "" : `/${subresource}`}`

/** A query string with its question mark; undefined values are left out. */
export const query = (parameters: Readonly<Record<string, string | number | boolean | undefined>>): string => {
  const parts = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`]
  )
  return parts.length === 0 ? "" : `?${parts.join("&")}`
}
