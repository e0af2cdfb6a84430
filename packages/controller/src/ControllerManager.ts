/** All cluster controllers of this package as one unit, alone or under leader election. */
import type { ApiClient, EventRecorder, LeaderElection } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as ClusterInformers from "./ClusterInformers.js"
import * as Controller from "./Controller.js"
import * as EventCollector from "./EventCollector.js"
import * as GarbageCollector from "./GarbageCollector.js"
import * as JobTtlController from "./JobTtlController.js"
import * as NamespaceController from "./NamespaceController.js"
import * as NodeController from "./NodeController.js"
import * as PodGarbageCollector from "./PodGarbageCollector.js"
import * as ReplicaSetController from "./ReplicaSetController.js"
import * as RootCaController from "./RootCaController.js"
import * as ServiceAccountController from "./ServiceAccountController.js"
import * as TaintEvictionController from "./TaintEvictionController.js"

/**
 * Options of each controller; what is left out has its default.
 *
 * @category models
 */
export interface Options {
  readonly node?: NodeController.Options
  readonly podGarbageCollector?: PodGarbageCollector.Options
  readonly namespace?: NamespaceController.Options
  readonly serviceAccount?: ServiceAccountController.Options
  readonly events?: EventCollector.Options
  readonly garbageCollector?: GarbageCollector.Options
  /** Makes the pods of ReplicaSets; without it nobody does. */
  readonly replicaSet?: ReplicaSetController.Options
  readonly jobTtl?: JobTtlController.Options
  readonly taintEviction?: TaintEvictionController.Options
  /** Gives every namespace the certificate authority of the server; without it no namespace gets one. */
  readonly rootCa?: RootCaController.Options
  /** Run the controllers only while this process holds the lease. Without it they run at once: right for a single server. */
  readonly election?: LeaderElection.Options
}

/**
 * Starts all controllers, which then run as long as the scope. Does not wait for them: each begins when the server can be reached.
 *
 * @category constructors
 */
export const run = (
  options: Options = {}
): Effect.Effect<void, never, ApiClient.ApiClient | EventRecorder.EventRecorder | Scope.Scope> => {
  const start = Effect.flatMap(ClusterInformers.make, (informers) =>
    Effect.all([
      NodeController.run({ informers, ...options.node }),
      TaintEvictionController.run({ informers, ...options.taintEviction }),
      PodGarbageCollector.run({ informers, ...options.podGarbageCollector }),
      NamespaceController.run({ informers, ...options.namespace }),
      ServiceAccountController.run({ informers, ...options.serviceAccount }),
      ...(options.rootCa === undefined ? [] : [RootCaController.run({ informers, ...options.rootCa })]),
      ...(options.replicaSet === undefined ? [] : [ReplicaSetController.run({ informers, ...options.replicaSet })]),
      GarbageCollector.run(options.garbageCollector),
      JobTtlController.run(options.jobTtl),
      EventCollector.run(options.events)
    ], { concurrency: "unbounded", discard: true }))
  const work = options.election === undefined ? Effect.scoped(Effect.zipRight(start, Effect.never)) : Controller.whileLeading(options.election, start)
  return Effect.asVoid(Effect.forkScoped(Effect.interruptible(work)))
}

/**
 * The controllers as a layer without a service.
 *
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<never, never, ApiClient.ApiClient | EventRecorder.EventRecorder> =>
  Layer.scopedDiscard(run(options))
