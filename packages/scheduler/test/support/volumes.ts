/** Claims, volumes and classes as tests write them. */
import type { CoreV1, StorageV1 } from "@reddwarf/api-types"
import { Listers } from "../../src/index.js"

export const storageClass = (name: string, shape: Partial<StorageV1.StorageClass> = {}): StorageV1.StorageClass => ({
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: { name },
  provisioner: "reddwarf.io/zfs",
  volumeBindingMode: "WaitForFirstConsumer",
  ...shape
})

export interface ClaimShape {
  readonly className?: string
  readonly size?: string
  readonly modes?: ReadonlyArray<string>
  /** The volume it is bound to. */
  readonly volume?: string
  readonly selectedNode?: string
  readonly deleted?: boolean
  readonly phase?: CoreV1.PersistentVolumeClaimStatus["phase"]
}

export const claim = (name: string, shape: ClaimShape = {}): CoreV1.PersistentVolumeClaim => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: {
    name,
    namespace: "default",
    uid: `uid-${name}`,
    annotations: {
      ...(shape.volume === undefined ? {} : { "pv.kubernetes.io/bind-completed": "yes" }),
      ...(shape.selectedNode === undefined ? {} : { "volume.kubernetes.io/selected-node": shape.selectedNode })
    },
    ...(shape.deleted === true ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {})
  },
  spec: {
    storageClassName: shape.className ?? "zfs",
    accessModes: shape.modes ?? ["ReadWriteOnce"],
    resources: { requests: { storage: shape.size ?? "1Gi" } },
    ...(shape.volume === undefined ? {} : { volumeName: shape.volume })
  },
  ...(shape.phase === undefined ? {} : { status: { phase: shape.phase } })
})

export interface VolumeShape {
  readonly className?: string
  readonly size?: string
  /** The only node that has it. */
  readonly node?: string
  /** The claim that has it. */
  readonly claim?: string
}

export const volume = (name: string, shape: VolumeShape = {}): CoreV1.PersistentVolume => ({
  apiVersion: "v1",
  kind: "PersistentVolume",
  metadata: { name },
  spec: {
    storageClassName: shape.className ?? "zfs",
    accessModes: ["ReadWriteOnce"],
    capacity: { storage: shape.size ?? "1Gi" },
    ...(shape.claim === undefined ? {} : { claimRef: { namespace: "default", name: shape.claim, uid: `uid-${shape.claim}` } }),
    ...(shape.node === undefined ? {} : {
      csi: { driver: "reddwarf.io/zfs", volumeHandle: name, volumeAttributes: { "reddwarf.io/node": shape.node } },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [shape.node] }] }] } }
    })
  }
})

export const listers = (
  objects: {
    readonly claims?: ReadonlyArray<CoreV1.PersistentVolumeClaim>
    readonly volumes?: ReadonlyArray<CoreV1.PersistentVolume>
    readonly classes?: ReadonlyArray<StorageV1.StorageClass>
  }
): Listers.Listers => ({
  ...Listers.empty,
  persistentVolumeClaims: Listers.of(objects.claims ?? []),
  persistentVolumes: Listers.of(objects.volumes ?? []),
  storageClasses: Listers.of(objects.classes ?? [storageClass("zfs")])
})

/** Pod volumes of claims. */
export const mounts = (...claims: ReadonlyArray<string>): ReadonlyArray<CoreV1.Volume> =>
  claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } }))
