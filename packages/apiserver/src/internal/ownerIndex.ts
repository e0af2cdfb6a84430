/** Objects of all kinds by the uids of their owners: what garbage collection asks for. */
import { get, isArray } from "./jsonValue.js"
import type * as objectIndex from "./objectIndex.js"

const none: ReadonlyArray<string> = []

const ownersOf = (object: unknown): ReadonlyArray<string> => {
  const references = get(get(object, "metadata"), "ownerReferences")
  if (!isArray(references)) return none
  return references.flatMap((reference) => {
    const uid = get(reference, "uid")
    return typeof uid === "string" ? [uid] : none
  })
}

/** How it is kept. */
export const options: objectIndex.IndexOptions = { prefix: "/", parts: { metadata: { ownerReferences: true } }, valuesOf: ownersOf }
