/** All cluster controllers of this package as one unit, alone or under leader election. */
import type { ApiClient, EventRecorder, LeaderElection } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Controller from "./Controller.js"
import * as EventCollector from "./EventCollector.js"
import * as NamespaceController from "./NamespaceController.js"
import * as NodeController from "./NodeController.js"
import * as PodGarbageCollector from "./PodGarbageCollector.js"
import * as ServiceAccountController from "./ServiceAccountController.js"

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
  const start = Effect.all([
    NodeController.run(options.node),
    PodGarbageCollector.run(options.podGarbageCollector),
    NamespaceController.run(options.namespace),
    ServiceAccountController.run(options.serviceAccount),
    EventCollector.run(options.events)
  ], { concurrency: "unbounded", discard: true })
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
