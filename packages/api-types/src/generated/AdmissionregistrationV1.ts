// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.
import type * as MetaV1 from "./MetaV1.js"

/** Known values of FailurePolicyType; a newer peer may send others. */
export type FailurePolicyType = "Ignore" | "Fail" | (string & Record<never, never>)

/** Known values of MatchPolicyType; a newer peer may send others. */
export type MatchPolicyType = "Exact" | "Equivalent" | (string & Record<never, never>)

/** Known values of OperationType; a newer peer may send others. */
export type OperationType = "*" | "CREATE" | "UPDATE" | "DELETE" | "CONNECT" | (string & Record<never, never>)

/** Known values of PatchType; a newer peer may send others. */
export type PatchType = "ApplyConfiguration" | "JSONPatch" | (string & Record<never, never>)

/** Known values of ReinvocationPolicyType; a newer peer may send others. */
export type ReinvocationPolicyType = "Never" | "IfNeeded" | (string & Record<never, never>)

/** Known values of ScopeType; a newer peer may send others. */
export type ScopeType = "Cluster" | "Namespaced" | "*" | (string & Record<never, never>)

/** Known values of SideEffectClass; a newer peer may send others. */
export type SideEffectClass = "Unknown" | "None" | "Some" | "NoneOnDryRun" | (string & Record<never, never>)

/** Known values of ValidationAction; a newer peer may send others. */
export type ValidationAction = "Deny" | "Warn" | "Audit" | (string & Record<never, never>)

/** `io.k8s.api.admissionregistration.v1.ApplyConfiguration` */
export interface ApplyConfiguration {
  readonly expression?: string
}

/** `io.k8s.api.admissionregistration.v1.AuditAnnotation` */
export interface AuditAnnotation {
  readonly key: string
  readonly valueExpression: string
}

/** `io.k8s.api.admissionregistration.v1.ExpressionWarning` */
export interface ExpressionWarning {
  readonly fieldRef: string
  readonly warning: string
}

/** `io.k8s.api.admissionregistration.v1.JSONPatch` */
export interface JSONPatch {
  readonly expression?: string
}

/** `io.k8s.api.admissionregistration.v1.MatchCondition` */
export interface MatchCondition {
  readonly name: string
  readonly expression: string
}

/** `io.k8s.api.admissionregistration.v1.MatchResources` */
export interface MatchResources {
  readonly namespaceSelector?: MetaV1.LabelSelector
  readonly objectSelector?: MetaV1.LabelSelector
  readonly resourceRules?: ReadonlyArray<NamedRuleWithOperations>
  readonly excludeResourceRules?: ReadonlyArray<NamedRuleWithOperations>
  readonly matchPolicy?: MatchPolicyType
}

/** `io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicy` */
export interface MutatingAdmissionPolicy {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: MutatingAdmissionPolicySpec
}

/** `io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBinding` */
export interface MutatingAdmissionPolicyBinding {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: MutatingAdmissionPolicyBindingSpec
}

/** `io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBindingList` */
export interface MutatingAdmissionPolicyBindingList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<MutatingAdmissionPolicyBinding>
}

/** `io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBindingSpec` */
export interface MutatingAdmissionPolicyBindingSpec {
  readonly policyName?: string
  readonly paramRef?: ParamRef
  readonly matchResources?: MatchResources
}

/** `io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyList` */
export interface MutatingAdmissionPolicyList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<MutatingAdmissionPolicy>
}

/** `io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicySpec` */
export interface MutatingAdmissionPolicySpec {
  readonly paramKind?: ParamKind
  readonly matchConstraints?: MatchResources
  readonly variables?: ReadonlyArray<Variable>
  readonly mutations?: ReadonlyArray<Mutation>
  readonly failurePolicy?: FailurePolicyType
  readonly matchConditions?: ReadonlyArray<MatchCondition>
  readonly reinvocationPolicy?: ReinvocationPolicyType
}

/** `io.k8s.api.admissionregistration.v1.MutatingWebhook` */
export interface MutatingWebhook {
  readonly name: string
  readonly clientConfig: WebhookClientConfig
  readonly rules?: ReadonlyArray<RuleWithOperations>
  readonly failurePolicy?: FailurePolicyType
  readonly matchPolicy?: MatchPolicyType
  readonly namespaceSelector?: MetaV1.LabelSelector
  readonly objectSelector?: MetaV1.LabelSelector
  readonly sideEffects: SideEffectClass
  readonly timeoutSeconds?: number
  readonly admissionReviewVersions: ReadonlyArray<string>
  readonly reinvocationPolicy?: ReinvocationPolicyType
  readonly matchConditions?: ReadonlyArray<MatchCondition>
}

/** `io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration` */
export interface MutatingWebhookConfiguration {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly webhooks?: ReadonlyArray<MutatingWebhook>
}

/** `io.k8s.api.admissionregistration.v1.MutatingWebhookConfigurationList` */
export interface MutatingWebhookConfigurationList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<MutatingWebhookConfiguration>
}

