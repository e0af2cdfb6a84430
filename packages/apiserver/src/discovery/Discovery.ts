/** Discovery: which groups, versions and resources there are, in the forms that old and new clients ask for. */
import type { Kind, KindRegistry } from "@reddwarf/api-types"
import { createHash } from "node:crypto"
import * as Request from "../ApiRequest.js"
import type { ApiResponse } from "../ApiResponse.js"
import * as Response from "../ApiResponse.js"
import * as taggedDocument from "../internal/taggedDocument.js"
import { parseAccept } from "../Negotiation.js"
import * as ServedSubresources from "./ServedSubresources.js"

const encoder = new TextEncoder()

const sorted = (values: ReadonlyArray<string>): ReadonlyArray<string> => [...values].sort()

const groupVersion = (group: string, version: string): string => group === "" ? version : `${group}/${version}`

const resourcesOf = (kind: Kind.Kind): ReadonlyArray<object> => [
  {
    name: kind.plural,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: sorted(kind.verbs),
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories })
  },
  ...ServedSubresources.of(kind).map((sub) => ({
    name: `${kind.plural}/${sub.name}`,
    singularName: "",
    namespaced: kind.namespaced,
    ...(sub.group === undefined ? {} : { group: sub.group }),
    ...(sub.version === undefined ? {} : { version: sub.version }),
    kind: sub.kind,
    verbs: sorted(sub.verbs)
  }))
]

const resourceList = ({ group, kinds, version }: KindRegistry.GroupVersion): object => ({
  kind: "APIResourceList",
  ...(group === "" ? {} : { apiVersion: "v1" }),
  groupVersion: groupVersion(group, version),
  resources: kinds.flatMap(resourcesOf)
})

const versionsOf = ({ group, versions }: KindRegistry.Group) =>
  versions.map(({ version }) => ({ groupVersion: groupVersion(group, version), version }))

const groupObject = (group: KindRegistry.Group): object => ({
  name: group.group,
  versions: versionsOf(group),
  preferredVersion: versionsOf(group)[0]
})

const responseKind = (kind: string, group = "", version = "") => ({ group, version, kind })

const aggregatedResource = (kind: Kind.Kind): object => {
  const subresources = ServedSubresources.of(kind).map((sub) => ({
    subresource: sub.name,
    responseKind: responseKind(sub.kind, sub.group, sub.version),
    verbs: sorted(sub.verbs)
  }))
  return {
    resource: kind.plural,
    responseKind: responseKind(kind.kind),
    scope: kind.namespaced ? "Namespaced" : "Cluster",
    singularResource: kind.singular,
    verbs: sorted(kind.verbs),
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    ...(subresources.length === 0 ? {} : { subresources })
  }
}

const aggregatedGroup = ({ group, versions }: KindRegistry.Group): object => ({
  metadata: group === "" ? {} : { name: group },
  versions: versions.map(({ kinds, version }) => ({
    version,
    freshness: "Current",
    resources: kinds.map(aggregatedResource)
  }))
})

/** A document that clients keep and ask for again with its tag. */
interface Document {
  readonly bytes: Uint8Array
  readonly etag: string
}

const document = (value: object): Document => {
  const bytes = encoder.encode(`${JSON.stringify(value)}\n`)
  return { bytes, etag: `"${createHash("sha512").update(bytes).digest("hex").toUpperCase()}"` }
}

const aggregatedVersions = ["v2", "v2beta1"] as const
type AggregatedVersion = (typeof aggregatedVersions)[number]

const aggregatedAs = (accept: string | undefined): AggregatedVersion | undefined => {
  for (const { parameters, type } of parseAccept(accept ?? "")) {
    if (parameters.get("as") === undefined && (type === "application/json" || type === "*/*")) return undefined
    if (parameters.get("g") !== "apidiscovery.k8s.io" || parameters.get("as") !== "APIGroupDiscoveryList") continue
    const version = aggregatedVersions.find((known) => known === parameters.get("v"))
    if (version !== undefined && type === "application/json") return version
  }
  return undefined
}

