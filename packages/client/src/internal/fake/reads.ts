/** Lists and watches of the fake API. */
import { FieldSelector, Kind, type KubeObject, LabelSelector, Status } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import type { Route } from "./route.js"
import type { Change, Store } from "./store.js"

export type Matches = (object: KubeObject.KubeObject) => boolean

/** The namespace and the selectors of a request as one predicate. */
export const selection = (route: Route): Either.Either<Matches, Status.Status> => {
  const { kind, name, namespace, query } = route
  return Either.mapLeft(
    Either.gen(function*() {
      const labels = yield* LabelSelector.parse(query.get("labelSelector") ?? "")
      const fields = yield* FieldSelector.parse(query.get("fieldSelector") ?? "")
      yield* FieldSelector.checkFields(fields, Kind.fieldNames(kind))
      const matches: Matches = (object) =>
        (namespace === undefined || object.metadata.namespace === namespace) &&
        (name === undefined || object.metadata.name === name) &&
        LabelSelector.matches(labels, object.metadata.labels) &&
        FieldSelector.matches(fields, (field) => Kind.fieldValue(kind, object, field))
      return matches
    }),
    (error) => Status.badRequest(error.message)
  )
}

interface Token {
  readonly revision: number
  readonly offset: number
}

const parseToken = (text: string): Token | undefined => {
  const match = /^(\d+)-(\d+)$/.exec(text)
  return match === null ? undefined : { revision: Number(match[1]), offset: Number(match[2]) }
}

/** A list body. Further pages come from the state that the first one saw; after a compaction that state is gone (410). */
export const list = (store: Store, route: Route): Either.Either<unknown, Status.Status> =>
  Either.flatMap(selection(route), (matches): Either.Either<unknown, Status.Status> => {
    const { kind, namespace, query } = route
    const text = query.get("continue")
    const token = text === null ? { revision: store.revision(), offset: 0 } : parseToken(text)
    if (token === undefined) return Either.left(Status.badRequest("invalid continue token"))
    if (token.revision < store.compactedRevision()) {
      return Either.left(Status.expired("The provided continue parameter is too old to display a consistent list result."))
    }
    const all = stateAt(store, kind, namespace, token.revision).filter(matches)
    const limit = Number(query.get("limit") ?? 0)
    const end = limit > 0 ? token.offset + limit : all.length
    return Either.right({
      kind: kind.listKind,
      apiVersion: Kind.apiVersion(kind),
      metadata: {
        resourceVersion: String(token.revision),
        ...(end < all.length ? { continue: `${token.revision}-${end}`, remainingItemCount: all.length - end } : {})
      },
      items: all.slice(token.offset, end).map(({ apiVersion: _, kind: __, ...item }) => item)
    })
  })

/** The objects as they were at a revision: the current ones with later changes undone. */
const stateAt = (store: Store, kind: Kind.Kind, namespace: string | undefined, revision: number): ReadonlyArray<KubeObject.KubeObject> => {
  const changes = store.since(revision).filter((change) => change.kind === kind)
  if (changes.length === 0) return store.list(kind, namespace)
  const id = (object: KubeObject.KubeObject) => `${object.metadata.namespace ?? ""}/${object.metadata.name ?? ""}`
  const state = new Map(store.list(kind, namespace).map((object) => [id(object), object]))
  for (const change of changes.toReversed()) {
    if (change.old === undefined) state.delete(id(change.object))
    else state.set(id(change.old), change.old)
  }
  return [...state].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object)
}

const line = (type: string, object: unknown): Uint8Array => Buffer.from(`${JSON.stringify({ type, object })}\n`)

/** The event that a watcher with this selection gets for a change, if any. */
export const eventFor = (kind: Kind.Kind, matches: Matches, change: Change): Uint8Array | undefined => {
  if (change.kind !== kind) return undefined
  const before = change.old !== undefined && matches(change.old)
  const after = change.type !== "DELETED" && matches(change.object)
  if (after) return line(before ? "MODIFIED" : "ADDED", change.object)
  if (!before) return undefined
  // An object that stops matching is reported with its last matching content and the version of the change.
  const { resourceVersion = "" } = change.object.metadata
  return change.type === "DELETED" || change.old === undefined
    ? line("DELETED", change.object)
    : line("DELETED", { ...change.old, metadata: { ...change.old.metadata, resourceVersion } })
}

export const added = (object: KubeObject.KubeObject): Uint8Array => line("ADDED", object)

export const bookmark = (kind: Kind.Kind, revision: number): Uint8Array =>
  line("BOOKMARK", { kind: kind.kind, apiVersion: Kind.apiVersion(kind), metadata: { resourceVersion: String(revision) } })

export const error = (status: Status.Status): Uint8Array => line("ERROR", status)
