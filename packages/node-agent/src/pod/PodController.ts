/** Keeps the pods of this node moving: a queue of uids, a few workers, and what wakes them. Looks at everything are asked for from outside. */
import type * as FileSystem from "@effect/platform/FileSystem"
import type { CoreV1 } from "@reddwarf/api-types"
import { type ApiClient, ClientError, type EventRecorder, WorkQueue } from "@reddwarf/client"
import type { PlanLedger } from "@reddwarf/plans"
import type { CommandRunner } from "@reddwarf/runtime-illumos"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as LogLevel from "effect/LogLevel"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type * as PodSource from "../adoption/PodSource.js"
import type * as ReconcileReport from "../adoption/ReconcileReport.js"
import type { PassResult } from "../adoption/ZoneStage.js"
import * as boundedWait from "../internal/boundedWait.js"
import * as ContainerImages from "../container/ContainerImages.js"
import * as NodeAgentMetrics from "../NodeAgentMetrics.js"
import * as StaticSuccession from "../static/StaticSuccession.js"
import * as PodProbes from "./PodProbes.js"
import * as PodSandbox from "./PodSandbox.js"
import * as PodWorker from "./PodWorker.js"
import type { StatusManager } from "./StatusManager.js"
import * as SupervisorClient from "../supervisor/SupervisorClient.js"
import type * as Files from "../supervisor/SupervisorFiles.js"

/** @category models */
export interface Options extends Omit<PodWorker.Options, "source" | "wake"> {
  readonly source: PodSource.PodSource
  /** Why nobody may work on a pod now; undefined when its passes may run. */
  readonly holds: (uid: string) => ReconcileReport.SkipReason | undefined
  /** Whether the last status of a pod has not reached the API. */
  readonly owes: (uid: string) => boolean
  /** How long the agent may take to end. */
  readonly closing: boundedWait.Shared
}

/** @category models */
export interface PodController {
  /** The pods of this node as last heard of. */
  readonly pods: () => ReadonlyArray<CoreV1.Pod>
  /** The pod with this name, if it is on this node. */
  readonly pod: (namespace: string, name: string) => CoreV1.Pod | undefined
  /** Asks for a pass over a pod. */
  readonly enqueue: (uid: string) => Effect.Effect<void>
  /** Asks for a pass over a pod, and waits for the end of one that began after this. */
  readonly request: (uid: string) => Effect.Effect<PassResult>
  /** Whether a pass over a pod whose zone runs would change nothing. */
  readonly isPodSettled: (uid: string) => Effect.Effect<boolean>
  /** Remembers who a uid is. */
  readonly noteIdentity: (identity: Files.PodIdentity) => void
  /** Gives back the images of pods of which nothing is here any more, and which nobody wants. */
  readonly retainImages: Effect.Effect<void>
  /** Lets the workers begin: before that no pod is touched. */
  readonly start: Effect.Effect<void>
  /** What is to be counted about single zones and their plans now. */
  readonly series: PodWorker.PodWorker["series"]
  /** Waits until no pass is in progress, and no step of a plan; as long as there is time for the end of the agent. */
  readonly settle: Effect.Effect<void>
  /** Whether no pass was in progress and no plan where it must not be left, when all was waited for. */
  readonly isSettled: () => boolean
}

/** Somebody else wrote the pod, or it is gone: the next pass sees it as it is. */
const isOrdinary = (cause: Cause.Cause<PodWorker.PassError>): boolean =>
  Option.exists(Cause.failureOption(cause), (error) =>
    error._tag === "ApiError" && (ClientError.isConflict(error) || ClientError.isNotFound(error)))

const failureOf = (cause: Cause.Cause<PodWorker.PassError>): PassResult =>
  Option.match(Cause.failureOption(cause), {
    onNone: () => ({ type: "failed", kind: "Defect", error: Cause.pretty(cause).split("\n")[0] ?? "" }),
    onSome: (error) => isOrdinary(cause) ? { type: "done" } : { type: "failed", kind: error._tag, error: error.message }
  })