const respondAggregated = (request: Request.ApiRequest, version: AggregatedVersion, found: Document): ApiResponse => {
  const headers = {
    "content-type": `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
    "cache-control": "public",
    etag: found.etag,
    vary: "Accept"
  }
  return taggedDocument.respond(request, headers, found.bytes)
}

/**
 * Answers the discovery paths (`/api`, `/apis`, and below). Undefined: the path is none of them.
 *
 * @category models
 */
export type Discovery = (request: Request.ApiRequest, path: string) => ApiResponse | undefined

/** The documents of one state of the registry. */
interface Documents {
  readonly core: ReadonlyArray<KindRegistry.Group>
  readonly aggregated: ReadonlyMap<string, Readonly<Record<AggregatedVersion, Document>>>
  readonly plain: ReadonlyMap<string, Uint8Array>
}

const build = (groups: ReadonlyArray<KindRegistry.Group>): Documents => {
  const core = groups.filter(({ group }) => group === "")
  const named = groups.filter(({ group }) => group !== "")
  const aggregated = (items: ReadonlyArray<KindRegistry.Group>, version: AggregatedVersion): Document =>
    document({
      kind: "APIGroupDiscoveryList",
      apiVersion: `apidiscovery.k8s.io/${version}`,
      metadata: {},
      items: items.map(aggregatedGroup)
    })
  const plain = new Map<string, Uint8Array>()
  plain.set("/apis", document({ kind: "APIGroupList", apiVersion: "v1", groups: named.map(groupObject) }).bytes)
  for (const group of groups) {
    const root = group.group === "" ? "/api" : `/apis/${group.group}`
    if (group.group !== "") {
      plain.set(root, document({ kind: "APIGroup", apiVersion: "v1", ...groupObject(group) }).bytes)
    }
    for (const version of group.versions) plain.set(`${root}/${version.version}`, document(resourceList(version)).bytes)
  }
  return {
    core,
    plain,
    aggregated: new Map([
      ["/api", { v2: aggregated(core, "v2"), v2beta1: aggregated(core, "v2beta1") }],
      ["/apis", { v2: aggregated(named, "v2"), v2beta1: aggregated(named, "v2beta1") }]
    ])
  }
}

/**
 * Documents are made once for each state of the registry: its groups are another value when it has changed. `address` is what old clients
 * are told to connect to.
 *
 * @category constructors
 */
export const make = (registry: KindRegistry.Registry, address: () => string): Discovery => {
  let known: { readonly groups: ReadonlyArray<KindRegistry.Group>; readonly documents: Documents } | undefined
  const documentsNow = (): Documents => {
    const groups = registry.groups()
    if (known?.groups !== groups) known = { groups, documents: build(groups) }
    return known.documents
  }
  return (request, path) => {
    if (!path.startsWith("/api")) return undefined
    const { aggregated, core, plain } = documentsNow()
    const clean = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path
    const version = aggregatedAs(Request.header(request, "accept"))
    const found = version === undefined ? undefined : aggregated.get(clean)?.[version]
    if (version !== undefined && found !== undefined) return respondAggregated(request, version, found)
    if (clean === "/api") {
      return Response.json(200, {
        kind: "APIVersions",
        versions: core.flatMap(({ versions }) => versions.map(({ version: name }) => name)),
        serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: address() }]
      })
    }
    const bytes = plain.get(clean)
    return bytes === undefined ? undefined : Response.jsonBytes(200, bytes)
  }
}

/** The paths of all group versions, for the list at `/`. @category combinators */
export const paths = (registry: KindRegistry.Registry): ReadonlyArray<string> =>
  registry.groups().flatMap(({ group, versions }) => {
    const root = group === "" ? "/api" : `/apis/${group}`
    return [root, ...versions.map(({ version }) => `${root}/${version}`)]
  })
