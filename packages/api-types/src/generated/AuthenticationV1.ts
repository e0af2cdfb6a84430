// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.
import type * as MetaV1 from "./MetaV1.js"

/** `io.k8s.api.authentication.v1.BoundObjectReference` */
export interface BoundObjectReference {
  readonly kind?: string
  readonly apiVersion?: string
  readonly name?: string
  readonly uid?: string
}

/** `io.k8s.api.authentication.v1.SelfSubjectReview` */
export interface SelfSubjectReview {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly status?: SelfSubjectReviewStatus
}

/** `io.k8s.api.authentication.v1.SelfSubjectReviewStatus` */
export interface SelfSubjectReviewStatus {
  readonly userInfo?: UserInfo
}

/** `io.k8s.api.authentication.v1.TokenRequest` */
export interface TokenRequest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: TokenRequestSpec
  readonly status?: TokenRequestStatus
}

/** `io.k8s.api.authentication.v1.TokenRequestSpec` */
export interface TokenRequestSpec {
  readonly audiences?: ReadonlyArray<string>
  readonly expirationSeconds?: number
  readonly boundObjectRef?: BoundObjectReference
}

/** `io.k8s.api.authentication.v1.TokenRequestStatus` */
export interface TokenRequestStatus {
  readonly token?: string
  readonly expirationTimestamp?: string
}

/** `io.k8s.api.authentication.v1.TokenReview` */
export interface TokenReview {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec: TokenReviewSpec
  readonly status?: TokenReviewStatus
}

/** `io.k8s.api.authentication.v1.TokenReviewSpec` */
export interface TokenReviewSpec {
  readonly token: string
  readonly audiences?: ReadonlyArray<string>
}

/** `io.k8s.api.authentication.v1.TokenReviewStatus` */
export interface TokenReviewStatus {
  readonly authenticated?: boolean
  readonly user?: UserInfo
  readonly audiences?: ReadonlyArray<string>
  readonly error?: string
}

/** `io.k8s.api.authentication.v1.UserInfo` */
export interface UserInfo {
  readonly username?: string
  readonly uid?: string
  readonly groups?: ReadonlyArray<string>
  readonly extra?: Readonly<Record<string, ReadonlyArray<string>>>
}
