/**
 * Removes what is owned when its owners are gone, over all kinds that the server serves, custom ones included.
 *
 * An object whose owners are all absent is deleted in the background. An owner that is deleted in the foreground waits until the
 * dependents that block it are gone; one whose dependents are to be orphaned waits until they no longer refer to it. An owner counts as
 * absent only when the server itself says so, or said that it was deleted; one whose kind is not served is left open.
 *
 * Informers carry metadata alone, and of that only what matters here, so that memory stays small.
 */
import type { Kind, KubeObject, MetaV1 } from "@reddwarf/api-types"
import { ApiClient, ClientError, EventRecorder } from "@reddwarf/client"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as ControllerMetrics from "./ControllerMetrics.js"
import * as graphs from "./internal/ownerGraph.js"
import * as monitoring from "./internal/ownerMonitors.js"
import * as ownerStates from "./internal/ownerStates.js"
import * as Reconciler from "./Reconciler.js"
import { Outcome } from "./Reconciler.js"

/**
 * Which kinds are looked at, and how fast.
 *
 * @category models
 */
export interface Options {
  /** The kinds served now: what the server's discovery says unless given. */
  readonly discover?: Effect.Effect<ReadonlyArray<Kind.Kind>, ClientError.ClientError>
  /** Time between looks for new kinds: 30 seconds unless given. */
  readonly discoverEvery?: Duration.DurationInput
  /** Objects that are looked at concurrently: 8 unless given. */
  readonly workers?: number
  /** Time between visits of all objects that may have to go: 5 minutes unless given. */
  readonly resync?: Duration.DurationInput
}

const orphanWrites = 8

/** How an object refers to an owner in messages. */
const described = (owner: MetaV1.OwnerReference, namespace: string): string =>
  `[${owner.apiVersion}/${owner.kind}, namespace: ${namespace}, name: ${owner.name}, uid: ${owner.uid}]`

const refOf = (object: KubeObject.KubeObject) => ({ namespace: object.metadata.namespace, name: object.metadata.name ?? "" })

