// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.
import type * as CoreV1 from "./CoreV1.js"
import type * as MetaV1 from "./MetaV1.js"

/** Known values of DaemonSetUpdateStrategyType; a newer peer may send others. */
export type DaemonSetUpdateStrategyType = "RollingUpdate" | "OnDelete" | (string & Record<never, never>)

/** Known values of DeploymentStrategyType; a newer peer may send others. */
export type DeploymentStrategyType = "Recreate" | "RollingUpdate" | (string & Record<never, never>)

/** Known values of PodManagementPolicyType; a newer peer may send others. */
export type PodManagementPolicyType = "OrderedReady" | "Parallel" | (string & Record<never, never>)

/** Known values of StatefulSetUpdateStrategyType; a newer peer may send others. */
export type StatefulSetUpdateStrategyType = "RollingUpdate" | "OnDelete" | (string & Record<never, never>)

/** `io.k8s.api.apps.v1.ControllerRevision` */
export interface ControllerRevision {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly data?: unknown
  readonly revision: number
}

/** `io.k8s.api.apps.v1.ControllerRevisionList` */
export interface ControllerRevisionList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<ControllerRevision>
}

/** `io.k8s.api.apps.v1.DaemonSet` */
export interface DaemonSet {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: DaemonSetSpec
  readonly status?: DaemonSetStatus
}

/** `io.k8s.api.apps.v1.DaemonSetCondition` */
export interface DaemonSetCondition {
  readonly type: string
  readonly status: string
  readonly lastTransitionTime?: string
  readonly reason?: string
  readonly message?: string
}

/** `io.k8s.api.apps.v1.DaemonSetList` */
export interface DaemonSetList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<DaemonSet>
}

/** `io.k8s.api.apps.v1.DaemonSetSpec` */
export interface DaemonSetSpec {
  readonly selector: MetaV1.LabelSelector
  readonly template: CoreV1.PodTemplateSpec
  readonly updateStrategy?: DaemonSetUpdateStrategy
  readonly minReadySeconds?: number
  readonly revisionHistoryLimit?: number
}

/** `io.k8s.api.apps.v1.DaemonSetStatus` */
export interface DaemonSetStatus {
  readonly currentNumberScheduled: number
  readonly numberMisscheduled: number
  readonly desiredNumberScheduled: number
  readonly numberReady: number
  readonly observedGeneration?: number
  readonly updatedNumberScheduled?: number
  readonly numberAvailable?: number
  readonly numberUnavailable?: number
  readonly collisionCount?: number
  readonly conditions?: ReadonlyArray<DaemonSetCondition>
}

/** `io.k8s.api.apps.v1.DaemonSetUpdateStrategy` */
export interface DaemonSetUpdateStrategy {
  readonly type?: DaemonSetUpdateStrategyType
  readonly rollingUpdate?: RollingUpdateDaemonSet
}

/** `io.k8s.api.apps.v1.Deployment` */
export interface Deployment {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: DeploymentSpec
  readonly status?: DeploymentStatus
}

/** `io.k8s.api.apps.v1.DeploymentCondition` */
export interface DeploymentCondition {
  readonly type: string
  readonly status: string
  readonly lastUpdateTime?: string
  readonly lastTransitionTime?: string
  readonly reason?: string
  readonly message?: string
}

/** `io.k8s.api.apps.v1.DeploymentList` */
export interface DeploymentList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<Deployment>
}

/** `io.k8s.api.apps.v1.DeploymentSpec` */
export interface DeploymentSpec {
  readonly replicas?: number
  readonly selector: MetaV1.LabelSelector
  readonly template: CoreV1.PodTemplateSpec
  readonly strategy?: DeploymentStrategy
  readonly minReadySeconds?: number
  readonly revisionHistoryLimit?: number
  readonly paused?: boolean
  readonly progressDeadlineSeconds?: number
}

/** `io.k8s.api.apps.v1.DeploymentStatus` */
export interface DeploymentStatus {
  readonly observedGeneration?: number
  readonly replicas?: number
  readonly updatedReplicas?: number
  readonly readyReplicas?: number
  readonly availableReplicas?: number
  readonly unavailableReplicas?: number
  readonly terminatingReplicas?: number
  readonly conditions?: ReadonlyArray<DeploymentCondition>
  readonly collisionCount?: number
}

/** `io.k8s.api.apps.v1.DeploymentStrategy` */
export interface DeploymentStrategy {
  readonly type?: DeploymentStrategyType
  readonly rollingUpdate?: RollingUpdateDeployment
}

