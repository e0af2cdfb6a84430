/** Makes the Jobs of CronJobs at their times, lets them run beside each other or not, and removes old ones. */
import { type BatchV1, CronSchedule, Kinds, OwnerReference, Timestamp } from "@reddwarf/api-types"
import { type ApiClient, ClientError, type EventRecorder, Informer, ObjectRef } from "@reddwarf/client"
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { isDeepStrictEqual } from "node:util"
import * as Controller from "./Controller.js"
import * as conditions from "./internal/conditions.js"
import * as cron from "./internal/cronSchedule.js"
import * as environment from "./internal/environment.js"
import * as newest from "./internal/newest.js"
import { isRoutine } from "./internal/routine.js"
import { Outcome } from "./Reconciler.js"

/**
 * How many CronJobs are looked at, and how often all are visited.
 *
 * @category models
 */
export interface Options {
  /** CronJobs that are looked at concurrently: 5 unless given. */
  readonly workers?: number
  /** Time between visits of all CronJobs: 10 minutes unless given. */
  readonly resync?: Duration.DurationInput
}

const scheduledAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp"

/** A little later than its time, so that a time is over when it is looked at. */
const slack = 100

/** The name of the Job for a time: the same for everyone who tries to make it. */
const jobName = (cronJob: BatchV1.CronJob, at: number): string => `${cronJob.metadata.name ?? ""}-${Math.floor(at / 60_000)}`

/** RFC 3339 on the clock of the zone. */
const local = (at: number, timeZone: string | undefined): string => {
  const zoned = timeZone === undefined ? Option.none() : DateTime.makeZoned(at, { timeZone })
  return Option.match(zoned, {
    onNone: () => Timestamp.secondsFromMillis(at),
    onSome: (time) => DateTime.zonedOffset(time) === 0 ? Timestamp.secondsFromMillis(at) : DateTime.formatIsoOffset(time).replace(/\.\d+/, "")
  })
}

/** What is kept of a Job in memory. */
const slim = (job: BatchV1.Job): BatchV1.Job => {
  const { annotations: _, managedFields: __, ...metadata } = job.metadata
  return { ...job, metadata, spec: { template: {} } }
}

const ended = (job: BatchV1.Job): string =>
  conditions.find(job.status?.conditions, "Failed")?.status === "True" ? "Failed" : conditions.find(job.status?.conditions, "Complete")?.status === "True" ? "Complete" : ""

const startedAt = (job: BatchV1.Job): number => Timestamp.toMillis(job.status?.startTime ?? job.metadata.creationTimestamp) ?? 0

