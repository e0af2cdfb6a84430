/** Where objects lie in the store. */
import { Kind } from "@reddwarf/api-types"

// A write asks for a dozen of them.
const roots = new WeakMap<Kind.Kind, string>()

const rootOf = (kind: Kind.Kind): string => {
  const known = roots.get(kind)
  if (known !== undefined) return known
  const { group, plural } = Kind.storedKind(kind)
  const root = `/${group === "" ? "core" : group}/${plural}/`
  roots.set(kind, root)
  return root
}

/** Prefix of all objects of a kind, or of those in a namespace. */
export const prefixOf = (kind: Kind.Kind, namespace: string | undefined): string =>
  namespace === undefined || !kind.namespaced ? rootOf(kind) : `${rootOf(kind)}${namespace}/`

/** Key of one object. */
export const keyOf = (kind: Kind.Kind, namespace: string | undefined, name: string): string =>
  kind.namespaced ? `${rootOf(kind)}${namespace ?? ""}/${name}` : rootOf(kind) + name
