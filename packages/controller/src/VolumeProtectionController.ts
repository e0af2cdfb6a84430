/** Keeps claims that pods use, and volumes that are bound, from being removed: a finalizer holds them until nobody needs them any more. */
import { type CoreV1, Kinds, type KubeObject, PodPhase, VolumeClaims } from "@reddwarf/api-types"
import { ApiClient, type ClientError, Informer, ObjectRef } from "@reddwarf/client"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ClusterInformers from "./ClusterInformers.js"
import * as Controller from "./Controller.js"
import { isRoutine } from "./internal/routine.js"
import { Outcome } from "./Reconciler.js"

/**
 * How often all claims and volumes are visited.
 *
 * @category models
 */
export interface Options {
  /** Time between visits of all claims and volumes: 30 seconds unless given. */
  readonly resync?: Duration.DurationInput
  /** Informers that are shared with other controllers; its own unless given. */
  readonly informers?: ClusterInformers.ClusterInformers | undefined
}

const claimFinalizer = "kubernetes.io/pvc-protection"
const volumeFinalizer = "kubernetes.io/pv-protection"

/** The finalizers with or without one of them; the same array when that changes nothing. */
const withFinalizer = ({ metadata }: KubeObject.KubeObject, finalizer: string, isWanted: boolean): ReadonlyArray<string> => {
  const present = metadata.finalizers ?? []
  if (present.includes(finalizer) === isWanted) return present
  return isWanted ? [...present, finalizer] : present.filter((each) => each !== finalizer)
}

/**
 * Starts the controller, which then runs as long as the scope. Waits for its informers.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<void, never, ApiClient.ApiClient | Scope.Scope> {
  const client = yield* ApiClient.ApiClient
  const pods = options.informers?.pods ?? (yield* ClusterInformers.pods)
  const claims = yield* Informer.make({ kind: Kinds.persistentVolumeClaim })
  const volumes = yield* Informer.make({ kind: Kinds.persistentVolume })

  /** A pod that no node has begun with, or that has ended, needs nothing. */
  const uses = (key: string) => (pod: CoreV1.Pod): boolean => !PodPhase.isTerminal(pod) && PodPhase.isBound(pod) && VolumeClaims.claimsOf(pod).includes(key)

  const reconcileClaim = Effect.fnUntraced(function*(key: string): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const claim = claims.get(key)
    if (claim === undefined) return Outcome.Settled()
    const isWanted = claim.metadata.deletionTimestamp === undefined || pods.byIndex("namespace", claim.metadata.namespace ?? "").some(uses(key))
    const finalizers = withFinalizer(claim, claimFinalizer, isWanted)
    if (finalizers.length === (claim.metadata.finalizers ?? []).length) return Outcome.Settled()
    if (!isWanted) {
      // Data goes with the claim, so the server itself has to say that no pod uses it: the copy may lag behind.
      const { items } = yield* client.list(Kinds.pod, { namespace: claim.metadata.namespace ?? "" })
      if (items.some(uses(key))) return Outcome.RequeueAfter({ delay: "1 second" })
    }
    yield* client.update(Kinds.persistentVolumeClaim, { ...claim, metadata: { ...claim.metadata, finalizers } })
    return Outcome.Settled()
  })

  const reconcileVolume = (key: string): Effect.Effect<Outcome, ClientError.ClientError> => {
    const volume = volumes.get(key)
    if (volume === undefined) return Effect.succeed(Outcome.Settled())
    const finalizers = withFinalizer(volume, volumeFinalizer, volume.metadata.deletionTimestamp === undefined || volume.status?.phase === "Bound")
    return Effect.as(
      finalizers.length === (volume.metadata.finalizers ?? []).length
        ? Effect.void
        : client.update(Kinds.persistentVolume, { ...volume, metadata: { ...volume.metadata, finalizers } }),
      Outcome.Settled()
    )
  }

  yield* Controller.run({
    name: "pvc-protection",
    resync: options.resync ?? "30 seconds",
    isRoutine,
    sources: [Controller.source(claims, (claim) => [ObjectRef.keyOf(claim)]), Controller.dependents(pods, VolumeClaims.claimsOf)],
    reconcile: reconcileClaim
  })
  yield* Controller.run({
    name: "pv-protection",
    resync: options.resync ?? "30 seconds",
    isRoutine,
    sources: [Controller.source(volumes, (volume) => [ObjectRef.keyOf(volume)])],
    reconcile: reconcileVolume
  })
})
