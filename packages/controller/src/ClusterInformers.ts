/** Informers that several controllers read, so that each object is in memory once and watched once. */
import { type AppsV1, type CoreV1, Kinds, OwnerReference, PodPhase } from "@reddwarf/api-types"
import { type ApiClient, Informer, ObjectRef } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as claims from "./internal/claims.js"

/**
 * The shared informers. Pods lack `metadata.managedFields` and are indexed by the node they are bound to (`node`), by `namespace`, by the uid of their
 * controller (`controller`), those without one by namespace (`uncontrolled`), those that have ended or are going away, or were to go (`state`: `terminal`,
 * `terminating`, `disrupted`), those that a Job has still to count by the key of that Job (`trackedByJob`), and those with volumes of their own by their own key
 * (`ephemeral`). ReplicaSets are indexed by `namespace` and, as
 * ControllerRevisions are, by `controller` and `uncontrolled`; services by `namespace`.
 *
 * @category models
 */
export interface ClusterInformers {
  readonly namespaces: Informer.Informer<CoreV1.Namespace>
  readonly nodes: Informer.Informer<CoreV1.Node>
  readonly pods: Informer.Informer<CoreV1.Pod>
  readonly replicaSets: Informer.Informer<AppsV1.ReplicaSet>
  readonly controllerRevisions: Informer.Informer<AppsV1.ControllerRevision>
  readonly services: Informer.Informer<CoreV1.Service>
}

const withoutManagedFields = (pod: CoreV1.Pod): CoreV1.Pod => {
  const { managedFields: _, ...metadata } = pod.metadata
  return { ...pod, metadata }
}

/**
 * An informer of all namespaces.
 *
 * @category constructors
 */
export const namespaces: Effect.Effect<Informer.Informer<CoreV1.Namespace>, never, ApiClient.ApiClient | Scope.Scope> = Informer.make({
  kind: Kinds.namespace
})

/**
 * An informer of all nodes.
 *
 * @category constructors
 */
export const nodes: Effect.Effect<Informer.Informer<CoreV1.Node>, never, ApiClient.ApiClient | Scope.Scope> = Informer.make({ kind: Kinds.node })

const jobKeysOf = (pod: CoreV1.Pod): ReadonlyArray<string> => {
  if (pod.metadata.finalizers?.includes("batch.kubernetes.io/job-tracking") !== true) return []
  const owner = OwnerReference.controller(pod)
  const name = owner === undefined ? pod.metadata.labels?.["batch.kubernetes.io/job-name"] : owner.kind === "Job" ? owner.name : undefined
  return name === undefined ? [] : [`${pod.metadata.namespace ?? ""}/${name}`]
}

/**
 * An informer of all pods, with the indexes of `ClusterInformers`.
 *
 * @category constructors
 */
export const pods: Effect.Effect<Informer.Informer<CoreV1.Pod>, never, ApiClient.ApiClient | Scope.Scope> = Informer.make({
  kind: Kinds.pod,
  indexers: {
    node: ({ spec }) => (spec?.nodeName === undefined || spec.nodeName === "" ? [] : [spec.nodeName]),
    controller: (pod) => {
      const owner = OwnerReference.controller(pod)
      return owner === undefined ? [] : [owner.uid]
    },
    state: (pod) => {
      if (PodPhase.isTerminating(pod)) return ["terminating"]
      if (PodPhase.isTerminal(pod)) return ["terminal"]
      return PodPhase.condition(pod, "DisruptionTarget")?.status === "True" ? ["disrupted"] : []
    },
    namespace: ({ metadata }) => [metadata.namespace ?? ""],
    trackedByJob: jobKeysOf,
    ephemeral: (pod) => (pod.spec?.volumes?.some(({ ephemeral }) => ephemeral !== undefined) === true ? [ObjectRef.keyOf(pod)] : []),
    uncontrolled: (pod) => (OwnerReference.controller(pod) === undefined ? [pod.metadata.namespace ?? ""] : [])
  },
  transform: withoutManagedFields
})

/**
 * An informer of all ReplicaSets, with the indexes of `ClusterInformers`.
 *
 * @category constructors
 */
export const replicaSets: Effect.Effect<Informer.Informer<AppsV1.ReplicaSet>, never, ApiClient.ApiClient | Scope.Scope> = Informer.make({
  kind: Kinds.replicaSet,
  indexers: { namespace: ({ metadata }) => [metadata.namespace ?? ""], ...claims.indexers }
})

/**
 * An informer of all ControllerRevisions, with the indexes of `ClusterInformers`.
 *
 * @category constructors
 */
export const controllerRevisions: Effect.Effect<Informer.Informer<AppsV1.ControllerRevision>, never, ApiClient.ApiClient | Scope.Scope> = Informer.make({
  kind: Kinds.controllerRevision,
  indexers: claims.indexers
})

/**
 * An informer of all services, indexed by `namespace`.
 *
 * @category constructors
 */
export const services: Effect.Effect<Informer.Informer<CoreV1.Service>, never, ApiClient.ApiClient | Scope.Scope> = Informer.make({
  kind: Kinds.service,
  indexers: { namespace: ({ metadata }) => [metadata.namespace ?? ""] }
})

/**
 * Starts the informers, which run as long as the scope. Does not wait for them.
 *
 * @category constructors
 */
export const make: Effect.Effect<ClusterInformers, never, ApiClient.ApiClient | Scope.Scope> = Effect.all({ namespaces, nodes, pods, replicaSets, controllerRevisions, services })
