/** What a kubelet shows at `/metrics/probes`: attempts by their end, and how long they took, in the text form of Prometheus. */
import { Exposition } from "@reddwarf/prometheus"
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

  const counters = ({ counts, kind, subject: { container, namespace, pod, podUid } }: Series): ReadonlyArray<Exposition.Sample> =>
    (["Success", "Failure", "Unknown"] as const).filter((tag) => counts[tag] > 0).map((tag) => ({
      labels: { container, namespace, pod, pod_uid: podUid, probe_type: types[kind], result: results[tag] },
      value: counts[tag]
    }))

  const histogram = ({ buckets, kind, seconds, subject: { container, namespace, pod } }: Series): ReadonlyArray<Exposition.Sample> => {
    let total = 0
    const cumulative = buckets.map((count, at) => [bounds[at] ?? Infinity, total += count] as const)
    return Exposition.histogram({ container, namespace, pod, probe_type: types[kind] }, cumulative, seconds, total)
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
      return Exposition.document([
        {
          name: "prober_probe_duration_seconds",
          type: "histogram",
          help: "[ALPHA] Duration in seconds for a probe response.",
          samples: all.flatMap(histogram)
        },
        {
          name: "prober_probe_total",
          type: "counter",
          help: "[BETA] Cumulative number of a liveness, readiness or startup probe for a container by result.",
          samples: all.flatMap(counters)
        }
      ])
    }
  }
}
