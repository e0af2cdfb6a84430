/** Keeps the pods of this node moving: a queue of uids, a few workers, a look at everything now and then, and the search for leftovers. */
import type * as FileSystem from "@effect/platform/FileSystem"
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { type ApiClient, ClientError, type EventRecorder, Informer, WorkQueue } from "@reddwarf/client"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as LogLevel from "effect/LogLevel"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as ContainerImages from "../container/ContainerImages.js"
import * as NodeAgentMetrics from "../NodeAgentMetrics.js"
import * as PodSandbox from "./PodSandbox.js"
import * as PodWorker from "./PodWorker.js"
import type { StatusManager } from "./StatusManager.js"
import * as SupervisorClient from "../supervisor/SupervisorClient.js"

/** @category models */
export interface Options extends Omit<PodWorker.Options, "informer"> {
  /** Resolves when the host is prepared: before that no pod is touched. */
  readonly hostReady: Effect.Effect<void>
}

/** @category models */
export interface PodController {
  /** The pods of this node as last heard of. */
  readonly pods: () => ReadonlyArray<CoreV1.Pod>
  /** The pod with this name, if it is on this node. */
  readonly pod: (namespace: string, name: string) => CoreV1.Pod | undefined
  readonly informer: Informer.Informer<CoreV1.Pod>
}

/** Somebody else wrote the pod, or it is gone: the next pass sees it as it is. */
const isOrdinary = (cause: Cause.Cause<PodWorker.PassError>): boolean =>
  Option.exists(Cause.failureOption(cause), (error) =>
    error._tag === "ApiError" && (ClientError.isConflict(error) || ClientError.isNotFound(error)))

/** Of what was seen, that which was seen all the time since `confirmation` ago. */
const confirmed = (confirmation: Duration.DurationInput) => {
  const since = new Map<string, number>()
  return (seen: ReadonlyArray<string>, now: number): ReadonlyArray<string> => {
    const present = new Set(seen)
    for (const key of since.keys()) if (!present.has(key)) since.delete(key)
    return seen.filter((key) => {
      const first = since.get(key) ?? now
      since.set(key, first)
      return now - first >= Duration.toMillis(confirmation)
    })
  }
}

