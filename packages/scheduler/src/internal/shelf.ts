/** The objects of one kind by key, by namespace and by what its indexes say. A lister is asked for every pod, so it holds the objects themselves. */
import type { KubeObject } from "@reddwarf/api-types"
import { ObjectRef } from "@reddwarf/client"
import type { Index, Lister } from "../Listers.js"

export interface Shelf<A> extends Lister<A> {
  /** Gives the object that it replaces. */
  readonly put: (object: A) => A | undefined
  readonly remove: (object: A) => void
}

/** Sets of objects by value. */
class Groups<A> {
  readonly #groups = new Map<string, Set<A>>()

  of(value: string): ReadonlyArray<A> {
    const group = this.#groups.get(value)
    return group === undefined ? [] : [...group]
  }

  add(value: string, object: A): void {
    const group = this.#groups.get(value)
    if (group === undefined) this.#groups.set(value, new Set([object]))
    else group.add(object)
  }

  remove(value: string, object: A): void {
    const group = this.#groups.get(value)
    group?.delete(object)
    if (group?.size === 0) this.#groups.delete(value)
  }
}

export const make = <A extends KubeObject.KubeObject>(indexes: ReadonlyArray<Index<A>> = []): Shelf<A> => {
  const all = new Map<string, A>()
  const namespaces = new Groups<A>()
  const indexed = indexes.map((index) => ({ index, groups: new Groups<A>() }))

  const remove = (object: A): A | undefined => {
    const key = ObjectRef.keyOf(object)
    const old = all.get(key)
    if (old === undefined) return undefined
    all.delete(key)
    namespaces.remove(old.metadata.namespace ?? "", old)
    for (const { groups, index } of indexed) for (const value of index.valuesOf(old)) groups.remove(value, old)
    return old
  }

  return {
    get: (key) => all.get(key),
    list: () => [...all.values()],
    inNamespace: (namespace) => namespaces.of(namespace),
    by: (index, value) => indexed.find((each) => each.index.name === index.name)?.groups.of(value) ?? [],
    put: (object) => {
      const old = remove(object)
      all.set(ObjectRef.keyOf(object), object)
      namespaces.add(object.metadata.namespace ?? "", object)
      for (const { groups, index } of indexed) for (const value of index.valuesOf(object)) groups.add(value, object)
      return old
    },
    remove
  }
}
