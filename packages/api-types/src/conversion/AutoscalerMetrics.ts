/**
 * Metrics of autoscalers in the form of `autoscaling/v1`, which knows no metric but CPU: the others travel in annotations, as JSON with
 * field names of their own.
 */
import type * as AutoscalingV1 from "../generated/AutoscalingV1.js"
import type * as AutoscalingV2 from "../generated/AutoscalingV2.js"
import { defined } from "../internal/structure.js"

/** A metric as the annotation has it. @category combinators */
export const toV1Metric = (metric: AutoscalingV2.MetricSpec): AutoscalingV1.MetricSpec => {
  const { containerResource, external, object, pods, resource } = metric
  return defined({
    type: metric.type,
    object: object && defined({
      target: object.describedObject,
      metricName: object.metric.name,
      targetValue: object.target.value ?? "0",
      selector: object.metric.selector,
      averageValue: object.target.averageValue
    }),
    pods: pods && defined({
      metricName: pods.metric.name,
      targetAverageValue: pods.target.averageValue ?? "0",
      selector: pods.metric.selector
    }),
    resource: resource && defined({
      name: resource.name,
      targetAverageUtilization: resource.target.averageUtilization,
      targetAverageValue: resource.target.averageValue
    }),
    containerResource: containerResource && defined({
      name: containerResource.name,
      targetAverageUtilization: containerResource.target.averageUtilization,
      targetAverageValue: containerResource.target.averageValue,
      container: containerResource.container
    }),
    external: external && defined({
      metricName: external.metric.name,
      metricSelector: external.metric.selector,
      targetValue: external.target.value,
      targetAverageValue: external.target.averageValue
    })
  })
}

const resourceTarget = (source: AutoscalingV1.ResourceMetricSource): AutoscalingV2.MetricTarget =>
  defined({
    type: source.targetAverageUtilization === undefined ? "AverageValue" : "Utilization",
    averageUtilization: source.targetAverageUtilization,
    averageValue: source.targetAverageValue
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
    resource: resource && { name: resource.name, target: resourceTarget(resource) },
    containerResource: containerResource && {
      name: containerResource.name,
      target: resourceTarget(containerResource),
      container: containerResource.container
    },
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

/** A measured metric as the annotation has it. @category combinators */
export const toV1MetricStatus = (metric: AutoscalingV2.MetricStatus): AutoscalingV1.MetricStatus => {
  const { containerResource, external, object, pods, resource } = metric
  return defined({
    type: metric.type,
    object: object && defined({
      target: object.describedObject,
      metricName: object.metric.name,
      currentValue: object.current.value ?? "0",
      selector: object.metric.selector,
      averageValue: object.current.averageValue
    }),
    pods: pods && defined({
      metricName: pods.metric.name,
      currentAverageValue: pods.current.averageValue ?? "0",
      selector: pods.metric.selector
    }),
    resource: resource && defined({
      name: resource.name,
      currentAverageUtilization: resource.current.averageUtilization,
      currentAverageValue: resource.current.averageValue ?? "0"
    }),
    containerResource: containerResource && defined({
      name: containerResource.name,
      currentAverageUtilization: containerResource.current.averageUtilization,
      currentAverageValue: containerResource.current.averageValue ?? "0",
      container: containerResource.container
    }),
    external: external && defined({
      metricName: external.metric.name,
      metricSelector: external.metric.selector,
      currentValue: external.current.value ?? "0",
      currentAverageValue: external.current.averageValue
    })
  })
}

const measured = (value: string | undefined, averageValue: string | undefined, averageUtilization?: number): AutoscalingV2.MetricValueStatus =>
  defined({ value, averageValue, averageUtilization })

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
    resource: resource && {
      name: resource.name,
      current: measured(undefined, resource.currentAverageValue, resource.currentAverageUtilization)
    },
    containerResource: containerResource && {
      name: containerResource.name,
      current: measured(undefined, containerResource.currentAverageValue, containerResource.currentAverageUtilization),
      container: containerResource.container
    },
    external: external && {
      metric: defined({ name: external.metricName, selector: external.metricSelector }),
      current: measured(external.currentValue, external.currentAverageValue)
    }
  })
}
