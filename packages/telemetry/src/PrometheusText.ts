/**
 * Metrics of a process as text that Prometheus reads, in its exposition format 0.0.4.
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as MetricKey from "effect/MetricKey"
import type * as MetricPair from "effect/MetricPair"
import * as MetricState from "effect/MetricState"
import * as Option from "effect/Option"

/** Content type of the text. @category constants */
export const contentType = "text/plain; version=0.0.4; charset=utf-8"

const notInNames = /[^a-zA-Z0-9_:]/g

const nameOf = (name: string): string => name.replace(notInNames, "_").replace(/^(?=\d)/, "_")

const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\"": "\\\"" }
const escaped = (text: string, characters: RegExp): string => text.replace(characters, (character) => escapes[character] ?? character)

type Labels = ReadonlyArray<readonly [name: string, value: string]>

const labelsText = (labels: Labels): string =>
  labels.length === 0 ? "" : `{${labels.map(([name, value]) => `${nameOf(name)}="${escaped(value, /[\\\n"]/g)}"`).join(",")}}`

const numberText = (value: number | bigint): string =>
  value === Infinity ? "+Inf" : value === -Infinity ? "-Inf" : String(value)

interface Sample {
  readonly suffix?: "_bucket" | "_sum" | "_count"
  readonly labels: Labels
  readonly value: number | bigint
}

interface Family {
  readonly type: "counter" | "gauge" | "histogram" | "summary"
  readonly help: string
  readonly samples: Array<Sample>
}

/** What a state looks like outside; none for states that this does not know. */
const samplesOf = (
  state: MetricState.MetricState.Untyped,
  labels: Labels
): { readonly type: Family["type"]; readonly samples: ReadonlyArray<Sample> } | undefined => {
  if (MetricState.isCounterState(state)) return { type: "counter", samples: [{ labels, value: state.count }] }
  if (MetricState.isGaugeState(state)) return { type: "gauge", samples: [{ labels, value: state.value }] }
  if (MetricState.isFrequencyState(state)) {
    return { type: "counter", samples: [...state.occurrences].map(([key, value]) => ({ labels: [...labels, ["key", key]], value })) }
  }
  if (MetricState.isHistogramState(state)) {
    // The last boundary of a state is that of everything.
    const buckets = state.buckets.map(([boundary, value]): Sample => ({
      suffix: "_bucket",
      labels: [...labels, ["le", numberText(boundary === Number.MAX_SAFE_INTEGER ? Infinity : boundary)]],
      value
    }))
    const complete = state.buckets.some(([boundary]) => boundary === Infinity || boundary === Number.MAX_SAFE_INTEGER)
    return {
      type: "histogram",
      samples: [
        ...buckets,
        ...(complete ? [] : [{ suffix: "_bucket" as const, labels: [...labels, ["le", "+Inf"] as const], value: state.count }]),
        { suffix: "_sum", labels, value: state.sum },
        { suffix: "_count", labels, value: state.count }
      ]
    }
  }
  if (!MetricState.isSummaryState(state)) return undefined
  return {
    type: "summary",
    samples: [
      ...state.quantiles.map(([quantile, value]): Sample => ({
        labels: [...labels, ["quantile", numberText(quantile)]],
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
  for (const { metricKey, metricState } of snapshot) {
    const labels = metricKey.tags.map(({ key, value }): readonly [string, string] => [key, value])
    const found = samplesOf(metricState, labels)
    if (found === undefined) continue
    const name = nameOf(metricKey.name)
    const type = typeOf(found.type, metricKey)
    const family = families.get(name)
    if (family === undefined) {
      families.set(name, { type, help: Option.getOrElse(metricKey.description, () => ""), samples: [...found.samples] })
    } else if (family.type === type) family.samples.push(...found.samples)
  }
  const lines: Array<string> = []
  for (const [name, { help, samples, type }] of [...families].toSorted(([a], [b]) => a < b ? -1 : 1)) {
    if (help !== "") lines.push(`# HELP ${name} ${escaped(help, /[\\\n]/g)}`)
    lines.push(`# TYPE ${name} ${type}`)
    for (const { labels, suffix = "", value } of samples) lines.push(`${name}${suffix}${labelsText(labels)} ${numberText(value)}`)
  }
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`
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
  const lines = names.flatMap((name) => [
    ...(help[name] === undefined ? [] : [`# HELP ${nameOf(name)} ${escaped(help[name], /[\\\n]/g)}`]),
    `# TYPE ${nameOf(name)} gauge`,
    ...values.filter((one) => one.name === name).map(({ labels, value }) => `${nameOf(name)}${labelsText(Object.entries(labels))} ${numberText(value)}`)
  ])
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`
}

/**
 * The text for all metrics of this process as they are now.
 *
 * @category constructors
 */
export const current: Effect.Effect<string> = Effect.map(Metric.snapshot, render)
