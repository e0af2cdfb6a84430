import type * as http from "node:http"
import * as https from "node:https"
import { setImmediate } from "node:timers/promises"
import { TLSSocket } from "node:tls"
import { Kinds } from "@reddwarf/api-types"
import { ApiClient, HttpTransport, type KubeConfig, Transport } from "@reddwarf/client"
import { assert, describe, it } from "@effect/vitest"
import { Chunk, Context, Effect, Exit, Layer, Redacted, Scope, Stream, Tracer } from "effect"
import * as certificates from "test-certificates"

const authority = certificates.make("system:node:n1")

/** A TLS server on loopback that asks for client certificates, and the kubeconfig for it. */
const serve = (listener: http.RequestListener) =>
  Effect.gen(function*() {
    const { ca, client, server: pair } = yield* authority
    const server = yield* Effect.acquireRelease(
      Effect.async<https.Server>((resume) => {
        const server = https.createServer({ ...pair, ca, requestCert: true, rejectUnauthorized: false, keepAliveTimeout: 60_000 }, listener)
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    const config: KubeConfig.KubeConfig = {
      server: `https://127.0.0.1:${port}`,
      ca,
      cert: client.cert,
      key: Redacted.make(client.key),
      insecureSkipTlsVerify: false,
      namespace: "default"
    }
    return { server, config }
  })

const transportFor = (config: KubeConfig.KubeConfig, options?: HttpTransport.Options) =>
  Effect.map(Layer.build(HttpTransport.layer(config, options)), Context.get(Transport.Transport))

const text = (body: Uint8Array) => new TextDecoder().decode(body)

/** Waits for a condition in the real world. */
const until = (condition: () => boolean) =>
  Effect.promise(async () => {
    const deadline = performance.now() + 10_000
    while (!condition() && performance.now() < deadline) await setImmediate()
    assert.isTrue(condition(), "the condition did not come true within ten seconds")
  })

const get = { method: "GET", path: "/version" }

describe("HttpTransport", () => {
  it.scopedLive("names the span of its caller where spans are kept, and no other", () =>
    Effect.gen(function*() {
      const seen: Array<string | undefined> = []
      const { config } = yield* serve((request, response) => {
        seen.push(request.headersDistinct["traceparent"]?.join())
        response.end("{}")
      })
      const transport = yield* transportFor(config)
      yield* Effect.withSpan(transport.request(get), "asked")
      const keeping = yield* Effect.map(Effect.tracer, (tracer) => Tracer.make({ context: (f, fiber) => tracer.context(f, fiber), span: (...args) => tracer.span(...args) }))
      yield* Effect.withTracer(transport.request(get), keeping)
      const span = yield* Effect.withTracer(Effect.withSpan(Effect.zipLeft(Effect.currentSpan, transport.request(get)), "asked"), keeping)
      assert.deepStrictEqual(seen, [undefined, undefined, `00-${span.traceId}-${span.spanId}-01`])
    }))

  it.scopedLive("proves itself with its certificate and keeps the connection", () =>
    Effect.gen(function*() {
      const ports = new Set<number | undefined>()
      const { config } = yield* serve((request, response) => {
        ports.add(request.socket.remotePort)
        const peer = request.socket instanceof TLSSocket ? request.socket.getPeerCertificate().subject.CN : undefined
        response.setHeader("X-Seen", `${request.method} ${request.url} ${String(peer)}`)
        request.pipe(response)
      })
      const transport = yield* transportFor({ ...config, server: `${config.server}/prefix` })
      for (let n = 0; n < 5; n++) {
        const answer = yield* transport.request({ method: "POST", path: "/api?x=1", body: `grüße ${n}` })
        assert.deepStrictEqual([answer.status, answer.headers["x-seen"], text(answer.body)], [200, "POST /prefix/api?x=1 system:node:n1", `grüße ${n}`])
      }
      assert.strictEqual(ports.size, 1)
    }))

  it.scopedLive("bounds its connections and still serves every request", () =>
    Effect.gen(function*() {
      const ports = new Set<number | undefined>()
      const { config } = yield* serve((request, response) => {
        ports.add(request.socket.remotePort)
        response.end("ok")
      })
      const transport = yield* transportFor(config, { maxConnections: 3 })
      const answers = yield* Effect.all(Array.from({ length: 50 }, () => transport.request(get)), { concurrency: "unbounded" })
      assert.isTrue(answers.every((answer) => text(answer.body) === "ok"))
      assert.isAtMost(ports.size, 3)
    }))

  it.scopedLive("refuses a server that another authority has signed, and says so when nobody listens", () =>
    Effect.gen(function*() {
      const { config, server } = yield* serve((_, response) => response.end("ok"))
      const stranger = yield* authority
      const distrusting = yield* transportFor({ ...config, ca: stranger.ca })
      const refused = yield* Effect.flip(distrusting.request(get))
      assert.strictEqual(refused.reason, "Connect")
      const transport = yield* transportFor(config)
      yield* Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
      const absent = yield* Effect.flip(transport.request(get))
      assert.strictEqual(absent.reason, "Connect")
      assert.include(absent.message, "ECONNREFUSED")
    }))

  it.scopedLive("sends a token, read anew, in the Authorization header", () =>
    Effect.gen(function*() {
      const { config } = yield* serve((request, response) => response.end(request.headers.authorization))
      let count = 0
      const token = Effect.sync(() => Redacted.make(`t${++count}`))
      const { cert: _, key: __, ...anonymous } = config
      const transport = yield* transportFor({ ...anonymous, token })
      assert.strictEqual(text((yield* transport.request(get)).body), "Bearer t1")
      assert.strictEqual(text((yield* transport.request(get)).body), "Bearer t2")
    }))

  it.scopedLive("gives up on a server that does not answer, and on an answer that is too large", () =>
    Effect.gen(function*() {
      const { config } = yield* serve((request, response) => {
        if (request.url === "/large") response.end("x".repeat(100_000))
      })
      const transport = yield* transportFor(config, { timeout: "100 millis", maxResponseBytes: 10_000 })
      assert.strictEqual((yield* Effect.flip(transport.request(get))).reason, "Timeout")
      assert.strictEqual((yield* Effect.flip(transport.request({ method: "GET", path: "/large" }))).reason, "TooLarge")
      const opening = yield* Effect.flip(Effect.scoped(transport.open(get)))
      assert.strictEqual(opening.reason, "Timeout")
    }))

  it.scopedLive("reports an answer that breaks off, after reading again once", () =>
    Effect.gen(function*() {
      let requests = 0
      const { config } = yield* serve((request, response) => {
        requests++
        response.writeHead(200, { "content-length": "100" })
        response.write("half")
        request.socket.destroySoon()
      })
      const transport = yield* transportFor(config)
      assert.strictEqual((yield* Effect.flip(transport.request(get))).reason, "Closed")
      assert.strictEqual(requests, 2)
      assert.strictEqual((yield* Effect.flip(transport.request({ ...get, method: "POST" }))).reason, "Closed")
      assert.strictEqual(requests, 3)
    }))

  it.scopedLive("streams chunk by chunk, and closing the scope closes the connection", () =>
    Effect.gen(function*() {
      let response: http.ServerResponse | undefined
      let closed = false
      const { config } = yield* serve((_, outgoing) => {
        response = outgoing
        outgoing.on("close", () => void (closed = true))
        outgoing.flushHeaders()
      })
      const transport = yield* transportFor(config)
      const scope = yield* Scope.make()
      const opened = yield* Scope.extend(transport.open(get), scope)
      const pull = yield* Scope.extend(Stream.toPull(opened.body), scope)
      for (const word of ["one", "two"]) {
        response?.write(word)
        assert.strictEqual(Chunk.toReadonlyArray(yield* pull).map(text).join(""), word)
      }
      assert.isFalse(closed)
      yield* Scope.close(scope, Exit.void)
      yield* until(() => closed)
    }))

  it.scopedLive("slows the server down when the reader is slow", () =>
    Effect.gen(function*() {
      const total = 256 * 1024 * 1024
      let written = 0
      let blocked = false
      const { config } = yield* serve((_, response) => {
        const block = Buffer.alloc(1024 * 1024)
        const more = () => {
          blocked = false
          while (written < total) {
            written += block.length
            if (!response.write(block)) {
              blocked = true
              response.once("drain", more)
              return
            }
          }
          response.end()
        }
        more()
      })
      const transport = yield* transportFor(config)
      const opened = yield* transport.open(get)
      const pull = yield* Stream.toPull(opened.body)
      yield* pull
      let quietTurns = 0
      let before = -1
      // Blocked, and still blocked after many turns of the event loop.
      yield* until(() => {
        quietTurns = blocked && before === written ? quietTurns + 1 : 0
        before = written
        return quietTurns > 1000
      })
      assert.isBelow(written, total / 2)
    }))

  it.scopedLive("carries a watch of ApiClient", () =>
    Effect.gen(function*() {
      const { config } = yield* serve((request, response) => {
        if (request.url?.includes("resourceVersion=1&") === true) {
          response.writeHead(410, { "content-type": "application/json" })
          response.end(JSON.stringify({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", reason: "Expired", code: 410, message: "too old" }))
          return
        }
        for (const name of ["a", "b"]) {
          response.write(`${JSON.stringify({ type: "ADDED", object: { apiVersion: "v1", kind: "ConfigMap", metadata: { name } } })}\n`)
        }
        response.end()
      })
      const context = yield* Layer.build(ApiClient.layer.pipe(Layer.provide(HttpTransport.layer(config))))
      const client = Context.get(context, ApiClient.ApiClient)
      const events = yield* Stream.runCollect(client.watch(Kinds.configMap, { resourceVersion: "5", timeoutSeconds: 300 }))
      assert.deepStrictEqual(Chunk.toReadonlyArray(events).map((event) => (event.type === "ADDED" ? event.object.metadata.name : "")), ["a", "b"])
      const expired = yield* Effect.flip(Stream.runDrain(client.watch(Kinds.configMap, { resourceVersion: "1", timeoutSeconds: 300 })))
      assert.strictEqual(expired._tag === "ApiError" ? expired.reason : expired._tag, "Expired")
    }))
})
