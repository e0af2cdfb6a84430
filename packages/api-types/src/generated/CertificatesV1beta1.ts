// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.
import type * as MetaV1 from "./MetaV1.js"

/** `io.k8s.api.certificates.v1beta1.CertificateSigningRequest` */
export interface CertificateSigningRequest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec: CertificateSigningRequestSpec
  readonly status?: CertificateSigningRequestStatus
}

/** `io.k8s.api.certificates.v1beta1.CertificateSigningRequestCondition` */
export interface CertificateSigningRequestCondition {
  readonly type: string
  readonly status?: string
  readonly reason?: string
  readonly message?: string
  readonly lastUpdateTime?: string
  readonly lastTransitionTime?: string
}

/** `io.k8s.api.certificates.v1beta1.CertificateSigningRequestList` */
export interface CertificateSigningRequestList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<CertificateSigningRequest>
}

/** `io.k8s.api.certificates.v1beta1.CertificateSigningRequestSpec` */
export interface CertificateSigningRequestSpec {
  readonly request: string
  readonly signerName?: string
  readonly expirationSeconds?: number
  readonly usages?: ReadonlyArray<string>
  readonly username?: string
  readonly uid?: string
  readonly groups?: ReadonlyArray<string>
  readonly extra?: Readonly<Record<string, ReadonlyArray<string>>>
}

/** `io.k8s.api.certificates.v1beta1.CertificateSigningRequestStatus` */
export interface CertificateSigningRequestStatus {
  readonly conditions?: ReadonlyArray<CertificateSigningRequestCondition>
  readonly certificate?: string
}

/** `io.k8s.api.certificates.v1beta1.ClusterTrustBundle` */
export interface ClusterTrustBundle {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec: ClusterTrustBundleSpec
}

/** `io.k8s.api.certificates.v1beta1.ClusterTrustBundleList` */
export interface ClusterTrustBundleList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<ClusterTrustBundle>
}

/** `io.k8s.api.certificates.v1beta1.ClusterTrustBundleSpec` */
export interface ClusterTrustBundleSpec {
  readonly signerName?: string
  readonly trustBundle: string
}

/** `io.k8s.api.certificates.v1beta1.PodCertificateRequest` */
export interface PodCertificateRequest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec: PodCertificateRequestSpec
  readonly status?: PodCertificateRequestStatus
}

/** `io.k8s.api.certificates.v1beta1.PodCertificateRequestList` */
export interface PodCertificateRequestList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<PodCertificateRequest>
}

/** `io.k8s.api.certificates.v1beta1.PodCertificateRequestSpec` */
export interface PodCertificateRequestSpec {
  readonly signerName: string
  readonly podName: string
  readonly podUID: string
  readonly serviceAccountName: string
  readonly serviceAccountUID: string
  readonly nodeName: string
  readonly nodeUID: string
  readonly maxExpirationSeconds?: number
  readonly pkixPublicKey?: string
  readonly proofOfPossession?: string
  readonly stubPKCS10Request: string
  readonly unverifiedUserAnnotations?: Readonly<Record<string, string>>
}

/** `io.k8s.api.certificates.v1beta1.PodCertificateRequestStatus` */
export interface PodCertificateRequestStatus {
  readonly conditions?: ReadonlyArray<MetaV1.Condition>
  readonly certificateChain?: string
  readonly notBefore?: string
  readonly beginRefreshAt?: string
  readonly notAfter?: string
}
