/**
 * Keeps as many pods as a ReplicaSet asks for: creates those that are missing, deletes those that are too many, takes in pods without a
 * controller that match its selector and lets those go that no longer do, and reports how many there are.
 *
 * Pods are created in batches of 1, 2, 4 and so on, so that a template that the server refuses is refused once and not a hundred times.
 */
import { type AppsV1, Kinds } from "@reddwarf/api-types"
import type { ApiClient, EventRecorder } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ClusterInformers from "./ClusterInformers.js"
import type * as Controller from "./Controller.js"
import * as claims from "./internal/claims.js"
import * as replicas from "./internal/replicas.js"

/**
 * How many sets are looked at, 5 unless given, and how often all are visited: every 30 seconds unless given.
 *
 * @category models
 */
export type Options = Controller.Tuning

/**
 * Starts the controller, which then runs as long as the scope. Waits for its informers.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<void, never, ApiClient.ApiClient | EventRecorder.EventRecorder | Scope.Scope> {
  yield* replicas.run<AppsV1.ReplicaSet>({
    name: "replica-set",
    kind: Kinds.replicaSet,
    selectorOf: (set) => claims.selector(set.spec?.selector),
    withStatus: (set, status) => ({ ...set, status }),
    countsTerminating: true,
    workers: options.workers ?? 5,
    resync: options.resync ?? "30 seconds",
    pods: options.informers?.pods ?? (yield* ClusterInformers.pods),
    sets: options.informers?.replicaSets ?? (yield* ClusterInformers.replicaSets)
  })
})
