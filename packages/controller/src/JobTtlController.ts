/** Removes Jobs that finished `spec.ttlSecondsAfterFinished` ago, with the pods they own. Jobs without that field stay. */
import { type BatchV1, Kinds, Timestamp } from "@reddwarf/api-types"
import { ApiClient, ClientError, Informer, ObjectRef } from "@reddwarf/client"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"
import * as Controller from "./Controller.js"
import * as ControllerMetrics from "./ControllerMetrics.js"
import { Outcome } from "./Reconciler.js"

/**
 * How often all Jobs are visited.
 *
 * @category models
 */
export interface Options {
  /** Time between visits of all Jobs: 5 minutes unless given. */
  readonly resync?: Duration.DurationInput
}

/** When the Job's time is over, in milliseconds since the epoch; undefined if it has not finished or stays for ever. */
const expiry = ({ spec, status }: BatchV1.Job): number | undefined => {
  const finished = status?.conditions?.find(({ status, type }) => (type === "Complete" || type === "Failed") && status === "True")
  const at = Timestamp.toMillis(finished?.lastTransitionTime)
  return at === undefined || spec?.ttlSecondsAfterFinished === undefined ? undefined : at + 1000 * spec.ttlSecondsAfterFinished
}

/** What is kept of a Job in memory. */
const slim = ({ apiVersion, kind, metadata, spec, status }: BatchV1.Job): BatchV1.Job => {
  const { managedFields: _, annotations: __, ...kept } = metadata
  const { template: ___, ...rest } = spec ?? { template: {} }
  return { apiVersion, kind, metadata: kept, spec: { ...rest, template: {} }, ...(status === undefined ? {} : { status }) }
}

/**
 * Starts the controller, which then runs as long as the scope. Waits for its informer.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<void, never, ApiClient.ApiClient | Scope.Scope> {
  const client = yield* ApiClient.ApiClient
  const clock = yield* Effect.clock
  const jobs = yield* Informer.make({ kind: Kinds.job, transform: slim })
  const removals = Metric.tagged(ControllerMetrics.removals, "controller", "job-ttl")

  /** Milliseconds until the Job goes; undefined if it does not. */
  const left = (job: BatchV1.Job): number | undefined => {
    const due = job.metadata.deletionTimestamp === undefined ? expiry(job) : undefined
    return due === undefined ? undefined : due - clock.unsafeCurrentTimeMillis()
  }

  const reconcile = Effect.fnUntraced(function*(key: string): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const cached = jobs.get(key)
    const wait = cached === undefined ? undefined : left(cached)
    if (wait === undefined) return Outcome.Settled()
    if (wait > 0) return Outcome.RequeueAfter({ delay: wait })
    // The time may have been prolonged since.
    const job = yield* client.get(Kinds.job, ObjectRef.fromKey(key)).pipe(
      Effect.catchIf(ClientError.isNotFound, () => Effect.succeed(undefined))
    )
    const still = job === undefined ? undefined : left(job)
    if (job === undefined || still === undefined) return Outcome.Settled()
    if (still > 0) return Outcome.RequeueAfter({ delay: still })
    const { resourceVersion, uid } = job.metadata
    yield* client.delete(Kinds.job, ObjectRef.of(job), { propagationPolicy: "Foreground", preconditions: { uid, resourceVersion } }).pipe(
      Effect.tap(() => Effect.sync(() => removals.unsafeUpdate(1, []))),
      Effect.catchIf(ClientError.isNotFound, () => Effect.void)
    )
    return Outcome.Settled()
  })

  yield* Controller.run({
    name: "job-ttl",
    resync: options.resync ?? "5 minutes",
    isRoutine: ClientError.isConflict,
    sources: [Controller.source(jobs, (job) => [ObjectRef.keyOf(job)])],
    reconcile
  })
})
