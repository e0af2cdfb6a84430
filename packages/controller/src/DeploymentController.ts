/**
 * Brings the pods of a Deployment to its template, step by step: a ReplicaSet for each template, of which the current one grows while the
 * others shrink, within what may be too many (`maxSurge`) and missing (`maxUnavailable`); or everything down and then up (`Recreate`).
 *
 * It keeps the earlier sets as history, numbers them, scales all of them in proportion while an update runs, and says how the update goes.
 */
import { type AppsV1, type CoreV1, Kinds, LabelSelector, OwnerReference, PodPhase } from "@reddwarf/api-types"
import { ApiClient, ClientError, EventRecorder, Informer, ObjectRef } from "@reddwarf/client"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ClusterInformers from "./ClusterInformers.js"
import * as Controller from "./Controller.js"
import * as claims from "./internal/claims.js"
import * as deploymentSets from "./internal/deploymentSets.js"
import * as revisions from "./internal/deploymentRevisions.js"
import * as sizes from "./internal/deploymentSizes.js"
import * as statuses from "./internal/deploymentStatus.js"
import { Outcome } from "./Reconciler.js"

/**
 * How many Deployments are looked at, and how often all are visited.
 *
 * @category models
 */
export interface Options {
  /** Deployments that are looked at concurrently: 5 unless given. */
  readonly workers?: number
  /** Time between visits of all Deployments: 30 seconds unless given. */
  readonly resync?: Duration.DurationInput
  /** Informers that are shared with other controllers; its own unless given. */
  readonly informers?: ClusterInformers.ClusterInformers | undefined
}

type Deployment = AppsV1.Deployment
type Failure = ClientError.ClientError

