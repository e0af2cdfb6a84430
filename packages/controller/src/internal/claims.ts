/** Which objects belong to a controller: those it owns and selects. Takes in what nobody owns, and lets go what it no longer selects. */
import { type Kind, type KubeObject, LabelSelector, type MetaV1, OwnerReference } from "@reddwarf/api-types"
import { type ApiClient, ClientError, type Informer, ObjectRef } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"

/** Objects that can be claimed: an informer whose indexes are `indexers`. */
export interface Children<C extends KubeObject.KubeObject> {
  readonly kind: Kind.Kind<C>
  readonly informer: Informer.Informer<C>
}

/** Indexes by the uid of the controller (`controller`), and by namespace for what has none (`uncontrolled`). */
export const indexers = {
  controller: (object: KubeObject.KubeObject): ReadonlyArray<string> => {
    const owner = OwnerReference.controller(object)
    return owner === undefined ? [] : [owner.uid]
  },
  uncontrolled: (object: KubeObject.KubeObject): ReadonlyArray<string> =>
    OwnerReference.controller(object) === undefined ? [object.metadata.namespace ?? ""] : []
}

/** A label selector as specs hold it; one that cannot be read selects nothing. */
export const selector = (object: MetaV1.LabelSelector | undefined): LabelSelector.LabelSelector =>
  Either.getOrElse(LabelSelector.fromObject(object), () => LabelSelector.nothing)

export const uidOf = (object: KubeObject.KubeObject): string => object.metadata.uid ?? ""

const isLeaving = (object: KubeObject.KubeObject): boolean => object.metadata.deletionTimestamp !== undefined

export interface Claim<A extends KubeObject.KubeObject, C extends KubeObject.KubeObject> {
  readonly ownerKind: Kind.Kind<A>
  readonly owner: A
  readonly children: Children<C>
  readonly matches: (child: C) => boolean
  /** Whether a child that matches and that nobody owns may be taken in; all that are not being deleted unless given. */
  readonly isAdoptable?: (child: C) => boolean
}

const references = (client: ApiClient.Service, kind: Kind.Kind, child: KubeObject.KubeObject, owners: ReadonlyArray<MetaV1.OwnerReference>) => {
  const { resourceVersion, uid } = child.metadata
  return client.patch(kind, ObjectRef.of(child), { metadata: { uid, resourceVersion, ownerReferences: owners.length === 0 ? null : owners } })
}

const release = (client: ApiClient.Service, kind: Kind.Kind, owner: KubeObject.KubeObject, child: KubeObject.KubeObject) =>
  Effect.asVoid(references(client, kind, child, (child.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== uidOf(owner)))).pipe(
    Effect.catchIf(ClientError.isNotFound, () => Effect.void)
  )

/** The children of an owner, after taking in and letting go. */
export const claim = Effect.fnUntraced(function*<A extends KubeObject.KubeObject, C extends KubeObject.KubeObject>(
  client: ApiClient.Service,
  { children, isAdoptable, matches, owner, ownerKind }: Claim<A, C>
): Effect.fn.Return<ReadonlyArray<C>, ClientError.ClientError> {
  const { informer, kind } = children
  const own = informer.byIndex("controller", uidOf(owner))
  const kept = own.filter(matches)
  if (isLeaving(owner)) return kept
  yield* Effect.forEach(own.filter((child) => !matches(child) && !isLeaving(child)), (child) => release(client, kind, owner, child), { discard: true })
  const free = informer.byIndex("uncontrolled", owner.metadata.namespace ?? "")
    .filter((child) => matches(child) && !isLeaving(child) && isAdoptable?.(child) !== false)
  if (free.length === 0) return kept
  // An owner that was deleted and made again, or is being deleted, must not take anything in.
  const live = yield* client.get(ownerKind, ObjectRef.of(owner))
  if (uidOf(live) !== uidOf(owner) || isLeaving(live)) return kept
  const adopted = yield* Effect.forEach(free, (child) =>
    client.patch(kind, ObjectRef.of(child), {
      metadata: {
        uid: uidOf(child),
        resourceVersion: child.metadata.resourceVersion,
        ownerReferences: [...(child.metadata.ownerReferences ?? []), OwnerReference.controllerOf(ownerKind, owner)]
      }
    }).pipe(
      Effect.map((found): ReadonlyArray<C> => [found]),
      Effect.catchIf(ClientError.isNotFound, () => Effect.succeed([]))
    ))
  return [...kept, ...adopted.flat()]
})
