/**
 * Types of `metrics.k8s.io/v1beta1`: what nodes and pods use, as measured over a short time. They are not part of Kubernetes' own API
 * sources, so they are not generated.
 */
import type * as MetaV1 from "./generated/MetaV1.js"

/** Amounts by resource, such as `cpu` in cores and `memory` in bytes, as quantities. @category models */
export type ResourceUsage = Readonly<Record<string, string>>

/** What a node uses. @category models */
export interface NodeMetrics {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  /** End of the time that was measured over. */
  readonly timestamp: string
  /** Length of that time as Go writes durations: `15.02s`. */
  readonly window: string
  readonly usage: ResourceUsage
}

/** What one container uses. @category models */
export interface ContainerMetrics {
  readonly name: string
  readonly usage: ResourceUsage
}

/** What the containers of a pod use. @category models */
export interface PodMetrics {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  /** End of the time that was measured over. */
  readonly timestamp: string
  /** Length of that time as Go writes durations: `15.02s`. */
  readonly window: string
  readonly containers: ReadonlyArray<ContainerMetrics>
}