/**
 * Starts the controller, which then runs as long as the scope. Waits for its informers.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<void, never, ApiClient.ApiClient | EventRecorder.EventRecorder | Scope.Scope> {
  const { client, now, recorder } = yield* environment.get
  const cronJobs = yield* Informer.make({ kind: Kinds.cronJob })
  const jobs = yield* Informer.make({
    kind: Kinds.job,
    indexers: { controller: (job) => [OwnerReference.controller(job)?.uid ?? ""] },
    transform: slim
  })
  const latest = newest.make<BatchV1.CronJob>()

  const removeJob = (cronJob: BatchV1.CronJob, { name = "", uid }: { readonly name?: string; readonly uid?: string }) =>
    client.delete(Kinds.job, { namespace: cronJob.metadata.namespace, name }, { propagationPolicy: "Background", preconditions: { uid } }).pipe(
      Effect.zipRight(recorder.event(cronJob, "Normal", "SuccessfulDelete", `Deleted job ${name}`)),
      Effect.catchIf(ClientError.isNotFound, () => Effect.void),
      Effect.tapError((error) => recorder.event(cronJob, "Warning", "FailedDelete", `Deleted job: ${error.message}`))
    )

  /** Removes the oldest of the ended Jobs beyond the limits. */
  const clean = (cronJob: BatchV1.CronJob, children: ReadonlyArray<BatchV1.Job>) => {
    const { failedJobsHistoryLimit: failed = 1, successfulJobsHistoryLimit: successful = 3 } = cronJob.spec
    const beyond = (type: string, limit: number) => {
      const those = children.filter((job) => ended(job) === type && job.metadata.deletionTimestamp === undefined).sort((a, b) => startedAt(b) - startedAt(a))
      return those.slice(limit)
    }
    return Effect.forEach([...beyond("Complete", successful), ...beyond("Failed", failed)], ({ metadata }) => removeJob(cronJob, metadata), { discard: true })
  }

  /** The status by what has become of the Jobs, and what to say about it. */
  const observe = (cronJob: BatchV1.CronJob, children: ReadonlyArray<BatchV1.Job>) =>
    Effect.gen(function*() {
      const { active = [], ...rest } = cronJob.status ?? {}
      let lastSuccessfulTime = rest.lastSuccessfulTime
      const kept = [...active]
      for (const job of children) {
        const { name = "", uid } = job.metadata
        const place = kept.findIndex((reference) => reference.uid === uid)
        const how = ended(job)
        if (place < 0 && how === "") yield* recorder.event(cronJob, "Warning", "UnexpectedJob", `Saw a job that the controller did not create or forgot: ${name}`)
        if (place >= 0 && how !== "") {
          kept.splice(place, 1)
          yield* recorder.event(cronJob, "Normal", "SawCompletedJob", `Saw completed job: ${name}, condition: ${how}`)
        }
        const completed = how === "Complete" ? job.status?.completionTime : undefined
        if ((Timestamp.toMillis(completed) ?? 0) > (Timestamp.toMillis(lastSuccessfulTime) ?? -1)) lastSuccessfulTime = completed
      }
      const present = new Set(children.map(({ metadata }) => metadata.uid))
      for (const reference of kept.filter(({ uid }) => !present.has(uid))) {
        // One that was made just now may not have been shown yet.
        const ref = { namespace: cronJob.metadata.namespace, name: reference.name ?? "" }
        const found = yield* client.get(Kinds.job, ref).pipe(Effect.asSome, Effect.catchIf(ClientError.isNotFound, () => Effect.succeedNone))
        if (Option.isSome(found) && found.value.metadata.uid === reference.uid) continue
        kept.splice(kept.indexOf(reference), 1)
        yield* recorder.event(cronJob, "Normal", "MissingJob", `Active job went missing: ${reference.name ?? ""}`)
      }
      const status: BatchV1.CronJobStatus = {
        ...rest,
        ...(kept.length === 0 ? {} : { active: kept }),
        ...(lastSuccessfulTime === undefined ? {} : { lastSuccessfulTime })
      }
      return status
    })

  const writeStatus = (key: string, cronJob: BatchV1.CronJob, status: BatchV1.CronJobStatus): Effect.Effect<BatchV1.CronJob, ClientError.ClientError> =>
    isDeepStrictEqual(cronJob.status ?? {}, status)
      ? Effect.succeed(cronJob)
      : Effect.tap(client.updateStatus(Kinds.cronJob, { ...cronJob, status }), (stored) => Effect.sync(() => latest.wrote(key, stored)))

  const createJob = (cronJob: BatchV1.CronJob, at: number) => {
    const { metadata: { annotations, labels } = {}, spec } = cronJob.spec.jobTemplate
    return client.create(Kinds.job, {
      metadata: {
        name: jobName(cronJob, at),
        ...(cronJob.metadata.namespace === undefined ? {} : { namespace: cronJob.metadata.namespace }),
        ...(labels === undefined ? {} : { labels }),
        annotations: { ...annotations, [scheduledAnnotation]: local(at, cronJob.spec.timeZone) },
        ownerReferences: [OwnerReference.controllerOf(Kinds.cronJob, cronJob)]
      },
      ...(spec === undefined ? {} : { spec })
    }).pipe(
      Effect.tap((job) => recorder.event(cronJob, "Normal", "SuccessfulCreate", `Created job ${job.metadata.name ?? ""}`)),
      Effect.catchIf(ClientError.isAlreadyExists, (error) =>
        // Made by an earlier pass that could not say so any more.
        Effect.flatMap(client.get(Kinds.job, { namespace: cronJob.metadata.namespace, name: jobName(cronJob, at) }), (job) =>
          OwnerReference.isControlledBy(job, cronJob) ? Effect.succeed(job) : Effect.fail(error))),
      Effect.tapError((error) =>
        ClientError.isNamespaceTerminating(error) ? Effect.void : recorder.event(cronJob, "Warning", "FailedCreate", `Error creating job: ${error.message}`))
    )
  }

  /** Starts the Job of a time, as far as the policy allows. */
  const start = Effect.fnUntraced(function*(
    key: string,
    cronJob: BatchV1.CronJob,
    at: number
  ): Effect.fn.Return<void, ClientError.ClientError> {
    const { concurrencyPolicy, startingDeadlineSeconds } = cronJob.spec
    const { active = [], lastScheduleTime } = cronJob.status ?? {}
    const isLate = startingDeadlineSeconds !== undefined && at + 1000 * startingDeadlineSeconds < now()
    const isStarted = Timestamp.toMillis(lastScheduleTime) === at || active.some(({ name }) => name === jobName(cronJob, at))
    const mustWait = concurrencyPolicy === "Forbid" && active.length > 0
    if (isLate || isStarted || mustWait) {
      if (isLate) yield* recorder.event(cronJob, "Warning", "MissSchedule", `Missed scheduled time to start a job: ${local(at, undefined)}`)
      else if (!isStarted) {
        yield* recorder.event(cronJob, "Normal", "JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is Forbid")
      }
      return
    }
    let remaining = active
    if (concurrencyPolicy === "Replace") {
      // All that were started, whether they are shown yet or not.
      for (const job of active) yield* removeJob(cronJob, job)
      remaining = []
    }
    const job = yield* createJob(cronJob, at)
    const { name = "", namespace = "", resourceVersion = "", uid = "" } = job.metadata
    yield* writeStatus(key, cronJob, {
      ...cronJob.status,
      active: [...remaining, { kind: "Job", apiVersion: "batch/v1", namespace, name, uid, resourceVersion }],
      lastScheduleTime: Timestamp.secondsFromMillis(at)
    })
  })

  const reconcile = Effect.fnUntraced(function*(key: string): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const found = latest.of(key, cronJobs.get(key))
    if (found === undefined) return Outcome.Settled()
    const children = jobs.byIndex("controller", found.metadata.uid ?? "")
    const cronJob = yield* writeStatus(key, found, yield* observe(found, children))
    if (cronJob.metadata.deletionTimestamp !== undefined) return Outcome.Settled()
    yield* clean(cronJob, children)
    const { schedule: text, startingDeadlineSeconds, suspend, timeZone } = cronJob.spec
    if (suspend === true) return Outcome.Settled()
    if (timeZone !== undefined && !CronSchedule.isTimeZone(timeZone)) {
      yield* recorder.event(cronJob, "Warning", "UnknownTimeZone", `invalid timeZone: ${JSON.stringify(timeZone)}: unknown time zone ${timeZone}`)
      return Outcome.Settled()
    }
    const schedule = cron.cached(text, timeZone)
    if (schedule === undefined) {
      yield* recorder.event(cronJob, "Warning", "UnparseableSchedule", `unparseable schedule: ${JSON.stringify(text)}`)
      return Outcome.Settled()
    }
    const since = Timestamp.toMillis(cronJob.status?.lastScheduleTime ?? cronJob.metadata.creationTimestamp) ?? now()
    const earliest = startingDeadlineSeconds === undefined ? since : Math.max(since, now() - 1000 * startingDeadlineSeconds)
    const due = cron.latestDue(schedule, earliest, now())
    if (due?.missed === "many") {
      yield* recorder.event(cronJob, "Warning", "TooManyMissedTimes", "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew")
    }
    if (due !== undefined) yield* start(key, cronJob, due.at)
    const next = schedule.next(due?.at ?? earliest)
    return next === undefined ? Outcome.Settled() : Outcome.RequeueAfter({ delay: Math.max(slack, next + slack - now()) })
  })

  yield* Controller.run({
    name: "cron-job",
    workers: options.workers ?? 5,
    resync: options.resync ?? "10 minutes",
    isRoutine,
    sources: [
      Controller.source(cronJobs, (cronJob) => [ObjectRef.keyOf(cronJob)]),
      Controller.dependents(jobs, (job) => {
        const owner = OwnerReference.controller(job)
        return owner?.kind === "CronJob" ? [ObjectRef.key({ namespace: job.metadata.namespace, name: owner.name })] : []
      })
    ],
    reconcile
  })
})