/**
 * Starts working on the pods of the node, for as long as the scope lives. When the scope closes no new pass begins, passes that have begun
 * may end within `shutdownGrace`, and zones and containers are left running.
 *
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<
  PodController,
  never,
  | ApiClient.ApiClient
  | EventRecorder.EventRecorder
  | FileSystem.FileSystem
  | PodSandbox.PodSandbox
  | Scope.Scope
  | StatusManager
  | SupervisorClient.SupervisorClient
> =>
  Effect.gen(function*() {
    const sandbox = yield* PodSandbox.PodSandbox
    const supervisor = yield* SupervisorClient.SupervisorClient
    const informer = yield* Informer.make({
      kind: Kinds.pod,
      fieldSelector: `spec.nodeName=${options.nodeName}`,
      indexers: { [PodWorker.uidIndex]: (pod: CoreV1.Pod) => pod.metadata.uid === undefined ? [] : [pod.metadata.uid] }
    })
    const worker = yield* PodWorker.make({ ...options, informer })
    const queue = yield* WorkQueue.make<string>({
      name: "pods",
      baseDelay: options.retryDelay,
      maxDelay: options.retryMaxDelay
    })

    const pass = (uid: string) =>
      worker.pass(uid).pipe(
        Effect.matchCauseEffect({
          onSuccess: PodWorker.Outcome.$match({
            Settled: () => queue.forget(uid),
            RequeueAfter: ({ delay }) => Effect.zipRight(queue.forget(uid), queue.addAfter(uid, delay))
          }),
          onFailure: (cause) =>
            Effect.logWithLevel(isOrdinary(cause) ? LogLevel.Debug : LogLevel.Warning, "a pass over a pod failed; it is tried again", cause).pipe(
              Effect.annotateLogs({ uid }),
              Effect.zipRight(Metric.increment(NodeAgentMetrics.podPassFailures)),
              Effect.zipRight(queue.addRateLimited(uid))
            )
        }),
        Effect.zipRight(Metric.increment(NodeAgentMetrics.podPasses)),
        Effect.ensuring(queue.done(uid))
      )

    /** Images of pods that went while no agent was there. Before the first pass: one that begins may take an image for its pod. */
    const retainImages = Effect.flatMap(Effect.serviceOption(ContainerImages.ContainerImages), Option.match({
      onNone: () => Effect.void,
      onSome: (images) =>
        Effect.gen(function*() {
          const owned = yield* sandbox.owned
          const here = [...owned.map(({ identity }) => identity.uid), ...yield* supervisor.list]
          yield* images.retain(new Set([...here, ...informer.list().map((pod) => pod.metadata.uid ?? "")]))
        }).pipe(Effect.catchAll((error) => Effect.logWarning("which images are in use is not known; all stay until the next start", error)))
    }))

    yield* informer.hasSynced.pipe(
      Effect.zipRight(options.hostReady),
      Effect.zipRight(retainImages),
      Effect.zipRight(work(queue, pass, options)),
      Effect.forkScoped
    )

    informer.onChange((event) => {
      const identity = PodSandbox.identityOf(event.object)
      if (event.type === "deleted" && !worker.noteDeleted(event.object, event.told)) return
      worker.noteIdentity(identity)
      queue.unsafeAdd(identity.uid)
    })

    const confirmLinks = confirmed(options.orphanConfirmation)
    const confirmAddresses = confirmed(options.orphanConfirmation)

    /** What is on the host for pods the API does not have. Removing it is up to the pass for its uid, which asks the API again. */
    const leftovers = Effect.gen(function*() {
      const owned = yield* sandbox.owned
      const now = yield* Clock.currentTimeMillis
      const wanted = new Set(informer.list().map((pod) => pod.metadata.uid ?? ""))
      for (const { identity } of owned) worker.noteIdentity(identity)
      const supervised = yield* supervisor.list
      const here = new Set([...owned.map(({ identity }) => identity.uid), ...supervised])
      const orphaned = [...here].filter((uid) => !wanted.has(uid))
      yield* Metric.set(NodeAgentMetrics.orphans, orphaned.length)
      yield* Effect.forEach(orphaned, queue.add, { discard: true })

      const links = new Set([...informer.list().map(PodSandbox.identityOf), ...owned.map(({ identity }) => identity)].map((identity) =>
        String(PodSandbox.namesOf(identity).link)))
      const strayLinks = (yield* sandbox.links).filter((link) => !links.has(link))
      const doomed = new Set(confirmLinks(strayLinks, now))
      yield* Effect.forEach(strayLinks.filter((link) => doomed.has(link)), sandbox.removeLink, { discard: true })

      const strayAddresses = (yield* sandbox.addressOwners).filter((uid) => !wanted.has(uid) && !here.has(uid))
      yield* Effect.forEach(confirmAddresses(strayAddresses, now), sandbox.releaseAddress, { discard: true })
    })

    const lookAtAll = Effect.gen(function*() {
      yield* Effect.forEach(informer.list(), (pod) => queue.add(pod.metadata.uid ?? ""), { discard: true })
      yield* leftovers
    }).pipe(Effect.catchAllCause((cause) => Effect.logWarning("looking for leftovers failed; the next look comes", cause)))

    yield* Effect.forkScoped(
      informer.hasSynced.pipe(
        Effect.zipRight(options.hostReady),
        Effect.zipRight(Effect.repeat(lookAtAll, Schedule.jittered(Schedule.spaced(options.resyncInterval))))
      )
    )
    yield* Effect.forkScoped(
      supervisor.follow(queue.add).pipe(
        Effect.tapError((error) => Effect.logWarning("the supervisor's records cannot be followed; trying again", error)),
        Effect.retry(Schedule.jittered(Schedule.spaced("1 second")))
      )
    )
    return {
      informer,
      pods: informer.list,
      pod: (namespace, name) => informer.get(`${namespace}/${name}`)
    }
  })

const work = (
  queue: WorkQueue.WorkQueue<string>,
  pass: (uid: string) => Effect.Effect<void>,
  options: Options
): Effect.Effect<never, never, Scope.Scope> =>
  Effect.gen(function*() {
    let active = 0
    const counted = (uid: string) =>
      Effect.acquireUseRelease(
        Effect.sync(() => void (active += 1)),
        () => pass(uid),
        () => Effect.sync(() => void (active -= 1))
      )
    const loop = Effect.forever(Effect.uninterruptibleMask((restore) => Effect.flatMap(restore(queue.take), (uid) => restore(counted(uid)))))
    yield* Effect.forEach(Array.from({ length: options.parallelism }), () => Effect.forkScoped(loop), { discard: true })
    // Finalizers run in reverse order: this one before those that interrupt the workers.
    yield* Effect.addFinalizer(() =>
      queue.shutdown.pipe(
        Effect.zipRight(
          Effect.sync(() => active === 0).pipe(
            Effect.repeat({ until: (idle) => idle, schedule: Schedule.spaced("50 millis") }),
            Effect.timeoutOption(options.shutdownGrace)
          )
        )
      )
    )
    return yield* Effect.never
  })
