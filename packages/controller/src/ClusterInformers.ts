/** Informers that several controllers read, so that each object is in memory once and watched once. */
import { type CoreV1, Kinds, OwnerReference, PodPhase } from "@reddwarf/api-types"
import { type ApiClient, Informer } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/**
 * The shared informers. Pods lack `metadata.managedFields` and are indexed by the node they are bound to (`node`), by the uid of their
 * controller (`controller`), those without one by namespace (`uncontrolled`), and those that have ended or are going away (`state`:
 * `terminal`, `terminating`).
 *
 * @category models
 */
export interface ClusterInformers {
  readonly namespaces: Informer.Informer<CoreV1.Namespace>
  readonly nodes: Informer.Informer<CoreV1.Node>
  readonly pods: Informer.Informer<CoreV1.Pod>
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
    state: (pod) => (PodPhase.isTerminating(pod) ? ["terminating"] : PodPhase.isTerminal(pod) ? ["terminal"] : []),
    uncontrolled: (pod) => (OwnerReference.controller(pod) === undefined ? [pod.metadata.namespace ?? ""] : [])
  },
  transform: withoutManagedFields
})

/**
 * Starts the informers, which run as long as the scope. Does not wait for them.
 *
 * @category constructors
 */
export const make: Effect.Effect<ClusterInformers, never, ApiClient.ApiClient | Scope.Scope> = Effect.all({ namespaces, nodes, pods })
