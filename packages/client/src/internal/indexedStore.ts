/** The objects of an informer by key, with inverted indexes. Plain and synchronous: it is on the path of every watch event. */
import type { KubeObject } from "@reddwarf/api-types"
import type { Indexer, InformerEvent } from "../Informer.js"
import * as ObjectRef from "../ObjectRef.js"

/**
 * An object as a store keeps it: at hand, or decoded when it is asked for. Everything that is needed to keep it current is known
 * without looking into the object.
 */
export interface Held<A> {
  readonly key: string
  /** Names this version of the object; empty if it is not known. */
  readonly version: string
  readonly object: A
}

/** Holds on to an object itself. */
export const hold = <A extends KubeObject.KubeObject>(object: A): Held<A> => {
  const { resourceVersion = "", uid = "" } = object.metadata
  return { key: ObjectRef.keyOf(object), version: resourceVersion === "" ? "" : `${resourceVersion} ${uid}`, object }
}

export interface IndexedStore<A> {
  readonly get: (key: string) => A | undefined
  readonly list: () => ReadonlyArray<A>
  readonly keys: () => ReadonlyArray<string>
  readonly byIndex: (name: string, value: string) => ReadonlyArray<A>
  readonly indexValues: (name: string) => ReadonlyArray<string>
  /** Stores an object; undefined if this version is stored already. */
  readonly put: (held: Held<A>) => InformerEvent<A> | undefined
  /** Removes an object; undefined if there is none. The event carries the state that was deleted. */
  readonly remove: (held: Held<A>) => InformerEvent<A> | undefined
  /** Makes the store hold exactly these objects. Unchanged ones keep their identity and give no event. */
  readonly replace: (objects: ReadonlyArray<Held<A>>) => ReadonlyArray<InformerEvent<A>>
}

const sameVersion = <A>(a: Held<A>, b: Held<A>): boolean => a.version !== "" && a.version === b.version

/** An event whose objects are made for the first one who looks at them: few of those who hear of it do. */
class Change<A> {
  readonly type: InformerEvent<A>["type"]
  readonly #held: Held<A>
  readonly #before: Held<A>
  #object: A | undefined
  #old: A | undefined

  constructor(type: InformerEvent<A>["type"], held: Held<A>, before: Held<A>, object: A | undefined) {
    this.type = type
    this.#held = held
    this.#before = before
    this.#object = object
  }

  get object(): A {
    return this.#object ??= this.#held.object
  }

  get old(): A {
    return this.#old ??= this.#before.object
  }
}

const event = <A>(type: InformerEvent<A>["type"], held: Held<A>, before: Held<A>, object?: A): InformerEvent<A> =>
  new Change(type, held, before, object)

type Values = ReadonlyArray<ReadonlyArray<string>>

interface Stored<A> {
  readonly held: Held<A>
  /** What each indexer has said about it. */
  readonly values: Values
}

const noValues: Values = []

export const make = <A>(indexers: Readonly<Record<string, Indexer<A>>>): IndexedStore<A> => {
  const objects = new Map<string, Stored<A>>()
  const indexes = Object.entries(indexers).map(([name, indexer]) => ({ name, indexer, entries: new Map<string, Set<string>>() }))
  const indexByName = new Map(indexes.map((index) => [index.name, index]))

  const unindex = (key: string, values: Values): void => {
    for (const [at, { entries }] of indexes.entries()) {
      for (const value of values[at] ?? []) {
        const keys = entries.get(value)
        keys?.delete(key)
        if (keys?.size === 0) entries.delete(value)
      }
    }
  }

  /** Gives the object when it had to be looked at. */
  const set = (held: Held<A>, old: Stored<A> | undefined): A | undefined => {
    const { key } = held
    const object = indexes.length === 0 ? undefined : held.object
    // Indexers are the caller's code: if one throws, nothing has changed yet.
    const values = object === undefined ? noValues : indexes.map(({ indexer }) => indexer(object))
    if (old !== undefined) unindex(key, old.values)
    objects.set(key, { held, values })
    for (const [at, { entries }] of indexes.entries()) {
      for (const value of values[at] ?? []) {
        const keys = entries.get(value)
        if (keys === undefined) entries.set(value, new Set([key]))
        else keys.add(key)
      }
    }
    return object
  }

  const put = (held: Held<A>): InformerEvent<A> | undefined => {
    const old = objects.get(held.key)
    if (old !== undefined && sameVersion(old.held, held)) return undefined
    const object = set(held, old)
    return old === undefined ? event("added", held, held, object) : event("updated", held, old.held, object)
  }

  const drop = (key: string, last: Held<A> | undefined): InformerEvent<A> | undefined => {
    const old = objects.get(key)
    if (old === undefined) return undefined
    unindex(key, old.values)
    objects.delete(key)
    const held = last ?? old.held
    return event("deleted", held, held)
  }

  return {
    get: (key) => objects.get(key)?.held.object,
    list: () => Array.from(objects.values(), ({ held }) => held.object),
    keys: () => [...objects.keys()],
    byIndex: (name, value) => {
      const found: Array<A> = []
      for (const key of indexByName.get(name)?.entries.get(value) ?? []) {
        const stored = objects.get(key)
        if (stored !== undefined) found.push(stored.held.object)
      }
      return found
    },
    indexValues: (name) => [...indexByName.get(name)?.entries.keys() ?? []],
    put,
    remove: (held) => drop(held.key, held),
    replace: (next) => {
      const keep = new Set(next.map(({ key }) => key))
      const events: Array<InformerEvent<A>> = []
      const collect = (event: InformerEvent<A> | undefined): void => {
        if (event !== undefined) events.push(event)
      }
      // A DELETED event was missed, so the last state seen is the best there is.
      for (const key of objects.keys()) if (!keep.has(key)) collect(drop(key, undefined))
      for (const held of next) collect(put(held))
      return events
    }
  }
}
