/** Answers of the fake API that carry metadata alone. */
import type { Request } from "../../Transport.js"
import { isRecord } from "../decode.js"

/** Whether the client asks for metadata alone. */
export const isAsked = (request: Request): boolean => /;as=PartialObjectMetadata(List)?;/.test(request.headers?.["accept"] ?? "")

const reduced = { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1" }

/** An object, a list or a watch event with nothing but metadata. A Status stays as it is. */
export const reduce = (json: unknown): unknown => {
  if (!isRecord(json) || json["kind"] === "Status") return json
  if ("type" in json && "object" in json) return { ...json, object: reduce(json["object"]) }
  if (!Array.isArray(json["items"])) return { ...reduced, metadata: json["metadata"] }
  return {
    ...reduced,
    kind: "PartialObjectMetadataList",
    metadata: json["metadata"],
    items: json["items"].map((item: unknown) => reduce(item))
  }
}
