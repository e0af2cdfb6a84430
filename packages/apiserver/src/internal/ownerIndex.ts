/** Objects of all kinds by the uids of their owners: what garbage collection asks for. */
import type { WatchCache } from "@reddwarf/event-bus"
import type { ObjectStore } from "@reddwarf/store"
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { get, isArray } from "./jsonValue.js"
import * as objectIndex from "./objectIndex.js"

const none: ReadonlyArray<string> = []

const ownersOf = (object: unknown): ReadonlyArray<string> => {
  const references = get(get(object, "metadata"), "ownerReferences")
  if (!isArray(references)) return none
  return references.flatMap((reference) => {
    const uid = get(reference, "uid")
    return typeof uid === "string" ? [uid] : none
  })
}

/** Follows the store until the scope closes. */
export const make = (
  store: Context.Tag.Service<ObjectStore.ObjectStore>,
  cache: Context.Tag.Service<WatchCache.WatchCache>
): Effect.Effect<objectIndex.ObjectIndex, never, Scope.Scope> =>
  objectIndex.make(store, cache, { prefix: "/", valuesOf: ownersOf })
