/**
 * Runs the pods of Jobs until enough of them have succeeded, or too many have failed, and reports how far each Job is.
 *
 * Pods are counted by their uid and their finalizer, see `internal/jobTally`: a pod counts once, even if this process ends between any two
 * of its writes.
 */
import { type BatchV1, type CoreV1, Kinds, LabelSelector, OwnerReference, Timestamp } from "@reddwarf/api-types"
import { ApiClient, ClientError, EventRecorder, Informer, ObjectRef } from "@reddwarf/client"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import { isDeepStrictEqual } from "node:util"
import * as ClusterInformers from "./ClusterInformers.js"
import * as Controller from "./Controller.js"
import * as jobPods from "./internal/jobPods.js"
import * as plans from "./internal/jobPlan.js"
import * as tallies from "./internal/jobTally.js"
import * as verdicts from "./internal/jobVerdict.js"
import * as newest from "./internal/newest.js"
import * as podControl from "./internal/podControl.js"
import { Outcome } from "./Reconciler.js"

/**
 * How many Jobs are looked at, and how often all are visited.
 *
 * @category models
 */
export interface Options {
  /** Jobs that are looked at concurrently: 5 unless given. */
  readonly workers?: number
  /** Time between visits of all Jobs: 30 seconds unless given. */
  readonly resync?: Duration.DurationInput
  /** Informers that are shared with other controllers; its own unless given. */
  readonly informers?: ClusterInformers.ClusterInformers | undefined
}

const uidOf = jobPods.uidOf

/** Who manages Jobs that name this, or nobody. */
const manager = "kubernetes.io/job-controller"

const nameLabel = "batch.kubernetes.io/job-name"

const isManaged = ({ spec }: BatchV1.Job): boolean => spec?.managedBy === undefined || spec.managedBy === manager

const selectorOf = ({ spec }: BatchV1.Job): LabelSelector.LabelSelector =>
  Either.getOrElse(LabelSelector.fromObject(spec?.selector), () => LabelSelector.nothing)

/** The Job that a pod belongs to by its owner or, when it has none, by its label. */
const keyOfPod = (pod: CoreV1.Pod): string | undefined => {
  const { labels, namespace = "" } = pod.metadata
  const controller = OwnerReference.controller(pod)
  const name = controller === undefined ? labels?.[nameLabel] : controller.kind === "Job" ? controller.name : undefined
  return name === undefined ? undefined : ObjectRef.key({ namespace, name })
}

