/** Brings the definition of a resource up to date that comes with the server. */
import type { ApiextensionsV1, KubeObject } from "@reddwarf/api-types"
import { createHash } from "node:crypto"

type Definition = ApiextensionsV1.CustomResourceDefinition

/** What it was made from: the server fills in defaults, so that the definition itself cannot be compared. */
const annotation = "reddwarf.io/definition-hash"

/** The definition with the mark by which an older one is known. */
export const marked = (definition: Definition): Definition => ({
  ...definition,
  metadata: {
    ...definition.metadata,
    annotations: {
      ...definition.metadata.annotations,
      [annotation]: createHash("sha256").update(JSON.stringify(definition.spec)).digest("hex").slice(0, 32)
    }
  }
})

/** The definition as it should be; undefined when it is, or when its owner took the mark away to keep it as it is. */
export const correct = (current: KubeObject.KubeObject, wanted: Definition): KubeObject.KubeObject | undefined => {
  const present = current.metadata.annotations?.[annotation]
  if (present === undefined || present === wanted.metadata.annotations?.[annotation]) return undefined
  const next: Definition = { ...wanted, metadata: { ...current.metadata, annotations: { ...current.metadata.annotations, ...wanted.metadata.annotations } } }
  return next
}
