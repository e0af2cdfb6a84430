/** What the endpoint counts, and its rendering for Prometheus. Plain numbers: they are touched on every request. */

/** Label values of one series. */
type Labels = Readonly<Record<string, string>>

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

const isMetricName = (name: string): name is MetricName => Object.hasOwn(types, name)

const escape = (value: string): string => value.replaceAll(/[\\"\n]/g, (character) => character === "\n" ? "\\n" : `\\${character}`)

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
  const series = new Map<MetricName, Map<string, number>>()
  const keyOf = (labels: Labels): string => {
    const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escape(value)}"`)
    return pairs.length === 0 ? "" : `{${pairs.join(",")}}`
  }
  const write = (name: MetricName, labels: Labels, next: (before: number) => number): void => {
    const values = series.get(name) ?? new Map<string, number>()
    series.set(name, values)
    const key = keyOf(labels)
    const before = values.get(key)
    if (before === undefined && values.size >= maxSeries) return
    values.set(key, next(before ?? 0))
  }
  return {
    set: (name, value, labels = {}) => write(name, labels, () => value),
    add: (name, amount = 1, labels = {}) => write(name, labels, (before) => before + amount),
    get: (name, labels = {}) => series.get(name)?.get(keyOf(labels)) ?? 0,
    remove: (name, labels) => void series.get(name)?.delete(keyOf(labels)),
    render: () =>
      Object.entries(types).flatMap(([name, [type, help]]) => {
        const values = isMetricName(name) ? series.get(name) : undefined
        if (values === undefined || values.size === 0) return []
        const full = `${prefix}${name}`
        return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, ...[...values].map(([labels, value]) => `${full}${labels} ${value}`)]
      }).map((line) => `${line}\n`).join("")
  }
}
