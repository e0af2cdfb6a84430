/**
 * Metrics with labels for hot paths: one lookup in a map for each update, and a bound on how many series there can be, because
 * labels may hold what clients chose.
 */
import type * as Metric from "effect/Metric"
import * as MetricLabel from "effect/MetricLabel"

/** @category models */
export interface TaggedMetrics<In> {
  /** Updates the series with these values of the labels, in the order in which the labels were named. */
  readonly update: (amount: In, ...values: ReadonlyArray<string>) => void
}

/** Series of one metric; what comes beyond is counted under `other`. @category constants */
export const defaultMaxSeries = 2048

const separator = "\u0000"

const keyOf = (values: ReadonlyArray<string>): string => {
  let key = values[0] ?? ""
  for (let at = 1; at < values.length; at++) key += separator + (values[at] ?? "")
  return key
}

/**
 * Series of a metric by the values of its labels.
 *
 * @category constructors
 */
export const make = <Type, In extends number | bigint, Out>(
  metric: Metric.Metric<Type, In, Out>,
  labels: ReadonlyArray<string>,
  maxSeries: number = defaultMaxSeries
): TaggedMetrics<In> => {
  // A metric remembers its series by the list of labels that it is given: as long as the list is the same one, an update looks up nothing
  // else. `Metric.tagged` would join the labels anew each time, which costs a server more than to route a request.
  const series = new Map<string, ReadonlyArray<MetricLabel.MetricLabel>>()
  const seriesOf = (values: ReadonlyArray<string>): ReadonlyArray<MetricLabel.MetricLabel> => {
    const key = keyOf(values)
    const known = series.get(key)
    if (known !== undefined) return known
    const full = series.size >= maxSeries
    const shown = full ? values.map(() => "other") : values
    const shownKey = full ? keyOf(shown) : key
    const other = series.get(shownKey)
    if (other !== undefined) return other
    const made = labels.map((label, at) => MetricLabel.make(label, shown[at] ?? ""))
    series.set(shownKey, made)
    return made
  }
  return { update: (amount, ...values) => metric.unsafeUpdate(amount, seriesOf(values)) }
}
