/** What a kubelet shows at `/metrics/probes`: attempts by their end, and how long they took, in the text form of Prometheus. */
import type { ProbeKind } from "./Probe.js"
import type { ProbeOutcome } from "./ProbeOutcome.js"

/** Whose probe it is. @category models */
export interface Subject {
  readonly namespace: string
  readonly pod: string
  readonly podUid: string
  readonly container: string
}

/** @category models */
export interface ProbeMetrics {
  /** Counts an attempt that took so many milliseconds. */
  readonly record: (subject: Subject, kind: ProbeKind, outcome: ProbeOutcome, durationMillis: number) => void
  /** Drops everything about a pod. */
  readonly forget: (podUid: string) => void
  /** The document. */
  readonly render: () => string
}

const results = { Success: "successful", Failure: "failed", Unknown: "unknown" } as const
const types = { liveness: "Liveness", readiness: "Readiness", startup: "Startup" } as const

/** Upper bounds of the buckets, in seconds. */
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

interface Series {
  readonly subject: Subject
  readonly kind: ProbeKind
  readonly counts: Record<ProbeOutcome["_tag"], number>
  /** Of each bucket alone; the last is for what is longer than all bounds. */
  readonly buckets: Array<number>
  seconds: number
}

const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\"", "\\\"").replaceAll("\n", "\\n")

const line = (name: string, labels: ReadonlyArray<readonly [string, string]>, value: number): string =>
  `${name}{${labels.map(([label, text]) => `${label}="${escaped(text)}"`).join(",")}} ${value}\n`

/** Empty. It grows with the number of probes, not of attempts. @category constructors */
export const make = (): ProbeMetrics => {
  const pods = new Map<string, Map<string, Series>>()

  const seriesOf = (subject: Subject, kind: ProbeKind): Series => {
    const known = pods.get(subject.podUid) ?? new Map<string, Series>()
    pods.set(subject.podUid, known)
    const name = `${subject.container}/${kind}`
    const series = known.get(name) ??
      { subject, kind, counts: { Success: 0, Failure: 0, Unknown: 0 }, buckets: Array.from({ length: bounds.length + 1 }, () => 0), seconds: 0 }
    known.set(name, series)
    return series
  }

  const counters = ({ counts, kind, subject }: Series): string =>
    (["Success", "Failure", "Unknown"] as const).filter((tag) => counts[tag] > 0).map((tag) =>
      line("prober_probe_total", [
        ["container", subject.container],
        ["namespace", subject.namespace],
        ["pod", subject.pod],
        ["pod_uid", subject.podUid],
        ["probe_type", types[kind]],
        ["result", results[tag]]
      ], counts[tag])).join("")

  const histogram = ({ buckets, kind, seconds, subject }: Series): string => {
    const labels: ReadonlyArray<readonly [string, string]> = [
      ["container", subject.container],
      ["namespace", subject.namespace],
      ["pod", subject.pod],
      ["probe_type", types[kind]]
    ]
    let total = 0
    const lines = buckets.map((count, at) => {
      total += count
      return line("prober_probe_duration_seconds_bucket", [...labels, ["le", bounds[at] === undefined ? "+Inf" : String(bounds[at])]], total)
    })
    return `${lines.join("")}${line("prober_probe_duration_seconds_sum", labels, seconds)}${line("prober_probe_duration_seconds_count", labels, total)}`
  }

  return {
    record: (subject, kind, outcome, durationMillis) => {
      const series = seriesOf(subject, kind)
      series.counts[outcome._tag] += 1
      const seconds = durationMillis / 1000
      series.seconds += seconds
      const at = bounds.findIndex((bound) => seconds <= bound)
      const bucket = at < 0 ? bounds.length : at
      series.buckets[bucket] = (series.buckets[bucket] ?? 0) + 1
    },
    forget: (podUid) => void pods.delete(podUid),
    render: () => {
      const all = [...pods.values()].flatMap((known) => [...known.values()])
      if (all.length === 0) return ""
      return "# HELP prober_probe_duration_seconds [ALPHA] Duration in seconds for a probe response.\n" +
        `# TYPE prober_probe_duration_seconds histogram\n${all.map(histogram).join("")}` +
        "# HELP prober_probe_total [BETA] Cumulative number of a liveness, readiness or startup probe for a container by result.\n" +
        `# TYPE prober_probe_total counter\n${all.map(counters).join("")}`
    }
  }
}