const isRoutine = (error: Failure): boolean =>
  ClientError.isConflict(error) || ClientError.isNotFound(error) || ClientError.isAlreadyExists(error) || ClientError.isNamespaceTerminating(error)

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
  const deployments = yield* Informer.make({ kind: Kinds.deployment, indexers: { namespace: ({ metadata }) => [metadata.namespace ?? ""] } })
  const sets = options.informers?.replicaSets ?? (yield* ClusterInformers.replicaSets)
  const control = deploymentSets.make({ client, recorder, sets, now })

  const unsubscribe = sets.onChange((event) => control.seen(event.object, event.type === "deleted"))
  yield* Effect.addFinalizer(() => Effect.sync(unsubscribe))

  /** The Deployments that a set matters to: its own, or those that may take it in. */
  const keysOf = (set: AppsV1.ReplicaSet): ReadonlyArray<string> => {
    const { labels, namespace = "" } = set.metadata
    const owner = OwnerReference.controller(set)
    if (owner !== undefined) return owner.kind === "Deployment" ? [ObjectRef.key({ namespace, name: owner.name })] : []
    return deployments.byIndex("namespace", namespace)
      .filter((deployment) => LabelSelector.matches(claims.selector(deployment.spec?.selector), labels)).map(ObjectRef.keyOf)
  }

  /** The Deployment that waits for this pod to go: one that takes everything down first. */
  const keysOfPod = (pod: CoreV1.Pod): ReadonlyArray<string> => {
    const { namespace = "" } = pod.metadata
    const owner = OwnerReference.controller(pod)
    const set = owner?.kind === "ReplicaSet" ? sets.get(ObjectRef.key({ namespace, name: owner.name })) : undefined
    const keys = set === undefined ? [] : keysOf(set)
    return keys.filter((key) => deployments.get(key)?.spec?.strategy?.type === "Recreate")
  }

  /** Says since when nothing was expected, or is again, so that a pause does not count against the deadline. */
  const markPause = (deployment: Deployment): Effect.Effect<Deployment, Failure> => {
    const condition = statuses.progressing(deployment.status)
    const isPaused = deployment.spec?.paused === true
    const saysPaused = condition?.reason === "DeploymentPaused"
    if (!statuses.hasDeadline(deployment) || condition?.reason === "ProgressDeadlineExceeded" || isPaused === saysPaused) {
      return Effect.succeed(deployment)
    }
    const next = isPaused
      ? statuses.progress("Unknown", "DeploymentPaused", "Deployment is paused", now())
      : statuses.progress("Unknown", "DeploymentResumed", "Deployment is resumed", now())
    return client.updateStatus(Kinds.deployment, {
      ...deployment,
      status: { ...deployment.status, conditions: statuses.withCondition(deployment.status?.conditions ?? [], next) }
    })
  }

  const report = Effect.fnUntraced(function*(deployment: Deployment, status: AppsV1.DeploymentStatus): Effect.fn.Return<Outcome, Failure> {
    if (!statuses.isSame(deployment.status, status)) yield* client.updateStatus(Kinds.deployment, { ...deployment, status })
    const wait = statuses.untilDeadline(deployment, status, now())
    return wait === undefined ? Outcome.Settled() : Outcome.RequeueAfter({ delay: wait })
  })

  /** Pods of other templates are still there. */
  const oldPodsRun = ({ old }: revisions.Sets): boolean =>
    old.some((set) => (set.status?.replicas ?? 0) > 0 || pods.byIndex("controller", claims.uidOf(set)).some((pod) => !PodPhase.isTerminal(pod)))

  const reportProgress = ({ deployment, sets }: deploymentSets.Found) => report(deployment, statuses.describeProgress(deployment, sets, now()))

  const cleanWhenComplete = ({ deployment, sets }: deploymentSets.Found) =>
    statuses.isComplete(deployment, statuses.describe(deployment, sets, now())) ? control.clean(deployment, sets.old) : Effect.void

  const scale = Effect.fnUntraced(function*(deployment: Deployment, sets: revisions.Sets): Effect.fn.Return<Outcome, Failure> {
    const found = yield* control.prepare(deployment, sets, false)
    yield* control.resize(found.deployment, sizes.scaled(found.deployment, found.sets))
    if (deployment.spec?.paused === true) yield* control.clean(found.deployment, found.sets.old)
    return yield* report(found.deployment, statuses.describe(found.deployment, found.sets, now()))
  })

  const roll = Effect.fnUntraced(function*(deployment: Deployment, sets: revisions.Sets): Effect.fn.Return<Outcome, Failure> {
    const found = yield* control.prepare(deployment, sets, true)
    const changed = yield* control.resize(found.deployment, sizes.rolled(found.deployment, found.sets))
    if (!changed) yield* cleanWhenComplete(found)
    return yield* reportProgress(found)
  })

  const recreate = Effect.fnUntraced(function*(deployment: Deployment, sets: revisions.Sets): Effect.fn.Return<Outcome, Failure> {
    const found = yield* control.prepare(deployment, sets, false)
    const changed = yield* control.resize(found.deployment, sizes.emptied(found.sets))
    if (changed || oldPodsRun(found.sets)) return yield* reportProgress(found)
    const made = yield* control.prepare(found.deployment, found.sets, true)
    const { current } = made.sets
    if (current !== undefined) yield* control.resize(made.deployment, [{ set: current, to: sizes.desired(made.deployment) }])
    yield* cleanWhenComplete(made)
    return yield* reportProgress(made)
  })

  const reconcile = Effect.fnUntraced(function*(key: string): Effect.fn.Return<Outcome, Failure> {
    const cached = deployments.get(key)
    if (cached === undefined) {
      control.forget(key)
      return Outcome.Settled()
    }
    // The change that is waited for brings the key again.
    if (LabelSelector.isEverything(claims.selector(cached.spec?.selector)) || !control.isSettled(cached)) return Outcome.Settled()
    const own = revisions.sort(cached, yield* control.claim(cached))
    if (cached.metadata.deletionTimestamp !== undefined) return yield* report(cached, statuses.describe(cached, own, now()))
    const deployment = yield* markPause(cached)
    if (deployment.spec?.paused === true || sizes.isScaling(deployment, own)) return yield* scale(deployment, own)
    return yield* (deployment.spec?.strategy?.type === "Recreate" ? recreate(deployment, own) : roll(deployment, own))
  })

  yield* Controller.run({
    name: "deployment",
    workers: options.workers ?? 5,
    resync: options.resync ?? "30 seconds",
    isRoutine,
    sources: [
      Controller.source(deployments, (deployment) => [ObjectRef.keyOf(deployment)]),
      Controller.source(sets, keysOf),
      Controller.dependents(pods, keysOfPod)
    ],
    reconcile
  })
})
