/**
 * Pods by the node they are bound to, so that an agent's list, a `describe node` and the scheduler's list of pods without a
 * node do not walk all pods. Kept by the change feed, in the same step in which the watch cache is: both show one state.
 */
import { Kinds } from "@reddwarf/api-types"
import type { WatchCache } from "@reddwarf/event-bus"
import { Key, type ObjectStore } from "@reddwarf/store"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { get } from "./jsonValue.js"
import { prefixOf } from "./keys.js"

/** The field that is indexed. */
export const field = "spec.nodeName"

/** Keys of the pods of a node, in order; the empty name is that of pods without a node. */
export interface NodeIndex {
  readonly keysOf: (node: string) => ReadonlyArray<string>
}

const nodeOf = (object: unknown): string => {
  const name = get(get(object, "spec"), "nodeName")
  return typeof name === "string" ? name : ""
}

/** Follows the store until the scope closes. */
export const make = (
  store: Context.Tag.Service<ObjectStore.ObjectStore>,
  cache: Context.Tag.Service<WatchCache.WatchCache>
): Effect.Effect<NodeIndex, never, Scope.Scope> =>
  Effect.gen(function*() {
    const prefix = prefixOf(Kinds.pod, undefined)
    const nodes = new Map<string, string>()
    const keys = new Map<string, Set<string>>()
    const remove = (key: string) => {
      const node = nodes.get(key)
      if (node === undefined) return
      nodes.delete(key)
      const siblings = keys.get(node)
      siblings?.delete(key)
      if (siblings?.size === 0) keys.delete(node)
    }
    const put = (key: string, node: string) => {
      if (nodes.get(key) === node) return
      remove(key)
      nodes.set(key, node)
      const siblings = keys.get(node)
      if (siblings === undefined) keys.set(node, new Set([key]))
      else siblings.add(key)
    }
    const decoder = new TextDecoder()
    yield* store.subscribe((changes) => {
      for (const { bytes, key, object, type } of changes) {
        if (!key.startsWith(prefix)) continue
        if (type === "delete") remove(key)
        else put(key, nodeOf(object ?? JSON.parse(decoder.decode(bytes))))
      }
    })
    // Nothing is committed between the subscription and this: both run in one step.
    for (const entry of cache.list(prefix)) put(entry.key, nodeOf(entry.object))
    return { keysOf: (node) => [...keys.get(node) ?? []].sort(Key.compare) }
  })
