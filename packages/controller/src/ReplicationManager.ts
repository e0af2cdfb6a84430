/**
 * Keeps as many pods as a ReplicationController asks for, as `ReplicaSetController` does for ReplicaSets: the kind is an older form of the
 * same thing, which selects by labels alone.
 */
import { type CoreV1, Kinds, LabelSelector } from "@reddwarf/api-types"
import { type ApiClient, type EventRecorder, Informer } from "@reddwarf/client"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ClusterInformers from "./ClusterInformers.js"
import * as claims from "./internal/claims.js"
import * as replicas from "./internal/replicas.js"

/**
 * How many ReplicationControllers are looked at, and how often all are visited.
 *
 * @category models
 */
export interface Options {
  /** Objects that are looked at concurrently: 5 unless given. */
  readonly workers?: number
  /** Time between visits of all objects: 30 seconds unless given. */
  readonly resync?: Duration.DurationInput
  /** Informers that are shared with other controllers; its own unless given. */
  readonly informers?: ClusterInformers.ClusterInformers | undefined
}

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
