// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.
import type * as CoreV1 from "./CoreV1.js"
import type * as MetaV1 from "./MetaV1.js"

/** Known values of VolumeBindingMode; a newer peer may send others. */
export type VolumeBindingMode = "Immediate" | "WaitForFirstConsumer" | (string & Record<never, never>)

/** `io.k8s.api.storage.v1.CSIDriver` */
export interface CSIDriver {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec: CSIDriverSpec
}

/** `io.k8s.api.storage.v1.CSIDriverList` */
export interface CSIDriverList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<CSIDriver>
}

/** `io.k8s.api.storage.v1.CSIDriverSpec` */
export interface CSIDriverSpec {
  readonly attachRequired?: boolean
  readonly podInfoOnMount?: boolean
  readonly volumeLifecycleModes?: ReadonlyArray<string>
  readonly storageCapacity?: boolean
  readonly fsGroupPolicy?: string
  readonly tokenRequests?: ReadonlyArray<TokenRequest>
  readonly requiresRepublish?: boolean
  readonly seLinuxMount?: boolean
  readonly nodeAllocatableUpdatePeriodSeconds?: number
  readonly serviceAccountTokenInSecrets?: boolean
  readonly preventPodSchedulingIfMissing?: boolean
}

/** `io.k8s.api.storage.v1.CSINode` */
export interface CSINode {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec: CSINodeSpec
}

/** `io.k8s.api.storage.v1.CSINodeDriver` */
export interface CSINodeDriver {
  readonly name: string
  readonly nodeID: string
  readonly topologyKeys?: ReadonlyArray<string>
  readonly allocatable?: VolumeNodeResources
}

/** `io.k8s.api.storage.v1.CSINodeList` */
export interface CSINodeList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<CSINode>
}

/** `io.k8s.api.storage.v1.CSINodeSpec` */
export interface CSINodeSpec {
  readonly drivers: ReadonlyArray<CSINodeDriver>
}

/** `io.k8s.api.storage.v1.CSIStorageCapacity` */
export interface CSIStorageCapacity {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly nodeTopology?: MetaV1.LabelSelector
  readonly storageClassName: string
  readonly capacity?: string
  readonly maximumVolumeSize?: string
}

/** `io.k8s.api.storage.v1.CSIStorageCapacityList` */
export interface CSIStorageCapacityList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<CSIStorageCapacity>
}

/** `io.k8s.api.storage.v1.StorageClass` */
export interface StorageClass {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly provisioner: string
  readonly parameters?: Readonly<Record<string, string>>
  readonly reclaimPolicy?: CoreV1.PersistentVolumeReclaimPolicy
  readonly mountOptions?: ReadonlyArray<string>
  readonly allowVolumeExpansion?: boolean
  readonly volumeBindingMode?: VolumeBindingMode
  readonly allowedTopologies?: ReadonlyArray<CoreV1.TopologySelectorTerm>
}

/** `io.k8s.api.storage.v1.StorageClassList` */
export interface StorageClassList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<StorageClass>
}

/** `io.k8s.api.storage.v1.TokenRequest` */
export interface TokenRequest {
  readonly audience: string
  readonly expirationSeconds?: number
}

/** `io.k8s.api.storage.v1.VolumeAttachment` */
export interface VolumeAttachment {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec: VolumeAttachmentSpec
  readonly status?: VolumeAttachmentStatus
}

/** `io.k8s.api.storage.v1.VolumeAttachmentList` */
export interface VolumeAttachmentList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<VolumeAttachment>
}

/** `io.k8s.api.storage.v1.VolumeAttachmentSource` */
export interface VolumeAttachmentSource {
  readonly persistentVolumeName?: string
  readonly inlineVolumeSpec?: CoreV1.PersistentVolumeSpec
}

/** `io.k8s.api.storage.v1.VolumeAttachmentSpec` */
export interface VolumeAttachmentSpec {
  readonly attacher: string
  readonly source: VolumeAttachmentSource
  readonly nodeName: string
}

/** `io.k8s.api.storage.v1.VolumeAttachmentStatus` */
export interface VolumeAttachmentStatus {
  readonly attached: boolean
  readonly attachmentMetadata?: Readonly<Record<string, string>>
  readonly attachError?: VolumeError
  readonly detachError?: VolumeError
}

/** `io.k8s.api.storage.v1.VolumeAttributesClass` */
export interface VolumeAttributesClass {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly driverName: string
  readonly parameters?: Readonly<Record<string, string>>
}

/** `io.k8s.api.storage.v1.VolumeAttributesClassList` */
export interface VolumeAttributesClassList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<VolumeAttributesClass>
}

/** `io.k8s.api.storage.v1.VolumeError` */
export interface VolumeError {
  readonly time?: string
  readonly message?: string
  readonly errorCode?: number
}

/** `io.k8s.api.storage.v1.VolumeNodeResources` */
export interface VolumeNodeResources {
  readonly count?: number
}
