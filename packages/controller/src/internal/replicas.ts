/**
 * Keeps as many pods as an object of one kind asks for: creates those that are missing, deletes those that are too many, takes in pods
 * without a controller that match its selector and lets those go that no longer do, and reports how many there are.
 */
import { type CoreV1, type Kind, type LabelSelector, OwnerReference, PodPhase } from "@reddwarf/api-types"
import { ApiClient, ClientError, EventRecorder, type Informer, ObjectRef } from "@reddwarf/client"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as Controller from "../Controller.js"
import { Outcome } from "../Reconciler.js"
import { nextAvailable } from "./availability.js"
import { uidOf } from "./claims.js"
import * as podControl from "./podControl.js"
import * as podRanks from "./podRanks.js"
import * as statuses from "./replicaStatus.js"

export interface Options<A extends statuses.Replicated> {
  /** Name of the controller in logs, spans and metrics. */
  readonly name: string
  readonly kind: Kind.Kind<A>
  readonly selectorOf: (set: A) => LabelSelector.LabelSelector
  readonly withStatus: (set: A, status: statuses.ReplicaStatus) => A
  /** The kind reports pods on their way out. */
  readonly countsTerminating: boolean
  readonly workers: number
  readonly resync: Duration.DurationInput
  readonly pods: Informer.Informer<CoreV1.Pod>
  /** All objects of the kind, indexed by `namespace` and by the uid of their controller (`controller`). */
  readonly sets: Informer.Informer<A>
}

/** Pods that one pass creates or deletes at most. */
const burst = 500

/** Starts the controller, which then runs as long as the scope. Waits for its informers. */
export const run = Effect.fnUntraced(function*<A extends statuses.Replicated>(
  options: Options<A>
): Effect.fn.Return<void, never, ApiClient.ApiClient | EventRecorder.EventRecorder | Scope.Scope> {
  const { kind, pods, sets } = options
  const client = yield* ApiClient.ApiClient
  const recorder = yield* EventRecorder.EventRecorder
  const clock = yield* Effect.clock
  const now = () => clock.unsafeCurrentTimeMillis()
  const control = yield* podControl.make({ client, recorder, kind, owners: sets, selectorOf: options.selectorOf, pods, now })

  const related = (set: A): ReadonlyArray<CoreV1.Pod> => {
    const owner = OwnerReference.controller(set)?.uid
    return (owner === undefined ? [set] : sets.byIndex("controller", owner))
      .flatMap((each) => pods.byIndex("controller", uidOf(each)).filter(podControl.isActive))
  }

  /** Creates or deletes what is missing or too much. */
  const scale = (set: A, active: ReadonlyArray<CoreV1.Pod>): Effect.Effect<void, ClientError.ClientError> => {
    if (set.metadata.deletionTimestamp !== undefined) return Effect.void
    const missing = (set.spec?.replicas ?? 1) - active.length - control.pendingCreations(set)
    if (missing > 0) {
      const pod = podControl.fromTemplate(kind, set, set.spec?.template)
      return control.createAll(set, Array.from({ length: Math.min(missing, burst) }, () => pod))
    }
    const surplus = podRanks.deletionOrder(active, related(set)).slice(0, Math.min(-missing, burst))
    return Effect.forEach(surplus, (pod) => control.remove(set, pod), { concurrency: 16, discard: true })
  }

  const report = (set: A, status: statuses.ReplicaStatus) =>
    statuses.isSame(set.status, status) ? Effect.void : Effect.asVoid(client.updateStatus(kind, options.withStatus(set, status)))

  const reconcile = Effect.fnUntraced(function*(key: string): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const set = sets.get(key)
    if (set === undefined) {
      control.forget(key)
      return Outcome.Settled()
    }
    const claimed = yield* control.claim(set)
    const active = claimed.filter((pod) => podControl.isActive(pod) && !control.isPendingDeletion(set, pod))
    const terminating = claimed.filter((pod) => PodPhase.isTerminating(pod) && !PodPhase.isTerminal(pod)).length
    const result = yield* Effect.either(scale(set, active))
    const failure: statuses.Failure | undefined = Either.isLeft(result)
      ? { reason: active.length < (set.spec?.replicas ?? 1) ? "FailedCreate" : "FailedDelete", message: result.left.message }
      : undefined
    yield* report(set, statuses.describe(set, active, options.countsTerminating ? terminating : undefined, failure, now()))
    if (Either.isLeft(result)) return yield* Effect.fail(result.left)
    const wait = nextAvailable(active, set.spec?.minReadySeconds ?? 0, now())
    return wait === undefined ? Outcome.Settled() : Outcome.RequeueAfter({ delay: wait })
  })

  yield* Controller.run({
    name: options.name,
    workers: options.workers,
    resync: options.resync,
    isRoutine: (error: ClientError.ClientError) =>
      ClientError.isConflict(error) || ClientError.isNotFound(error) || ClientError.isNamespaceTerminating(error),
    sources: [Controller.source(sets, (set) => [ObjectRef.keyOf(set)]), Controller.dependents(pods, control.keysOf)],
    reconcile
  })
})
