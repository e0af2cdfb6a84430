/** HorizontalPodAutoscalers of `autoscaling/v1` and of `autoscaling/v2`, the version that is stored. */
import * as Either from "effect/Either"
import { autoscalerDefaults } from "../defaults/AutoscalerDefaults.js"
import type * as AutoscalingV1 from "../generated/AutoscalingV1.js"
import type * as AutoscalingV2 from "../generated/AutoscalingV2.js"
import { DecodeContext, DecodeProblem } from "../internal/goValue.js"
import { messageOf } from "../internal/messageDecoder.js"
import { defined } from "../internal/structure.js"
import * as JsonText from "../JsonText.js"
import * as Metrics from "./AutoscalerMetrics.js"

const metricsAnnotation = "autoscaling.alpha.kubernetes.io/metrics"
const statusesAnnotation = "autoscaling.alpha.kubernetes.io/current-metrics"
const conditionsAnnotation = "autoscaling.alpha.kubernetes.io/conditions"
const behaviorAnnotation = "autoscaling.alpha.kubernetes.io/behavior"

const isCpu = ({ resource, type }: AutoscalingV2.MetricSpec): boolean =>
  type === "Resource" && resource?.name === "cpu" && resource.target.averageUtilization !== undefined

const isCpuStatus = ({ resource, type }: AutoscalingV2.MetricStatus): boolean =>
  type === "Resource" && resource?.name === "cpu" && resource.current.averageUtilization !== undefined

/** What this version has no field for, as annotations. */
const annotationsOf = ({ spec, status }: AutoscalingV2.HorizontalPodAutoscaler): Readonly<Record<string, string>> => {
  const metrics = (spec.metrics ?? []).filter((metric) => !isCpu(metric)).map(Metrics.toV1Metric)
  const statuses = (status?.currentMetrics ?? []).map(Metrics.toV1MetricStatus)
  const conditions = status?.conditions ?? []
  return {
    ...(metrics.length === 0 ? {} : { [metricsAnnotation]: JSON.stringify(metrics) }),
    ...(statuses.length === 0 ? {} : { [statusesAnnotation]: JSON.stringify(statuses) }),
    ...(conditions.length === 0 ? {} : { [conditionsAnnotation]: JSON.stringify(conditions) }),
    ...(spec.behavior === undefined ? {} : { [behaviorAnnotation]: JSON.stringify(spec.behavior) })
  }
}

/** An autoscaler as `autoscaling/v1` shows it. @category combinators */
export const toAutoscalerV1 = (stored: AutoscalingV2.HorizontalPodAutoscaler): AutoscalingV1.HorizontalPodAutoscaler => {
  const { maxReplicas, metrics = [], minReplicas, scaleTargetRef } = stored.spec
  const { currentMetrics = [], currentReplicas = 0, desiredReplicas = 0, lastScaleTime, observedGeneration } = stored.status ?? {}
  const annotations = { ...stored.metadata.annotations, ...annotationsOf(stored) }
  return {
    kind: "HorizontalPodAutoscaler",
    apiVersion: "autoscaling/v1",
    metadata: Object.keys(annotations).length === 0 ? stored.metadata : { ...stored.metadata, annotations },
    spec: defined({
      scaleTargetRef,
      minReplicas,
      maxReplicas,
      targetCPUUtilizationPercentage: metrics.find(isCpu)?.resource?.target.averageUtilization
    }),
    status: defined({
      observedGeneration,
      lastScaleTime,
      currentReplicas,
      desiredReplicas,
      currentCPUUtilizationPercentage: currentMetrics.find(isCpuStatus)?.resource?.current.averageUtilization
    })
  }
}

interface Annotated {
  readonly metrics?: ReadonlyArray<AutoscalingV1.MetricSpec>
  readonly statuses?: ReadonlyArray<AutoscalingV1.MetricStatus>
  readonly conditions?: ReadonlyArray<AutoscalingV2.HorizontalPodAutoscalerCondition>
  readonly behavior?: AutoscalingV2.HorizontalPodAutoscalerBehavior
}

/** An annotation that holds values of a type, by the name of that type in the field tables. */
interface Annotation<A> {
  readonly name: string
  readonly schema: string
  /** Never there: ties the type to its schema. */
  readonly type?: A
}