/**
 * Starts the controller, which then runs as long as the scope.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<void, never, ApiClient.ApiClient | EventRecorder.EventRecorder | Scope.Scope> {
  const client = yield* ApiClient.ApiClient
  const recorder = yield* EventRecorder.EventRecorder
  const clock = yield* Effect.clock
  const graph = graphs.make()
  const removals = Metric.tagged(ControllerMetrics.removals, "controller", "garbage-collector")
  let add: (uid: string) => void = () => undefined
  /** All kinds were known once, or had their time. */
  let started = false

  const onChange = (node: graphs.Node, change: monitoring.Change): void => {
    const uid = graphs.uidOf(node)
    const old = graph.get(uid)
    if (change === "put") {
      graph.put(node)
      if (needsLook(node)) add(uid)
    } else {
      graph.remove(node)
      if (change === "deleted" && graph.hasDependents(uid)) states.gone(uid)
    }
    // Those below learn that their owner went or waits; those above, which may wait for this one, that it went or let go.
    if (change !== "put" || graphs.isDeletingDependents(node.object)) for (const dependent of graph.dependents(uid)) add(graphs.uidOf(dependent))
    for (const owner of [...graphs.owners(node), ...(old === undefined ? [] : graphs.owners(old))]) {
      const above = graph.get(owner.uid)
      if (above !== undefined && graphs.isDeletingDependents(above.object)) add(owner.uid)
    }
  }

  /** Whether anything may have to be done about an object, by what is known without asking. */
  const needsLook = (node: graphs.Node): boolean =>
    graphs.isDeletingDependents(node.object) || graphs.isOrphaning(node.object) ||
    graphs.owners(node).some(({ uid }) => {
      const owner = graph.get(uid)
      return owner === undefined || graphs.isDeletingDependents(owner.object) ||
        (owner.kind.namespaced && owner.object.metadata.namespace !== node.object.metadata.namespace)
    })

  const monitors = yield* monitoring.make(onChange, () => clock.unsafeCurrentTimeMillis())
  const states = ownerStates.make(client, graph, monitors.kindOf, ({ kind, object }, owner) =>
    recorder.event(
      object,
      "Warning",
      "OwnerRefInvalidNamespace",
      `ownerRef ${described(owner, object.metadata.namespace ?? "")} does not exist in namespace "${object.metadata.namespace ?? ""}"`
    ).pipe(Effect.annotateLogs({ kind: kind.kind })))

  /** The object as it is now, unless it is gone or replaced by another of its name. */
  const live = (node: graphs.Node): Effect.Effect<graphs.Node | undefined, ClientError.ClientError> =>
    client.getMetadata(node.kind, refOf(node.object)).pipe(
      Effect.map((object) => (object.metadata.uid === graphs.uidOf(node) ? { kind: node.kind, object } : undefined)),
      Effect.catchIf(ClientError.isNotFound, () => Effect.succeed(undefined))
    )

  const patchMetadata = ({ kind, object }: graphs.Node, metadata: Readonly<Record<string, unknown>>) => {
    const { resourceVersion, uid } = object.metadata
    return Effect.catchIf(
      Effect.asVoid(client.patch(kind, refOf(object), { metadata: { ...metadata, uid, resourceVersion } })),
      ClientError.isNotFound,
      () => Effect.void
    )
  }

  const dropFinalizer = (node: graphs.Node, finalizer: string) =>
    patchMetadata(node, { finalizers: (node.object.metadata.finalizers ?? []).filter((each) => each !== finalizer) })

  const keepOwners = (node: graphs.Node, keep: (owner: MetaV1.OwnerReference) => boolean) => {
    const kept = graphs.owners(node).filter(keep)
    return patchMetadata(node, { ownerReferences: kept.length === 0 ? null : kept })
  }

  const remove = ({ kind, object }: graphs.Node, propagationPolicy: NonNullable<ApiClient.DeleteOptions["propagationPolicy"]>) => {
    const { resourceVersion, uid } = object.metadata
    // With the version as precondition: an object that was given another owner meanwhile stays.
    return client.delete(kind, refOf(object), { propagationPolicy, preconditions: { uid, resourceVersion } }).pipe(
      Effect.tap(() => Effect.sync(() => removals.unsafeUpdate(1, []))),
      Effect.zipRight(Effect.logDebug("removed an object whose owners are gone").pipe(Effect.annotateLogs({ kind: kind.kind, ...refOf(object) }))),
      Effect.catchIf(ClientError.isNotFound, () => Effect.void)
    )
  }

  /** Lets the dependents go, then the owner. */
  const orphan = (owner: graphs.Node) => {
    const uid = graphs.uidOf(owner)
    const release = (dependent: graphs.Node) =>
      Effect.flatMap(live(dependent), (found) =>
        found === undefined || !graphs.owners(found).some((each) => each.uid === uid)
          ? Effect.void
          : keepOwners(found, (each) => each.uid !== uid))
    return Effect.forEach(graph.dependents(uid), release, { concurrency: orphanWrites, discard: true }).pipe(
      Effect.zipRight(live(owner)),
      Effect.flatMap((found) =>
        found !== undefined && graphs.isOrphaning(found.object) ? dropFinalizer(found, graphs.orphanFinalizer) : Effect.void)
    )
  }

  /** Lets an owner go for which no dependent blocks any more. */
  const deleteDependents = (owner: graphs.Node) => {
    const uid = graphs.uidOf(owner)
    const blocking = graph.dependents(uid).filter((dependent) => graphs.blocks(dependent, uid))
    for (const dependent of blocking) if (!graphs.isDeletingDependents(dependent.object)) add(graphs.uidOf(dependent))
    return blocking.length > 0 ? Effect.void : Effect.flatMap(live(owner), (found) =>
      found !== undefined && graphs.isDeletingDependents(found.object) ? dropFinalizer(found, graphs.foregroundFinalizer) : Effect.void)
  }

  const policyOf = ({ object }: graphs.Node) =>
    object.metadata.finalizers?.includes(graphs.orphanFinalizer) === true
      ? "Orphan"
      : object.metadata.finalizers?.includes(graphs.foregroundFinalizer) === true ? "Foreground" : "Background"

  /** Deletes an object that nobody owns any more, or takes absent owners out of its references. */
  const checkOwners = Effect.fnUntraced(function*(cached: graphs.Node): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const before = yield* Effect.forEach(graphs.owners(cached), (owner) => states.of(cached, owner))
    if (before.every((state) => state === "Solid" || state === "Unresolvable")) return Outcome.Settled()
    // What is cached may be old; what is decided now depends on what is stored now.
    const node = yield* live(cached)
    if (node === undefined || graphs.isDeleting(node.object)) return Outcome.Settled()
    const found = yield* Effect.forEach(graphs.owners(node), (owner) => Effect.map(states.of(node, owner), (state) => [owner.uid, state] as const))
    const uids = (state: ownerStates.OwnerState) => new Set(found.flatMap(([uid, each]) => (each === state ? [uid] : [])))
    const [solid, waiting, absent, open] = [uids("Solid"), uids("Waiting"), uids("Absent"), uids("Unresolvable")]
    if (found.length === 0 || open.size > 0 || (waiting.size === 0 && absent.size === 0)) return Outcome.Settled()
    if (solid.size > 0) {
      yield* keepOwners(node, (owner) => solid.has(owner.uid))
      return Outcome.Settled()
    }
    const uid = graphs.uidOf(node)
    if (waiting.size === 0 || !graph.hasDependents(uid)) {
      yield* remove(node, policyOf(node))
      return Outcome.Settled()
    }
    // A dependent that waits itself may wait for this one, in a circle: then nothing may block any more.
    const mayCircle = graph.dependents(uid).some((dependent) => graphs.isDeletingDependents(dependent.object))
    const isBlocking = graphs.owners(node).some((owner) => owner.blockOwnerDeletion === true)
    if (mayCircle && isBlocking) {
      yield* patchMetadata(node, { ownerReferences: graphs.owners(node).map((owner) => ({ ...owner, blockOwnerDeletion: false })) })
      return Outcome.RequeueAfter({ delay: "10 millis" })
    }
    yield* remove(node, "Foreground")
    return Outcome.Settled()
  })

  const reconcile = (uid: string): Effect.Effect<Outcome, ClientError.ClientError> =>
    Effect.suspend(() => {
      const node = graph.get(uid)
      if (node === undefined) return Effect.succeed(Outcome.Settled())
      // A server has far more owners than this could ask for while it starts; the informers bring them all.
      started ||= monitors.areSynced()
      if (!started) return Effect.succeed(Outcome.RequeueAfter({ delay: "200 millis" }))
      const orphaning = graphs.isOrphaning(node.object)
      const deletingDependents = graphs.isDeletingDependents(node.object)
      if (orphaning || deletingDependents) {
        // Before all kinds are known a dependent might be missed.
        if (!monitors.areSynced()) return Effect.succeed(Outcome.RequeueAfter({ delay: "1 second" }))
        return Effect.as(orphaning ? orphan(node) : deleteDependents(node), Outcome.Settled())
      }
      return graphs.isDeleting(node.object) || graphs.owners(node).length === 0
        ? Effect.succeed(Outcome.Settled())
        : checkOwners(node)
    })

  const queue = yield* Reconciler.run<string, ClientError.ClientError, never>({
    name: "garbage-collector",
    workers: options.workers ?? 8,
    resync: options.resync ?? "5 minutes",
    isRoutine: (error) => ClientError.isConflict(error) || ClientError.isNotFound(error),
    keys: () => [...graph.uids()].filter((uid) => {
      const node = graph.get(uid)
      return node !== undefined && needsLook(node)
    }),
    reconcile
  })
  add = (uid) => void queue.unsafeAdd(uid)
  const discover = Effect.flatMap(options.discover ?? client.discover, monitors.follow).pipe(
    Effect.catchAll((error) => Effect.logWarning("the kinds of the server are not known", error)),
    Effect.annotateLogs({ controller: "garbage-collector" })
  )
  yield* discover
  yield* Effect.forkScoped(Effect.interruptible(Effect.schedule(discover, Schedule.spaced(options.discoverEvery ?? "30 seconds"))))
})
