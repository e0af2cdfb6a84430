/**
 * Objects by values found in them, so that a question about one value does not walk all objects. Kept by the change feed, in the
 * same step in which the watch cache is: both show one state.
 */
import type { WatchCache } from "@reddwarf/event-bus"
import { Key, type ObjectStore } from "@reddwarf/store"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Record from "effect/Record"
import type * as Scope from "effect/Scope"
import * as jsonParts from "./jsonParts.js"

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
  /** What the values depend on: at the start an object has no more than these parts. */
  readonly parts: jsonParts.Parts
  /** The values of an object; runs inside the commit, so it must be quick. */
  readonly valuesOf: (object: unknown) => ReadonlyArray<string>
}

const same = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean =>
  a.length === b.length && a.every((value, index) => value === b[index])

const none: ReadonlyArray<string> = []

interface Filled extends ObjectIndex {
  readonly put: (key: string, values: ReadonlyArray<string>) => void
}

const empty = (): Filled => {
  const values = new Map<string, ReadonlyArray<string>>()
  const keys = new Map<string, Set<string>>()
  return {
    put: (key, next) => {
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
    },
    keysOf: (value) => [...keys.get(value) ?? none].sort(Key.compare),
    has: (value) => keys.has(value)
  }
}

/** How long objects are looked at before whoever else waits gets a turn. */
const sliceMillis = 10

const turn = Effect.async<void>((resume) => {
  const handle = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(handle))
})

/**
 * Indexes that follow the store until the scope closes. Filled in one pass over the parts of the stored objects that they depend
 * on; the effect ends when they show everything.
 */
export const make = <Name extends string>(
  store: Context.Tag.Service<ObjectStore.ObjectStore>,
  cache: Context.Tag.Service<WatchCache.WatchCache>,
  options: Readonly<Record<Name, IndexOptions>>
): Effect.Effect<Readonly<Record<Name, ObjectIndex>>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const indexes = Record.map(options, (option) => ({ ...option, index: empty() }))
    const all = Object.values<IndexOptions & { readonly index: Filled }>(indexes)
    const look = (key: string, objectOf: () => unknown): void => {
      let object: unknown
      for (const { index, prefix, valuesOf } of all) {
        if (key.startsWith(prefix)) index.put(key, valuesOf(object ??= objectOf()))
      }
    }
    const decoder = new TextDecoder()
    yield* store.subscribe((changes) => {
      for (const { bytes, key, object, type } of changes) {
        if (type === "delete") for (const { index } of all) index.put(key, none)
        else look(key, () => object ?? JSON.parse(decoder.decode(bytes)))
      }
    })
    // For the indexes that concern a key, a reader of what they depend on.
    const readers = new Map<string, jsonParts.Reader>()
    const readerOf = (key: string): jsonParts.Reader => {
      const kind = key.slice(0, key.indexOf("/", key.indexOf("/", 1) + 1) + 1)
      const known = readers.get(kind)
      if (known !== undefined) return known
      const concerned = all.filter(({ prefix }) => kind.startsWith(prefix) || prefix.startsWith(kind))
      const made = jsonParts.reader(concerned.reduce<jsonParts.Parts>((parts, option) => jsonParts.union(parts, option.parts), {}))
      readers.set(kind, made)
      return made
    }
    const keys = cache.list("/").map(({ key }) => key)
    // What is committed meanwhile, the subscription has seen: then the cache shows it as well.
    for (let at = 0; at < keys.length;) {
      const started = performance.now()
      for (; at < keys.length && performance.now() - started < sliceMillis; at++) {
        const entry = cache.get(keys[at] ?? "")
        if (entry !== undefined) look(entry.key, () => readerOf(entry.key)(entry.bytes))
      }
      yield* turn
    }
    return Record.map(indexes, ({ index }) => index)
  })
