/** What a method and a URL ask for: the attributes that routing and authorisation go by. */
import * as Either from "effect/Either"

/**
 * The verbs of the API. Requests that are not for a resource have the lower-case HTTP method as their verb.
 *
 * @category models
 */
export interface RequestInfo {
  readonly method: string
  /** The path as sent, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  /** Below `/api/<version>/` or `/apis/<group>/<version>/`. */
  readonly isResource: boolean
  readonly verb: string
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  readonly namespace: string | undefined
  /** Plural name of the resource, or the empty string. */
  readonly resource: string
  readonly name: string | undefined
  readonly subresource: string | undefined
  /** Path segments after the subresource. */
  readonly rest: ReadonlyArray<string>
}

const noQuery = new URLSearchParams()
const noSegments: ReadonlyArray<string> = []

// Subresources of a namespace itself; any other word after /namespaces/<name>/ is a resource inside it.
const namespaceSubresources = new Set(["status", "finalize"])

/** True for the ways in which clients write a true query parameter. @category combinators */
export const isTrue = (value: string | null): boolean => value === "true" || value === "1"

// Names become parts of store keys, so a slash hidden in an escape, or a control character, must not get that far.
const unsafe = /[\p{Cc}/\p{Surrogate}]/u

const decodeSegments = (path: string): ReadonlyArray<string> | undefined => {
  const segments = path.split("/")
  segments.shift()
  if (segments.at(-1) === "") segments.pop()
  if (!path.includes("%")) return segments
  try {
    const decoded = segments.map(decodeURIComponent)
    return decoded.some((segment) => unsafe.test(segment)) ? undefined : decoded
  } catch {
    return undefined
  }
}

const collectionVerbs: Readonly<Record<string, string>> = { POST: "create", DELETE: "deletecollection" }
const objectVerbs: Readonly<Record<string, string>> = {
  GET: "get",
  HEAD: "get",
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete"
}

const verbOf = (method: string, name: string | undefined, subresource: string | undefined, watch: boolean): string => {
  const reads = method === "GET" || method === "HEAD"
  if (reads && watch && subresource === undefined) return "watch"
  if (name !== undefined) return objectVerbs[method] ?? method.toLowerCase()
  return reads ? "list" : collectionVerbs[method] ?? objectVerbs[method] ?? method.toLowerCase()
}

/**
 * Reads a request line. The only failure is a path that is not validly percent-encoded, or that hides a slash or a control
 * character in an escape.
 *
 * @category constructors
 */
export const parse = (method: string, url: string): Either.Either<RequestInfo, "BadPath"> => {
  const mark = url.indexOf("?")
  const path = mark < 0 ? url : url.slice(0, mark)
  const query = mark < 0 ? noQuery : new URLSearchParams(url.slice(mark + 1))
  const segments = decodeSegments(path)
  if (segments === undefined || !path.startsWith("/")) return Either.left("BadPath")
  const other: RequestInfo = {
    method,
    path,
    query,
    isResource: false,
    verb: method.toLowerCase(),
    group: "",
    version: "",
    namespace: undefined,
    resource: "",
    name: undefined,
    subresource: undefined,
    rest: noSegments
  }
  const core = segments[0] === "api"
  if (!core && segments[0] !== "apis") return Either.right(other)
  let at = core ? 1 : 2
  const version = segments[at++]
  if (version === undefined || segments[at] === undefined) return Either.right(other)
  // The old form /api/v1/watch/... is a watch as well.
  const oldWatch = segments[at] === "watch"
  if (oldWatch) at++
  let namespace: string | undefined
  let name: string | undefined
  let resource = segments[at] ?? ""
  if (resource === "namespaces" && segments[at + 1] !== undefined) {
    namespace = segments[at + 1]
    const inside = segments[at + 2]
    if (inside !== undefined && !namespaceSubresources.has(inside)) {
      resource = inside
      at += 2
    }
  }
  name = segments[at + 1]
  const subresource = segments[at + 2]
  return Either.right({
    ...other,
    isResource: true,
    group: core ? "" : segments[1] ?? "",
    version,
    namespace,
    resource,
    name,
    subresource,
    rest: segments.length > at + 3 ? segments.slice(at + 3) : noSegments,
    verb: verbOf(method, name, subresource, oldWatch || isTrue(query.get("watch")))
  })
}

/** The resource with its subresource, as policies name it: `pods/log`. @category combinators */
export const qualifiedResource = (info: RequestInfo): string =>
  info.subresource === undefined ? info.resource : `${info.resource}/${info.subresource}`
