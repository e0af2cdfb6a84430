/**
 * How controllers own pods: they create them from a template, take in and let go, remove them, and remember what their informer has not
 * shown yet. One of these serves all owners of one kind.
 */
import { type CoreV1, type Kind, Kinds, type KubeObject, LabelSelector, OwnerReference, PodPhase } from "@reddwarf/api-types"
import { type ApiClient, ClientError, type EventRecorder, type Informer, ObjectRef } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as claims from "./claims.js"
import * as ownWrites from "./ownWrites.js"

const { uidOf } = claims

/** What events say; the texts of most controllers unless given. */
export interface Messages {
  readonly created: (pod: string, owner: string) => string
  readonly notCreated: (pod: string, owner: string, problem: string) => string
  readonly deleted: (pod: string, owner: string) => string
  readonly notDeleted: (pod: string, owner: string, problem: string) => string
}

const usualMessages: Messages = {
  created: (pod) => `Created pod: ${pod}`,
  notCreated: (_pod, _owner, problem) => `Error creating: ${problem}`,
  deleted: (pod) => `Deleted pod: ${pod}`,
  notDeleted: (pod, _owner, problem) => `Error deleting: ${pod}: ${problem}`
}

export interface Options<A extends KubeObject.KubeObject> {
  readonly client: ApiClient.Service
  readonly recorder: EventRecorder.Service
  readonly kind: Kind.Kind<A>
  /** All owners, indexed by namespace (`namespace`). */
  readonly owners: Informer.Informer<A>
  readonly selectorOf: (owner: A) => LabelSelector.LabelSelector
  /** All pods, with the indexes of `ClusterInformers`. */
  readonly pods: Informer.Informer<CoreV1.Pod>
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly messages?: Messages
  /** Whether a pod that is selected can be one of this owner's; all can unless given. */
  readonly isMember?: (owner: A, pod: CoreV1.Pod) => boolean
  /** Whether a pod without an owner may be taken in; those that have not ended unless given. */
  readonly isAdoptable?: (pod: CoreV1.Pod) => boolean
}

export interface PodControl<A extends KubeObject.KubeObject> {
  /** The owners that a pod matters to: its own, or those that may take it in. */
  readonly keysOf: (pod: CoreV1.Pod) => ReadonlyArray<string>
  /** The pods of an owner, after taking in and letting go. */
  readonly claim: (owner: A) => Effect.Effect<ReadonlyArray<CoreV1.Pod>, ClientError.ClientError>
  readonly create: (owner: A, pod: ApiClient.Draft<CoreV1.Pod>) => Effect.Effect<CoreV1.Pod, ClientError.ClientError>
  /** Creates in batches that double, so that what the server refuses is refused once and not a hundred times. */
  readonly createAll: (owner: A, pods: ReadonlyArray<ApiClient.Draft<CoreV1.Pod>>) => Effect.Effect<void, ClientError.ClientError>
  /** Asks for the deletion of a pod; one that is gone already is fine. */
  readonly remove: (owner: A, pod: CoreV1.Pod) => Effect.Effect<void, ClientError.ClientError>
  /** Pods that were created and not seen yet. */
  readonly pendingCreations: (owner: A) => number
  /** The deletion was asked for, and is not seen yet. */
  readonly isPendingDeletion: (owner: A, pod: CoreV1.Pod) => boolean
  /** Everything that was created and deleted for the owner has been seen. */
  readonly isSettled: (owner: A) => boolean
  /** The owner under this key is gone. */
  readonly forget: (key: string) => void
}

/** It runs, or will, and nobody asked for its deletion. */
export const isActive = (pod: CoreV1.Pod): boolean => !PodPhase.isTerminal(pod) && !PodPhase.isTerminating(pod)

/** A pod made of a template, owned by `owner`. It has no name yet, only the beginning of one. */
export const fromTemplate = <A extends KubeObject.KubeObject>(
  kind: Kind.Kind<A>,
  owner: A,
  template: CoreV1.PodTemplateSpec | undefined
): ApiClient.Draft<CoreV1.Pod> => {
  const { annotations, finalizers, labels } = template?.metadata ?? {}
  const { namespace } = owner.metadata
  return {
    metadata: {
      generateName: `${owner.metadata.name ?? ""}-`,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [OwnerReference.controllerOf(kind, owner)]
    },
    ...(template?.spec === undefined ? {} : { spec: template.spec })
  }
}

