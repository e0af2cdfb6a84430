import { assert, describe, it } from "@effect/vitest"
import { ProbeMetrics, ProbeOutcome } from "@reddwarf/probes"

const subject = { namespace: "default", pod: "web", podUid: "u1", container: "c" }

describe("ProbeMetrics", () => {
  it("shows attempts by their end, and how long they took", () => {
    const metrics = ProbeMetrics.make()
    assert.strictEqual(metrics.render(), "")
    metrics.record(subject, "liveness", ProbeOutcome.success, 3)
    metrics.record(subject, "liveness", ProbeOutcome.failure("no"), 40)
    metrics.record(subject, "liveness", ProbeOutcome.failure("no"), 20_000)
    const lines = metrics.render().split("\n")
    const labels = "container=\"c\",namespace=\"default\",pod=\"web\""
    assert.includeMembers(lines, [
      "# TYPE prober_probe_total counter",
      `prober_probe_total{${labels},pod_uid="u1",probe_type="Liveness",result="successful"} 1`,
      `prober_probe_total{${labels},pod_uid="u1",probe_type="Liveness",result="failed"} 2`,
      "# TYPE prober_probe_duration_seconds histogram",
      `prober_probe_duration_seconds_bucket{${labels},probe_type="Liveness",le="0.005"} 1`,
      `prober_probe_duration_seconds_bucket{${labels},probe_type="Liveness",le="0.05"} 2`,
      `prober_probe_duration_seconds_bucket{${labels},probe_type="Liveness",le="10"} 2`,
      `prober_probe_duration_seconds_bucket{${labels},probe_type="Liveness",le="+Inf"} 3`,
      `prober_probe_duration_seconds_sum{${labels},probe_type="Liveness"} 20.043`,
      `prober_probe_duration_seconds_count{${labels},probe_type="Liveness"} 3`
    ])
    assert.isFalse(lines.some((line) => line.includes("unknown")))
  })

  it("drops what belongs to a pod that is gone", () => {
    const metrics = ProbeMetrics.make()
    metrics.record(subject, "readiness", ProbeOutcome.unknown("?"), 1)
    metrics.record({ ...subject, podUid: "u2", pod: "other" }, "readiness", ProbeOutcome.success, 1)
    metrics.forget("u1")
    assert.notInclude(metrics.render(), "pod=\"web\"")
    assert.include(metrics.render(), "pod=\"other\"")
  })
})
