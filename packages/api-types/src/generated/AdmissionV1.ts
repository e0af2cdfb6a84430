// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.
import type * as AuthenticationV1 from "./AuthenticationV1.js"
import type * as MetaV1 from "./MetaV1.js"

/** `io.k8s.api.admission.v1.AdmissionRequest` */
export interface AdmissionRequest {
  readonly uid?: string
  readonly kind?: MetaV1.GroupVersionKind
  readonly resource?: MetaV1.GroupVersionResource
  readonly subResource?: string
  readonly requestKind?: MetaV1.GroupVersionKind
  readonly requestResource?: MetaV1.GroupVersionResource
  readonly requestSubResource?: string
  readonly name?: string
  readonly namespace?: string
  readonly operation?: string
  readonly userInfo?: AuthenticationV1.UserInfo
  readonly object?: unknown
  readonly oldObject?: unknown
  readonly dryRun?: boolean
  readonly options?: unknown
}

/** `io.k8s.api.admission.v1.AdmissionResponse` */
export interface AdmissionResponse {
  readonly uid?: string
  readonly allowed?: boolean
  readonly status?: MetaV1.Status
  readonly patch?: string
  readonly patchType?: string
  readonly auditAnnotations?: Readonly<Record<string, string>>
  readonly warnings?: ReadonlyArray<string>
}

/** `io.k8s.api.admission.v1.AdmissionReview` */
export interface AdmissionReview {
  readonly apiVersion: string
  readonly kind: string
  readonly request?: AdmissionRequest
  readonly response?: AdmissionResponse
}
