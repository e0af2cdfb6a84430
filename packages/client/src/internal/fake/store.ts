/** Objects with one revision counter, a bounded history and subscribers: the state of the fake API. */
import type { Kind, KubeObject } from "@reddwarf/api-types"
import * as ObjectRef from "../../ObjectRef.js"

export interface Change {
  readonly revision: number
  readonly type: "ADDED" | "MODIFIED" | "DELETED"
  readonly kind: Kind.Kind
  readonly object: KubeObject.KubeObject
  /** The state before; undefined for ADDED. */
  readonly old: KubeObject.KubeObject | undefined
}

export interface Store {
  readonly revision: () => number
  /** Changes up to this revision are forgotten. */
  readonly compactedRevision: () => number
  readonly get: (kind: Kind.Kind, ref: ObjectRef.ObjectRef) => KubeObject.KubeObject | undefined
  /** Objects in the order of their keys. */
  readonly list: (kind: Kind.Kind, namespace: string | undefined) => ReadonlyArray<KubeObject.KubeObject>
  /** Writes a new state and publishes it; gives the object with its resource version. */
  readonly put: (kind: Kind.Kind, object: KubeObject.KubeObject) => KubeObject.KubeObject
  /** Removes an object; gives its last state with the resource version of the deletion. */
  readonly remove: (kind: Kind.Kind, object: KubeObject.KubeObject) => KubeObject.KubeObject
  readonly since: (revision: number) => ReadonlyArray<Change>
  readonly subscribe: (subscriber: (change: Change) => void) => () => void
  readonly compact: () => void
}

export const make = (historyLimit: number): Store => {
  const objects = new Map<Kind.Kind, Map<string, KubeObject.KubeObject>>()
  const subscribers = new Set<(change: Change) => void>()
  let history: Array<Change> = []
  let revision = 1
  let compacted = 1

  const table = (kind: Kind.Kind): Map<string, KubeObject.KubeObject> => {
    const found = objects.get(kind)
    if (found !== undefined) return found
    const created = new Map<string, KubeObject.KubeObject>()
    objects.set(kind, created)
    return created
  }

  const publish = (change: Change): void => {
    history.push(change)
    if (history.length > 2 * historyLimit) {
      history = history.slice(-historyLimit)
      compacted = (history[0]?.revision ?? revision) - 1
    }
    for (const subscriber of subscribers) subscriber(change)
  }

  const stamp = (object: KubeObject.KubeObject): KubeObject.KubeObject => {
    revision++
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } }
  }

  return {
    revision: () => revision,
    compactedRevision: () => compacted,
    get: (kind, ref) => objects.get(kind)?.get(ObjectRef.key(ref)),
    list: (kind, namespace) =>
      [...(objects.get(kind) ?? [])]
        .filter(([, object]) => namespace === undefined || object.metadata.namespace === namespace)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, object]) => object),
    put: (kind, object) => {
      const key = ObjectRef.keyOf(object)
      const old = table(kind).get(key)
      const stamped = stamp(object)
      table(kind).set(key, stamped)
      publish({ revision, type: old === undefined ? "ADDED" : "MODIFIED", kind, object: stamped, old })
      return stamped
    },
    remove: (kind, object) => {
      const key = ObjectRef.keyOf(object)
      const old = table(kind).get(key)
      const stamped = stamp(object)
      table(kind).delete(key)
      publish({ revision, type: "DELETED", kind, object: stamped, old })
      return stamped
    },
    since: (from) => history.filter((change) => change.revision > from),
    subscribe: (subscriber) => {
      subscribers.add(subscriber)
      return () => void subscribers.delete(subscriber)
    },
    compact: () => {
      history = []
      compacted = revision
    }
  }
}