/**
 * Starts the controller, which then runs as long as the scope. Waits for its informers.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<void, never, ApiClient.ApiClient | EventRecorder.EventRecorder | Scope.Scope> {
  const client = yield* ApiClient.ApiClient
  const recorder = yield* EventRecorder.EventRecorder
  const clock = yield* Effect.clock
  const now = () => clock.unsafeCurrentTimeMillis()
  const pods = options.informers?.pods ?? (yield* ClusterInformers.pods)
  const jobs = yield* Informer.make({ kind: Kinds.job, indexers: { namespace: ({ metadata }) => [metadata.namespace ?? ""] } })
  const control = yield* podControl.make({ client, recorder, kind: Kinds.job, owners: jobs, selectorOf, pods, now })
  const latest = newest.make<BatchV1.Job>()
  /** Pods whose finalizer is gone although the informer may still show it. */
  const removed = new Set<string>()
  const isRemoved = (uid: string): boolean => removed.has(uid)

  const keysOf = (pod: CoreV1.Pod): ReadonlyArray<string> => {
    const own = keyOfPod(pod)
    return own === undefined ? control.keysOf(pod) : [own, ...control.keysOf(pod)]
  }

  // Pods of a Job that is gone have to be let go of.
  const tracked = () => pods.indexValues("trackedByJob")

  const unsubscribe = pods.onChange(({ object, type }) => {
    if (type === "deleted" || !jobPods.isTracked(object)) removed.delete(uidOf(object))
  }, { existing: false })
  yield* Effect.addFinalizer(() => Effect.sync(unsubscribe))

  const patchPod = (pod: CoreV1.Pod, metadata: object) =>
    client.patch(Kinds.pod, ObjectRef.of(pod), { metadata: { uid: pod.metadata.uid, resourceVersion: pod.metadata.resourceVersion, ...metadata } })

  const release = (pod: CoreV1.Pod): Effect.Effect<void, ClientError.ClientError> => {
    const kept = (pod.metadata.finalizers ?? []).filter((each) => each !== jobPods.trackingFinalizer)
    const noted = Effect.sync(() => {
      const seen = pods.get(ObjectRef.keyOf(pod))
      if (seen !== undefined && uidOf(seen) === uidOf(pod) && jobPods.isTracked(seen)) removed.add(uidOf(pod))
    })
    return patchPod(pod, { finalizers: kept.length === 0 ? null : kept }).pipe(
      Effect.asVoid,
      Effect.catchIf(ClientError.isNotFound, () => Effect.void),
      Effect.zipRight(noted)
    )
  }

  const releaseAll = (those: ReadonlyArray<CoreV1.Pod>) => Effect.forEach(those, (pod) => Effect.either(release(pod)), { concurrency: 16 })

  /** Pods that were counted for a Job that is not there any more go their way. */
  const releaseOrphans = (key: string, job: BatchV1.Job | undefined) =>
    releaseAll(pods.byIndex("trackedByJob", key).filter((pod) => {
      const owner = OwnerReference.controller(pod)
      return job === undefined || (owner !== undefined && owner.uid !== uidOf(job))
    }))

  const claim = Effect.fnUntraced(function*(job: BatchV1.Job): Effect.fn.Return<ReadonlyArray<CoreV1.Pod>, ClientError.ClientError> {
    const own = pods.byIndex("controller", uidOf(job))
    if (job.metadata.deletionTimestamp !== undefined) return own
    const selector = selectorOf(job)
    const free = pods.byIndex("uncontrolled", job.metadata.namespace ?? "")
      .filter((pod) => jobPods.isActive(pod) && LabelSelector.matches(selector, pod.metadata.labels))
    if (free.length === 0) return own
    const live = yield* client.get(Kinds.job, ObjectRef.of(job))
    if (uidOf(live) !== uidOf(job) || live.metadata.deletionTimestamp !== undefined) return own
    const adopted = yield* Effect.forEach(free, (pod) =>
      patchPod(pod, {
        ownerReferences: [...pod.metadata.ownerReferences ?? [], OwnerReference.controllerOf(Kinds.job, job)],
        finalizers: [...new Set([...pod.metadata.finalizers ?? [], jobPods.trackingFinalizer])]
      }).pipe(Effect.asSome, Effect.catchIf(ClientError.isNotFound, () => Effect.succeedNone)))
    return [...own, ...adopted.flatMap((pod) => (pod._tag === "Some" ? [pod.value] : []))]
  })

  const writeStatus = (key: string, job: BatchV1.Job, status: BatchV1.JobStatus): Effect.Effect<BatchV1.Job, ClientError.ClientError> =>
    isDeepStrictEqual(job.status ?? {}, status)
      ? Effect.succeed(job)
      : Effect.tap(client.updateStatus(Kinds.job, { ...job, status }), (stored) => Effect.sync(() => latest.wrote(key, stored)))

  /** Start time and `Suspended`, which follow `spec.suspend`. */
  const suspension = (job: BatchV1.Job): { readonly status: BatchV1.JobStatus; readonly event: readonly [string, string] | undefined } => {
    const { conditions, startTime, ...rest } = job.status ?? {}
    const before = conditions?.find(({ type }) => type === "Suspended")
    const set = (status: "True" | "False", reason: string, message: string) =>
      verdicts.withCondition(conditions, { type: "Suspended", status, reason, message }, now())
    if (verdicts.isSuspended(job)) {
      return before?.status === "True"
        ? { status: job.status ?? {}, event: undefined }
        : { status: { ...rest, conditions: set("True", "JobSuspended", "Job suspended") }, event: ["Suspended", "Job suspended"] }
    }
    const resumed = before?.status === "True"
    const started = resumed || startTime === undefined ? Timestamp.secondsFromMillis(now()) : startTime
    const next = resumed ? set("False", "JobResumed", "Job resumed") : conditions
    return {
      status: { ...rest, startTime: started, ...(next === undefined ? {} : { conditions: next }) },
      event: resumed ? ["Resumed", "Job resumed"] : undefined
    }
  }

  const announceEnd = (job: BatchV1.Job, verdict: verdicts.Verdict) =>
    verdict.type === "SuccessCriteriaMet"
      ? recorder.event(job, "Normal", "Completed", "Job completed")
      : recorder.event(job, "Warning", verdict.reason, verdict.message)

  /** The status of a Job with a verdict: first the verdict, and the end once nothing runs. */
  const ended = (status: BatchV1.JobStatus, verdict: verdicts.Verdict, isOver: boolean): BatchV1.JobStatus => {
    const interim = verdicts.withCondition(status.conditions, { ...verdict, status: "True" }, now())
    if (!isOver) return { ...status, conditions: interim }
    const { active: _, ready: __, ...rest } = status
    return {
      ...rest,
      terminating: 0,
      ready: 0,
      conditions: verdicts.withCondition(interim, { ...verdicts.final(verdict), status: "True" }, now()),
      ...(verdict.type === "SuccessCriteriaMet" ? { completionTime: Timestamp.secondsFromMillis(now()) } : {})
    }
  }

  const advance = Effect.fnUntraced(function*(key: string, found: BatchV1.Job): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const start = suspension(found)
    const job: BatchV1.Job = { ...found, status: start.status }
    const claimed = yield* claim(job)
    const tally = tallies.take(job, claimed, isRemoved)
    const verdict = verdicts.of(job, tally, now())
    const isLeaving = job.metadata.deletionTimestamp !== undefined

    // First the status says what is counted, then the pods lose their finalizers, then numbers take the place of uids.
    const counting = tallies.count(job, claimed, tally, verdict !== undefined || isLeaving, isRemoved)
    const written = counting.mustWrite
      ? yield* writeStatus(key, found, verdict === undefined ? counting.status : ended(counting.status, verdict, false))
      : found
    if (start.event !== undefined && counting.mustWrite) yield* recorder.event(job, "Normal", ...start.event)
    const releases = yield* releaseAll(counting.release)
    const settled = tallies.settle(counting.status, claimed, isRemoved)

    // A pass that follows quickly must not make again what its informer has not shown yet.
    const pending = control.pendingCreations(job)
    const isCurrent = control.isSettled(job)
    const plan: plans.Plan = verdict !== undefined
      ? { create: [], remove: tally.active, wait: undefined }
      : isCurrent && !isLeaving ? plans.make(job, claimed, tally, now()) : { create: [], remove: [], wait: undefined }
    const toRemove = plan.remove.filter((pod) => !control.isPendingDeletion(job, pod))
    const removals = yield* Effect.forEach(toRemove, (pod) => Effect.either(control.remove(job, pod)), { concurrency: 16 })
    let made = 0
    const creation = yield* Effect.either(podControl.inGrowingBatches(plan.create, (place) =>
      Effect.tap(control.create(job, jobPods.draft(job, place)), () => Effect.sync(() => made++))))

    const gone = plan.remove.length - removals.filter(Either.isLeft).length
    const status: BatchV1.JobStatus = {
      ...settled,
      active: tally.active.length - gone + made + pending,
      ready: tally.ready,
      terminating: tally.terminating + (isLeaving ? 0 : removals.filter(Either.isRight).length)
    }
    const isOver = verdict !== undefined && tallies.isSettled(settled) && !counting.more && tally.active.length === 0 && tally.terminating === 0
    const final = verdict === undefined ? status : ended(status, verdict, isOver)
    yield* writeStatus(key, written, final)
    if (start.event !== undefined && !counting.mustWrite) yield* recorder.event(job, "Normal", ...start.event)
    if (isOver) yield* announceEnd(job, verdict)

    const refused = [...releases, ...removals, creation].find(Either.isLeft)
    if (refused !== undefined) return yield* Effect.fail(refused.left)
    if (counting.more) return Outcome.RequeueAfter({ delay: 0 })
    const waits = [plan.wait, verdict === undefined ? verdicts.untilDeadline({ ...job, status: final }, now()) : undefined].filter((wait) => wait !== undefined)
    return waits.length === 0 ? Outcome.Settled() : Outcome.RequeueAfter({ delay: Math.max(1, Math.min(...waits)) })
  })

  const reconcile = Effect.fnUntraced(function*(key: string): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const job = latest.of(key, jobs.get(key))
    yield* releaseOrphans(key, job)
    if (job === undefined) {
      control.forget(key)
      return Outcome.Settled()
    }
    if (!isManaged(job)) return Outcome.Settled()
    if (!verdicts.isFinished(job)) return yield* advance(key, job)
    yield* releaseAll(pods.byIndex("controller", uidOf(job)).filter((pod) => jobPods.isTracked(pod) && !isRemoved(uidOf(pod))))
    return Outcome.Settled()
  })

  yield* Controller.run({
    name: "job",
    workers: options.workers ?? 5,
    resync: options.resync ?? "30 seconds",
    isRoutine: (error: ClientError.ClientError) =>
      ClientError.isConflict(error) || ClientError.isNotFound(error) || ClientError.isNamespaceTerminating(error),
    sources: [Controller.source(jobs, (job) => [ObjectRef.keyOf(job)]), Controller.dependents(pods, keysOf, tracked)],
    reconcile
  })
})
