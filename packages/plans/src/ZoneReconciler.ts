/**
 * One pass over one zone: look, decide, write down, act, show.
 *
 * How an agent uses it:
 *
 * 1. Provide `PlanLedger` (`PlanLedger.layer({ folder })`) and `InstanceWriter` (the API client or its informer cache), then `make` once per
 *    node, in the agent's scope.
 * 2. Keep the ZoneInstance: create it (spec from the Pod, owner reference, label, finalizer) before the first pass, and write its spec when
 *    the Pod changes. Where there is no API, give the object to `PlanLedger.save`; `read` of the writer then fails `InstanceUnreachable`, or
 *    gives none, and `uidOf` tells by which uid the key's records are found.
 * 3. Run `pass("namespace/name")` from a work queue that never runs one key twice at the same time. Ask for a pass when the Pod or the
 *    ZoneInstance changes (generation or annotations, not status), when the zone's state changes on the host, when a readiness condition
 *    for its gates is set, and when the delay of the last answer is over. `wake` asks for one too: the queue's `add`.
 * 4. A failed pass is repeated by the queue's rate limit.
 * 5. `pass` of an object with a deletion timestamp drives `teardown`, removes the finalizer and forgets the zone. Where the pod ends and the
 *    object is not deleted, or the API is away, call `terminate` first: the object counts as deleted from then on, also after a restart.
 * 6. Append `series` to what the agent's `/metrics` shows: `PlanMetrics` has the rest.
 * 7. At shutdown stop the queue, call `drain` (finishes what is in flight, bounded), then close the scope. Zones stay as they are.
 *
 * The agent's part of a plan is its task handlers: `TaskHandler.fromEffect({ type, done, run })` for almost all of them.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Scope from "effect/Scope"
import type { GateClient, GateClientUnavailable } from "./GateClient.js"
import { InstanceWriter, type WriteError } from "./InstanceWriter.js"
import type { PlanEvent } from "./internal/passNews.js"
import * as zonePass from "./internal/zonePass.js"
import * as zoneSeries from "./internal/zoneSeries.js"
import type { Observation } from "./Observation.js"
import type { PlanType } from "./Plan.js"
import type { LedgerFailed } from "./PlanError.js"
import { PlanLedger } from "./PlanLedger.js"
import type { Sample } from "./PlanMetrics.js"
import type { TaskRegistry } from "./TaskRegistry.js"
import type { ZoneInstance } from "./ZoneInstance.js"

/** When a zone wants to be looked at again. @category models */
export type Requeue =
  | { readonly _tag: "After"; readonly delay: Duration.Duration; readonly reason: string }
  /** Only when something happens. */
  | { readonly _tag: "OnEvent"; readonly reason: string }
  /** Not at all: there is no such object, or its pod ended and nothing is known of it any more. */
  | { readonly _tag: "Gone"; readonly reason: string }

/** Something to tell people, about the ZoneInstance and its Pod. Only told once the status that shows it is written. @category models */
export type { PlanEvent }

