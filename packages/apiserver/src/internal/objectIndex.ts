/**
 * Objects by values found in them, so that a question about one value does not walk all objects. Kept by the change feed, in the
 * same step in which the watch cache is: both show one state.
 */
import type { WatchCache } from "@reddwarf/event-bus"
import { Key, type ObjectStore } from "@reddwarf/store"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Keys by value. */
export interface ObjectIndex {
  /** Keys of the objects that have the value, in order. */
  readonly keysOf: (value: string) => ReadonlyArray<string>
  /** Whether any object has the value. */
  readonly has: (value: string) => boolean
}

/** What is indexed. */
export interface IndexOptions {
  /** Only keys under this prefix. */
  readonly prefix: string
  /** The values of an object; runs inside the commit, so it must be quick. */
  readonly valuesOf: (object: unknown) => ReadonlyArray<string>
}

const same = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean =>
  a.length === b.length && a.every((value, index) => value === b[index])

const none: ReadonlyArray<string> = []

/** Follows the store until the scope closes. */
export const make = (
  store: Context.Tag.Service<ObjectStore.ObjectStore>,
  cache: Context.Tag.Service<WatchCache.WatchCache>,
  { prefix, valuesOf }: IndexOptions
): Effect.Effect<ObjectIndex, never, Scope.Scope> =>
  Effect.gen(function*() {
    const values = new Map<string, ReadonlyArray<string>>()
    const keys = new Map<string, Set<string>>()
    const put = (key: string, next: ReadonlyArray<string>) => {
      const before = values.get(key) ?? none
      if (same(before, next)) return
      for (const value of before) {
        const siblings = keys.get(value)
        siblings?.delete(key)
        if (siblings?.size === 0) keys.delete(value)
      }
      if (next.length === 0) values.delete(key)
      else values.set(key, next)
      for (const value of next) {
        const siblings = keys.get(value)
        if (siblings === undefined) keys.set(value, new Set([key]))
        else siblings.add(key)
      }
    }
    const decoder = new TextDecoder()
    yield* store.subscribe((changes) => {
      for (const { bytes, key, object, type } of changes) {
        if (!key.startsWith(prefix)) continue
        put(key, type === "delete" ? none : valuesOf(object ?? JSON.parse(decoder.decode(bytes))))
      }
    })
    // Nothing is committed between the subscription and this: both run in one step.
    for (const entry of cache.list(prefix)) put(entry.key, valuesOf(entry.object))
    return { keysOf: (value) => [...keys.get(value) ?? none].sort(Key.compare), has: (value) => keys.has(value) }
  })
