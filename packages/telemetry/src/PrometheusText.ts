/** The metrics of a process as text that Prometheus reads. */
import { Exposition } from "@reddwarf/prometheus"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as MetricKey from "effect/MetricKey"
import type * as MetricPair from "effect/MetricPair"
import * as MetricState from "effect/MetricState"
import * as Option from "effect/Option"

/** Content type of the text. @category constants */
export const contentType = Exposition.contentType

interface Family extends Exposition.Family {
  readonly samples: Array<Exposition.Sample>
}

/** What a state looks like outside; none for states that this does not know. */
const samplesOf = (
  state: MetricState.MetricState.Untyped,
  labels: Exposition.Labels
): { readonly type: Family["type"]; readonly samples: ReadonlyArray<Exposition.Sample> } | undefined => {
  if (MetricState.isCounterState(state)) return { type: "counter", samples: [{ labels, value: state.count }] }
  if (MetricState.isGaugeState(state)) return { type: "gauge", samples: [{ labels, value: state.value }] }
  if (MetricState.isFrequencyState(state)) {
    return { type: "counter", samples: [...state.occurrences].map(([key, value]) => ({ labels: { ...labels, key }, value })) }
  }
  if (MetricState.isHistogramState(state)) {
    // The last boundary of a state is that of everything.
    const buckets = state.buckets.map(([boundary, value]) => [boundary === Number.MAX_SAFE_INTEGER ? Infinity : boundary, value] as const)
    return { type: "histogram", samples: Exposition.histogram(labels, buckets, state.sum, state.count) }
  }
  if (!MetricState.isSummaryState(state)) return undefined
  return {
    type: "summary",
    samples: [
      ...state.quantiles.map(([quantile, value]): Exposition.Sample => ({
        labels: { ...labels, quantile: Exposition.numberText(quantile) },
        value: Option.getOrElse(value, () => Number.NaN)
      })),
      { suffix: "_sum", labels, value: state.sum },
      { suffix: "_count", labels, value: state.count }
    ]
  }
}

/** Monotonic counters are counters; others can fall and are gauges for Prometheus. */
const typeOf = (type: Family["type"], key: MetricKey.MetricKey.Untyped): Family["type"] =>
  type === "counter" && "incremental" in key.keyType && key.keyType.incremental === false ? "gauge" : type

/**
 * The text for a snapshot. Families come in the order of their names, samples in that of their labels, so that two looks can be compared.
 * A name that was used for metrics of two types keeps the first of them: Prometheus would refuse the whole text otherwise.
 *
 * @category constructors
 */
export const render = (snapshot: ReadonlyArray<MetricPair.MetricPair.Untyped>): string => {
  const families = new Map<string, Family>()
  for (const { metricKey: key, metricState } of snapshot) {
    const found = samplesOf(metricState, Object.fromEntries(key.tags.map(({ key, value }) => [key, value])))
    if (found === undefined) continue
    const name = Exposition.nameOf(key.name)
    const type = typeOf(found.type, key)
    const family = families.get(name)
    if (family === undefined) {
      families.set(name, { name, type, help: Option.getOrElse(key.description, () => ""), samples: [...found.samples] })
    } else if (family.type === type) family.samples.push(...found.samples)
  }
  return Exposition.document([...families.values()].toSorted((a, b) => a.name < b.name ? -1 : 1))
}

/** A value with its labels that belongs to no metric of the process: it is there as long as what it tells of. @category models */
export interface Gauge {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/**
 * The text for values that are worked out when they are asked for, such as one for each object. Their names must be those of no other metric.
 *
 * @category constructors
 */
export const gauges = (values: ReadonlyArray<Gauge>, help: Readonly<Record<string, string>> = {}): string => {
  const names = [...new Set(values.map(({ name }) => name))].toSorted()
  return Exposition.document(names.map((name) => ({ name, type: "gauge", help: help[name] ?? "", samples: values.filter((value) => value.name === name) })))
}

/**
 * The text for all metrics of this process as they are now.
 *
 * @category constructors
 */
export const current: Effect.Effect<string> = Effect.map(Metric.snapshot, render)
