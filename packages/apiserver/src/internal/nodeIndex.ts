/**
 * Pods by the node they are bound to, so that an agent's list, a `describe node` and the scheduler's list of pods without a
 * node do not walk all pods.
 */
import { Kinds } from "@reddwarf/api-types"
import type { WatchCache } from "@reddwarf/event-bus"
import type { ObjectStore } from "@reddwarf/store"
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { get } from "./jsonValue.js"
import { prefixOf } from "./keys.js"
import * as objectIndex from "./objectIndex.js"

/** The field that is indexed. */
export const field = "spec.nodeName"

/** Keys of the pods of a node, in order; the empty name is that of pods without a node. */
export type NodeIndex = objectIndex.ObjectIndex

const nodesOf = (object: unknown): ReadonlyArray<string> => {
  const name = get(get(object, "spec"), "nodeName")
  return [typeof name === "string" ? name : ""]
}

/** Follows the store until the scope closes. */
export const make = (
  store: Context.Tag.Service<ObjectStore.ObjectStore>,
  cache: Context.Tag.Service<WatchCache.WatchCache>
): Effect.Effect<NodeIndex, never, Scope.Scope> =>
  objectIndex.make(store, cache, { prefix: prefixOf(Kinds.pod, undefined), valuesOf: nodesOf })
