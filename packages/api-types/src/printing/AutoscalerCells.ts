/** The table row of a HorizontalPodAutoscaler. */
import type * as AutoscalingV2 from "../generated/AutoscalingV2.js"
import { age, ageCell, name, none, text } from "../internal/columns.js"
import type { Cell, Column } from "../Kind.js"

const integer = (title: string, description: string): Column => ({ name: title, type: "integer", description, priority: 0 })

/** The columns of both versions. @category models */
export const autoscalerColumns: ReadonlyArray<Column> = [
  name,
  text("Reference", "What is scaled."),
  text("Targets", "Current value and goal of each metric."),
  text("MinPods", "Lower bound of the number of pods."),
  integer("MaxPods", "Upper bound of the number of pods."),
  integer("Replicas", "Current number of pods."),
  age
]

const unknown = "<unknown>"

const shown = (value: string | undefined): string => value ?? unknown

const percent = (value: number | undefined, otherwise: string): string => (value === undefined ? otherwise : `${value}%`)

/** A metric that is compared per pod or as a whole. */
const plain = (target: AutoscalingV2.MetricTarget, current: AutoscalingV2.MetricValueStatus | undefined): string =>
  target.averageValue === undefined
    ? `${shown(current?.value)}/${shown(target.value)}`
    : `${shown(current?.averageValue)}/${target.averageValue} (avg)`

const usage = (
  { name: resource, target }: AutoscalingV2.ResourceMetricSource,
  current: AutoscalingV2.MetricValueStatus | undefined
): string =>
  target.averageValue === undefined
    ? `${resource}: ${percent(current?.averageUtilization, unknown)}/${percent(target.averageUtilization, "<auto>")}`
    : `${resource}: ${shown(current?.averageValue)}/${target.averageValue}`

const metricText = (spec: AutoscalingV2.MetricSpec, status: AutoscalingV2.MetricStatus | undefined): string => {
  if (spec.external !== undefined) return plain(spec.external.target, status?.external?.current)
  if (spec.pods !== undefined) return `${shown(status?.pods?.current.averageValue)}/${shown(spec.pods.target.averageValue)}`
  if (spec.object !== undefined) return plain(spec.object.target, status?.object?.current)
  if (spec.resource !== undefined) return usage(spec.resource, status?.resource?.current)
  if (spec.containerResource !== undefined) return usage(spec.containerResource, status?.containerResource?.current)
  return "<unknown type>"
}

const mostShown = 2

const targetsOf = ({ spec, status }: AutoscalingV2.HorizontalPodAutoscaler): string => {
  const { metrics = [] } = spec
  if (metrics.length === 0) return none
  const texts = metrics.map((metric, index) => metricText(metric, status?.currentMetrics?.[index]))
  return texts.length > mostShown
    ? `${texts.slice(0, mostShown).join(", ")} + ${texts.length - mostShown} more...`
    : texts.join(", ")
}

/** Cells in the order of `autoscalerColumns`. @category combinators */
export const autoscalerCells = (object: AutoscalingV2.HorizontalPodAutoscaler, now: number): ReadonlyArray<Cell> => {
  const { maxReplicas, minReplicas, scaleTargetRef } = object.spec
  return [
    object.metadata.name ?? "",
    `${scaleTargetRef.kind}/${scaleTargetRef.name}`,
    targetsOf(object),
    minReplicas === undefined ? "<unset>" : String(minReplicas),
    maxReplicas,
    object.status?.currentReplicas ?? 0,
    ageCell(object, now)
  ]
}
