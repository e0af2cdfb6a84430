/** Defaults of a HorizontalPodAutoscaler. */
import type * as AutoscalingV2 from "../generated/AutoscalingV2.js"

const mostOfCpu: AutoscalingV2.MetricSpec = {
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } }
}

// At most four pods or double the number every 15 seconds, whichever is more.
const scaleUp: AutoscalingV2.HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: "Max",
  policies: [{ type: "Pods", value: 4, periodSeconds: 15 }, { type: "Percent", value: 100, periodSeconds: 15 }]
}

// The time to wait before scaling down is a setting of the controller, so that it is left open here.
const scaleDown: AutoscalingV2.HPAScalingRules = {
  selectPolicy: "Max",
  policies: [{ type: "Percent", value: 100, periodSeconds: 15 }]
}

/** Fills replicas, the metric of an autoscaler without one, and the rules of a behaviour that was given in part. @category combinators */
export const autoscalerDefaults = (object: AutoscalingV2.HorizontalPodAutoscaler): AutoscalingV2.HorizontalPodAutoscaler => {
  const { behavior, metrics = [], minReplicas = 1 } = object.spec
  return {
    ...object,
    spec: {
      ...object.spec,
      minReplicas,
      metrics: metrics.length === 0 ? [mostOfCpu] : metrics,
      ...(behavior === undefined
        ? {}
        : { behavior: { scaleUp: { ...scaleUp, ...behavior.scaleUp }, scaleDown: { ...scaleDown, ...behavior.scaleDown } } })
    }
  }
}
