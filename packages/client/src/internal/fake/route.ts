/** What a request is about: the kind, the object and the parameters in a method and a path. */
import type { Kind, KindRegistry } from "@reddwarf/api-types"

export interface Route {
  readonly kind: Kind.Kind
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly subresource: string | undefined
  readonly query: URLSearchParams
}

/** Undefined when no kind is served under the path. */
export const parse = (registry: KindRegistry.Registry, path: string): Route | undefined => {
  const url = new URL(path, "http://localhost")
  const segments = url.pathname.split("/").filter((segment) => segment !== "").map((segment) => decodeURIComponent(segment))
  const [root, ...rest] = segments
  if (root !== "api" && root !== "apis") return undefined
  const group = root === "api" ? "" : rest.shift()
  const version = rest.shift()
  if (group === undefined || version === undefined) return undefined
  // `namespaces/<n>/<plural>` is inside a namespace, `namespaces/<n>` and `namespaces/<n>/finalize` are the Namespace itself.
  const namespace = rest[0] === "namespaces" && rest[2] !== undefined && registry.byResource(group, version, rest[2])?.namespaced === true
    ? rest[1]
    : undefined
  const [plural, name, subresource, ...surplus] = namespace === undefined ? rest : rest.slice(2)
  const kind = plural === undefined ? undefined : registry.byResource(group, version, plural)
  if (kind === undefined || surplus.length > 0) return undefined
  if (kind.namespaced && namespace === undefined && name !== undefined) return undefined
  return { kind, namespace, name, subresource, query: url.searchParams }
}
