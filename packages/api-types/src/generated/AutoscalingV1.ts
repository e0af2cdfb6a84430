// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.
import type * as MetaV1 from "./MetaV1.js"

/** Known values of MetricSourceType; a newer peer may send others. */
export type MetricSourceType = "Object" | "Pods" | "Resource" | "ContainerResource" | "External" | (string & Record<never, never>)

/** `io.k8s.api.autoscaling.v1.ContainerResourceMetricSource` */
export interface ContainerResourceMetricSource {
  readonly name: string
  readonly targetAverageUtilization?: number
  readonly targetAverageValue?: string
  readonly container: string
}

/** `io.k8s.api.autoscaling.v1.ContainerResourceMetricStatus` */
export interface ContainerResourceMetricStatus {
  readonly name: string
  readonly currentAverageUtilization?: number
  readonly currentAverageValue: string
  readonly container: string
}

/** `io.k8s.api.autoscaling.v1.CrossVersionObjectReference` */
export interface CrossVersionObjectReference {
  readonly kind: string
  readonly name: string
  readonly apiVersion?: string
}

/** `io.k8s.api.autoscaling.v1.ExternalMetricSource` */
export interface ExternalMetricSource {
  readonly metricName: string
  readonly metricSelector?: MetaV1.LabelSelector
  readonly targetValue?: string
  readonly targetAverageValue?: string
}

/** `io.k8s.api.autoscaling.v1.ExternalMetricStatus` */
export interface ExternalMetricStatus {
  readonly metricName: string
  readonly metricSelector?: MetaV1.LabelSelector
  readonly currentValue: string
  readonly currentAverageValue?: string
}

/** `io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler` */
export interface HorizontalPodAutoscaler {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec: HorizontalPodAutoscalerSpec
  readonly status?: HorizontalPodAutoscalerStatus
}

/** `io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerCondition` */
export interface HorizontalPodAutoscalerCondition {
  readonly type: string
  readonly status: string
  readonly lastTransitionTime?: string
  readonly reason?: string
  readonly message?: string
}

/** `io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerList` */
export interface HorizontalPodAutoscalerList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<HorizontalPodAutoscaler>
}

/** `io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec` */
export interface HorizontalPodAutoscalerSpec {
  readonly scaleTargetRef: CrossVersionObjectReference
  readonly minReplicas?: number
  readonly maxReplicas: number
  readonly targetCPUUtilizationPercentage?: number
}

/** `io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerStatus` */
export interface HorizontalPodAutoscalerStatus {
  readonly observedGeneration?: number
  readonly lastScaleTime?: string
  readonly currentReplicas: number
  readonly desiredReplicas: number
  readonly currentCPUUtilizationPercentage?: number
}

/** `io.k8s.api.autoscaling.v1.MetricSpec` */
export interface MetricSpec {
  readonly type: MetricSourceType
  readonly object?: ObjectMetricSource
  readonly pods?: PodsMetricSource
  readonly resource?: ResourceMetricSource
  readonly containerResource?: ContainerResourceMetricSource
  readonly external?: ExternalMetricSource
}

/** `io.k8s.api.autoscaling.v1.MetricStatus` */
export interface MetricStatus {
  readonly type: MetricSourceType
  readonly object?: ObjectMetricStatus
  readonly pods?: PodsMetricStatus
  readonly resource?: ResourceMetricStatus
  readonly containerResource?: ContainerResourceMetricStatus
  readonly external?: ExternalMetricStatus
}

/** `io.k8s.api.autoscaling.v1.ObjectMetricSource` */
export interface ObjectMetricSource {
  readonly target: CrossVersionObjectReference
  readonly metricName: string
  readonly targetValue: string
  readonly selector?: MetaV1.LabelSelector
  readonly averageValue?: string
}

/** `io.k8s.api.autoscaling.v1.ObjectMetricStatus` */
export interface ObjectMetricStatus {
  readonly target: CrossVersionObjectReference
  readonly metricName: string
  readonly currentValue: string
  readonly selector?: MetaV1.LabelSelector
  readonly averageValue?: string
}

/** `io.k8s.api.autoscaling.v1.PodsMetricSource` */
export interface PodsMetricSource {
  readonly metricName: string
  readonly targetAverageValue: string
  readonly selector?: MetaV1.LabelSelector
}

/** `io.k8s.api.autoscaling.v1.PodsMetricStatus` */
export interface PodsMetricStatus {
  readonly metricName: string
  readonly currentAverageValue: string
  readonly selector?: MetaV1.LabelSelector
}

/** `io.k8s.api.autoscaling.v1.ResourceMetricSource` */
export interface ResourceMetricSource {
  readonly name: string
  readonly targetAverageUtilization?: number
  readonly targetAverageValue?: string
}

/** `io.k8s.api.autoscaling.v1.ResourceMetricStatus` */
export interface ResourceMetricStatus {
  readonly name: string
  readonly currentAverageUtilization?: number
  readonly currentAverageValue: string
}

/** `io.k8s.api.autoscaling.v1.Scale` */
export interface Scale {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: ScaleSpec
  readonly status?: ScaleStatus
}

/** `io.k8s.api.autoscaling.v1.ScaleSpec` */
export interface ScaleSpec {
  readonly replicas?: number
}

/** `io.k8s.api.autoscaling.v1.ScaleStatus` */
export interface ScaleStatus {
  readonly replicas: number
  readonly selector?: string
}
