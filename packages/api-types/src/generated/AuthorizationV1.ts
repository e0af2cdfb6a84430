// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.
import type * as MetaV1 from "./MetaV1.js"

/** `io.k8s.api.authorization.v1.FieldSelectorAttributes` */
export interface FieldSelectorAttributes {
  readonly rawSelector?: string
  readonly requirements?: ReadonlyArray<MetaV1.FieldSelectorRequirement>
}

/** `io.k8s.api.authorization.v1.LabelSelectorAttributes` */
export interface LabelSelectorAttributes {
  readonly rawSelector?: string
  readonly requirements?: ReadonlyArray<MetaV1.LabelSelectorRequirement>
}

/** `io.k8s.api.authorization.v1.LocalSubjectAccessReview` */
export interface LocalSubjectAccessReview {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec: SubjectAccessReviewSpec
  readonly status?: SubjectAccessReviewStatus
}

/** `io.k8s.api.authorization.v1.NonResourceAttributes` */
export interface NonResourceAttributes {
  readonly path?: string
  readonly verb?: string
}

/** `io.k8s.api.authorization.v1.NonResourceRule` */
export interface NonResourceRule {
  readonly verbs: ReadonlyArray<string>
  readonly nonResourceURLs?: ReadonlyArray<string>
}

/** `io.k8s.api.authorization.v1.ResourceAttributes` */
export interface ResourceAttributes {
  readonly namespace?: string
  readonly verb?: string
  readonly group?: string
  readonly version?: string
  readonly resource?: string
  readonly subresource?: string
  readonly name?: string
  readonly fieldSelector?: FieldSelectorAttributes
  readonly labelSelector?: LabelSelectorAttributes
}

/** `io.k8s.api.authorization.v1.ResourceRule` */
export interface ResourceRule {
  readonly verbs: ReadonlyArray<string>
  readonly apiGroups?: ReadonlyArray<string>
  readonly resources?: ReadonlyArray<string>
  readonly resourceNames?: ReadonlyArray<string>
}

/** `io.k8s.api.authorization.v1.SelfSubjectAccessReview` */
export interface SelfSubjectAccessReview {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec: SelfSubjectAccessReviewSpec
  readonly status?: SubjectAccessReviewStatus
}

/** `io.k8s.api.authorization.v1.SelfSubjectAccessReviewSpec` */
export interface SelfSubjectAccessReviewSpec {
  readonly resourceAttributes?: ResourceAttributes
  readonly nonResourceAttributes?: NonResourceAttributes
}

/** `io.k8s.api.authorization.v1.SelfSubjectRulesReview` */
export interface SelfSubjectRulesReview {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec: SelfSubjectRulesReviewSpec
  readonly status?: SubjectRulesReviewStatus
}

/** `io.k8s.api.authorization.v1.SelfSubjectRulesReviewSpec` */
export interface SelfSubjectRulesReviewSpec {
  readonly namespace?: string
}

/** `io.k8s.api.authorization.v1.SubjectAccessReview` */
export interface SubjectAccessReview {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec: SubjectAccessReviewSpec
  readonly status?: SubjectAccessReviewStatus
}

/** `io.k8s.api.authorization.v1.SubjectAccessReviewSpec` */
export interface SubjectAccessReviewSpec {
  readonly resourceAttributes?: ResourceAttributes
  readonly nonResourceAttributes?: NonResourceAttributes
  readonly user?: string
  readonly groups?: ReadonlyArray<string>
  readonly extra?: Readonly<Record<string, ReadonlyArray<string>>>
  readonly uid?: string
}

/** `io.k8s.api.authorization.v1.SubjectAccessReviewStatus` */
export interface SubjectAccessReviewStatus {
  readonly allowed: boolean
  readonly denied?: boolean
  readonly reason?: string
  readonly evaluationError?: string
}

/** `io.k8s.api.authorization.v1.SubjectRulesReviewStatus` */
export interface SubjectRulesReviewStatus {
  readonly resourceRules: ReadonlyArray<ResourceRule>
  readonly nonResourceRules: ReadonlyArray<NonResourceRule>
  readonly incomplete: boolean
  readonly evaluationError?: string
}
