/** Where objects lie in the store. */
import { Kind } from "@reddwarf/api-types"

/** Prefix of all objects of a kind, or of those in a namespace. */
export const prefixOf = (kind: Kind.Kind, namespace: string | undefined): string => {
  const { group, plural } = Kind.storedKind(kind)
  const root = `/${group === "" ? "core" : group}/${plural}/`
  return namespace === undefined || !kind.namespaced ? root : `${root}${namespace}/`
}

/** Key of one object. */
export const keyOf = (kind: Kind.Kind, namespace: string | undefined, name: string): string =>
  kind.namespaced ? `${prefixOf(kind, namespace ?? "")}${name}` : `${prefixOf(kind, undefined)}${name}`
