/** The objects of an informer by key, with inverted indexes. Plain and synchronous: it is on the path of every watch event. */
import type { KubeObject } from "@reddwarf/api-types"
import type { Indexer, InformerEvent } from "../Informer.js"
import * as ObjectRef from "../ObjectRef.js"

export interface IndexedStore<A> {
  readonly get: (key: string) => A | undefined
  readonly list: () => ReadonlyArray<A>
  readonly keys: () => ReadonlyArray<string>
  readonly byIndex: (name: string, value: string) => ReadonlyArray<A>
  /** Stores an object; undefined if this version is stored already. */
  readonly put: (object: A) => InformerEvent<A> | undefined
  /** Removes an object; undefined if there is none. The event carries the state that was deleted. */
  readonly remove: (object: A) => InformerEvent<A> | undefined
  /** Makes the store hold exactly these objects. Unchanged ones keep their identity and give no event. */
  readonly replace: (objects: ReadonlyArray<A>) => ReadonlyArray<InformerEvent<A>>
}

const sameVersion = (a: KubeObject.KubeObject, b: KubeObject.KubeObject): boolean =>
  a.metadata.resourceVersion !== undefined && a.metadata.resourceVersion === b.metadata.resourceVersion &&
  a.metadata.uid === b.metadata.uid

export const make = <A extends KubeObject.KubeObject>(indexers: Readonly<Record<string, Indexer<A>>>): IndexedStore<A> => {
  const objects = new Map<string, A>()
  const indexes = Object.entries(indexers).map(([name, indexer]) => ({ name, indexer, entries: new Map<string, Set<string>>() }))
  const indexByName = new Map(indexes.map((index) => [index.name, index]))

  const unindex = (key: string, object: A): void => {
    for (const { entries, indexer } of indexes) {
      for (const value of indexer(object)) {
        const keys = entries.get(value)
        keys?.delete(key)
        if (keys?.size === 0) entries.delete(value)
      }
    }
  }

  const set = (key: string, object: A, old: A | undefined): void => {
    // Indexers are the caller's code: if one throws, nothing has changed yet.
    const values = indexes.map(({ entries, indexer }) => ({ entries, values: indexer(object) }))
    if (old !== undefined) unindex(key, old)
    objects.set(key, object)
    for (const { entries, values: found } of values) {
      for (const value of found) {
        const keys = entries.get(value)
        if (keys === undefined) entries.set(value, new Set([key]))
        else keys.add(key)
      }
    }
  }

  const put = (object: A): InformerEvent<A> | undefined => {
    const key = ObjectRef.keyOf(object)
    const old = objects.get(key)
    if (old !== undefined && sameVersion(old, object)) return undefined
    set(key, object, old)
    return old === undefined ? { type: "added", object } : { type: "updated", object, old }
  }

  const drop = (key: string, last: A | undefined): InformerEvent<A> | undefined => {
    const old = objects.get(key)
    if (old === undefined) return undefined
    unindex(key, old)
    objects.delete(key)
    return { type: "deleted", object: last ?? old }
  }

  return {
    get: (key) => objects.get(key),
    list: () => [...objects.values()],
    keys: () => [...objects.keys()],
    byIndex: (name, value) => {
      const found: Array<A> = []
      for (const key of indexByName.get(name)?.entries.get(value) ?? []) {
        const object = objects.get(key)
        if (object !== undefined) found.push(object)
      }
      return found
    },
    put,
    remove: (object) => drop(ObjectRef.keyOf(object), object),
    replace: (next) => {
      const keep = new Set(next.map((object) => ObjectRef.keyOf(object)))
      const events: Array<InformerEvent<A>> = []
      const collect = (event: InformerEvent<A> | undefined): void => {
        if (event !== undefined) events.push(event)
      }
      // A DELETED event was missed, so the last state seen is the best there is.
      for (const key of objects.keys()) if (!keep.has(key)) collect(drop(key, undefined))
      for (const object of next) collect(put(object))
      return events
    }
  }
}
