/** OpenAPI v3 documents: one index, and one document per group version, generated from the registry and the field tables. */
import type { KindRegistry } from "@reddwarf/api-types"
import * as DateTime from "effect/DateTime"
import { createHash } from "node:crypto"
import type * as Request from "../ApiRequest.js"
import type { ApiResponse } from "../ApiResponse.js"
import * as Response from "../ApiResponse.js"
import * as paths from "../internal/openApiPaths.js"
import * as schemas from "../internal/openApiSchemas.js"
import * as perGroupVersion from "../internal/perGroupVersion.js"
import * as taggedDocument from "../internal/taggedDocument.js"

/** Title and version in every document. @category models */
export interface Info {
  readonly title: string
  readonly version: string
}

interface Document {
  readonly path: string
  readonly bytes: Uint8Array
  readonly hash: string
}

const encoder = new TextEncoder()

/** The document of one group version, as data. @category constructors */
export const documentOf = ({ kinds }: KindRegistry.GroupVersion, info: Info): object => ({
  openapi: "3.0.0",
  info,
  paths: Object.assign({}, ...kinds.map(paths.pathsOf)),
  components: {
    schemas: schemas.definitions(kinds, [paths.deleteOptions, paths.status, schemas.patchDefinition]),
    securitySchemes: { ClientCertificate: { type: "mutualTLS" } }
  }
})

const pathOf = (group: string, version: string): string => group === "" ? `api/${version}` : `apis/${group}/${version}`

const documentFor = (version: KindRegistry.GroupVersion, info: Info): Document => {
  const bytes = encoder.encode(JSON.stringify(documentOf(version, info)))
  return {
    path: pathOf(version.group, version.version),
    bytes,
    hash: createHash("sha512").update(bytes).digest("hex").toUpperCase()
  }
}

const root = "/openapi/v3"

/**
 * Answers `/openapi/v3` and below. Undefined: the path is none of them.
 *
 * @category models
 */
export type OpenApiV3 = (request: Request.ApiRequest, path: string, query: URLSearchParams) => ApiResponse | undefined

const respondDocument = (request: Request.ApiRequest, found: Document, hash: string | null, now: number): ApiResponse => {
  const etag = `"${found.hash}"`
  if (hash !== null && hash !== "" && hash !== found.hash) {
    return {
      status: 301,
      headers: { location: `${root}/${found.path}?hash=${found.hash}`, "cache-control": "no-cache, private" },
      body: Response.emptyBody
    }
  }
  const year = 365 * 24 * 3600 * 1000
  const headers = {
    "content-type": "application/json",
    etag,
    vary: "Accept",
    ...(hash === null || hash === ""
      ? { "cache-control": "no-cache, private" }
      : { "cache-control": "public, immutable", expires: DateTime.toDateUtc(DateTime.unsafeMake(now + year)).toUTCString() })
  }
  return taggedDocument.respond(request, headers, found.bytes)
}

/** Documents are made when they are first asked for, and kept until the registry changes. `now` gives milliseconds since the epoch. @category constructors */
export const make = (registry: KindRegistry.Registry, info: Info, now: () => number): OpenApiV3 => {
  const documentOnce = perGroupVersion.make((version) => documentFor(version, info))
  let known: { readonly groups: ReadonlyArray<KindRegistry.Group>; readonly documents: ReadonlyArray<Document> } | undefined
  return (request, path, query) => {
    if (path !== root && !path.startsWith(`${root}/`)) return undefined
    const groups = registry.groups()
    if (known?.groups !== groups) known = { groups, documents: groups.flatMap(({ versions }) => versions.map(documentOnce)) }
    const { documents } = known
    if (path === root || path === `${root}/`) {
      return Response.json(200, {
        paths: Object.fromEntries(
          documents.map((known) => [known.path, { serverRelativeURL: `${root}/${known.path}?hash=${known.hash}` }])
        )
      })
    }
    const found = documents.find((known) => `${root}/${known.path}` === path)
    return found === undefined ? undefined : respondDocument(request, found, query.get("hash"), now())
  }
}
