// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.
import type * as CoreV1 from "./CoreV1.js"
import type * as MetaV1 from "./MetaV1.js"

/** Known values of CompletionMode; a newer peer may send others. */
export type CompletionMode = "NonIndexed" | "Indexed" | (string & Record<never, never>)

/** Known values of ConcurrencyPolicy; a newer peer may send others. */
export type ConcurrencyPolicy = "Allow" | "Forbid" | "Replace" | (string & Record<never, never>)

/** Known values of PodFailurePolicyAction; a newer peer may send others. */
export type PodFailurePolicyAction = "FailJob" | "FailIndex" | "Ignore" | "Count" | (string & Record<never, never>)

/** Known values of PodFailurePolicyOnExitCodesOperator; a newer peer may send others. */
export type PodFailurePolicyOnExitCodesOperator = "In" | "NotIn" | (string & Record<never, never>)

/** Known values of PodReplacementPolicy; a newer peer may send others. */
export type PodReplacementPolicy = "TerminatingOrFailed" | "Failed" | (string & Record<never, never>)

/** `io.k8s.api.batch.v1.CronJob` */
export interface CronJob {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec: CronJobSpec
  readonly status?: CronJobStatus
}

/** `io.k8s.api.batch.v1.CronJobList` */
export interface CronJobList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<CronJob>
}

/** `io.k8s.api.batch.v1.CronJobSpec` */
export interface CronJobSpec {
  readonly schedule: string
  readonly timeZone?: string
  readonly startingDeadlineSeconds?: number
  readonly concurrencyPolicy?: ConcurrencyPolicy
  readonly suspend?: boolean
  readonly jobTemplate: JobTemplateSpec
  readonly successfulJobsHistoryLimit?: number
  readonly failedJobsHistoryLimit?: number
}

/** `io.k8s.api.batch.v1.CronJobStatus` */
export interface CronJobStatus {
  readonly active?: ReadonlyArray<CoreV1.ObjectReference>
  readonly lastScheduleTime?: string
  readonly lastSuccessfulTime?: string
}

/** `io.k8s.api.batch.v1.Job` */
export interface Job {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ObjectMeta
  readonly spec?: JobSpec
  readonly status?: JobStatus
}

/** `io.k8s.api.batch.v1.JobCondition` */
export interface JobCondition {
  readonly type: string
  readonly status: string
  readonly lastProbeTime?: string
  readonly lastTransitionTime?: string
  readonly reason?: string
  readonly message?: string
}

/** `io.k8s.api.batch.v1.JobList` */
export interface JobList {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: MetaV1.ListMeta
  readonly items: ReadonlyArray<Job>
}

/** `io.k8s.api.batch.v1.JobSpec` */
export interface JobSpec {
  readonly parallelism?: number
  readonly completions?: number
  readonly activeDeadlineSeconds?: number
  readonly podFailurePolicy?: PodFailurePolicy
  readonly successPolicy?: SuccessPolicy
  readonly backoffLimit?: number
  readonly backoffLimitPerIndex?: number
  readonly maxFailedIndexes?: number
  readonly selector?: MetaV1.LabelSelector
  readonly manualSelector?: boolean
  readonly template: CoreV1.PodTemplateSpec
  readonly ttlSecondsAfterFinished?: number
  readonly completionMode?: CompletionMode
  readonly suspend?: boolean
  readonly podReplacementPolicy?: PodReplacementPolicy
  readonly managedBy?: string
}

/** `io.k8s.api.batch.v1.JobStatus` */
export interface JobStatus {
  readonly conditions?: ReadonlyArray<JobCondition>
  readonly startTime?: string
  readonly completionTime?: string
  readonly active?: number
  readonly succeeded?: number
  readonly failed?: number
  readonly terminating?: number
  readonly completedIndexes?: string
  readonly failedIndexes?: string
  readonly uncountedTerminatedPods?: UncountedTerminatedPods
  readonly ready?: number
}

/** `io.k8s.api.batch.v1.JobTemplateSpec` */
export interface JobTemplateSpec {
  readonly metadata?: MetaV1.ObjectMeta
  readonly spec?: JobSpec
}

/** `io.k8s.api.batch.v1.PodFailurePolicy` */
export interface PodFailurePolicy {
  readonly rules: ReadonlyArray<PodFailurePolicyRule>
}

/** `io.k8s.api.batch.v1.PodFailurePolicyOnExitCodesRequirement` */
export interface PodFailurePolicyOnExitCodesRequirement {
  readonly containerName?: string
  readonly operator: PodFailurePolicyOnExitCodesOperator
  readonly values: ReadonlyArray<number>
}

/** `io.k8s.api.batch.v1.PodFailurePolicyOnPodConditionsPattern` */
export interface PodFailurePolicyOnPodConditionsPattern {
  readonly type: string
  readonly status?: string
}

/** `io.k8s.api.batch.v1.PodFailurePolicyRule` */
export interface PodFailurePolicyRule {
  readonly action: PodFailurePolicyAction
  readonly onExitCodes?: PodFailurePolicyOnExitCodesRequirement
  readonly onPodConditions?: ReadonlyArray<PodFailurePolicyOnPodConditionsPattern>
}

/** `io.k8s.api.batch.v1.SuccessPolicy` */
export interface SuccessPolicy {
  readonly rules: ReadonlyArray<SuccessPolicyRule>
}

/** `io.k8s.api.batch.v1.SuccessPolicyRule` */
export interface SuccessPolicyRule {
  readonly succeededIndexes?: string
  readonly succeededCount?: number
}

/** `io.k8s.api.batch.v1.UncountedTerminatedPods` */
export interface UncountedTerminatedPods {
  readonly succeeded?: ReadonlyArray<string>
  readonly failed?: ReadonlyArray<string>
}
