// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.
import type * as MetaV1 from "./MetaV1.js"

/** `io.k8s.api.flowcontrol.v1.ExemptPriorityLevelConfiguration` */
export interface ExemptPriorityLevelConfiguration {
  readonly nominalConcurrencyShares?: number
  readonly lendablePercent?: number
}

/** `io.k8s.api.flowcontrol.v1.FlowDistinguisherMethod` */
export interface FlowDistinguisherMethod {
  readonly type: string
}

/** `io.k8s.api.flowcontrol.v1.FlowSchema` */
export interface FlowSchema {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: FlowSchemaSpec
  readonly status?: FlowSchemaStatus
}

/** `io.k8s.api.flowcontrol.v1.FlowSchemaCondition` */
export interface FlowSchemaCondition {
  readonly type?: string
  readonly status?: string
  readonly lastTransitionTime?: string
  readonly reason?: string
  readonly message?: string
}

/** `io.k8s.api.flowcontrol.v1.FlowSchemaList` */
export interface FlowSchemaList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<FlowSchema>
}

/** `io.k8s.api.flowcontrol.v1.FlowSchemaSpec` */
export interface FlowSchemaSpec {
  readonly priorityLevelConfiguration: PriorityLevelConfigurationReference
  readonly matchingPrecedence?: number
  readonly distinguisherMethod?: FlowDistinguisherMethod
  readonly rules?: ReadonlyArray<PolicyRulesWithSubjects>
}

/** `io.k8s.api.flowcontrol.v1.FlowSchemaStatus` */
export interface FlowSchemaStatus {
  readonly conditions?: ReadonlyArray<FlowSchemaCondition>
}

/** `io.k8s.api.flowcontrol.v1.GroupSubject` */
export interface GroupSubject {
  readonly name: string
}

/** `io.k8s.api.flowcontrol.v1.LimitResponse` */
export interface LimitResponse {
  readonly type: string
  readonly queuing?: QueuingConfiguration
}

/** `io.k8s.api.flowcontrol.v1.LimitedPriorityLevelConfiguration` */
export interface LimitedPriorityLevelConfiguration {
  readonly nominalConcurrencyShares?: number
  readonly limitResponse?: LimitResponse
  readonly lendablePercent?: number
  readonly borrowingLimitPercent?: number
}

/** `io.k8s.api.flowcontrol.v1.NonResourcePolicyRule` */
export interface NonResourcePolicyRule {
  readonly verbs: ReadonlyArray<string>
  readonly nonResourceURLs: ReadonlyArray<string>
}

/** `io.k8s.api.flowcontrol.v1.PolicyRulesWithSubjects` */
export interface PolicyRulesWithSubjects {
  readonly subjects: ReadonlyArray<Subject>
  readonly resourceRules?: ReadonlyArray<ResourcePolicyRule>
  readonly nonResourceRules?: ReadonlyArray<NonResourcePolicyRule>
}

/** `io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration` */
export interface PriorityLevelConfiguration {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: PriorityLevelConfigurationSpec
  readonly status?: PriorityLevelConfigurationStatus
}

/** `io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationCondition` */
export interface PriorityLevelConfigurationCondition {
  readonly type?: string
  readonly status?: string
  readonly lastTransitionTime?: string
  readonly reason?: string
  readonly message?: string
}

/** `io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationList` */
export interface PriorityLevelConfigurationList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<PriorityLevelConfiguration>
}

/** `io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationReference` */
export interface PriorityLevelConfigurationReference {
  readonly name: string
}

/** `io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationSpec` */
export interface PriorityLevelConfigurationSpec {
  readonly type: string
  readonly limited?: LimitedPriorityLevelConfiguration
  readonly exempt?: ExemptPriorityLevelConfiguration
}

/** `io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationStatus` */
export interface PriorityLevelConfigurationStatus {
  readonly conditions?: ReadonlyArray<PriorityLevelConfigurationCondition>
}

/** `io.k8s.api.flowcontrol.v1.QueuingConfiguration` */
export interface QueuingConfiguration {
  readonly queues?: number
  readonly handSize?: number
  readonly queueLengthLimit?: number
}

/** `io.k8s.api.flowcontrol.v1.ResourcePolicyRule` */
export interface ResourcePolicyRule {
  readonly verbs: ReadonlyArray<string>
  readonly apiGroups: ReadonlyArray<string>
  readonly resources: ReadonlyArray<string>
  readonly clusterScope?: boolean
  readonly namespaces?: ReadonlyArray<string>
}

/** `io.k8s.api.flowcontrol.v1.ServiceAccountSubject` */
export interface ServiceAccountSubject {
  readonly namespace: string
  readonly name: string
}

/** `io.k8s.api.flowcontrol.v1.Subject` */
export interface Subject {
  readonly kind: string
  readonly user?: UserSubject
  readonly group?: GroupSubject
  readonly serviceAccount?: ServiceAccountSubject
}

/** `io.k8s.api.flowcontrol.v1.UserSubject` */
export interface UserSubject {
  readonly name: string
}