/** `io.k8s.api.apps.v1.ReplicaSet` */
export interface ReplicaSet {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: ReplicaSetSpec
  readonly status?: ReplicaSetStatus
}

/** `io.k8s.api.apps.v1.ReplicaSetCondition` */
export interface ReplicaSetCondition {
  readonly type: string
  readonly status: string
  readonly lastTransitionTime?: string
  readonly reason?: string
  readonly message?: string
}

/** `io.k8s.api.apps.v1.ReplicaSetList` */
export interface ReplicaSetList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<ReplicaSet>
}

/** `io.k8s.api.apps.v1.ReplicaSetSpec` */
export interface ReplicaSetSpec {
  readonly replicas?: number
  readonly minReadySeconds?: number
  readonly selector: MetaV1.LabelSelector
  readonly template?: CoreV1.PodTemplateSpec
}

/** `io.k8s.api.apps.v1.ReplicaSetStatus` */
export interface ReplicaSetStatus {
  readonly replicas: number
  readonly fullyLabeledReplicas?: number
  readonly readyReplicas?: number
  readonly availableReplicas?: number
  readonly terminatingReplicas?: number
  readonly observedGeneration?: number
  readonly conditions?: ReadonlyArray<ReplicaSetCondition>
}

/** `io.k8s.api.apps.v1.RollingUpdateDaemonSet` */
export interface RollingUpdateDaemonSet {
  readonly maxUnavailable?: number | string
  readonly maxSurge?: number | string
}

/** `io.k8s.api.apps.v1.RollingUpdateDeployment` */
export interface RollingUpdateDeployment {
  readonly maxUnavailable?: number | string
  readonly maxSurge?: number | string
}

/** `io.k8s.api.apps.v1.RollingUpdateStatefulSetStrategy` */
export interface RollingUpdateStatefulSetStrategy {
  readonly partition?: number
  readonly maxUnavailable?: number | string
}

/** `io.k8s.api.apps.v1.StatefulSet` */
export interface StatefulSet {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: StatefulSetSpec
  readonly status?: StatefulSetStatus
}

/** `io.k8s.api.apps.v1.StatefulSetCondition` */
export interface StatefulSetCondition {
  readonly type: string
  readonly status: string
  readonly lastTransitionTime?: string
  readonly reason?: string
  readonly message?: string
}

/** `io.k8s.api.apps.v1.StatefulSetList` */
export interface StatefulSetList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<StatefulSet>
}

/** `io.k8s.api.apps.v1.StatefulSetOrdinals` */
export interface StatefulSetOrdinals {
  readonly start?: number
}

/** `io.k8s.api.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy` */
export interface StatefulSetPersistentVolumeClaimRetentionPolicy {
  readonly whenDeleted?: string
  readonly whenScaled?: string
}

/** `io.k8s.api.apps.v1.StatefulSetSpec` */
export interface StatefulSetSpec {
  readonly replicas?: number
  readonly selector: MetaV1.LabelSelector
  readonly template: CoreV1.PodTemplateSpec
  readonly volumeClaimTemplates?: ReadonlyArray<CoreV1.PersistentVolumeClaim>
  readonly serviceName?: string
  readonly podManagementPolicy?: PodManagementPolicyType
  readonly updateStrategy?: StatefulSetUpdateStrategy
  readonly revisionHistoryLimit?: number
  readonly minReadySeconds?: number
  readonly persistentVolumeClaimRetentionPolicy?: StatefulSetPersistentVolumeClaimRetentionPolicy
  readonly ordinals?: StatefulSetOrdinals
}

/** `io.k8s.api.apps.v1.StatefulSetStatus` */
export interface StatefulSetStatus {
  readonly observedGeneration?: number
  readonly replicas: number
  readonly readyReplicas?: number
  readonly currentReplicas?: number
  readonly updatedReplicas?: number
  readonly currentRevision?: string
  readonly updateRevision?: string
  readonly collisionCount?: number
  readonly conditions?: ReadonlyArray<StatefulSetCondition>
  readonly availableReplicas?: number
}

/** `io.k8s.api.apps.v1.StatefulSetUpdateStrategy` */
export interface StatefulSetUpdateStrategy {
  readonly type?: StatefulSetUpdateStrategyType
  readonly rollingUpdate?: RollingUpdateStatefulSetStrategy
}