/**
 * Prepares the work on the pods of the node, for as long as the scope lives; `start` begins it. When the scope closes no new pass begins,
 * passes and steps of plans that have begun may end while there is time, and zones and containers are left running.
 *
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<
  PodController,
  Effect.Effect.Error<ReturnType<typeof PodWorker.make>>,
  | ApiClient.ApiClient
  | CommandRunner.CommandRunner
  | EventRecorder.EventRecorder
  | FileSystem.FileSystem
  | PlanLedger.PlanLedger
  | PodProbes.PodProbes
  | PodSandbox.PodSandbox
  | Scope.Scope
  | StatusManager
  | SupervisorClient.SupervisorClient
> =>
  Effect.gen(function*() {
    const sandbox = yield* PodSandbox.PodSandbox
    const supervisor = yield* SupervisorClient.SupervisorClient
    const probes = yield* PodProbes.PodProbes
    const images = yield* Effect.serviceOption(ContainerImages.ContainerImages)
    const { source } = options
    const queue = yield* WorkQueue.make<string>({
      name: "pods",
      baseDelay: options.retryDelay,
      maxDelay: options.retryMaxDelay
    })
    const worker = yield* PodWorker.make({ ...options, wake: queue.add })
    const succession = StaticSuccession.make(supervisor, sandbox)
    /** Who waits for the end of a pass that has not begun yet. */
    const waiters = new Map<string, Array<Deferred.Deferred<PassResult>>>()

    const noteIdentity = (identity: Files.PodIdentity): void => {
      worker.noteIdentity(identity)
      succession.note(identity)
    }

    const finish = (waiting: ReadonlyArray<Deferred.Deferred<PassResult>>, result: PassResult) =>
      Effect.forEach(waiting, (deferred) => Deferred.succeed(deferred, result), { discard: true })

    const worked = (uid: string) =>
      Effect.gen(function*() {
        const pod = source.byUid(uid)
        const before = pod === undefined ? undefined : yield* succession.before(PodSandbox.identityOf(pod))
        if (before === undefined) return yield* worker.pass(uid)
        yield* queue.add(before)
        return PodWorker.Outcome.RequeueAfter({ delay: "1 second" })
      })

    const pass = (uid: string): Effect.Effect<void> =>
      Effect.suspend(() => {
        const waiting = waiters.get(uid) ?? []
        waiters.delete(uid)
        // Whatever asked for it: who must not be touched is not touched.
        if (options.holds(uid) !== undefined) return Effect.zipRight(queue.forget(uid), finish(waiting, { type: "done" }))
        return worked(uid).pipe(
          Effect.withSpan("sync pod", { attributes: { "k8s.pod.uid": uid }, root: true, captureStackTrace: false }),
          Effect.matchCauseEffect({
            onSuccess: (outcome) => {
              const next = options.owes(uid)
                ? queue.addRateLimited(uid)
                : PodWorker.Outcome.$match(outcome, {
                  Settled: () => queue.forget(uid),
                  RequeueAfter: ({ delay }) => Effect.zipRight(queue.forget(uid), queue.addAfter(uid, delay))
                })
              return Effect.zipRight(next, finish(waiting, { type: "done" }))
            },
            onFailure: (cause) =>
              Effect.logWithLevel(isOrdinary(cause) ? LogLevel.Debug : LogLevel.Warning, "a pass over a pod failed; it is tried again", cause).pipe(
                Effect.annotateLogs({ uid }),
                Effect.zipRight(Metric.increment(NodeAgentMetrics.podPassFailures)),
                Effect.zipRight(queue.addRateLimited(uid)),
                Effect.zipRight(finish(waiting, failureOf(cause)))
              )
          }),
          Effect.zipRight(Metric.increment(NodeAgentMetrics.podPasses))
        )
      }).pipe(Effect.ensuring(queue.done(uid)))

    source.onChange((event) => {
      const identity = PodSandbox.identityOf(event.object)
      if (event.type === "deleted" && !worker.noteDeleted(event.object, event.told)) return
      noteIdentity(identity)
      queue.unsafeAdd(identity.uid)
    })
    yield* probes.follow((uid) => void queue.unsafeAdd(uid))
    yield* Effect.forkScoped(
      supervisor.follow(queue.add).pipe(
        Effect.tapError((error) => Effect.logWarning("the supervisor's records cannot be followed; trying again", error)),
        Effect.retry(Schedule.jittered(Schedule.spaced("1 second")))
      )
    )
    const started = yield* Deferred.make<void>()
    let active = 0
    const counted = (uid: string) =>
      Effect.acquireUseRelease(
        Effect.sync(() => void (active += 1)),
        () => pass(uid),
        () => Effect.sync(() => void (active -= 1))
      )
    let settled = true
    const settle = Effect.gen(function*() {
      const { closing } = options
      yield* closing.atMost(boundedWait.until(() => active === 0))
      yield* closing.hurried(Effect.flatMap(closing.left, worker.plans.drain))
      settled = active === 0 && !(yield* worker.plans.isBetweenSteps)
    })
    yield* Deferred.await(started).pipe(
      Effect.zipRight(work(queue, counted, settle, options.parallelism)),
      Effect.forkScoped
    )
    return {
      pods: source.list,
      pod: source.byName,
      series: worker.series,
      enqueue: queue.add,
      request: (uid) =>
        Effect.gen(function*() {
          const deferred = yield* Deferred.make<PassResult>()
          waiters.set(uid, [...waiters.get(uid) ?? [], deferred])
          yield* queue.add(uid)
          return yield* Deferred.await(deferred)
        }),
      isPodSettled: (uid) => waiters.has(uid) || options.owes(uid) ? Effect.succeed(false) : worker.isSettled(uid),
      noteIdentity,
      retainImages: Option.match(images, {
        onNone: () => Effect.void,
        onSome: (images) =>
          Effect.gen(function*() {
            const owned = yield* sandbox.owned
            const here = [...owned.map(({ identity }) => identity.uid), ...yield* supervisor.list]
            yield* images.retain(new Set([...here, ...source.list().map((pod) => pod.metadata.uid ?? "")]))
          }).pipe(Effect.catchAll((error) => Effect.logWarning("which images are in use is not known; all stay until the next start", error)))
      }),
      start: Effect.asVoid(Deferred.succeed(started, undefined)),
      settle,
      isSettled: () => settled
    }
  })

const work = (
  queue: WorkQueue.WorkQueue<string>,
  counted: (uid: string) => Effect.Effect<void>,
  settle: Effect.Effect<void>,
  parallelism: number
): Effect.Effect<never, never, Scope.Scope> =>
  Effect.gen(function*() {
    const loop = Effect.forever(Effect.uninterruptibleMask((restore) => Effect.flatMap(restore(queue.take), (uid) => restore(counted(uid)))))
    yield* Effect.forEach(Array.from({ length: parallelism }), () => Effect.forkScoped(loop), { discard: true })
    // Finalizers run in reverse order: this one before those that interrupt the workers.
    yield* Effect.addFinalizer(() => Effect.zipRight(queue.shutdown, settle))
    return yield* Effect.never
  })
