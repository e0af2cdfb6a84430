import { assert, describe, layer } from "@effect/vitest"
import { Effect, Exit, Layer, Option, Tracer } from "effect"
import * as HttpsEdge from "../src/HttpsEdge.js"
import { configMap, configMaps } from "./support/api.js"
import { adminCredentials, eventually, http1, http2, layerServer, session } from "./support/http.js"

const valueOf = (text: string, name: string, labels: Readonly<Record<string, string>>): number =>
  text.split("\n").filter((line) => line.startsWith(`${name}{`)).filter((line) =>
    Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`))
  ).reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0)

describe("/metrics", () => {
  layer(layerServer(), { excludeTestServices: true })((it) => {
    it.scoped("counts requests by what they asked for, under Kubernetes' names", () =>
      Effect.gen(function*() {
        const { url } = yield* HttpsEdge.HttpsEdge
        const connection = yield* session(url, yield* adminCredentials)
        const metrics = Effect.map(http2(connection, "/metrics"), ({ body }) => body.toString())
        const before = yield* metrics
        yield* http2(connection, configMaps, { method: "POST", body: JSON.stringify(configMap("counted")) })
        yield* http2(connection, configMaps, { method: "POST", body: JSON.stringify(configMap("counted")) })
        yield* http2(connection, `${configMaps}/counted`)
        yield* http2(connection, configMaps)
        const name = "apiserver_request_total"
        const grown = (text: string, labels: Readonly<Record<string, string>>) => valueOf(text, name, labels) - valueOf(before, name, labels)
        const resource = { resource: "configmaps", version: "v1" }
        // A request counts once its stream is closed, which the client may see first.
        const after = yield* metrics.pipe(
          Effect.delay("5 millis"),
          Effect.repeat({ until: (text) => grown(text, { ...resource, verb: "LIST" }) === 1 }),
          Effect.timeout("10 seconds")
        )
        assert.strictEqual(grown(after, { ...resource, verb: "POST", scope: "namespace", code: "201" }), 1)
        assert.strictEqual(grown(after, { ...resource, verb: "POST", code: "409" }), 1)
        assert.strictEqual(grown(after, { ...resource, verb: "GET", scope: "resource", code: "200" }), 1)
        assert.match(after, /^apiserver_request_duration_seconds_bucket\{verb="GET".*le="\+Inf"\} \d+$/m)
        assert.match(after, /^reddwarf_store_revision \d+$/m)
        assert.match(after, /^process_cpu_seconds_total \d/m)
      }))

    it.scoped("does not let callers make up series", () =>
      Effect.gen(function*() {
        const { url } = yield* HttpsEdge.HttpsEdge
        const connection = yield* session(url, yield* adminCredentials)
        for (let n = 0; n < 20; n += 1) yield* http2(connection, `/apis/made.up/v1/things${n}`)
        const text = (yield* http2(connection, "/metrics")).body.toString()
        assert.notInclude(text, "things1")
        assert.notInclude(text, "made.up")
      }))

    it.scoped("is for those who may have it", () =>
      Effect.gen(function*() {
        const { url } = yield* HttpsEdge.HttpsEdge
        const { ca } = yield* adminCredentials
        assert.strictEqual((yield* http1(`${url}/metrics`, { credentials: { ca } })).status, 403)
        const connection = yield* session(url, yield* adminCredentials)
        assert.strictEqual((yield* http2(connection, "/metrics", { method: "POST" })).status, 405)
        const answer = yield* http2(connection, "/metrics")
        assert.strictEqual(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
      }))
  })
})

describe("traces", () => {
  const ended: Array<Tracer.Span> = []
  /** Keeps the spans that have ended. */
  const tracer = Tracer.make({
    context: (run) => run(),
    span: (name, parent, context, links, startTime, kind) => {
      const attributes = new Map<string, unknown>()
      const span: Tracer.Span = {
        _tag: "Span",
        name,
        spanId: "0123456789abcdef",
        traceId: Option.match(parent, { onNone: () => "fedcba9876543210fedcba9876543210", onSome: ({ traceId }) => traceId }),
        parent,
        context,
        status: { _tag: "Started", startTime },
        attributes,
        links,
        sampled: true,
        kind,
        end: (_time, exit) => {
          if (Exit.isSuccess(exit)) ended.push(span)
        },
        attribute: (key, value) => void attributes.set(key, value),
        event: () => {},
        addLinks: () => {}
      }
      return span
    }
  })

  layer(layerServer({ traced: true }).pipe(Layer.provide(Layer.setTracer(tracer))), { excludeTestServices: true })((it) => {
    it.scoped("go on with the trace that a caller names", () =>
      Effect.gen(function*() {
        const { url } = yield* HttpsEdge.HttpsEdge
        const connection = yield* session(url, yield* adminCredentials)
        const traceId = "4bf92f3577b34da6a3ce929d0e0e4736"
        yield* http2(connection, configMaps, {
          method: "POST",
          body: JSON.stringify(configMap("traced")),
          headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` }
        })
        yield* eventually("the span has ended", () => ended.some((one) => one.traceId === traceId))
        const span = ended.find((one) => one.traceId === traceId)
        assert.strictEqual(span?.name, "HTTP POST")
        assert.strictEqual(span?.attributes.get("k8s.resource"), "configmaps")
        assert.strictEqual(Option.getOrUndefined(span?.parent ?? Option.none())?.spanId, "00f067aa0ba902b7")
      }))
  })
})
