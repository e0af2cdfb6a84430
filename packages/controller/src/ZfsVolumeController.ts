/**
 * Provides volumes that are ZFS datasets of a node, for claims of StorageClasses with the provisioner `reddwarf.io/zfs`.
 *
 * A claim gets its volume when a scheduler has said where its first pod goes: by the annotation for it, or by binding that pod. The volume
 * then belongs to that node. This controller only writes objects; the agent of the node makes the dataset when a pod first uses it, gives it
 * the capacity of its volume as a quota, and destroys it when a volume that is to be deleted is gone.
 */
import { type CoreV1, Kinds, PodPhase, Quantity, type StorageV1, VolumeClaims } from "@reddwarf/api-types"
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

/**
 * Provisioner of the classes, and driver of the volumes.
 *
 * @category models
 */
export const driver = "reddwarf.io/zfs"

/**
 * Attribute of a volume with the name of the node that has the dataset.
 *
 * @category models
 */
export const nodeAttribute = "reddwarf.io/node"

const provisionedBy = "pv.kubernetes.io/provisioned-by"
const hostname = "kubernetes.io/hostname"

/**
 * The volume that a claim gets on a node.
 *
 * @category constructors
 */
export const volumeFor = (
  claim: CoreV1.PersistentVolumeClaim,
  storageClass: StorageV1.StorageClass,
  node: { readonly name: string; readonly hostname: string }
): ApiClient.Draft<CoreV1.PersistentVolume> => {
  const { name = "", namespace = "", uid = "" } = claim.metadata
  return {
    metadata: { name: `pvc-${uid}`, annotations: { [provisionedBy]: driver } },
    spec: {
      capacity: { storage: claim.spec?.resources?.requests?.["storage"] ?? "0" },
      accessModes: claim.spec?.accessModes ?? ["ReadWriteOnce"],
      volumeMode: "Filesystem",
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? "Delete",
      storageClassName: storageClass.metadata.name ?? "",
      claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid },
      csi: { driver, volumeHandle: `pvc-${uid}`, volumeAttributes: { [nodeAttribute]: node.name } },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: hostname, operator: "In", values: [node.hostname] }] }] } }
    }
  }
}

