// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.
import type * as CoreV1 from "./CoreV1.js"
import type * as MetaV1 from "./MetaV1.js"

/** `io.k8s.api.scheduling.v1.PriorityClass` */
export interface PriorityClass {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly value?: number
  readonly globalDefault?: boolean
  readonly description?: string
  readonly preemptionPolicy?: CoreV1.PreemptionPolicy
}

/** `io.k8s.api.scheduling.v1.PriorityClassList` */
export interface PriorityClassList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<PriorityClass>
}
