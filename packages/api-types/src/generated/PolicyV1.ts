// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.
import type * as MetaV1 from "./MetaV1.js"

/** Known values of UnhealthyPodEvictionPolicyType; a newer peer may send others. */
export type UnhealthyPodEvictionPolicyType = "IfHealthyBudget" | "AlwaysAllow" | (string & Record<never, never>)

/** `io.k8s.api.policy.v1.Eviction` */
export interface Eviction {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly deleteOptions?: MetaV1.DeleteOptions
}

/** `io.k8s.api.policy.v1.PodDisruptionBudget` */
export interface PodDisruptionBudget {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: PodDisruptionBudgetSpec
  readonly status?: PodDisruptionBudgetStatus
}

/** `io.k8s.api.policy.v1.PodDisruptionBudgetList` */
export interface PodDisruptionBudgetList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<PodDisruptionBudget>
}

/** `io.k8s.api.policy.v1.PodDisruptionBudgetSpec` */
export interface PodDisruptionBudgetSpec {
  readonly minAvailable?: number | string
  readonly selector?: MetaV1.LabelSelector
  readonly maxUnavailable?: number | string
  readonly unhealthyPodEvictionPolicy?: UnhealthyPodEvictionPolicyType
}

/** `io.k8s.api.policy.v1.PodDisruptionBudgetStatus` */
export interface PodDisruptionBudgetStatus {
  readonly observedGeneration?: number
  readonly disruptedPods?: Readonly<Record<string, string>>
  readonly disruptionsAllowed?: number
  readonly currentHealthy?: number
  readonly desiredHealthy?: number
  readonly expectedPods?: number
  readonly conditions?: ReadonlyArray<MetaV1.Condition>
}
