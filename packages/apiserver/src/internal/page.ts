/** Which objects a list request gets: from the cache, or from a past state in the store. */
import { Kinds, type Status } from "@reddwarf/api-types"
import { Key, type ObjectStore } from "@reddwarf/store"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { objectOf, type ResourceRequest } from "./apiContext.js"
import * as continueToken from "./continueToken.js"
import * as failures from "./failures.js"
import { keyOf, prefixOf } from "./keys.js"
import type { ListOptions } from "./listOptions.js"
import * as nodeIndex from "./nodeIndex.js"
import type { Selection } from "./selection.js"

/** One listed object. */
export interface Item {
  readonly key: string
  readonly revision: number
  readonly bytes: Uint8Array
  readonly object: unknown
}

/** One page of a list. */
export interface Page {
  readonly items: ReadonlyArray<Item>
  /** Undefined for objects that are not stored. */
  readonly revision: number | undefined
  /** Token for the next page. */
  readonly next: string | undefined
  /** How many objects follow; undefined when that is not known. */
  readonly remaining: number | undefined
}

const decoder = new TextDecoder()

const fromVersion = (version: ObjectStore.Version): Item => {
  const { bytes, key } = version
  return {
    key,
    revision: version.revision,
    bytes,
    // Not kept: a long list would hold every object next to its bytes.
    get object() {
      return JSON.parse(decoder.decode(bytes))
    }
  }
}

const candidates = ({ context, info, kind }: ResourceRequest, selection: Selection): ReadonlyArray<Item> => {
  const name = selection.exact("metadata.name")
  const namespace = info.namespace ?? selection.exact("metadata.namespace")
  if (name !== undefined && (!kind.namespaced || namespace !== undefined)) {
    const entry = context.cache.get(keyOf(kind, namespace, name))
    return entry === undefined ? [] : [entry]
  }
  const node = kind === Kinds.pod ? selection.exact(nodeIndex.field) : undefined
  if (node === undefined) return context.cache.list(prefixOf(kind, namespace))
  const prefix = prefixOf(kind, namespace)
  return context.podsByNode.keysOf(node).flatMap((key) => {
    const entry = key.startsWith(prefix) ? context.cache.get(key) : undefined
    return entry === undefined ? [] : [entry]
  })
}

const firstAfter = (items: ReadonlyArray<Item>, key: string): number => {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (Key.compare(items[middle]?.key ?? "", key) <= 0) low = middle + 1
    else high = middle
  }
  return low
}

/** The first `limit` items that are selected, and one more if there is one: no more than these are looked into. */
const firstSelected = (items: ReadonlyArray<Item>, selection: Selection, limit: number): ReadonlyArray<Item> => {
  const found: Array<Item> = []
  for (const item of items) {
    if (found.length > limit) break
    if (selection.matches(objectOf(item))) found.push(item)
  }
  return found
}

/** Everything that is selected in the current state. Objects are looked into while the result is walked through, in that very state. */
export const walk = (call: ResourceRequest, selection: Selection): { readonly items: Iterable<Item>; readonly revision: number } => {
  const all = candidates(call, selection)
  const revision = call.context.cache.revision()
  if (selection.everything) return { items: all, revision }
  const items = function*() {
    for (const item of all) if (selection.matches(objectOf(item))) yield item
  }
  return { items: { [Symbol.iterator]: items }, revision }
}

/** A page of the current state, after the given key. Plain function: no effect on the way of an ordinary list. */
export const current = (
  call: ResourceRequest,
  selection: Selection,
  limit: number,
  after: string | undefined
): Page => {
  const { context, kind } = call
  const all = candidates(call, selection)
  const rest = after === undefined ? all : all.slice(firstAfter(all, after))
  const selected = selection.everything ? rest : firstSelected(rest, selection, limit === 0 ? Infinity : limit)
  const revision = context.cache.revision()
  if (limit === 0 || selected.length <= limit) return { items: selected, revision, next: undefined, remaining: undefined }
  const items = selected.slice(0, limit)
  const last = items.at(-1)?.key ?? ""
  return {
    items,
    revision,
    next: continueToken.encode({ revision, after: last.slice(prefixOf(kind, undefined).length) }),
    remaining: selection.everything ? selected.length - limit : undefined
  }
}

/** A page of the state at `revision`. `tooOld` is the answer when that state is no longer kept. */
export const past = (
  call: ResourceRequest,
  selection: Selection,
  limit: number,
  revision: number,
  after: string | undefined,
  tooOld: () => Status.Status
): Effect.Effect<Page, Status.Status> =>
  Effect.gen(function*() {
    const { context, info, kind } = call
    const prefix = prefixOf(kind, info.namespace)
    const items: Array<Item> = []
    let startAfter = after
    while (true) {
      const wanted = limit === 0 ? undefined : selection.everything ? limit : Math.max(limit, 500)
      const page = yield* context.store.range({
        prefix,
        revision,
        ...(startAfter === undefined ? {} : { startAfter }),
        ...(wanted === undefined ? {} : { limit: wanted })
      })
      for (const [index, version] of page.items.entries()) {
        const item = fromVersion(version)
        startAfter = version.key
        if (!selection.everything && !selection.matches(objectOf(item))) continue
        items.push(item)
        const left = page.items.length - index - 1 + page.remaining
        if (limit > 0 && items.length === limit && left > 0) {
          return {
            items,
            revision,
            next: continueToken.encode({ revision, after: version.key.slice(prefixOf(kind, undefined).length) }),
            remaining: selection.everything ? left : undefined
          }
        }
      }
      if (!page.more || page.items.length === 0) return { items, revision, next: undefined, remaining: undefined }
    }
  }).pipe(Effect.catchTags({
    Compacted: () => Effect.fail(tooOld()),
    FutureRevision: ({ current: newest, requested }) =>
      Effect.fail(failures.ofFuture({ requested, current: newest })),
    StoreError: (error) => Effect.fail(failures.ofStore(error))
  }))

/** The page that a continue token asks for. */
export const continued = (
  call: ResourceRequest,
  selection: Selection,
  options: ListOptions,
  token: string
): Page | Effect.Effect<Page, Status.Status> => {
  const position = continueToken.decode(token)
  if (Either.isLeft(position)) return Effect.fail(position.left)
  const { after, revision } = position.right
  const key = `${prefixOf(call.kind, undefined)}${after}`
  if (revision === undefined || revision === call.context.cache.revision()) {
    return current(call, selection, options.limit, key)
  }
  return past(call, selection, options.limit, revision, key, () =>
    failures.continueTooOld(continueToken.encode({ revision: undefined, after })))
}