const metricsIn: Annotation<AutoscalingV1.MetricSpec> = { name: metricsAnnotation, schema: "io.k8s.api.autoscaling.v1.MetricSpec" }
const statusesIn: Annotation<AutoscalingV1.MetricStatus> = { name: statusesAnnotation, schema: "io.k8s.api.autoscaling.v1.MetricStatus" }
const conditionsIn: Annotation<AutoscalingV2.HorizontalPodAutoscalerCondition> = {
  name: conditionsAnnotation,
  schema: "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerCondition"
}
const behaviorIn: Annotation<AutoscalingV2.HorizontalPodAutoscalerBehavior> = {
  name: behaviorAnnotation,
  schema: "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerBehavior"
}
const carried: ReadonlySet<string> = new Set([metricsAnnotation, statusesAnnotation, conditionsAnnotation, behaviorAnnotation])

/** Checks a value by the field tables, which are generated from the same source as the type. */
const isOf = <A>(value: unknown, { schema }: Annotation<A>): value is A => {
  try {
    messageOf(schema).decode(value, new DecodeContext())
    return true
  } catch (problem) {
    if (problem instanceof DecodeProblem) return false
    throw problem
  }
}

const parsed = (annotations: Readonly<Record<string, string>> | undefined, name: string): unknown => {
  const text = annotations?.[name]
  return text === undefined ? undefined : Either.getOrUndefined(JsonText.parse(text))
}

// An annotation that cannot be read counts as none, as writers of the old version may put anything there.
const list = <A>(annotations: Readonly<Record<string, string>> | undefined, annotation: Annotation<A>): ReadonlyArray<A> => {
  const found = parsed(annotations, annotation.name)
  if (found === undefined) return []
  const value: ReadonlyArray<unknown> = Array.isArray(found) ? found : [found]
  return value.every((item: unknown): item is A => isOf(item, annotation)) ? value : []
}

const readAnnotations = (annotations: Readonly<Record<string, string>> | undefined): Annotated => {
  const [behavior] = list(annotations, behaviorIn)
  return {
    metrics: list(annotations, metricsIn),
    statuses: list(annotations, statusesIn),
    conditions: list(annotations, conditionsIn),
    ...(behavior === undefined ? {} : { behavior })
  }
}

const withoutAnnotations = (annotations: Readonly<Record<string, string>> | undefined) =>
  Object.fromEntries(Object.entries(annotations ?? {}).filter(([name]) => !carried.has(name)))

const cpuMetric = (averageUtilization: number): AutoscalingV2.MetricSpec => ({
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization } }
})

/** The stored form of an autoscaler of `autoscaling/v1`, with the defaults of the newer version. @category combinators */
export const fromAutoscalerV1 = (object: AutoscalingV1.HorizontalPodAutoscaler): AutoscalingV2.HorizontalPodAutoscaler => {
  const { annotations: given, ...metadata } = object.metadata
  const { maxReplicas, minReplicas, scaleTargetRef, targetCPUUtilizationPercentage: cpu } = object.spec
  const { behavior, conditions = [], metrics = [], statuses = [] } = readAnnotations(given)
  const annotations = withoutAnnotations(given)
  const measured = object.status?.currentCPUUtilizationPercentage
  const currentMetrics = statuses.map(Metrics.fromV1MetricStatus)
  return autoscalerDefaults({
    kind: "HorizontalPodAutoscaler",
    apiVersion: "autoscaling/v2",
    metadata: Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations },
    spec: defined({
      scaleTargetRef,
      minReplicas,
      maxReplicas,
      metrics: [...metrics.map(Metrics.fromV1Metric), ...(cpu === undefined ? [] : [cpuMetric(cpu)])],
      behavior
    }),
    status: defined({
      observedGeneration: object.status?.observedGeneration,
      lastScaleTime: object.status?.lastScaleTime,
      currentReplicas: object.status?.currentReplicas,
      desiredReplicas: object.status?.desiredReplicas ?? 0,
      currentMetrics: currentMetrics.length > 0 || measured === undefined
        ? currentMetrics
        : [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: measured } } }],
      conditions: conditions.length === 0 ? undefined : conditions
    })
  })
}
