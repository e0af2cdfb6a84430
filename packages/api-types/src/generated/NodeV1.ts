// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.
import type * as CoreV1 from "./CoreV1.js"
import type * as MetaV1 from "./MetaV1.js"

/** `io.k8s.api.node.v1.Overhead` */
export interface Overhead {
  readonly podFixed?: Readonly<Record<string, string>>
}

/** `io.k8s.api.node.v1.RuntimeClass` */
export interface RuntimeClass {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly handler: string
  readonly overhead?: Overhead
  readonly scheduling?: Scheduling
}

/** `io.k8s.api.node.v1.RuntimeClassList` */
export interface RuntimeClassList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<RuntimeClass>
}

/** `io.k8s.api.node.v1.Scheduling` */
export interface Scheduling {
  readonly nodeSelector?: Readonly<Record<string, string>>
  readonly tolerations?: ReadonlyArray<CoreV1.Toleration>
}
