/** Writes the slices of one owner: a service, or Endpoints that somebody writes by hand. */
import { isDeepStrictEqual } from "node:util"
import { type DiscoveryV1, Kinds, type MetaV1 } from "@reddwarf/api-types"
import { type ApiClient, ClientError, ObjectRef } from "@reddwarf/client"
import * as Effect from "effect/Effect"
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

/** `isShown` tells whether the informer has a slice. */
export const make = (client: ApiClient.Service, find: (key: string) => DiscoveryV1.EndpointSlice | undefined): SliceWriter => {
  const latest = newest.make<DiscoveryV1.EndpointSlice>()
  /** Slices that were made and that the informer has not shown yet, by the key of their owner. */
  const made = new Map<string, ReadonlyArray<DiscoveryV1.EndpointSlice>>()
  const removed = new Set<string>()

  const note = (slice: DiscoveryV1.EndpointSlice) => Effect.sync(() => latest.wrote(ObjectRef.keyOf(slice), slice))

  const create = (owner: Owner, { addressType, endpoints, ports }: Group) =>
    client.create(Kinds.endpointSlice, {
      metadata: { generateName: `${owner.name}-`, namespace: owner.namespace, labels: owner.labels, ownerReferences: [owner.reference] },
      addressType,
      endpoints,
      ports
    })

  return {
    write: (owner, groups, shown) =>
      Effect.gen(function*() {
        const key = owner.reference.uid
        const unseen = (made.get(key) ?? []).filter((slice) => find(ObjectRef.keyOf(slice)) === undefined)
        const known = [...shown, ...unseen]
          .filter(({ metadata }) => metadata.deletionTimestamp === undefined && !removed.has(metadata.uid ?? ""))
          .map((slice) => latest.of(ObjectRef.keyOf(slice), slice) ?? slice)
        for (const uid of removed) if (!shown.some(({ metadata }) => metadata.uid === uid)) removed.delete(uid)
        const { create: missing, remove, update } = packing.pack(groups, known, limit)
        const changed = new Set(update.map(({ metadata }) => metadata.uid))
        const going = new Set(remove.map(({ metadata }) => metadata.uid))
        const relabelled = known.filter(({ metadata }) =>
          !changed.has(metadata.uid) && !going.has(metadata.uid) && !isDeepStrictEqual(metadata.labels ?? {}, owner.labels))
        const created = yield* Effect.forEach(missing, (group) => create(owner, group))
        made.set(key, [...unseen, ...created])
        if (made.get(key)?.length === 0) made.delete(key)
        yield* Effect.forEach([...update, ...relabelled], (slice) =>
          Effect.flatMap(client.update(Kinds.endpointSlice, { ...slice, metadata: { ...slice.metadata, labels: owner.labels } }), note), { discard: true })
        yield* Effect.forEach(remove, (slice) =>
          client.delete(Kinds.endpointSlice, ObjectRef.of(slice), { preconditions: { uid: slice.metadata.uid } }).pipe(
            Effect.catchIf(ClientError.isNotFound, () => Effect.void),
            Effect.zipRight(Effect.sync(() => removed.add(slice.metadata.uid ?? "")))
          ), { discard: true })
      })
  }
}