/** Runs `each` for all in batches of 1, 2, 4 and so on; the first batch with a failure is the last, and its failure is the result. */
export const inGrowingBatches = Effect.fnUntraced(function*<T, E>(
  items: ReadonlyArray<T>,
  each: (item: T) => Effect.Effect<unknown, E>
): Effect.fn.Return<void, E> {
  for (let [from, size] = [0, 1]; from < items.length; from += size, size *= 2) {
    const results = yield* Effect.forEach(items.slice(from, from + size), (item) => Effect.either(each(item)), { concurrency: 16 })
    const refused = results.find(Either.isLeft)
    if (refused !== undefined) yield* Effect.fail(refused.left)
  }
})

/** Follows the informer of pods as long as the scope. */
export const make = Effect.fnUntraced(function*<A extends KubeObject.KubeObject>(
  options: Options<A>
): Effect.fn.Return<PodControl<A>, never, Scope.Scope> {
  const { client, kind, now, owners, pods, recorder, selectorOf } = options
  const messages = options.messages ?? usualMessages
  const writes = ownWrites.make()

  const keysOf = (pod: CoreV1.Pod): ReadonlyArray<string> => {
    const { namespace = "" } = pod.metadata
    const controller = OwnerReference.controller(pod)
    if (controller !== undefined) {
      const [group] = controller.apiVersion.includes("/") ? controller.apiVersion.split("/") : [""]
      return controller.kind === kind.kind && group === kind.group ? [ObjectRef.key({ namespace, name: controller.name })] : []
    }
    return owners.byIndex("namespace", namespace).filter((owner) => LabelSelector.matches(selectorOf(owner), pod.metadata.labels)).map(ObjectRef.keyOf)
  }

  const unsubscribe = pods.onChange((event) => {
    const { object } = event
    for (const key of keysOf(object)) writes.seen(key, uidOf(object), event.type === "deleted" || PodPhase.isTerminating(object))
  }, { existing: false })
  yield* Effect.addFinalizer(() => Effect.sync(unsubscribe))

  const nameOf = (object: { readonly metadata: { readonly name?: string } }): string => object.metadata.name ?? ""

  const create: PodControl<A>["create"] = (owner, draft) =>
    client.create(Kinds.pod, draft).pipe(
      Effect.tap((pod) => {
        // The watch may have been quicker than the answer.
        if (pods.get(ObjectRef.keyOf(pod))?.metadata.uid !== uidOf(pod)) writes.created(ObjectRef.keyOf(owner), uidOf(pod), now())
        return recorder.event(owner, "Normal", "SuccessfulCreate", messages.created(nameOf(pod), nameOf(owner)))
      }),
      Effect.tapError((error) =>
        ClientError.isNamespaceTerminating(error)
          ? Effect.void
          : recorder.event(owner, "Warning", "FailedCreate", messages.notCreated(nameOf(draft), nameOf(owner), error.message)))
    )

  return {
    keysOf,
    claim: (owner) => {
      const selector = selectorOf(owner)
      return claims.claim(client, {
        ownerKind: kind,
        owner,
        children: { kind: Kinds.pod, informer: pods },
        matches: (pod) => LabelSelector.matches(selector, pod.metadata.labels) && options.isMember?.(owner, pod) !== false,
        isAdoptable: options.isAdoptable ?? ((pod) => !PodPhase.isTerminal(pod))
      })
    },
    create,
    createAll: (owner, drafts) => inGrowingBatches(drafts, (draft) => create(owner, draft)),
    remove: (owner, pod) =>
      client.delete(Kinds.pod, ObjectRef.of(pod), { preconditions: { uid: uidOf(pod) } }).pipe(
        Effect.zipRight(Effect.suspend(() => {
          const seen = pods.get(ObjectRef.keyOf(pod))
          if (seen?.metadata.uid === uidOf(pod) && !PodPhase.isTerminating(seen)) writes.deleted(ObjectRef.keyOf(owner), uidOf(pod), now())
          return recorder.event(owner, "Normal", "SuccessfulDelete", messages.deleted(nameOf(pod), nameOf(owner)))
        })),
        Effect.catchIf(ClientError.isNotFound, () => Effect.void),
        Effect.tapError((error) =>
          recorder.event(owner, "Warning", "FailedDelete", messages.notDeleted(nameOf(pod), nameOf(owner), error.message)))
      ),
    pendingCreations: (owner) => writes.pendingCreations(ObjectRef.keyOf(owner), now()),
    isPendingDeletion: (owner, pod) => writes.isPendingDeletion(ObjectRef.keyOf(owner), uidOf(pod), now()),
    isSettled: (owner) => writes.isSettled(ObjectRef.keyOf(owner), now()),
    forget: writes.forget
  }
})
