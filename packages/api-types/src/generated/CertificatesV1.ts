// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.
import type * as MetaV1 from "./MetaV1.js"

/** Known values of KeyUsage; a newer peer may send others. */
export type KeyUsage = "signing" | "digital signature" | "content commitment" | "key encipherment" | "key agreement" | "data encipherment" | "cert sign" | "crl sign" | "encipher only" | "decipher only" | "any" | "server auth" | "client auth" | "code signing" | "email protection" | "s/mime" | "ipsec end system" | "ipsec tunnel" | "ipsec user" | "timestamping" | "ocsp signing" | "microsoft sgc" | "netscape sgc" | (string & Record<never, never>)

/** `io.k8s.api.certificates.v1.CertificateSigningRequest` */
export interface CertificateSigningRequest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec: CertificateSigningRequestSpec
  readonly status?: CertificateSigningRequestStatus
}

/** `io.k8s.api.certificates.v1.CertificateSigningRequestCondition` */
export interface CertificateSigningRequestCondition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastUpdateTime?: string
  readonly lastTransitionTime?: string
}

/** `io.k8s.api.certificates.v1.CertificateSigningRequestList` */
export interface CertificateSigningRequestList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<CertificateSigningRequest>
}

/** `io.k8s.api.certificates.v1.CertificateSigningRequestSpec` */
export interface CertificateSigningRequestSpec {
  readonly request: string
  readonly signerName: string
  readonly expirationSeconds?: number
  readonly usages?: ReadonlyArray<string>
  readonly username?: string
  readonly uid?: string
  readonly groups?: ReadonlyArray<string>
  readonly extra?: Readonly<Record<string, ReadonlyArray<string>>>
}

/** `io.k8s.api.certificates.v1.CertificateSigningRequestStatus` */
export interface CertificateSigningRequestStatus {
  readonly conditions?: ReadonlyArray<CertificateSigningRequestCondition>
  readonly certificate?: string
}
