/** Objects of which only the metadata is sent. */
import { Kind, type KubeObject } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import { describe, isRecord } from "./decode.js"

/** An Accept header; a server that does not know the form answers 406. */
export const accept = (shape: "PartialObjectMetadata" | "PartialObjectMetadataList"): string =>
  `application/json;as=${shape};v=v1;g=meta.k8s.io`

/** The metadata of an object of `kind`, under that kind's own name; the left side says what was found instead. */
export const decode = (kind: Kind.Kind, value: unknown): Either.Either<KubeObject.KubeObject, string> => {
  const metadata = isRecord(value) ? value["metadata"] : undefined
  return isRecord(metadata) && typeof metadata["name"] === "string"
    ? Either.right({ apiVersion: Kind.apiVersion(kind), kind: kind.kind, metadata })
    : Either.left(`expected the metadata of a ${kind.kind}, found ${describe(value)}`)
}
