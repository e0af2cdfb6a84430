/**
 * Keeps as many pods as a ReplicationController asks for, as `ReplicaSetController` does for ReplicaSets: the kind is an older form of the
 * same thing, which selects by labels alone.
 */
import { type CoreV1, Kinds, LabelSelector } from "@reddwarf/api-types"
import { type ApiClient, type EventRecorder, Informer } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ClusterInformers from "./ClusterInformers.js"
import type * as Controller from "./Controller.js"
import * as claims from "./internal/claims.js"
import * as replicas from "./internal/replicas.js"

/**
 * How many ReplicationControllers are looked at, 5 unless given, and how often all are visited: every 30 seconds unless given.
 *
 * @category models
 */
export type Options = Controller.Tuning

const selectorOf = ({ spec }: CoreV1.ReplicationController): LabelSelector.LabelSelector =>
  spec?.selector === undefined || Object.keys(spec.selector).length === 0 ? LabelSelector.nothing : LabelSelector.fromLabels(spec.selector)

/**
 * Starts the controller, which then runs as long as the scope. Waits for its informers.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<void, never, ApiClient.ApiClient | EventRecorder.EventRecorder | Scope.Scope> {
  yield* replicas.run<CoreV1.ReplicationController>({
    name: "replication-controller",
    kind: Kinds.replicationController,
    selectorOf,
    withStatus: (set, status) => ({ ...set, status }),
    countsTerminating: false,
    workers: options.workers ?? 5,
    resync: options.resync ?? "30 seconds",
    pods: options.informers?.pods ?? (yield* ClusterInformers.pods),
    sets: yield* Informer.make({
      kind: Kinds.replicationController,
      indexers: { namespace: ({ metadata }) => [metadata.namespace ?? ""], controller: claims.indexers.controller }
    })
  })
})
