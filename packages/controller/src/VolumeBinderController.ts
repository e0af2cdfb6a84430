/**
 * Binds PersistentVolumeClaims to PersistentVolumes that exist: a claim gets the smallest free volume that is large enough and offers what it
 * asks for. Claims of classes that wait for their first consumer are left alone until somebody names a volume for them. Volumes whose claim
 * is gone are released; what becomes of their data is for a provisioner or an operator to decide.
 */
import { type CoreV1, Kinds, Timestamp, VolumeClaims } from "@reddwarf/api-types"
import { type ApiClient, ClientError, type EventRecorder, Informer, ObjectRef } from "@reddwarf/client"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Controller from "./Controller.js"
import * as environment from "./internal/environment.js"
import { isRoutine } from "./internal/routine.js"
import { Outcome } from "./Reconciler.js"

/**
 * How often all claims and volumes are visited.
 *
 * @category models
 */
export interface Options {
  /** Time between visits of all claims and volumes: 15 seconds unless given. */
  readonly resync?: Duration.DurationInput
}

const boundByController = VolumeClaims.boundByControllerAnnotation
const bindCompleted = VolumeClaims.bindCompletedAnnotation

/**
 * Starts the controller, which then runs as long as the scope. Waits for its informers.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<void, never, ApiClient.ApiClient | EventRecorder.EventRecorder | Scope.Scope> {
  const { client, now, recorder } = yield* environment.get
  const claims = yield* Informer.make({ kind: Kinds.persistentVolumeClaim })
  const volumes = yield* Informer.make({
    kind: Kinds.persistentVolume,
    indexers: { claim: ({ spec }) => (spec?.claimRef === undefined ? [] : [VolumeClaims.claimKey(spec.claimRef)]) }
  })
  const classes = yield* Informer.make({ kind: Kinds.storageClass })

  /** Says on the volume for which claim it is. A conflict means that somebody else was quicker. */
  const reserve = (volume: CoreV1.PersistentVolume, claim: CoreV1.PersistentVolumeClaim) => {
    const { name = "", namespace = "", resourceVersion = "", uid = "" } = claim.metadata
    if (volume.spec?.claimRef?.uid === uid) return Effect.succeed(volume)
    return client.update(Kinds.persistentVolume, {
      ...volume,
      metadata: {
        ...volume.metadata,
        annotations: { ...volume.metadata.annotations, ...(volume.spec?.claimRef === undefined ? { [boundByController]: "yes" } : {}) }
      },
      spec: { ...volume.spec, claimRef: { kind: "PersistentVolumeClaim", apiVersion: "v1", namespace, name, uid, resourceVersion } }
    })
  }

  const setVolumePhase = (volume: CoreV1.PersistentVolume, phase: NonNullable<CoreV1.PersistentVolumeStatus["phase"]>) =>
    volume.status?.phase === phase
      ? Effect.succeed(volume)
      : client.updateStatus(Kinds.persistentVolume, {
        ...volume,
        status: { ...volume.status, phase, lastPhaseTransitionTime: Timestamp.secondsFromMillis(now()) }
      })

  const setClaimPhase = (claim: CoreV1.PersistentVolumeClaim, status: CoreV1.PersistentVolumeClaimStatus) =>
    Effect.asVoid(client.updateStatus(Kinds.persistentVolumeClaim, { ...claim, status: { ...claim.status, ...status } }))

  /** Volume first, then claim, each step idempotent: a bind that was cut short is completed by the next pass. */
  const bind = Effect.fnUntraced(function*(claim: CoreV1.PersistentVolumeClaim, volume: CoreV1.PersistentVolume) {
    const reserved = yield* reserve(volume, claim)
    yield* setVolumePhase(reserved, "Bound")
    const { name = "" } = volume.metadata
    const named = claim.spec?.volumeName === name && claim.metadata.annotations?.[bindCompleted] === "yes" ? claim : yield* client.update(Kinds.persistentVolumeClaim, {
      ...claim,
      metadata: {
        ...claim.metadata,
        annotations: { ...claim.metadata.annotations, [bindCompleted]: "yes", ...(claim.spec?.volumeName === undefined ? { [boundByController]: "yes" } : {}) }
      },
      spec: { ...claim.spec, volumeName: name }
    })
    if (named.status?.phase !== "Bound") {
      yield* setClaimPhase(named, {
        phase: "Bound",
        ...(volume.spec?.accessModes === undefined ? {} : { accessModes: volume.spec.accessModes }),
        ...(volume.spec?.capacity === undefined ? {} : { capacity: volume.spec.capacity })
      })
    }
  })

  const waitsForConsumer = (claim: CoreV1.PersistentVolumeClaim): boolean =>
    classes.get(VolumeClaims.classOf(claim))?.volumeBindingMode === "WaitForFirstConsumer" && claim.metadata.annotations?.[VolumeClaims.selectedNodeAnnotation] === undefined

  const reconcileClaim = Effect.fnUntraced(function*(key: string): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const claim = claims.get(key)
    if (claim === undefined || (claim.metadata.deletionTimestamp !== undefined && claim.status?.phase !== "Bound")) return Outcome.Settled()
    const { volumeName } = claim.spec ?? {}
    if (volumeName !== undefined && volumeName !== "") {
      const volume = volumes.get(volumeName)
      if (volume === undefined) {
        // A volume that was bound and is gone has taken its data with it.
        if (claim.metadata.annotations?.[bindCompleted] === "yes" && claim.status?.phase !== "Lost") {
          yield* setClaimPhase(claim, { phase: "Lost" })
          yield* recorder.event(claim, "Warning", "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!")
        }
      } else if (volume.spec?.claimRef === undefined && !VolumeClaims.satisfies(volume, claim)) {
        yield* recorder.event(claim, "Warning", "VolumeMismatch", `Cannot bind to requested volume ${JSON.stringify(volumeName)}: it does not offer what the claim asks for`)
      } else if (VolumeClaims.isFor(volume, claim)) yield* bind(claim, volume)
      return Outcome.Settled()
    }
    const reserved = volumes.byIndex("claim", key).find((volume) => VolumeClaims.isFor(volume, claim) && VolumeClaims.satisfies(volume, claim))
    if (reserved === undefined && waitsForConsumer(claim)) {
      yield* recorder.event(claim, "Normal", "WaitForFirstConsumer", "waiting for first consumer to be created before binding")
      return Outcome.Settled()
    }
    const volume = reserved ?? VolumeClaims.matching(volumes.list(), claim)[0]
    if (volume !== undefined) yield* bind(claim, volume)
    else if (VolumeClaims.classOf(claim) === "" || classes.get(VolumeClaims.classOf(claim)) === undefined) {
      yield* recorder.event(claim, "Normal", "FailedBinding", "no persistent volumes available for this claim and no storage class is set")
    } else {
      yield* recorder.event(
        claim,
        "Normal",
        "ExternalProvisioning",
        `Waiting for a volume to be created either by the external provisioner '${classes.get(VolumeClaims.classOf(claim))?.provisioner ?? ""}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`
      )
    }
    return Outcome.Settled()
  })

  const reconcileVolume = Effect.fnUntraced(function*(name: string): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const volume = volumes.get(name)
    if (volume === undefined || volume.metadata.deletionTimestamp !== undefined) return Outcome.Settled()
    const reference = volume.spec?.claimRef
    if (reference === undefined) {
      yield* setVolumePhase(volume, "Available")
      return Outcome.Settled()
    }
    // A reference without uid keeps the volume for a claim that may not exist yet.
    if (reference.uid === undefined || reference.uid === "") {
      yield* setVolumePhase(volume, "Available")
      return Outcome.Settled()
    }
    const claim = claims.get(VolumeClaims.claimKey(reference))
    if (claim?.metadata.uid === reference.uid) return Outcome.Settled()
    const live = yield* client.get(Kinds.persistentVolumeClaim, { namespace: reference.namespace, name: reference.name ?? "" }).pipe(
      Effect.map((found): string | undefined => found.metadata.uid),
      Effect.catchIf(ClientError.isNotFound, () => Effect.succeed(undefined))
    )
    if (live === reference.uid) return Outcome.Settled()
    yield* setVolumePhase(volume, "Released")
    return Outcome.Settled()
  })

  yield* classes.hasSynced
  const pendingKeys = (): ReadonlyArray<string> => claims.list().filter(({ status }) => status?.phase !== "Bound").map(ObjectRef.keyOf)
  yield* Controller.run({
    name: "persistent-volume-binder",
    // One at a time: two claims must not choose the same volume.
    workers: 1,
    resync: options.resync ?? "15 seconds",
    isRoutine,
    sources: [
      Controller.source(claims, (claim) => [ObjectRef.keyOf(claim)]),
      Controller.dependents(volumes, (volume) => (volume.spec?.claimRef === undefined ? pendingKeys() : [VolumeClaims.claimKey(volume.spec.claimRef)]))
    ],
    reconcile: reconcileClaim
  })
  yield* Controller.run({
    name: "persistent-volume-phase",
    resync: options.resync ?? "15 seconds",
    isRoutine,
    sources: [
      Controller.source(volumes, (volume) => [ObjectRef.keyOf(volume)]),
      Controller.dependents(claims, (claim) => volumes.byIndex("claim", ObjectRef.keyOf(claim)).map(ObjectRef.keyOf))
    ],
    reconcile: reconcileVolume
  })
})
