/** Which form of an answer a client accepts, and which form its body has. */

/** What an object is shown as. @category models */
export type Shape = "Object" | "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList"

/**
 * The form of an answer.
 *
 * @category models
 */
export interface Accepted {
  readonly format: "json" | "yaml"
  readonly shape: Shape
  /** Version of `meta.k8s.io` that Table and PartialObjectMetadata are written in. */
  readonly metaVersion: "v1" | "v1beta1"
}

/** The forms this server writes, as a 406 answer lists them. @category models */
export const available = "application/json, application/yaml, application/json;stream=watch"

/** Plain JSON objects. @category models */
export const plainJson: Accepted = { format: "json", shape: "Object", metaVersion: "v1" }

const shapes: ReadonlyMap<string, Shape> = new Map([
  ["Table", "Table"],
  ["PartialObjectMetadata", "PartialObjectMetadata"],
  ["PartialObjectMetadataList", "PartialObjectMetadataList"]
])

/** A media type with its parameters, as in one entry of an Accept header. @category models */
export interface MediaType {
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
}

/** Reads one media type; names are lower-cased, quotes around parameter values are taken away. @category constructors */
export const parseMediaType = (text: string): MediaType => {
  const [type = "", ...rest] = text.split(";")
  const parameters = new Map<string, string>()
  for (const part of rest) {
    const equals = part.indexOf("=")
    if (equals < 0) continue
    const value = part.slice(equals + 1).trim()
    parameters.set(part.slice(0, equals).trim().toLowerCase(), value.replace(/^"(.*)"$/, "$1"))
  }
  return { type: type.trim().toLowerCase(), parameters }
}

/** The entries of an Accept header, best first: by quality, then by position. @category constructors */
export const parseAccept = (header: string): ReadonlyArray<MediaType> =>
  header
    .split(",")
    .filter((part) => part.trim() !== "")
    .map((part, index) => {
      const media = parseMediaType(part)
      const quality = Number(media.parameters.get("q") ?? "1")
      return { media, index, quality: Number.isFinite(quality) ? quality : 1 }
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality || a.index - b.index)
    .map(({ media }) => media)

const formatOf = (type: string): "json" | "yaml" | undefined => {
  if (type === "application/json" || type === "*/*" || type === "application/*") return "json"
  return type === "application/yaml" ? "yaml" : undefined
}

const accept = (media: MediaType): Accepted | undefined => {
  const format = formatOf(media.type)
  if (format === undefined) return undefined
  const as = media.parameters.get("as")
  if (as === undefined) {
    const mode = media.parameters.get("stream")
    return mode === undefined || mode === "watch" ? { ...plainJson, format } : undefined
  }
  const shape = shapes.get(as)
  const version = media.parameters.get("v")
  if (shape === undefined || media.parameters.get("g") !== "meta.k8s.io") return undefined
  return version === "v1" || version === "v1beta1" ? { format, shape, metaVersion: version } : undefined
}

const compute = (header: string): Accepted | undefined => {
  for (const media of parseAccept(header)) {
    const accepted = accept(media)
    if (accepted !== undefined) return accepted
  }
  return undefined
}

// Clients send a handful of different headers over and over; the bound keeps a hostile client from growing the map.
const remembered = new Map<string, Accepted | undefined>()
const rememberLimit = 256

/**
 * The best form that this server can write, or undefined when there is none (406).
 *
 * @category combinators
 */
export const negotiate = (header: string | undefined): Accepted | undefined => {
  if (header === undefined || header === "" || header === "application/json") return plainJson
  if (remembered.has(header)) return remembered.get(header)
  const accepted = compute(header)
  if (remembered.size >= rememberLimit) remembered.clear()
  remembered.set(header, accepted)
  return accepted
}

/** Form of a request body. @category models */
export type BodyFormat = "json" | "yaml" | "protobuf"

/** The form of a create or update body; a missing Content-Type means JSON. Undefined: not supported (415). @category combinators */
export const bodyFormat = (contentType: string | undefined): BodyFormat | undefined => {
  if (contentType === undefined || contentType === "" || contentType === "application/json") return "json"
  switch (parseMediaType(contentType).type) {
    case "application/json":
    case "*/*":
      return "json"
    case "application/yaml":
      return "yaml"
    case "application/vnd.kubernetes.protobuf":
      return "protobuf"
    default:
      return undefined
  }
}

/** How a PATCH body is to be read. @category models */
export type PatchType = "json" | "merge" | "strategic" | "apply"

const patchTypes: ReadonlyMap<string, PatchType> = new Map([
  ["application/json-patch+json", "json"],
  ["application/merge-patch+json", "merge"],
  ["application/strategic-merge-patch+json", "strategic"],
  ["application/apply-patch+yaml", "apply"]
])

/** The kind of patch that a Content-Type names. Undefined: not supported (415). @category combinators */
export const patchType = (contentType: string | undefined): PatchType | undefined =>
  patchTypes.get(parseMediaType(contentType ?? "").type)

const browsers = ["curl/", "Wget", "Mozilla/5.0"]

/** Whether the answer is to be indented: asked for, or read by a person. @category combinators */
export const isPretty = (query: URLSearchParams, userAgent: string | undefined): boolean => {
  const asked = query.size === 0 ? null : query.get("pretty")
  if (asked !== null) return asked === "true" || asked === "1"
  return userAgent !== undefined && browsers.some((prefix) => userAgent.startsWith(prefix))
}