/** @category models */
export interface Options {
  readonly tasks: TaskRegistry
  /** One look at the host. Parts that cannot be seen are `unknown`. */
  readonly observe: (instance: ZoneInstance) => Effect.Effect<Observation>
  /** Absent: gates are not probed, and have no conditions. */
  readonly gateClient?: (instance: ZoneInstance) => Effect.Effect<GateClient, GateClientUnavailable>
  /** What is wrong with the annotations that describe the gates; they are not probed then. */
  readonly gateProblem?: (instance: ZoneInstance) => string | undefined
  /** By which uid a key's records are in the ledger when the API does not tell. */
  readonly uidOf?: (key: string) => string | undefined
  /** Whether the zone is of a static pod: all its plans run without the API. */
  readonly isStatic?: (instance: ZoneInstance) => boolean
  readonly events?: (instance: ZoneInstance, event: PlanEvent) => Effect.Effect<void>
  /** Asks for a pass: a task that went on in the background ended, or a place for a waiting plan is free. */
  readonly wake?: (key: string) => Effect.Effect<void>
  /** Which of the waiting plans goes first: the pod's priority. */
  readonly priority?: (instance: ZoneInstance) => number
  /** Seconds that the pod has to end. Default 30. */
  readonly graceSeconds?: (instance: ZoneInstance) => number
  /** Whether a failed `init` is final whatever made it fail. Default false. */
  readonly strictInit?: boolean
  /** Default 4. */
  readonly maxDisruptivePlans?: number
  /** Default 16. */
  readonly maxRepairPlans?: number
  /** Default 10 s, with a jitter of a tenth. */
  readonly gateProbeInterval?: Duration.DurationInput
  /** Default 3600 s for `init`, 1800 s for the others. */
  readonly planDeadline?: (type: PlanType) => Duration.DurationInput
  /** How long a pass waits for a task before it goes on in the background. Default 1 s. */
  readonly inlineFor?: Duration.DurationInput
  /**
   * How long a plan may go on before it is shown, unless it waits for being shown: of one that is over sooner only the end is written. What
   * ends a pass is then written beside what follows. Default 0: each step is written before the next one.
   */
  readonly showAfter?: Duration.DurationInput
  /** Label `controller` of the metrics. Default `zoneinstance`. */
  readonly controller?: string
}

/** What is under way, for metrics that are computed when they are asked for. @category models */
export interface ActivePlan {
  readonly namespace: string
  readonly name: string
  readonly type: PlanType
}

/** @category models */
export interface ZoneReconciler {
  /** Looks at one zone and moves it one step. Fails when the status could not be written or the ledger not be kept. */
  readonly pass: (key: string) => Effect.Effect<Requeue, WriteError | LedgerFailed>
  /**
   * The pod shall end, whatever the API says or whether it answers. `instance` stands for the object where nothing is known of it. Durable when
   * this returns, unless the ledger cannot be written: the end of a pod does not wait for that. Does nothing when called again.
   */
  readonly terminate: (key: string, instance: ZoneInstance) => Effect.Effect<void, LedgerFailed>
  /** What the zone's status is by now, also where the API does not have it yet. */
  readonly current: (key: string) => Effect.Effect<ZoneInstance | undefined>
  /** Plans that are active, as last seen. */
  readonly active: Effect.Effect<ReadonlyArray<ActivePlan>>
  /** Gauges of plans, phases and gates, for a scrape: those of an object end with it. */
  readonly series: Effect.Effect<ReadonlyArray<Sample>>
  /** Waits until no task is in flight: at most this long, and twice as long for what must not be cut off. True: all ended. */
  readonly drain: (grace: Duration.DurationInput) => Effect.Effect<boolean>
  /**
   * Whether a plan stands where it must not be left: something is in flight that nobody may cut off, or a zone was taken down and not brought
   * up again. An agent that ends now has not ended in order.
   */
  readonly isBetweenSteps: Effect.Effect<boolean>
}

/**
 * A reconciler for the zones of one node. Tasks that run in the background end with the scope.
 *
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<ZoneReconciler, LedgerFailed, PlanLedger | InstanceWriter | Scope.Scope> =>
  Effect.gen(function*() {
    const environment = {
      options,
      ledger: yield* PlanLedger,
      writer: yield* InstanceWriter,
      // Made now, it is closed after everything that is added to the scope from now on: who ends can wait for tasks before they are cut off.
      scope: yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
    }
    const zones = zonePass.make(environment)
    return {
      pass: zones.pass,
      terminate: zones.terminate,
      current: (key) => Effect.sync(() => zones.last(key)),
      active: Effect.sync(() => zoneSeries.active(zones.all())),
      series: Effect.sync(() => zoneSeries.series(zones.all(), options.controller ?? zonePass.defaultController)),
      drain: zones.drain,
      isBetweenSteps: Effect.sync(zones.isBetweenSteps)
    }
  })
