/** The aggregated discovery documents of the fake API. */
import type { KindRegistry } from "@reddwarf/api-types"

const group = ({ group: name, versions }: KindRegistry.Group): unknown => ({
  metadata: name === "" ? {} : { name },
  versions: versions.map(({ kinds, version }) => ({
    version,
    freshness: "Current",
    resources: kinds.map((kind) => ({
      resource: kind.plural,
      responseKind: { group: "", version: "", kind: kind.kind },
      scope: kind.namespaced ? "Namespaced" : "Cluster",
      singularResource: kind.singular,
      verbs: kind.verbs,
      shortNames: kind.shortNames,
      categories: kind.categories,
      subresources: kind.subresources.map((each) => ({
        subresource: each.name,
        responseKind: { group: each.group ?? "", version: each.version ?? "", kind: each.kind },
        verbs: each.verbs
      }))
    }))
  }))
})

/** The document of a path; undefined when the path is none of discovery. */
export const document = (registry: KindRegistry.Registry, path: string): unknown => {
  if (path !== "/api" && path !== "/apis") return undefined
  const items = registry.groups().filter((each) => (each.group === "") === (path === "/api"))
  return { kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2", metadata: {}, items: items.map(group) }
}
