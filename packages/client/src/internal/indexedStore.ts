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
  /** The same one by one: an object is decoded when its turn has come. */
  readonly values: () => Iterable<A>
  readonly keys: () => ReadonlyArray<string>
  readonly byIndex: (name: string, value: string) => ReadonlyArray<A>
  readonly indexValues: (name: string) => ReadonlyArray<string>
  /** Stores an object; undefined if this version is stored already. */
  readonly put: (held: Held<A>) => InformerEvent<A> | undefined
  /** Removes an object; undefined if there is none. The event carries the state that was deleted. */
  readonly remove: (held: Held<A>) => InformerEvent<A> | undefined
  /** Removes all but these. */
  readonly retain: (objects: ReadonlyArray<Held<A>>) => ReadonlyArray<InformerEvent<A>>
  /** Makes the store hold exactly these objects. Unchanged ones keep their identity and give no event. */
  readonly replace: (objects: ReadonlyArray<Held<A>>) => ReadonlyArray<InformerEvent<A>>
}

const sameVersion = <A>(a: Held<A>, b: Held<A>): boolean => a.version !== "" && a.version === b.version

/** An event whose objects are made for the first one who looks at them: few of those who hear of it do. */
class Change<A, T extends InformerEvent<A>["type"]> {
  readonly type: T
  /** Of a deletion: whether the server reported it. */
  readonly told: boolean
  readonly #held: Held<A>
  readonly #before: Held<A>
  #object: A | undefined
  #old: A | undefined

  constructor(type: T, held: Held<A>, before: Held<A>, object: A | undefined, told: boolean) {
    this.type = type
    this.told = told
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

const added = <A>(held: Held<A>, object: A | undefined): InformerEvent<A> => new Change("added", held, held, object, true)

const updated = <A>(held: Held<A>, before: Held<A>, object: A | undefined): InformerEvent<A> => new Change("updated", held, before, object, true)

const deleted = <A>(held: Held<A>, told: boolean): InformerEvent<A> => new Change("deleted", held, held, undefined, told)

type Values = ReadonlyArray<ReadonlyArray<string>>

interface Stored<A> {
  readonly held: Held<A>
  /** What each indexer has said about it. */
  readonly values: Values
}

const noValues: Values = []
const none: ReadonlyArray<string> = []

const same = <T>(a: ReadonlyArray<T>, b: ReadonlyArray<T> | undefined): b is ReadonlyArray<T> =>
  a.length === b?.length && a.every((value, at) => value === b[at])

const areSame = (a: Values, b: Values): boolean => a === b || a.every((value, at) => same(value, b[at]))

/** What stands under one value of an index. */
interface Keys {
  /** The value alone: that is all that most objects have, and they share it. */
  readonly alone: ReadonlyArray<string>
  readonly keys: Set<string>
}

export const make = <A>(indexers: Readonly<Record<string, Indexer<A>>>): IndexedStore<A> => {
  const objects = new Map<string, Stored<A>>()
  const indexes = Object.entries(indexers).map(([name, indexer]) => ({ name, indexer, entries: new Map<string, Keys>() }))
  const indexByName = new Map(indexes.map((index) => [index.name, index]))
  // Neighbours have much in common, and a hundred thousand objects with arrays of their own take tens of megabytes.
  let lastValues: Values = noValues

  /** What the indexers say about an object, in as few arrays as possible. */
  const valuesOf = (object: A): Values => {
    const values = indexes.map(({ entries, indexer }) => {
      const found = indexer(object)
      if (found.length === 0) return none
      const [value = ""] = found
      return found.length === 1 ? entries.get(value)?.alone ?? found : found
    })
    if (!same(values, lastValues)) lastValues = values
    return lastValues
  }

  const unindex = (key: string, values: Values): void => {
    for (let at = 0; at < indexes.length; at++) {
      const entries = indexes[at]?.entries
      for (const value of values[at] ?? []) {
        const keys = entries?.get(value)?.keys
        keys?.delete(key)
        if (keys?.size === 0) entries?.delete(value)
      }
    }
  }

  /** Gives the object when it had to be looked at. */
  const set = (held: Held<A>, old: Stored<A> | undefined): A | undefined => {
    const { key } = held
    const object = indexes.length === 0 ? undefined : held.object
    // Indexers are the caller's code: if one throws, nothing has changed yet.
    const values = object === undefined ? noValues : valuesOf(object)
    // Most changes leave an object where it is in all indexes.
    if (old !== undefined && areSame(values, old.values)) {
      objects.set(key, { held, values: old.values })
      return object
    }
    if (old !== undefined) unindex(key, old.values)
    objects.set(key, { held, values })
    for (let at = 0; at < indexes.length; at++) {
      const entries = indexes[at]?.entries
      if (entries === undefined) continue
      for (const value of values[at] ?? []) {
        const found = entries.get(value)
        if (found === undefined) entries.set(value, { alone: [value], keys: new Set([key]) })
        else found.keys.add(key)
      }
    }
    return object
  }

  const put = (held: Held<A>): InformerEvent<A> | undefined => {
    const old = objects.get(held.key)
    if (old !== undefined && sameVersion(old.held, held)) return undefined
    const object = set(held, old)
    return old === undefined ? added(held, object) : updated(held, old.held, object)
  }

  const drop = (key: string, last: Held<A> | undefined): InformerEvent<A> | undefined => {
    const old = objects.get(key)
    if (old === undefined) return undefined
    unindex(key, old.values)
    objects.delete(key)
    return deleted(last ?? old.held, last !== undefined)
  }

  const retain = (next: ReadonlyArray<Held<A>>): ReadonlyArray<InformerEvent<A>> => {
    const keep = new Set(next.map(({ key }) => key))
    const events: Array<InformerEvent<A>> = []
    for (const key of objects.keys()) {
      // A DELETED event was missed, so the last state seen is the best there is.
      const event = keep.has(key) ? undefined : drop(key, undefined)
      if (event !== undefined) events.push(event)
    }
    return events
  }

  return {
    get: (key) => objects.get(key)?.held.object,
    list: () => Array.from(objects.values(), ({ held }) => held.object),
    *values() {
      for (const { held } of objects.values()) yield held.object
    },
    keys: () => [...objects.keys()],
    byIndex: (name, value) => {
      const found: Array<A> = []
      for (const key of indexByName.get(name)?.entries.get(value)?.keys ?? []) {
        const stored = objects.get(key)
        if (stored !== undefined) found.push(stored.held.object)
      }
      return found
    },
    indexValues: (name) => [...indexByName.get(name)?.entries.keys() ?? []],
    put,
    remove: (held) => drop(held.key, held),
    retain,
    replace: (next) => {
      const events = [...retain(next)]
      for (const held of next) {
        const event = put(held)
        if (event !== undefined) events.push(event)
      }
      return events
    }
  }
}
