// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.
import type * as MetaV1 from "./MetaV1.js"

/** `io.k8s.api.coordination.v1.Lease` */
export interface Lease {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: LeaseSpec
}

/** `io.k8s.api.coordination.v1.LeaseList` */
export interface LeaseList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<Lease>
}

/** `io.k8s.api.coordination.v1.LeaseSpec` */
export interface LeaseSpec {
  readonly holderIdentity?: string
  readonly leaseDurationSeconds?: number
  readonly acquireTime?: string
  readonly renewTime?: string
  readonly leaseTransitions?: number
  readonly strategy?: string
  readonly preferredHolder?: string
}