/** Why a claim cannot have such a volume. */
const problemOf = (claim: CoreV1.PersistentVolumeClaim): string | undefined => {
  const { accessModes = [], dataSource, dataSourceRef, volumeMode } = claim.spec ?? {}
  if (volumeMode === "Block") return "a dataset is a file system; use volumeMode Filesystem"
  if (accessModes.includes("ReadWriteMany") || accessModes.includes("ReadOnlyMany")) return "a dataset is on one node; use ReadWriteOnce or ReadWriteOncePod"
  if (dataSource !== undefined || dataSourceRef !== undefined) return "a dataset cannot be made from a data source; leave dataSource out"
  return undefined
}

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
  const volumes = yield* Informer.make({ kind: Kinds.persistentVolume })
  const classes = yield* Informer.make({ kind: Kinds.storageClass })

  const classOf = (claim: CoreV1.PersistentVolumeClaim): StorageV1.StorageClass | undefined => {
    const found = classes.get(VolumeClaims.classOf(claim))
    return found?.provisioner === driver ? found : undefined
  }

  /** Where the claim is first used, once that is known. */
  const nodeOf = (claim: CoreV1.PersistentVolumeClaim, key: string): string | undefined =>
    claim.metadata.annotations?.[VolumeClaims.selectedNodeAnnotation] ??
      pods.byIndex("namespace", claim.metadata.namespace ?? "").find((pod) => PodPhase.isBound(pod) && !PodPhase.isTerminal(pod) && VolumeClaims.claimsOf(pod).includes(key))?.spec?.nodeName

  const provision = Effect.fnUntraced(function*(
    claim: CoreV1.PersistentVolumeClaim,
    storageClass: StorageV1.StorageClass,
    nodeName: string
  ): Effect.fn.Return<void, ClientError.ClientError> {
    const fail = (why: string) =>
      recorder.event(claim, "Warning", "ProvisioningFailed", `failed to provision volume with StorageClass ${JSON.stringify(storageClass.metadata.name ?? "")}: ${why}`)
    const problem = problemOf(claim)
    if (problem !== undefined) {
      yield* fail(problem)
      return
    }
    const node = yield* client.get(Kinds.node, { name: nodeName }).pipe(
      Effect.map((found): CoreV1.Node | undefined => found),
      Effect.catchIf(ClientError.isNotFound, () => Effect.succeed(undefined))
    )
    if (node === undefined) {
      yield* fail(`node ${JSON.stringify(nodeName)} not found`)
      return
    }
    const volume = volumeFor(claim, storageClass, { name: nodeName, hostname: node.metadata.labels?.[hostname] ?? nodeName })
    yield* client.create(Kinds.persistentVolume, volume).pipe(
      Effect.zipRight(recorder.event(claim, "Normal", "ProvisioningSucceeded", `Successfully provisioned volume ${volume.metadata.name ?? ""}`)),
      // Made before the last controller ended; whether it is this claim's is seen when it is bound.
      Effect.catchIf(ClientError.isAlreadyExists, () => Effect.void)
    )
  })

  /** Lets a volume grow with its claim: a quota changes while the dataset is in use. */
  const expand = Effect.fnUntraced(function*(
    claim: CoreV1.PersistentVolumeClaim,
    volume: CoreV1.PersistentVolume
  ): Effect.fn.Return<void, ClientError.ClientError> {
    const wanted = claim.spec?.resources?.requests?.["storage"] ?? "0"
    const size = Quantity.fromText(wanted)
    if (Quantity.compare(size, Quantity.fromText(volume.spec?.capacity?.["storage"])) > 0) {
      yield* client.update(Kinds.persistentVolume, { ...volume, spec: { ...volume.spec, capacity: { ...volume.spec?.capacity, storage: wanted } } })
    }
    if (claim.status?.phase !== "Bound" || Quantity.compare(size, Quantity.fromText(claim.status.capacity?.["storage"])) <= 0) return
    yield* client.updateStatus(Kinds.persistentVolumeClaim, {
      ...claim,
      status: { ...claim.status, capacity: { ...claim.status.capacity, storage: wanted } }
    })
    yield* recorder.event(claim, "Normal", "VolumeResizeSuccessful", `Resized volume ${volume.metadata.name ?? ""} to ${wanted}`)
  })

  const reconcileClaim = Effect.fnUntraced(function*(key: string): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const claim = claims.get(key)
    if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) return Outcome.Settled()
    const { volumeName = "" } = claim.spec ?? {}
    if (volumeName !== "") {
      const volume = volumes.get(volumeName)
      if (volume?.spec?.csi?.driver === driver && VolumeClaims.isFor(volume, claim)) yield* expand(claim, volume)
      return Outcome.Settled()
    }
    const storageClass = classOf(claim)
    if (storageClass === undefined || volumes.get(`pvc-${claim.metadata.uid ?? ""}`) !== undefined) return Outcome.Settled()
    const node = nodeOf(claim, key)
    if (node !== undefined) yield* provision(claim, storageClass, node)
    else if (storageClass.volumeBindingMode !== "WaitForFirstConsumer") {
      yield* recorder.event(claim, "Normal", "WaitForFirstConsumer", "a dataset is made on the node of the first pod that uses the claim; waiting for that pod")
    }
    return Outcome.Settled()
  })

  const reconcileVolume = Effect.fnUntraced(function*(name: string): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const volume = volumes.get(name)
    const isOurs = volume?.spec?.csi?.driver === driver && volume.metadata.annotations?.[provisionedBy] === driver
    if (volume === undefined || !isOurs || volume.metadata.deletionTimestamp !== undefined) return Outcome.Settled()
    if (volume.status?.phase !== "Released" || volume.spec?.persistentVolumeReclaimPolicy !== "Delete") return Outcome.Settled()
    const { resourceVersion, uid } = volume.metadata
    // As it was seen: somebody may have decided to keep it a moment ago.
    const preconditions = { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) }
    yield* client.delete(Kinds.persistentVolume, { name }, { preconditions })
    return Outcome.Settled()
  })

  yield* classes.hasSynced
  yield* Controller.run({
    name: "zfs-volume-provisioner",
    workers: options.workers ?? 2,
    resync: options.resync ?? "15 seconds",
    isRoutine,
    sources: [
      Controller.source(claims, (claim) => [ObjectRef.keyOf(claim)]),
      Controller.dependents(pods, VolumeClaims.claimsOf),
      Controller.dependents(volumes, ({ spec }) => (spec?.claimRef === undefined ? [] : [VolumeClaims.claimKey(spec.claimRef)]))
    ],
    reconcile: reconcileClaim
  })
  yield* Controller.run({
    name: "zfs-volume-reclaimer",
    workers: options.workers ?? 2,
    resync: options.resync ?? "15 seconds",
    isRoutine,
    sources: [Controller.source(volumes, (volume) => [ObjectRef.keyOf(volume)])],
    reconcile: reconcileVolume
  })
})
