import { PrometheusText, TaggedMetrics } from "@reddwarf/telemetry"
import { Console, Effect, Metric } from "effect"

const requests = TaggedMetrics.make(
  Metric.counter("demo_requests_total", { description: "Requests answered", incremental: true }),
  ["verb", "code"]
)

const program = Effect.gen(function*() {
  requests.update(1, "get", "200")
  requests.update(1, "get", "200")
  requests.update(1, "create", "409")
  yield* Console.log(yield* PrometheusText.current)
})

await Effect.runPromise(program)
