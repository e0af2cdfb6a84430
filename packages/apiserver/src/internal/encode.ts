/** The stored form of objects: one line of JSON with a newline at its end, so that the bytes of a GET are the stored bytes. */
import type { KubeObject } from "@reddwarf/api-types"
import type { ObjectStore } from "@reddwarf/store"

const encoder = new TextEncoder()

/** The object as it is written with `revision`. */
export const withRevision = (object: KubeObject.KubeObject, revision: number): KubeObject.KubeObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: String(revision) }
})

/** What the store calls with the revision of the write. */
export const encoderOf = (object: KubeObject.KubeObject): ObjectStore.Encode => (revision) => {
  const stored = withRevision(object, revision)
  return { bytes: encoder.encode(`${JSON.stringify(stored)}\n`), object: stored }
}

/** The stored line without its newline, to stand inside other JSON. */
export const inner = (bytes: Uint8Array): Uint8Array =>
  bytes.at(-1) === 10 ? bytes.subarray(0, bytes.length - 1) : bytes
