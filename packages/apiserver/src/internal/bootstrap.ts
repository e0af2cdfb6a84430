/** What every cluster begins with. */
import { Kinds, Timestamp } from "@reddwarf/api-types"
import type { StoreError } from "@reddwarf/store"
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import { initial } from "../admission/NamespaceLifecycle.js"
import type { ApiContext } from "./apiContext.js"
import { encoderOf } from "./encode.js"
import { keyOf } from "./keys.js"

const namespaceOf = (name: string, now: number) => {
  const object = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, uid: randomUUID(), creationTimestamp: Timestamp.secondsFromMillis(now) }
  }
  return Kinds.namespace.prepareForCreate(Kinds.namespace.defaults(object), now)
}

/** Creates the initial namespaces that do not exist yet. */
export const bootstrap = ({ now, store }: ApiContext): Effect.Effect<void, StoreError.StoreError> =>
  Effect.forEach(initial, (name) =>
    store.create(keyOf(Kinds.namespace, undefined, name), encoderOf(namespaceOf(name, now()))).pipe(
      // The cluster was started before.
      Effect.catchTag("KeyExists", () => Effect.void)
    ), { discard: true })
