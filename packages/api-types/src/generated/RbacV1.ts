// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.
import type * as MetaV1 from "./MetaV1.js"

/** `io.k8s.api.rbac.v1.AggregationRule` */
export interface AggregationRule {
  readonly clusterRoleSelectors?: ReadonlyArray<MetaV1.LabelSelector>
}

/** `io.k8s.api.rbac.v1.ClusterRole` */
export interface ClusterRole {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly rules?: ReadonlyArray<PolicyRule>
  readonly aggregationRule?: AggregationRule
}

/** `io.k8s.api.rbac.v1.ClusterRoleBinding` */
export interface ClusterRoleBinding {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly subjects?: ReadonlyArray<Subject>
  readonly roleRef: RoleRef
}

/** `io.k8s.api.rbac.v1.ClusterRoleBindingList` */
export interface ClusterRoleBindingList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<ClusterRoleBinding>
}

/** `io.k8s.api.rbac.v1.ClusterRoleList` */
export interface ClusterRoleList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<ClusterRole>
}

/** `io.k8s.api.rbac.v1.PolicyRule` */
export interface PolicyRule {
  readonly verbs: ReadonlyArray<string>
  readonly apiGroups?: ReadonlyArray<string>
  readonly resources?: ReadonlyArray<string>
  readonly resourceNames?: ReadonlyArray<string>
  readonly nonResourceURLs?: ReadonlyArray<string>
}

/** `io.k8s.api.rbac.v1.Role` */
export interface Role {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly rules?: ReadonlyArray<PolicyRule>
}

/** `io.k8s.api.rbac.v1.RoleBinding` */
export interface RoleBinding {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly subjects?: ReadonlyArray<Subject>
  readonly roleRef: RoleRef
}

/** `io.k8s.api.rbac.v1.RoleBindingList` */
export interface RoleBindingList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<RoleBinding>
}

/** `io.k8s.api.rbac.v1.RoleList` */
export interface RoleList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<Role>
}

/** `io.k8s.api.rbac.v1.RoleRef` */
export interface RoleRef {
  readonly apiGroup?: string
  readonly kind: string
  readonly name: string
}

/** `io.k8s.api.rbac.v1.Subject` */
export interface Subject {
  readonly kind: string
  readonly apiGroup?: string
  readonly name: string
  readonly namespace?: string
}
