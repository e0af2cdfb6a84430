/** What each metric of an autoscaler asks for, in the words of its conditions and events. */
import { type AutoscalingV2, type CoreV1, Quantity } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import * as usage from "./autoscalerUsage.js"

/** What one metric asks for. */
export interface Proposal {
  readonly replicas: number
  readonly name: string
  readonly status: AutoscalingV2.MetricStatus
}

/** Why a metric cannot be used, as event, condition and sum of all metrics say it. */
export interface Problem {
  readonly reason: string
  readonly message: string
  readonly summary: string
}

const thousandths = (millis: number): string => Quantity.toCanonical({ nanos: BigInt(Math.floor(millis)) * 1_000_000n, format: "DecimalSI" })

const resourceOf = ({ containerResource, resource, type }: AutoscalingV2.MetricSpec) =>
  type === "Resource" && resource !== undefined
    ? { name: resource.name, target: resource.target, container: undefined, reason: "FailedGetResourceMetric" }
    : type === "ContainerResource" && containerResource !== undefined
    ? { ...containerResource, reason: "FailedGetContainerResourceMetric" }
    : undefined

const targetOf = ({ averageUtilization, averageValue }: AutoscalingV2.MetricTarget): usage.Target | undefined =>
  averageValue !== undefined
    ? { type: "AverageValue", millis: Quantity.toMillis(Quantity.fromText(averageValue)) }
    : averageUtilization !== undefined
    ? { type: "Utilization", percent: averageUtilization }
    : undefined

const otherMetrics: Readonly<Record<string, string>> = {
  Object: "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered",
  Pods: "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered",
  External: "unable to fetch metrics from external metrics API: no external metrics API (external.metrics.k8s.io) registered"
}

const statusOf = (metric: AutoscalingV2.MetricSpec, answer: usage.Answer): AutoscalingV2.MetricStatus => {
  const current = {
    averageValue: thousandths(answer.average),
    ...(answer.utilization === undefined ? {} : { averageUtilization: answer.utilization })
  }
  return metric.type === "ContainerResource"
    ? { type: metric.type, containerResource: { name: metric.containerResource?.name ?? "", container: metric.containerResource?.container ?? "", current } }
    : { type: metric.type, resource: { name: metric.resource?.name ?? "", current } }
}

/** Everything that one look needs besides the autoscaler itself. */
export interface World {
  readonly metrics: usage.Question["metrics"]
  readonly pods: ReadonlyArray<CoreV1.Pod>
  readonly current: number
  readonly tolerance: usage.Tolerance
  readonly now: number
}

/** The proposal of one metric, or why there is none. */
export const of = (metric: AutoscalingV2.MetricSpec, world: World): Either.Either<Proposal, Problem> => {
  const resource = resourceOf(metric)
  if (resource === undefined) {
    const message = `unable to get metric: ${otherMetrics[metric.type] ?? `unknown metric source type ${JSON.stringify(metric.type)}`}`
    return Either.left({ reason: `FailedGet${metric.type}Metric`, message, summary: `failed to get ${metric.type.toLowerCase()} metric value: ${message}` })
  }
  const { container, name, reason } = resource
  const target = targetOf(resource.target)
  const kind = container === undefined ? "resource" : "container resource"
  const fail = (message: string) => Either.left({ reason, message, summary: `failed to get ${name} ${kind} metric value: ${message}` })
  if (target === undefined) return fail("invalid resource metric source: neither an average utilization target nor an average value (usage) target was set")
  const found = usage.replicasFor({ ...world, resource: name, container, target })
  if (Either.isLeft(found)) return fail(`failed to get ${name} ${target.type === "Utilization" ? "utilization" : "usage"}: ${found.left}`)
  const shown = `${name} ${kind}`
  return Either.right({
    replicas: found.right.replicas,
    name: target.type === "Utilization" ? `${shown} utilization (percentage of request)` : shown,
    status: statusOf(metric, found.right)
  })
}
