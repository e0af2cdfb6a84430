/** The scheduler that a configuration describes. */
import type { ApiClient } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as ConfiguredProfiles from "./ConfiguredProfiles.js"
import * as ElectedScheduler from "./ElectedScheduler.js"
import type { InvalidProfile } from "./Profile.js"
import * as Registry from "./Registry.js"
import * as Scheduler from "./Scheduler.js"
import type { InvalidSchedulerConfiguration, SchedulerConfiguration } from "./SchedulerConfiguration.js"

/**
 * What the configuration leaves to the program.
 *
 * @category models
 */
export interface Options {
  /** The plugins there are: those of this package unless given. */
  readonly registry?: Registry.Registry
  /** This process among those that take turns, such as host name and process id. */
  readonly identity: string
  /** Whether processes take turns when the configuration does not say. */
  readonly leaderElect: boolean
  /** More of the scheduler's own options. */
  readonly scheduler?: Omit<Scheduler.Options, "profiles" | "initialBackoff" | "maxBackoff">
}

/**
 * Starts the scheduler, or makes it a candidate, as long as the scope.
 *
 * @category constructors
 */
export const make = Effect.fnUntraced(function*(
  configuration: SchedulerConfiguration,
  options: Options
): Effect.fn.Return<Scheduler.Service, InvalidSchedulerConfiguration | InvalidProfile, ApiClient.ApiClient | Scope.Scope> {
  const { leaderElection, podInitialBackoffSeconds, podMaxBackoffSeconds } = configuration
  const scheduler: Scheduler.Options = {
    ...options.scheduler,
    profiles: yield* ConfiguredProfiles.make(configuration, options.registry ?? Registry.builtIn),
    initialBackoff: podInitialBackoffSeconds * 1000,
    maxBackoff: podMaxBackoffSeconds * 1000
  }
  if (!(leaderElection.leaderElect ?? options.leaderElect)) return yield* Scheduler.make(scheduler)
  return yield* ElectedScheduler.make({
    namespace: leaderElection.resourceNamespace,
    name: leaderElection.resourceName,
    identity: options.identity,
    leaseDuration: leaderElection.leaseDuration,
    renewDeadline: leaderElection.renewDeadline,
    retryPeriod: leaderElection.retryPeriod
  }, scheduler)
})

/**
 * The scheduler that a configuration describes.
 *
 * @category layers
 */
export const layer = (
  configuration: SchedulerConfiguration,
  options: Options
): Layer.Layer<Scheduler.Scheduler, InvalidSchedulerConfiguration | InvalidProfile, ApiClient.ApiClient> =>
  Layer.scoped(Scheduler.Scheduler, make(configuration, options))
