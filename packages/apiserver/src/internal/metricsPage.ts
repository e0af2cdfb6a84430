/** `/metrics`: what this process counts, for Prometheus. */
import { ProcessMetrics, PrometheusText } from "@reddwarf/telemetry"
import * as Effect from "effect/Effect"
import type { ApiResponse } from "../ApiResponse.js"
import * as Response from "../ApiResponse.js"

/** Where it is. */
export const path = "/metrics"

/** Everything as it is now. */
export const respond: Effect.Effect<ApiResponse> = Effect.map(Effect.zipRight(ProcessMetrics.refresh, PrometheusText.current), (text) =>
  Response.withHeaders(Response.text(200, text), { "content-type": PrometheusText.contentType }))
