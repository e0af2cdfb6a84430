/**
 * Keeps the pods of a StatefulSet: each has a number, and by it a name, a host name and volume claims that outlive it. Pods come in the
 * order of their numbers and go in the reverse order, each when the one before is healthy (`OrderedReady`), or all at once (`Parallel`).
 *
 * A new template replaces pods from the highest number down to `partition`; ControllerRevisions keep the earlier ones.
 */
import { type AppsV1, type CoreV1, Kinds, PodPhase } from "@reddwarf/api-types"
import { type ApiClient, ClientError, type EventRecorder, Informer, ObjectRef } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ClusterInformers from "./ClusterInformers.js"
import * as Controller from "./Controller.js"
import { nextAvailable } from "./internal/availability.js"
import * as claims from "./internal/claims.js"
import * as environment from "./internal/environment.js"
import * as history from "./internal/history.js"
import * as podControl from "./internal/podControl.js"
import { isRoutineOfNames } from "./internal/routine.js"
import * as volumeClaims from "./internal/statefulSetClaims.js"
import * as setPods from "./internal/statefulSetPods.js"
import * as statuses from "./internal/statefulSetStatus.js"
import * as steps from "./internal/statefulSetSteps.js"
import { Outcome } from "./Reconciler.js"

/**
 * How many sets are looked at, 5 unless given, and how often all are visited: every 30 seconds unless given.
 *
 * @category models
 */
export type Options = Controller.Tuning

type StatefulSet = AppsV1.StatefulSet
type Failure = ClientError.ClientError

const messages: podControl.Messages = {
  created: (pod, owner) => `create Pod ${pod} in StatefulSet ${owner} successful`,
  notCreated: (pod, owner, problem) => `create Pod ${pod} in StatefulSet ${owner} failed error: ${problem}`,
  deleted: (pod, owner) => `delete Pod ${pod} in StatefulSet ${owner} successful`,
  notDeleted: (pod, owner, problem) => `delete Pod ${pod} in StatefulSet ${owner} failed error: ${problem}`
}

const selectorOf = (set: StatefulSet) => claims.selector(set.spec?.selector)

