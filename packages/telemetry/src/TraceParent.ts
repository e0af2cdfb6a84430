/** The trace that a request continues, as its caller names it in headers (W3C Trace Context, or B3). */
import * as Headers from "@effect/platform/Headers"
import * as HttpTraceContext from "@effect/platform/HttpTraceContext"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"

const names = ["traceparent", "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled"]

/**
 * The caller's span, from headers by their lower-case names; none where no headers name one, or not validly.
 *
 * @category constructors
 */
export const fromHeaders = (headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>): Option.Option<Tracer.ExternalSpan> => {
  const named = names.flatMap((name): ReadonlyArray<readonly [string, string]> => {
    const value = headers[name]
    return typeof value === "string" ? [[name, value]] : []
  })
  return named.length === 0 ? Option.none() : HttpTraceContext.fromHeaders(Headers.fromInput(named))
}
