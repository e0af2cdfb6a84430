/** Writes the slices of one owner: a service, or Endpoints that somebody writes by hand. */
import { isDeepStrictEqual } from "node:util"
import { type DiscoveryV1, Kinds, type MetaV1 } from "@reddwarf/api-types"
import { type ApiClient, ClientError, type Informer, ObjectRef } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as newest from "./newest.js"
import * as packing from "./slicePacking.js"
import type { Group } from "./serviceEndpoints.js"

/** The service whose slice it is. */
export const serviceLabel = "kubernetes.io/service-name"
/** Who writes the slice. */
export const managedByLabel = "endpointslice.kubernetes.io/managed-by"

/** Endpoints of one slice at most. */
const limit = 100

export interface Owner {
  readonly namespace: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly reference: MetaV1.OwnerReference
}

export interface SliceWriter {
  readonly write: (owner: Owner, groups: ReadonlyArray<Group>, slices: ReadonlyArray<DiscoveryV1.EndpointSlice>) => Effect.Effect<void, ClientError.ClientError>
}

const revision = (text: string | undefined): bigint => BigInt(text === undefined || text === "" ? "0" : text)

/** Follows the informer of the slices as long as the scope. */
export const make = Effect.fnUntraced(function*(
  client: ApiClient.Service,
  informer: Informer.Informer<DiscoveryV1.EndpointSlice>
): Effect.fn.Return<SliceWriter, never, Scope.Scope> {
  const latest = newest.make<DiscoveryV1.EndpointSlice>()
  /** Slices that were made and that the informer has not shown yet, by the uid of their owner. */
  const made = new Map<string, ReadonlyArray<DiscoveryV1.EndpointSlice>>()
  /** Keys of slices that were deleted and that the informer may still show, by their uid. */
  const removed = new Map<string, string>()
  const unsubscribe = informer.onChange(({ object, type }) => {
    if (type === "deleted") latest.forget(ObjectRef.keyOf(object))
  }, { existing: false })
  yield* Effect.addFinalizer(() => Effect.sync(unsubscribe))

  /** Forgets what the informer has caught up with: what it does not show by then was deleted by somebody else. */
  const catchUp = (): void => {
    const shown = revision(informer.resourceVersion())
    for (const [owner, slices] of made) {
      const unseen = slices.filter(({ metadata }) => revision(metadata.resourceVersion) > shown)
      if (unseen.length === 0) made.delete(owner)
      else made.set(owner, unseen)
    }
    for (const [uid, key] of removed) if (informer.get(key)?.metadata.uid !== uid) removed.delete(uid)
  }

  const create = (owner: Owner, { addressType, endpoints, ports }: Group) =>
    client.create(Kinds.endpointSlice, {
      metadata: { generateName: `${owner.name}-`, namespace: owner.namespace, labels: owner.labels, ownerReferences: [owner.reference] },
      addressType,
      endpoints,
      ports
    }).pipe(
      // At once: when the next one is refused, this one is there all the same.
      Effect.map((slice) => void made.set(owner.reference.uid, [...made.get(owner.reference.uid) ?? [], slice]))
    )

  const update = (owner: Owner, slice: DiscoveryV1.EndpointSlice) =>
    Effect.map(
      client.update(Kinds.endpointSlice, { ...slice, metadata: { ...slice.metadata, labels: owner.labels } }),
      (stored) => latest.wrote(ObjectRef.keyOf(stored), stored)
    )

  const remove = (slice: DiscoveryV1.EndpointSlice) =>
    client.delete(Kinds.endpointSlice, ObjectRef.of(slice), { preconditions: { uid: slice.metadata.uid } }).pipe(
      Effect.catchIf(ClientError.isNotFound, () => Effect.void),
      Effect.zipRight(Effect.sync(() => removed.set(slice.metadata.uid ?? "", ObjectRef.keyOf(slice))))
    )

  return {
    write: Effect.fnUntraced(function*(owner, groups, shown): Effect.fn.Return<void, ClientError.ClientError> {
      catchUp()
      const unseen = (made.get(owner.reference.uid) ?? []).filter((slice) => informer.get(ObjectRef.keyOf(slice)) === undefined)
      const known = [...shown, ...unseen]
        .filter(({ metadata }) => metadata.deletionTimestamp === undefined && !removed.has(metadata.uid ?? ""))
        // Those of an earlier owner of this name go with it.
        .filter(({ metadata }) => metadata.ownerReferences?.every(({ uid }) => uid === owner.reference.uid) !== false)
        .map((slice) => latest.of(ObjectRef.keyOf(slice), slice) ?? slice)
      const packed = packing.pack(groups, known, limit)
      const changed = new Set([...packed.update, ...packed.remove].map(({ metadata }) => metadata.uid))
      const relabelled = known.filter(({ metadata }) => !changed.has(metadata.uid) && !isDeepStrictEqual(metadata.labels ?? {}, owner.labels))
      yield* Effect.forEach(packed.create, (group) => create(owner, group), { discard: true })
      yield* Effect.forEach([...packed.update, ...relabelled], (slice) => update(owner, slice), { discard: true })
      yield* Effect.forEach(packed.remove, remove, { discard: true })
    })
  }
})