/**
 * Starts the controller, which then runs as long as the scope. Waits for its informers.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<void, never, ApiClient.ApiClient | EventRecorder.EventRecorder | Scope.Scope> {
  const { client, now, recorder } = yield* environment.get
  const pods = options.informers?.pods ?? (yield* ClusterInformers.pods)
  const sets = yield* Informer.make({ kind: Kinds.statefulSet, indexers: { namespace: ({ metadata }) => [metadata.namespace ?? ""] } })
  const revisions = options.informers?.controllerRevisions ?? (yield* ClusterInformers.controllerRevisions)
  const volumes = yield* Informer.make({ kind: Kinds.persistentVolumeClaim })
  const control = yield* podControl.make({
    client, recorder, kind: Kinds.statefulSet, owners: sets, selectorOf, pods, now, messages,
    isMember: (set, pod) => setPods.ordinalOf(set, pod) !== undefined,
    isAdoptable: () => true
  })
  const past = history.make({ client, kind: Kinds.statefulSet, revisions, selectorOf, hashLabel: "controller.kubernetes.io/hash" })

  const volumeOf = (set: StatefulSet, name: string): CoreV1.PersistentVolumeClaim | undefined => volumes.get(ObjectRef.key({ namespace: set.metadata.namespace, name }))

  /** Makes the claims that are missing; false if one of them belongs to an earlier pod that is not gone yet. */
  const createClaims = Effect.fnUntraced(function*(set: StatefulSet, ordinal: number): Effect.fn.Return<boolean, Failure> {
    const pod = setPods.nameOf(set, ordinal)
    const owner = set.metadata.name ?? ""
    for (const draft of volumeClaims.drafts(set, ordinal)) {
      const name = draft.metadata.name ?? ""
      const present = volumeOf(set, name)
      if (present !== undefined) {
        if (volumeClaims.isLeftBehind(present, pod) && pods.get(ObjectRef.key({ namespace: set.metadata.namespace, name: pod })) === undefined) return false
        continue
      }
      yield* client.create(Kinds.persistentVolumeClaim, draft).pipe(
        Effect.zipRight(recorder.event(set, "Normal", "SuccessfulCreate", `create Claim ${name} Pod ${pod} in StatefulSet ${owner} success`)),
        Effect.catchIf(ClientError.isAlreadyExists, () => Effect.void),
        Effect.tapError((error) =>
          recorder.event(set, "Warning", "FailedCreate", `create Claim ${name} for Pod ${pod} in StatefulSet ${owner} failed error: ${error.message}`))
      )
    }
    return true
  })

  /** Says who owns the claims of a pod now. */
  const ownClaims = (set: StatefulSet, pod: CoreV1.Pod, scaledDown: boolean): Effect.Effect<void, Failure> => {
    const ordinal = setPods.ordinalOf(set, pod)
    if (ordinal === undefined) return Effect.void
    return Effect.forEach(set.spec?.volumeClaimTemplates ?? [], (template) => {
      const claim = volumeOf(set, setPods.claimName(set, template, ordinal))
      const owners = claim === undefined ? undefined : volumeClaims.changedOwners(set, claim, pod, scaledDown)
      if (claim === undefined || owners === undefined) return Effect.void
      const { resourceVersion } = claim.metadata
      return client.patch(Kinds.persistentVolumeClaim, ObjectRef.of(claim), { metadata: { resourceVersion, ownerReferences: owners.length === 0 ? null : owners } })
    }, { discard: true })
  }

  /** The pod gets the labels of its name, and claims that were lost while it waited. */
  const repair = Effect.fnUntraced(function*(set: StatefulSet, pod: CoreV1.Pod): Effect.fn.Return<void, Failure> {
    if (PodPhase.isTerminating(pod)) return
    const labels = setPods.missingIdentity(set, pod)
    if (labels !== undefined) yield* client.patch(Kinds.pod, ObjectRef.of(pod), { metadata: { uid: pod.metadata.uid, labels } })
    const ordinal = setPods.ordinalOf(set, pod)
    if (pod.status?.phase === "Pending" && ordinal !== undefined) yield* createClaims(set, ordinal)
    yield* ownClaims(set, pod, false)
  })

  const create = Effect.fnUntraced(function*(
    set: StatefulSet,
    revision: { readonly earlier: AppsV1.ControllerRevision | undefined; readonly present: AppsV1.ControllerRevision },
    ordinal: number
  ): Effect.fn.Return<boolean, Failure> {
    if (!(yield* createClaims(set, ordinal))) return false
    const earlier = setPods.keepsEarlier(set, ordinal) ? revision.earlier : undefined
    const held = earlier === undefined ? undefined : history.templateOf(earlier)
    const { metadata } = earlier !== undefined && held !== undefined ? earlier : revision.present
    yield* control.create(set, setPods.draft(set, held ?? set.spec?.template ?? {}, metadata.name ?? "", ordinal))
    return true
  })

  const report = Effect.fnUntraced(function*(set: StatefulSet, status: AppsV1.StatefulSetStatus): Effect.fn.Return<Outcome, Failure> {
    if (!statuses.isSame(set.status, status)) yield* client.updateStatus(Kinds.statefulSet, { ...set, status })
    return Outcome.Settled()
  })

  const reconcile = Effect.fnUntraced(function*(key: string): Effect.fn.Return<Outcome, Failure> {
    const set = sets.get(key)
    if (set === undefined) {
      control.forget(key)
      return Outcome.Settled()
    }
    // The change that is waited for brings the key again.
    if (!control.isSettled(set)) return Outcome.Settled()
    const all = yield* control.claim(set)
    if (set.metadata.deletionTimestamp !== undefined) return yield* report(set, statuses.describe(set, all, statuses.revisionsOf(set), now()))
    const found = yield* past.sync(set)
    const update = found.current.metadata.name ?? ""
    const earlier = found.all.find(({ metadata }) => metadata.name === set.status?.currentRevision)
    const names = { current: earlier?.metadata.name ?? update, update, collisions: found.collisions }
    const due = steps.next(set, all, update, now())

    const act = Effect.gen(function*() {
      for (const pod of due.kept) yield* repair(set, pod)
      const made: Array<boolean> = []
      yield* podControl.inGrowingBatches(due.create, (ordinal) =>
        Effect.map(create(set, { earlier, present: found.current }, ordinal), (done) => void made.push(done)))
      // A pod that goes for good says so on its claims first.
      for (const pod of due.condemned) yield* ownClaims(set, pod, true)
      yield* Effect.forEach(due.remove, (pod) => control.remove(set, pod), { concurrency: 16, discard: true })
      return made.every((done) => done)
    })
    const result = yield* Effect.either(act)
    yield* report(set, statuses.describe(set, all, names, now()))
    yield* past.truncate(set, found, new Set([names.current, ...all.map(setPods.revisionOf)]))
    if (result._tag === "Left") return yield* Effect.fail(result.left)
    // Claims of an earlier pod are on their way out.
    if (!result.right) return Outcome.RequeueAfter({ delay: "1 second" })
    const wait = nextAvailable(all, set.spec?.minReadySeconds ?? 0, now())
    return wait === undefined ? Outcome.Settled() : Outcome.RequeueAfter({ delay: wait })
  })

  yield* Effect.all([revisions.hasSynced, volumes.hasSynced], { concurrency: "unbounded", discard: true })
  yield* Controller.run({
    name: "stateful-set",
    workers: options.workers ?? 5,
    resync: options.resync ?? "30 seconds",
    isRoutine: isRoutineOfNames,
    sources: [Controller.source(sets, (set) => [ObjectRef.keyOf(set)]), Controller.dependents(pods, control.keysOf)],
    reconcile
  })
})