/** `io.k8s.api.admissionregistration.v1.Mutation` */
export interface Mutation {
  readonly patchType: PatchType
  readonly applyConfiguration?: ApplyConfiguration
  readonly jsonPatch?: JSONPatch
}

/** `io.k8s.api.admissionregistration.v1.NamedRuleWithOperations` */
export interface NamedRuleWithOperations extends RuleWithOperations {
  readonly resourceNames?: ReadonlyArray<string>
}

/** `io.k8s.api.admissionregistration.v1.ParamKind` */
export interface ParamKind {
  readonly apiVersion?: string
  readonly kind?: string
}

/** `io.k8s.api.admissionregistration.v1.ParamRef` */
export interface ParamRef {
  readonly name?: string
  readonly namespace?: string
  readonly selector?: MetaV1.LabelSelector
  readonly parameterNotFoundAction?: string
}

/** `io.k8s.api.admissionregistration.v1.Rule` */
export interface Rule {
  readonly apiGroups?: ReadonlyArray<string>
  readonly apiVersions?: ReadonlyArray<string>
  readonly resources?: ReadonlyArray<string>
  readonly scope?: ScopeType
}

/** `io.k8s.api.admissionregistration.v1.RuleWithOperations` */
export interface RuleWithOperations extends Rule {
  readonly operations?: ReadonlyArray<string>
}

/** `io.k8s.api.admissionregistration.v1.ServiceReference` */
export interface ServiceReference {
  readonly namespace: string
  readonly name: string
  readonly path?: string
  readonly port?: number
}

/** `io.k8s.api.admissionregistration.v1.TypeChecking` */
export interface TypeChecking {
  readonly expressionWarnings?: ReadonlyArray<ExpressionWarning>
}

/** `io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy` */
export interface ValidatingAdmissionPolicy {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: ValidatingAdmissionPolicySpec
  readonly status?: ValidatingAdmissionPolicyStatus
}

/** `io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding` */
export interface ValidatingAdmissionPolicyBinding {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec: ValidatingAdmissionPolicyBindingSpec
}

/** `io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBindingList` */
export interface ValidatingAdmissionPolicyBindingList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<ValidatingAdmissionPolicyBinding>
}

/** `io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec` */
export interface ValidatingAdmissionPolicyBindingSpec {
  readonly policyName: string
  readonly paramRef?: ParamRef
  readonly matchResources?: MatchResources
  readonly validationActions: ReadonlyArray<string>
}

/** `io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyList` */
export interface ValidatingAdmissionPolicyList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<ValidatingAdmissionPolicy>
}

/** `io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicySpec` */
export interface ValidatingAdmissionPolicySpec {
  readonly paramKind?: ParamKind
  readonly matchConstraints?: MatchResources
  readonly validations?: ReadonlyArray<Validation>
  readonly failurePolicy?: FailurePolicyType
  readonly auditAnnotations?: ReadonlyArray<AuditAnnotation>
  readonly matchConditions?: ReadonlyArray<MatchCondition>
  readonly variables?: ReadonlyArray<Variable>
}

/** `io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyStatus` */
export interface ValidatingAdmissionPolicyStatus {
  readonly observedGeneration?: number
  readonly typeChecking?: TypeChecking
  readonly conditions?: ReadonlyArray<MetaV1.Condition>
}

/** `io.k8s.api.admissionregistration.v1.ValidatingWebhook` */
export interface ValidatingWebhook {
  readonly name: string
  readonly clientConfig: WebhookClientConfig
  readonly rules?: ReadonlyArray<RuleWithOperations>
  readonly failurePolicy?: FailurePolicyType
  readonly matchPolicy?: MatchPolicyType
  readonly namespaceSelector?: MetaV1.LabelSelector
  readonly objectSelector?: MetaV1.LabelSelector
  readonly sideEffects: SideEffectClass
  readonly timeoutSeconds?: number
  readonly admissionReviewVersions: ReadonlyArray<string>
  readonly matchConditions?: ReadonlyArray<MatchCondition>
}

/** `io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration` */
export interface ValidatingWebhookConfiguration {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly webhooks?: ReadonlyArray<ValidatingWebhook>
}

/** `io.k8s.api.admissionregistration.v1.ValidatingWebhookConfigurationList` */
export interface ValidatingWebhookConfigurationList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<ValidatingWebhookConfiguration>
}

/** `io.k8s.api.admissionregistration.v1.Validation` */
export interface Validation {
  readonly expression: string
  readonly message?: string
  readonly reason?: string
  readonly messageExpression?: string
}

/** `io.k8s.api.admissionregistration.v1.Variable` */
export interface Variable {
  readonly name: string
  readonly expression: string
}

/** `io.k8s.api.admissionregistration.v1.WebhookClientConfig` */
export interface WebhookClientConfig {
  readonly url?: string
  readonly service?: ServiceReference
  readonly caBundle?: string
}
