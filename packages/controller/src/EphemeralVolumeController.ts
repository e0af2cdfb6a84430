/**
 * Makes the PersistentVolumeClaims of pods with generic ephemeral volumes, from the template in the pod. The pod owns its claim, so the claim
 * goes when the pod goes.
 */
import { type CoreV1, Kinds, PodPhase } from "@reddwarf/api-types"
import { type ApiClient, ClientError, type EventRecorder, Informer, ObjectRef } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ClusterInformers from "./ClusterInformers.js"
import * as Controller from "./Controller.js"
import * as environment from "./internal/environment.js"
import { isRoutine } from "./internal/routine.js"
import { Outcome } from "./Reconciler.js"

/**
 * Workers, resync and informers.
 *
 * @category models
 */
export type Options = Controller.Tuning

type Ephemeral = CoreV1.Volume & { readonly ephemeral: CoreV1.EphemeralVolumeSource }

const ephemeralOf = (pod: CoreV1.Pod): ReadonlyArray<Ephemeral> =>
  (pod.spec?.volumes ?? []).flatMap((volume) => volume.ephemeral === undefined ? [] : [{ ...volume, ephemeral: volume.ephemeral }])

const claimName = (pod: CoreV1.Pod, volume: CoreV1.Volume): string => `${pod.metadata.name ?? ""}-${volume.name}`

const isOwner = (pod: CoreV1.Pod, claim: CoreV1.PersistentVolumeClaim): boolean =>
  claim.metadata.ownerReferences?.some(({ controller, uid }) => controller === true && uid === pod.metadata.uid) === true

/** Pods that a claim belongs to: when it is deleted they need another one. */
const ownersOf = ({ metadata }: CoreV1.PersistentVolumeClaim): ReadonlyArray<string> =>
  (metadata.ownerReferences ?? []).flatMap(({ controller, kind, name }) =>
    controller === true && kind === "Pod" ? [ObjectRef.key({ namespace: metadata.namespace, name })] : [])

/**
 * Starts the controller, which then runs as long as the scope. Waits for its informers.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<void, never, ApiClient.ApiClient | EventRecorder.EventRecorder | Scope.Scope> {
  const { client, recorder } = yield* environment.get
  const pods = options.informers?.pods ?? (yield* ClusterInformers.pods)
  const claims = yield* Informer.make({ kind: Kinds.persistentVolumeClaim })

  const ensure = (pod: CoreV1.Pod, volume: Ephemeral): Effect.Effect<void, ClientError.ClientError> => {
    const { namespace = "" } = pod.metadata
    const name = claimName(pod, volume)
    const found = claims.get(ObjectRef.key({ namespace, name }))
    if (found !== undefined) {
      if (isOwner(pod, found)) return Effect.void
      return recorder.event(
        pod,
        "Warning",
        "FailedBinding",
        `ephemeral volume ${volume.name}: PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata.name ?? ""} (pod is not owner)`
      )
    }
    const { metadata = {}, spec } = volume.ephemeral.volumeClaimTemplate ?? {}
    return client.create(Kinds.persistentVolumeClaim, {
      metadata: {
        name,
        namespace,
        ...(metadata.labels === undefined ? {} : { labels: metadata.labels }),
        ...(metadata.annotations === undefined ? {} : { annotations: metadata.annotations }),
        ownerReferences: [{
          apiVersion: "v1",
          kind: "Pod",
          name: pod.metadata.name ?? "",
          uid: pod.metadata.uid ?? "",
          controller: true,
          blockOwnerDeletion: true
        }]
      },
      ...(spec === undefined ? {} : { spec })
    }).pipe(
      Effect.asVoid,
      // The copy lags behind: the next pass sees whose it is.
      Effect.catchIf((error) => ClientError.isAlreadyExists(error) || ClientError.isNamespaceTerminating(error), () => Effect.void)
    )
  }

  const reconcile = Effect.fnUntraced(function*(key: string): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const pod = pods.get(key)
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined || PodPhase.isTerminal(pod)) return Outcome.Settled()
    yield* Effect.forEach(ephemeralOf(pod), (volume) => ensure(pod, volume), { discard: true })
    return Outcome.Settled()
  })

  const keysOf = (pod: CoreV1.Pod): ReadonlyArray<string> => ephemeralOf(pod).length === 0 ? [] : [ObjectRef.keyOf(pod)]
  yield* Controller.run({
    name: "ephemeral-volume",
    workers: options.workers ?? 4,
    resync: options.resync ?? "30 seconds",
    isRoutine,
    sources: [
      Controller.dependents(pods, keysOf, () => pods.indexValues("ephemeral")),
      Controller.dependents(claims, ownersOf)
    ],
    reconcile
  })
})
