/** The stored form of objects: one line of JSON with a newline at its end, so that the bytes of a GET are the stored bytes. */
import type { KubeObject } from "@reddwarf/api-types"
import type { ObjectStore } from "@reddwarf/store"
import * as CreatedFields from "../fields/CreatedFields.js"
import { get } from "./jsonValue.js"

const encoder = new TextEncoder()

/** The object as it is written with `revision`. */
export const withRevision = (object: KubeObject.KubeObject, revision: number): KubeObject.KubeObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: String(revision) }
})

type Metadata = KubeObject.KubeObject["metadata"]

/** `JSON.stringify` of an object, with a text made elsewhere for what it has under one name. */
const withPart = (object: object, special: string, part: () => string): string => {
  let text = ""
  for (const name in object) {
    const value = name === special ? part() : JSON.stringify(get(object, name))
    if (value !== undefined) text += `${text === "" ? "{" : ","}${JSON.stringify(name)}:${value}`
  }
  return text === "" ? "{}" : `${text}}`
}

/** The fields in an entry are the larger part of a small object, and most objects share theirs with others. */
const entryText = (entry: NonNullable<Metadata["managedFields"]>[number]): string => {
  const known = CreatedFields.sharedText(entry.fieldsV1)
  return known === undefined ? JSON.stringify(entry) : withPart(entry, "fieldsV1", () => known)
}

const metadataText = (metadata: Metadata): string => {
  const { managedFields } = metadata
  return managedFields === undefined
    ? JSON.stringify(metadata)
    : withPart(metadata, "managedFields", () => `[${managedFields.map(entryText).join(",")}]`)
}

/** The same text as that of `JSON.stringify`. */
const textOf = (object: KubeObject.KubeObject): string => withPart(object, "metadata", () => metadataText(object.metadata))

/** What the store calls with the revision of the write. */
export const encoderOf = (object: KubeObject.KubeObject): ObjectStore.Encode => (revision) => {
  const stored = withRevision(object, revision)
  return { bytes: encoder.encode(`${textOf(stored)}\n`), object: stored }
}

/** The stored line without its newline, to stand inside other JSON. */
export const inner = (bytes: Uint8Array): Uint8Array =>
  bytes.at(-1) === 10 ? bytes.subarray(0, bytes.length - 1) : bytes
