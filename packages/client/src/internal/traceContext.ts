/** The trace that a request belongs to, for the server to go on with: the header `traceparent` of W3C Trace Context. */
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"

const none: Readonly<Record<string, string>> = {}

const traceId = /^(?!0{32})[0-9a-f]{32}$/
const spanId = /^(?!0{16})[0-9a-f]{16}$/

const headersOf = (span: Tracer.AnySpan): Readonly<Record<string, string>> =>
  traceId.test(span.traceId) && spanId.test(span.spanId)
    ? { traceparent: `00-${span.traceId}-${span.spanId}-${span.sampled ? "01" : "00"}` }
    : none

/** The tracer of a program in which nobody has chosen one. */
const usual = Context.get(DefaultServices.liveServices, Tracer.Tracer)
const isKeeping = (tracer: Tracer.Tracer): boolean => tracer !== usual

/**
 * The header for requests of this fiber: none where no span is open. Without a collector spans are made all the same, and nobody can look up
 * what they are called: their names are sent only where a tracer was put in the place of the one that keeps nothing.
 */
export const headers: Effect.Effect<Readonly<Record<string, string>>> = Effect.flatMap(Effect.tracer, (tracer) =>
  isKeeping(tracer)
    ? Effect.map(Effect.option(Effect.currentParentSpan), Option.match({ onNone: () => none, onSome: headersOf }))
    : Effect.succeed(none))
