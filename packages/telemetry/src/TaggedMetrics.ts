/**
 * Metrics with labels for hot paths: one lookup in a map for each update, no allocation, and a bound on how many series there can be, because
 * labels may hold what clients chose.
 */
import * as Metric from "effect/Metric"

/** @category models */
export interface TaggedMetrics<In> {
  /** Updates the series with these values of the labels, in the order in which the labels were named. */
  readonly update: (amount: In, ...values: ReadonlyArray<string>) => void
}

/** Series of one metric; what comes beyond is counted under `other`. @category constants */
export const defaultMaxSeries = 2048

const separator = "\u0000"

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
  const series = new Map<string, Metric.Metric<Type, In, Out>>()
  const seriesOf = (values: ReadonlyArray<string>): Metric.Metric<Type, In, Out> => {
    const key = values.length === 1 ? values[0] ?? "" : values.join(separator)
    const known = series.get(key)
    if (known !== undefined) return known
    const full = series.size >= maxSeries
    const shown = full ? values.map(() => "other") : values
    const made = labels.reduce((tagged, label, at) => Metric.tagged(tagged, label, shown[at] ?? ""), metric)
    const shownKey = full ? shown.join(separator) : key
    const other = series.get(shownKey)
    if (other !== undefined) return other
    series.set(shownKey, made)
    return made
  }
  return { update: (amount, ...values) => seriesOf(values).unsafeUpdate(amount, []) }
}
