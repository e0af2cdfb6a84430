// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.
import type * as MetaV1 from "./MetaV1.js"

/** `io.k8s.api.autoscaling.v2.ContainerResourceMetricSource` */
export interface ContainerResourceMetricSource {
  readonly name: string
  readonly target: MetricTarget
  readonly container: string
}

/** `io.k8s.api.autoscaling.v2.ContainerResourceMetricStatus` */
export interface ContainerResourceMetricStatus {
  readonly name: string
  readonly current: MetricValueStatus
  readonly container: string
}

/** `io.k8s.api.autoscaling.v2.CrossVersionObjectReference` */
export interface CrossVersionObjectReference {
  readonly kind: string
  readonly name: string
  readonly apiVersion?: string
}

/** `io.k8s.api.autoscaling.v2.ExternalMetricSource` */
export interface ExternalMetricSource {
  readonly metric: MetricIdentifier
  readonly target: MetricTarget
}

/** `io.k8s.api.autoscaling.v2.ExternalMetricStatus` */
export interface ExternalMetricStatus {
  readonly metric: MetricIdentifier
  readonly current: MetricValueStatus
}

/** `io.k8s.api.autoscaling.v2.HPAScalingPolicy` */
export interface HPAScalingPolicy {
  readonly type: string
  readonly value: number
  readonly periodSeconds: number
}

/** `io.k8s.api.autoscaling.v2.HPAScalingRules` */
export interface HPAScalingRules {
  readonly stabilizationWindowSeconds?: number
  readonly selectPolicy?: string
  readonly policies?: ReadonlyArray<HPAScalingPolicy>
  readonly tolerance?: string
}

/** `io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler` */
export interface HorizontalPodAutoscaler {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec: HorizontalPodAutoscalerSpec
  readonly status?: HorizontalPodAutoscalerStatus
}

/** `io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerBehavior` */
export interface HorizontalPodAutoscalerBehavior {
  readonly scaleUp?: HPAScalingRules
  readonly scaleDown?: HPAScalingRules
}

/** `io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerCondition` */
export interface HorizontalPodAutoscalerCondition {
  readonly type: string
  readonly status: string
  readonly lastTransitionTime?: string
  readonly reason?: string
  readonly message?: string
}

/** `io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerList` */
export interface HorizontalPodAutoscalerList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<HorizontalPodAutoscaler>
}

/** `io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec` */
export interface HorizontalPodAutoscalerSpec {
  readonly scaleTargetRef: CrossVersionObjectReference
  readonly minReplicas?: number
  readonly maxReplicas: number
  readonly metrics?: ReadonlyArray<MetricSpec>
  readonly behavior?: HorizontalPodAutoscalerBehavior
}

/** `io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerStatus` */
export interface HorizontalPodAutoscalerStatus {
  readonly observedGeneration?: number
  readonly lastScaleTime?: string
  readonly currentReplicas?: number
  readonly desiredReplicas: number
  readonly currentMetrics?: ReadonlyArray<MetricStatus>
  readonly conditions?: ReadonlyArray<HorizontalPodAutoscalerCondition>
}

/** `io.k8s.api.autoscaling.v2.MetricIdentifier` */
export interface MetricIdentifier {
  readonly name: string
  readonly selector?: MetaV1.LabelSelector
}

/** `io.k8s.api.autoscaling.v2.MetricSpec` */
export interface MetricSpec {
  readonly type: string
  readonly object?: ObjectMetricSource
  readonly pods?: PodsMetricSource
  readonly resource?: ResourceMetricSource
  readonly containerResource?: ContainerResourceMetricSource
  readonly external?: ExternalMetricSource
}

/** `io.k8s.api.autoscaling.v2.MetricStatus` */
export interface MetricStatus {
  readonly type: string
  readonly object?: ObjectMetricStatus
  readonly pods?: PodsMetricStatus
  readonly resource?: ResourceMetricStatus
  readonly containerResource?: ContainerResourceMetricStatus
  readonly external?: ExternalMetricStatus
}

/** `io.k8s.api.autoscaling.v2.MetricTarget` */
export interface MetricTarget {
  readonly type: string
  readonly value?: string
  readonly averageValue?: string
  readonly averageUtilization?: number
}

/** `io.k8s.api.autoscaling.v2.MetricValueStatus` */
export interface MetricValueStatus {
  readonly value?: string
  readonly averageValue?: string
  readonly averageUtilization?: number
}

/** `io.k8s.api.autoscaling.v2.ObjectMetricSource` */
export interface ObjectMetricSource {
  readonly describedObject: CrossVersionObjectReference
  readonly target: MetricTarget
  readonly metric: MetricIdentifier
}

/** `io.k8s.api.autoscaling.v2.ObjectMetricStatus` */
export interface ObjectMetricStatus {
  readonly metric: MetricIdentifier
  readonly current: MetricValueStatus
  readonly describedObject: CrossVersionObjectReference
}

/** `io.k8s.api.autoscaling.v2.PodsMetricSource` */
export interface PodsMetricSource {
  readonly metric: MetricIdentifier
  readonly target: MetricTarget
}

/** `io.k8s.api.autoscaling.v2.PodsMetricStatus` */
export interface PodsMetricStatus {
  readonly metric: MetricIdentifier
  readonly current: MetricValueStatus
}

/** `io.k8s.api.autoscaling.v2.ResourceMetricSource` */
export interface ResourceMetricSource {
  readonly name: string
  readonly target: MetricTarget
}

/** `io.k8s.api.autoscaling.v2.ResourceMetricStatus` */
export interface ResourceMetricStatus {
  readonly name: string
  readonly current: MetricValueStatus
}
