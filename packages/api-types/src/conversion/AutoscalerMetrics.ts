/**
 * Metrics of autoscalers in the form of `autoscaling/v1`, which knows no metric but CPU: the others travel in annotations, as JSON with
 * field names of their own.
 */
import type * as AutoscalingV1 from "../generated/AutoscalingV1.js"
import type * as AutoscalingV2 from "../generated/AutoscalingV2.js"
import { defined } from "../internal/structure.js"

type Described = Pick<AutoscalingV2.ObjectMetricSource, "describedObject" | "metric">
type Named = Pick<AutoscalingV2.PodsMetricSource, "metric">

// What a metric names is the same in both forms; how much of it is wanted, or was measured, stands between: annotations are compared as text.
const toV1Object = <V extends object>({ describedObject, metric }: Described, value: V, averageValue: string | undefined) =>
  defined({ target: describedObject, metricName: metric.name, ...value, selector: metric.selector, averageValue })

const toV1Pods = <V extends object>({ metric }: Named, value: V) => defined({ metricName: metric.name, ...value, selector: metric.selector })

const toV1External = <V extends object>({ metric }: Named, values: V) => defined({ metricName: metric.name, metricSelector: metric.selector, ...values })

const toV1Resource = ({ name, target }: AutoscalingV2.ResourceMetricSource): AutoscalingV1.ResourceMetricSource =>
  defined({ name, targetAverageUtilization: target.averageUtilization, targetAverageValue: target.averageValue })

/** A metric as the annotation has it. @category combinators */
export const toV1Metric = (metric: AutoscalingV2.MetricSpec): AutoscalingV1.MetricSpec => {
  const { containerResource, external, object, pods, resource } = metric
  return defined({
    type: metric.type,
    object: object && toV1Object(object, { targetValue: object.target.value ?? "0" }, object.target.averageValue),
    pods: pods && toV1Pods(pods, { targetAverageValue: pods.target.averageValue ?? "0" }),
    resource: resource && toV1Resource(resource),
    containerResource: containerResource && { ...toV1Resource(containerResource), container: containerResource.container },
    external: external && toV1External(external, { targetValue: external.target.value, targetAverageValue: external.target.averageValue })
  })
}

const fromV1Resource = ({ name, ...target }: AutoscalingV1.ResourceMetricSource): AutoscalingV2.ResourceMetricSource => ({
  name,
  target: defined({
    type: target.targetAverageUtilization === undefined ? "AverageValue" : "Utilization",
    averageUtilization: target.targetAverageUtilization,
    averageValue: target.targetAverageValue
  })
})

/** A metric of an annotation as it is stored. @category combinators */
export const fromV1Metric = (metric: AutoscalingV1.MetricSpec): AutoscalingV2.MetricSpec => {
  const { containerResource, external, object, pods, resource } = metric
  return defined({
    type: metric.type,
    object: object && {
      describedObject: object.target,
      target: object.averageValue === undefined
        ? { type: "Value", value: object.targetValue }
        : { type: "AverageValue", averageValue: object.averageValue },
      metric: defined({ name: object.metricName, selector: object.selector })
    },
    pods: pods && {
      metric: defined({ name: pods.metricName, selector: pods.selector }),
      target: { type: "AverageValue", averageValue: pods.targetAverageValue }
    },
    resource: resource && fromV1Resource(resource),
    containerResource: containerResource && { ...fromV1Resource(containerResource), container: containerResource.container },
    external: external && {
      metric: defined({ name: external.metricName, selector: external.metricSelector }),
      target: defined({
        type: external.targetValue === undefined ? "AverageValue" : "Value",
        value: external.targetValue,
        averageValue: external.targetAverageValue
      })
    }
  })
}

const toV1ResourceStatus = ({ current, name }: AutoscalingV2.ResourceMetricStatus): AutoscalingV1.ResourceMetricStatus =>
  defined({ name, currentAverageUtilization: current.averageUtilization, currentAverageValue: current.averageValue ?? "0" })

/** A measured metric as the annotation has it. @category combinators */
export const toV1MetricStatus = (metric: AutoscalingV2.MetricStatus): AutoscalingV1.MetricStatus => {
  const { containerResource, external, object, pods, resource } = metric
  return defined({
    type: metric.type,
    object: object && toV1Object(object, { currentValue: object.current.value ?? "0" }, object.current.averageValue),
    pods: pods && toV1Pods(pods, { currentAverageValue: pods.current.averageValue ?? "0" }),
    resource: resource && toV1ResourceStatus(resource),
    containerResource: containerResource && { ...toV1ResourceStatus(containerResource), container: containerResource.container },
    external: external && toV1External(external, { currentValue: external.current.value ?? "0", currentAverageValue: external.current.averageValue })
  })
}

const measured = (value: string | undefined, averageValue: string | undefined, averageUtilization?: number): AutoscalingV2.MetricValueStatus =>
  defined({ value, averageValue, averageUtilization })

const fromV1ResourceStatus = (status: AutoscalingV1.ResourceMetricStatus): AutoscalingV2.ResourceMetricStatus => ({
  name: status.name,
  current: measured(undefined, status.currentAverageValue, status.currentAverageUtilization)
})

/** A measured metric of an annotation as it is stored. @category combinators */
export const fromV1MetricStatus = (metric: AutoscalingV1.MetricStatus): AutoscalingV2.MetricStatus => {
  const { containerResource, external, object, pods, resource } = metric
  return defined({
    type: metric.type,
    object: object && {
      metric: defined({ name: object.metricName, selector: object.selector }),
      current: measured(object.currentValue, object.averageValue),
      describedObject: object.target
    },
    pods: pods && {
      metric: defined({ name: pods.metricName, selector: pods.selector }),
      current: measured(undefined, pods.currentAverageValue)
    },
    resource: resource && fromV1ResourceStatus(resource),
    containerResource: containerResource && { ...fromV1ResourceStatus(containerResource), container: containerResource.container },
    external: external && {
      metric: defined({ name: external.metricName, selector: external.metricSelector }),
      current: measured(external.currentValue, external.currentAverageValue)
    }
  })
}
