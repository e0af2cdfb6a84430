/** What the endpoint counts, and its rendering for Prometheus. Plain numbers: they are touched on every request. */

import { Exposition } from "@reddwarf/prometheus"

type Labels = Exposition.Labels

const prefix = "reddwarf_node_health_"

const types = {
  check_passed: ["gauge", "Whether the last look at a check passed."],
  check_observed: ["gauge", "What the last look at a check observed."],
  check_duration_seconds: ["gauge", "How long the last look at a check took."],
  check_unknown_total: ["counter", "Looks at a check that could not observe anything."],
  requests_total: ["counter", "Requests for /health by status code."],
  in_flight: ["gauge", "Requests for /health that are being answered."],
  probe_stuck: ["gauge", "File probes that do not end although they were killed."],
  fail_open_total: ["counter", "Looks at a check that passed only because nothing could be observed."],
  drained: ["gauge", "Whether an operator took the node out of rotation."],
  config_valid: ["gauge", "Whether the configuration that was last read is valid."],
  log_dropped_total: ["counter", "Log lines dropped because the log could not be written fast enough."],
  conntrack_fill_ratio: ["gauge", "How full the connection tracking table is."],
  stuck_zones: ["gauge", "Managed zones stuck between two states."]
} as const satisfies Readonly<Record<string, readonly ["gauge" | "counter", string]>>

/** Names without the prefix `reddwarf_node_health_`. @category models */
export type MetricName = keyof typeof types

/** Most series of one metric; further ones are not kept. */
const maxSeries = 512

const names = Object.keys(types).filter((name): name is MetricName => Object.hasOwn(types, name))

/** What tells series of one metric apart: its labels always come in the same order. */
const keyOf = (labels: Labels): string => Object.values(labels).join("\u0000")

/** @category models */
export interface HealthMetrics {
  readonly set: (name: MetricName, value: number, labels?: Labels) => void
  readonly add: (name: MetricName, amount?: number, labels?: Labels) => void
  /** The value of a series; 0 when there is none. */
  readonly get: (name: MetricName, labels?: Labels) => number
  /** Forgets a series. */
  readonly remove: (name: MetricName, labels: Labels) => void
  /** All series in the text format of Prometheus. */
  readonly render: () => string
}

/**
 * Empty metrics.
 *
 * @category constructors
 */
export const make = (): HealthMetrics => {
  const series = new Map<MetricName, Map<string, { readonly labels: Labels; value: number }>>()
  const write = (name: MetricName, labels: Labels, next: (before: number) => number): void => {
    const known = series.get(name) ?? new Map<string, { readonly labels: Labels; value: number }>()
    series.set(name, known)
    const key = keyOf(labels)
    const found = known.get(key)
    if (found !== undefined) found.value = next(found.value)
    else if (known.size < maxSeries) known.set(key, { labels, value: next(0) })
  }
  return {
    set: (name, value, labels = {}) => write(name, labels, () => value),
    add: (name, amount = 1, labels = {}) => write(name, labels, (before) => before + amount),
    get: (name, labels = {}) => series.get(name)?.get(keyOf(labels))?.value ?? 0,
    remove: (name, labels) => void series.get(name)?.delete(keyOf(labels)),
    render: () =>
      Exposition.document(names.map((name) => {
        const [type, help] = types[name]
        return { name: `${prefix}${name}`, type, help, samples: [...series.get(name)?.values() ?? []] }
      }))
  }
}
