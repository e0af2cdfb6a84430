import { describe, expect, it } from "@effect/vitest"
import { PrometheusText, ProcessMetrics, TaggedMetrics } from "@reddwarf/telemetry"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"

const familyOf = (text: string, name: string): ReadonlyArray<string> => text.split("\n").filter((line) => line.includes(name))

describe("PrometheusText", () => {
  it.effect("writes counters, gauges and their help, with labels escaped", () =>
    Effect.gen(function*() {
      const counter = Metric.counter("text_requests_total", { description: "Requests\nby \"code\"", incremental: true })
      yield* Metric.incrementBy(counter.pipe(Metric.tagged("path", "a\"b\\c\nd")), 3)
      yield* Metric.set(Metric.gauge("text_depth"), -2.5)
      const text = yield* PrometheusText.current
      expect(familyOf(text, "text_requests_total")).toEqual([
        "# HELP text_requests_total Requests\\nby \"code\"",
        "# TYPE text_requests_total counter",
        "text_requests_total{path=\"a\\\"b\\\\c\\nd\"} 3"
      ])
      expect(familyOf(text, "text_depth")).toEqual(["# TYPE text_depth gauge", "text_depth -2.5"])
    }))

  it.effect("counters that may fall are gauges", () =>
    Effect.gen(function*() {
      yield* Metric.increment(Metric.counter("text_either_way"))
      expect(familyOf(yield* PrometheusText.current, "text_either_way")).toEqual(["# TYPE text_either_way gauge", "text_either_way 1"])
    }))

  it.effect("writes histograms with cumulative buckets up to everything", () =>
    Effect.gen(function*() {
      const histogram = Metric.histogram("text_seconds", MetricBoundaries.fromIterable([0.1, 1]))
      yield* Effect.forEach([0.05, 0.5, 0.5, 7], (value) => Metric.update(histogram, value))
      expect(familyOf(yield* PrometheusText.current, "text_seconds")).toEqual([
        "# TYPE text_seconds histogram",
        "text_seconds_bucket{le=\"0.1\"} 1",
        "text_seconds_bucket{le=\"1\"} 3",
        "text_seconds_bucket{le=\"+Inf\"} 4",
        "text_seconds_sum 8.05",
        "text_seconds_count 4"
      ])
    }))

  it.effect("writes summaries and frequencies", () =>
    Effect.gen(function*() {
      const summary = Metric.summary({ name: "text_sizes", maxAge: "1 minute", maxSize: 10, error: 0, quantiles: Chunk.toReadonlyArray(Chunk.make(0.5)) })
      yield* Metric.update(summary, 4)
      yield* Metric.update(Metric.frequency("text_words"), "yes")
      const text = yield* PrometheusText.current
      expect(familyOf(text, "text_sizes")).toEqual([
        "# TYPE text_sizes summary",
        "text_sizes{quantile=\"0.5\"} 4",
        "text_sizes_sum 4",
        "text_sizes_count 1"
      ])
      expect(familyOf(text, "text_words")).toEqual(["# TYPE text_words counter", "text_words{key=\"yes\"} 1"])
    }))

  it.effect("keeps one type for one name", () =>
    Effect.gen(function*() {
      yield* Metric.set(Metric.gauge("text_twice"), 1)
      yield* Metric.increment(Metric.counter("text_twice", { incremental: true }))
      const text = yield* PrometheusText.current
      expect(familyOf(text, "# TYPE text_twice")).toHaveLength(1)
      expect(text.split("\n").filter((line) => line.startsWith("text_twice "))).toHaveLength(1)
    }))
})

describe("TaggedMetrics", () => {
  it.effect("counts what comes beyond the bound together", () =>
    Effect.gen(function*() {
      const tagged = TaggedMetrics.make(Metric.counter("tagged_total", { incremental: true }), ["verb", "code"], 2)
      for (const code of ["200", "404", "409", "500", "200"]) tagged.update(1, "get", code)
      expect(familyOf(yield* PrometheusText.current, "tagged_total").slice(1).toSorted()).toEqual([
        "tagged_total{verb=\"get\",code=\"200\"} 2",
        "tagged_total{verb=\"get\",code=\"404\"} 1",
        "tagged_total{verb=\"other\",code=\"other\"} 2"
      ])
    }))
})

describe("ProcessMetrics", () => {
  it.live("counts CPU time up and tells who it is", () =>
    Effect.gen(function*() {
      yield* ProcessMetrics.identify("test", "1.2.3")
      const cpu = Effect.map(Effect.zipRight(ProcessMetrics.refresh, PrometheusText.current), (text) =>
        Number(text.split("\n").find((line) => line.startsWith("process_cpu_seconds_total "))?.split(" ")[1]))
      const before = yield* cpu
      let sum = 0
      for (let n = 0; n < 2e7; n += 1) sum += n % 7
      expect(sum).toBeGreaterThan(0)
      expect(yield* cpu).toBeGreaterThan(before)
      const text = yield* PrometheusText.current
      expect(text).toContain("reddwarf_build_info{component=\"test\",version=\"1.2.3\"} 1")
      expect(text).toMatch(/^process_resident_memory_bytes \d{7,}$/m)
    }))
})
