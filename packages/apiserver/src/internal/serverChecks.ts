/** Health checks of what the server stands on. */
import { Kinds } from "@reddwarf/api-types"
import type { WatchCache } from "@reddwarf/event-bus"
import type { ObjectStore } from "@reddwarf/store"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { type Check, ping } from "../Health.js"
import { keyOf } from "./keys.js"

/** The checks behind `ping`, `store` and `watch-cache`. */
export const serverChecks = (
  store: Context.Tag.Service<ObjectStore.ObjectStore>,
  cache: Context.Tag.Service<WatchCache.WatchCache>
): ReadonlyArray<Check> => [
  ping,
  {
    name: "store",
    // A write that cannot win goes through the whole commit path and changes nothing.
    run: store.update(keyOf(Kinds.namespace, undefined, "default"), -1, () => ({ bytes: new Uint8Array(0) })).pipe(
      Effect.asVoid,
      Effect.catchTags({
        RevisionConflict: () => Effect.void,
        KeyNotFound: () => Effect.void,
        StoreError: (error) => Effect.fail(error.message)
      })
    )
  },
  {
    name: "watch-cache",
    run: Effect.flatMap(store.revision, (revision) =>
      Effect.mapError(cache.waitFor(revision, "1 second"), (error) => error.message))
  }
]
