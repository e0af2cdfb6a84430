/** Local copies of what plugins look up, and what changes of it mean for waiting pods. */
import { type Kind, Kinds, type KubeObject } from "@reddwarf/api-types"
import { type ApiClient, Informer } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import { isDeepStrictEqual } from "node:util"
import type * as Scope from "effect/Scope"
import type { Change, ClusterEvent, Subjects } from "../ClusterEvent.js"
import * as Listers from "../Listers.js"
import * as Shelf from "./shelf.js"

type Objects = { readonly [N in Listers.Name]: Listers.Listers[N] extends Listers.Lister<infer A> ? A : never }

/** What an addition, an update and a deletion of a kind are called; `undefined` for what helps no pod. */
interface Meaning<A> {
  readonly added?: (object: A) => Change
  readonly updated?: (old: A, next: A) => Change | undefined
  readonly deleted?: (object: A) => Change
}

interface Watched<A extends KubeObject.KubeObject> {
  readonly kind: Kind.Kind<A>
  readonly meaning: Meaning<A>
  readonly indexes?: ReadonlyArray<Listers.Index<A>>
}

const added = <E extends ClusterEvent>(event: E) => (next: Subjects[E]): Change => ({ event, old: undefined, next })
const updated = <E extends ClusterEvent>(event: E) => (old: Subjects[E], next: Subjects[E]): Change => ({ event, old, next })
const deleted = <E extends ClusterEvent>(event: E) => (old: Subjects[E]): Change => ({ event, old, next: undefined })

const kinds: { readonly [N in Listers.Name]: Objects[N] extends KubeObject.KubeObject ? Watched<Objects[N]> : never } = {
  namespaces: {
    kind: Kinds.namespace,
    meaning: {
      added: added("NamespaceAdd"),
      updated: (old, next) => isDeepStrictEqual(old.metadata.labels, next.metadata.labels) ? undefined : updated("NamespaceUpdateLabels")(old, next)
    }
  },
  persistentVolumes: {
    kind: Kinds.persistentVolume,
    meaning: { added: added("PersistentVolumeAdd"), updated: updated("PersistentVolumeUpdate"), deleted: deleted("PersistentVolumeDelete") },
    indexes: Listers.persistentVolumeIndexes
  },
  persistentVolumeClaims: {
    kind: Kinds.persistentVolumeClaim,
    meaning: {
      added: added("PersistentVolumeClaimAdd"),
      updated: updated("PersistentVolumeClaimUpdate"),
      deleted: deleted("PersistentVolumeClaimDelete")
    }
  },
  storageClasses: {
    kind: Kinds.storageClass,
    meaning: { added: added("StorageClassAdd"), updated: updated("StorageClassUpdate"), deleted: deleted("StorageClassDelete") }
  },
  csiNodes: { kind: Kinds.csiNode, meaning: { added: added("CSINodeAdd"), updated: updated("CSINodeUpdate") } },
  volumeAttachments: {
    kind: Kinds.volumeAttachment,
    meaning: { deleted: deleted("VolumeAttachmentDelete") },
    indexes: Listers.volumeAttachmentIndexes
  },
  services: {
    kind: Kinds.service,
    meaning: { added: added("ServiceAdd"), updated: updated("ServiceUpdate"), deleted: deleted("ServiceDelete") }
  },
  podDisruptionBudgets: { kind: Kinds.podDisruptionBudget, meaning: {} },
  priorityClasses: { kind: Kinds.priorityClass, meaning: {} },
  replicationControllers: { kind: Kinds.replicationController, meaning: {} },
  replicaSets: { kind: Kinds.replicaSet, meaning: {} },
  statefulSets: { kind: Kinds.statefulSet, meaning: {} }
}

const withoutManagedFields = <A extends KubeObject.KubeObject>(object: A): A => {
  if (object.metadata.managedFields === undefined) return object
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

export interface ListerFeed {
  readonly listers: Listers.Listers
  readonly hasSynced: Effect.Effect<void>
  /** Plural names of what is not known yet. */
  readonly missing: () => ReadonlyArray<string>
}

/** Watches the kinds of these names as long as the scope; the other listers are empty. */
export const make = Effect.fnUntraced(function*(
  names: ReadonlySet<Listers.Name>,
  notify: (change: Change) => void
): Effect.fn.Return<ListerFeed, never, ApiClient.ApiClient | Scope.Scope> {
  const watched: Array<{ readonly plural: string; readonly hasSynced: Effect.Effect<void>; readonly isSynced: () => boolean }> = []
  const watch = <A extends KubeObject.KubeObject>({ indexes, kind, meaning }: Watched<A>): Effect.Effect<Listers.Lister<A>, never, ApiClient.ApiClient | Scope.Scope> =>
    Effect.map(Informer.make<A>({ kind, transform: withoutManagedFields }), (informer) => {
      const objects = Shelf.make<A>(indexes)
      const tell = (change: Change | undefined): void => {
        if (change !== undefined) notify(change)
      }
      informer.onChange((event) => {
        const { object } = event
        if (event.type === "deleted") {
          objects.remove(object)
          return tell(meaning.deleted?.(object))
        }
        const old = objects.put(object)
        tell(old === undefined ? meaning.added?.(object) : meaning.updated?.(old, object))
      })
      watched.push({ plural: kind.plural, hasSynced: informer.hasSynced, isSynced: informer.isSynced })
      return objects
    })
  const of = <A extends KubeObject.KubeObject>(name: Listers.Name, watched: Watched<A>, otherwise: Listers.Lister<A>) =>
    names.has(name) ? watch(watched) : Effect.succeed(otherwise)

  const listers: Listers.Listers = yield* Effect.all({
    namespaces: of("namespaces", kinds.namespaces, Listers.empty.namespaces),
    persistentVolumes: of("persistentVolumes", kinds.persistentVolumes, Listers.empty.persistentVolumes),
    persistentVolumeClaims: of("persistentVolumeClaims", kinds.persistentVolumeClaims, Listers.empty.persistentVolumeClaims),
    storageClasses: of("storageClasses", kinds.storageClasses, Listers.empty.storageClasses),
    csiNodes: of("csiNodes", kinds.csiNodes, Listers.empty.csiNodes),
    volumeAttachments: of("volumeAttachments", kinds.volumeAttachments, Listers.empty.volumeAttachments),
    podDisruptionBudgets: of("podDisruptionBudgets", kinds.podDisruptionBudgets, Listers.empty.podDisruptionBudgets),
    priorityClasses: of("priorityClasses", kinds.priorityClasses, Listers.empty.priorityClasses),
    services: of("services", kinds.services, Listers.empty.services),
    replicationControllers: of("replicationControllers", kinds.replicationControllers, Listers.empty.replicationControllers),
    replicaSets: of("replicaSets", kinds.replicaSets, Listers.empty.replicaSets),
    statefulSets: of("statefulSets", kinds.statefulSets, Listers.empty.statefulSets)
  })
  return {
    listers,
    hasSynced: Effect.forEach(watched, ({ hasSynced }) => hasSynced, { discard: true }),
    missing: () => watched.flatMap(({ isSynced, plural }) => isSynced() ? [] : [plural])
  }
})
