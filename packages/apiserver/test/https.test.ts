import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Layer, Metric, Scope } from "effect"
import { connect as tlsConnect } from "node:tls"
import { gunzipSync } from "node:zlib"
import * as Metrics from "../src/ApiServerMetrics.js"
import * as Authenticator from "../src/authentication/Authenticator.js"
import * as Certificates from "../src/Certificates.js"
import * as HttpsEdge from "../src/HttpsEdge.js"
import { configMap, configMaps, layerApi } from "./support/api.js"
import { adminCredentials, eventually, http1, http2, layerCertificates, layerServer, session } from "./support/http.js"

const decode = (body: Buffer) => JSON.parse(body.toString("utf8"))

describe("the port", () => {
  layer(layerServer({ stallTimeout: "300 millis" }, { cache: { historyEvents: 100_000 } }), { excludeTestServices: true })((it) => {
    it.scoped("speaks HTTP/2 and HTTP/1.1 with the same answers", () =>
      Effect.gen(function*() {
        const { url } = yield* HttpsEdge.HttpsEdge
        const credentials = yield* adminCredentials
        const connection = yield* session(url, credentials)
        const created = yield* http2(connection, configMaps, { method: "POST", body: JSON.stringify(configMap("a")) })
        assert.strictEqual(created.status, 201)
        assert.match(String(created.headers["audit-id"]), /^[0-9a-f-]{36}$/)
        const two = yield* http2(connection, `${configMaps}/a`, { headers: { "audit-id": "mine" } })
        const one = yield* http1(`${url}${configMaps}/a`, { credentials })
        assert.strictEqual(two.body.toString(), one.body.toString())
        assert.strictEqual(two.headers["audit-id"], "mine")
        assert.strictEqual(one.headers["cache-control"], "no-cache, private")
        assert.strictEqual(one.headers["content-length"], String(one.body.length))
        const head = yield* http1(`${url}${configMaps}/a`, { method: "HEAD", credentials })
        assert.strictEqual(head.status, 200)
        assert.strictEqual(head.body.length, 0)
      }))

    it.scoped("takes callers without credentials for anonymous, and answers anybody's health checks", () =>
      Effect.gen(function*() {
        const { url } = yield* HttpsEdge.HttpsEdge
        const { ca } = yield* adminCredentials
        const refused = yield* http1(`${url}/api`, { credentials: { ca } })
        assert.strictEqual(refused.status, 403)
        assert.strictEqual(decode(refused.body).message, "forbidden: User \"system:anonymous\" cannot get path \"/api\"")
        const connection = yield* session(url, { ca })
        assert.strictEqual((yield* http2(connection, "/api")).status, 403)
        assert.strictEqual((yield* http2(connection, "/readyz")).body.toString(), "ok")
      }))

    it.scoped("refuses a body above 3 MiB, announced or not, and goes on", () =>
      Effect.gen(function*() {
        const { url } = yield* HttpsEdge.HttpsEdge
        const credentials = yield* adminCredentials
        const big = Buffer.alloc(3 * 1024 * 1024 + 1, 0x20)
        const connection = yield* session(url, credentials)
        const two = yield* http2(connection, configMaps, { method: "POST", body: big })
        assert.strictEqual(two.status, 413)
        assert.strictEqual(decode(two.body).message, "Request entity too large: limit is 3145728")
        const one = yield* http1(`${url}${configMaps}`, { method: "POST", body: big, credentials })
        assert.strictEqual(one.status, 413)
        assert.strictEqual((yield* http2(connection, "/livez")).status, 200)
      }))

    it.scoped("compresses large answers, not watches", () =>
      Effect.gen(function*() {
        const { url } = yield* HttpsEdge.HttpsEdge
        const connection = yield* session(url, yield* adminCredentials)
        const headers = { "accept-encoding": "gzip" }
        for (const name of ["z1", "z2", "z3", "z4"]) {
          const body = JSON.stringify(configMap(name, { text: "x".repeat(100_000) }))
          yield* http2(connection, configMaps, { method: "POST", body })
        }
        const list = yield* http2(connection, configMaps, { headers })
        assert.strictEqual(list.headers["content-encoding"], "gzip")
        assert.isTrue(decode(gunzipSync(list.body)).items.length >= 4)
        const small = yield* http2(connection, `${configMaps}/a`, { headers })
        assert.isUndefined(small.headers["content-encoding"])
        const watched = yield* http2(connection, `${configMaps}?watch=1&timeoutSeconds=1`, { headers })
        assert.isUndefined(watched.headers["content-encoding"])
        assert.isTrue(watched.body.toString().split("\n").filter((line) => line !== "").length >= 4)
      }))

    it.scoped("a stalled reader loses its watch, delays no writer and is let go", () =>
      Effect.gen(function*() {
        const { host, port, url } = yield* HttpsEdge.HttpsEdge
        const credentials = yield* adminCredentials
        const connection = yield* session(url, credentials)
        const { count: before } = yield* Metric.value(Metrics.stalledTotal)
        const stalled = yield* Effect.acquireRelease(
          Effect.sync(() => tlsConnect({ host, port, ...credentials, ALPNProtocols: ["http/1.1"] })),
          (socket) => Effect.sync(() => socket.destroy())
        )
        let closed = false
        stalled.once("error", () => {})
        stalled.once("close", () => {
          closed = true
        })
        let received = 0
        stalled.once("data", (chunk: Buffer) => {
          received += chunk.length
          stalled.pause()
        })
        stalled.write(`GET ${configMaps}?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n`)
        yield* eventually("the watch has begun", () => received > 0)
        const text = "x".repeat(200_000)
        let slowest = 0
        for (let i = 0; i < 120; i++) {
          const begin = performance.now()
          const body = JSON.stringify(configMap("flood", { text, i: String(i) }))
          const method = i === 0 ? "POST" : "PUT"
          const written = yield* http2(connection, i === 0 ? configMaps : `${configMaps}/flood`, { method, body })
          assert.isBelow(written.status, 300)
          slowest = Math.max(slowest, performance.now() - begin)
        }
        assert.isBelow(slowest, 3000)
        const given = yield* Effect.map(Metric.value(Metrics.stalledTotal), ({ count }) => count).pipe(
          Effect.delay("5 millis"),
          Effect.repeat({ until: (count) => count > before }),
          Effect.timeout("10 seconds")
        )
        assert.isAbove(given, before)
        stalled.resume()
        yield* eventually("the stalled connection is closed", () => closed)
        assert.strictEqual((yield* http2(connection, `${configMaps}/flood`)).status, 200)
      }), 30_000)
  })

  it.scopedLive("a reader that falls behind too far is told 410 when it reads again", () =>
    Effect.gen(function*() {
      const { host, port, url } = yield* HttpsEdge.HttpsEdge
      const credentials = yield* adminCredentials
      const connection = yield* session(url, credentials)
      const slow = yield* Effect.acquireRelease(
        Effect.sync(() => tlsConnect({ host, port, ...credentials, ALPNProtocols: ["http/1.1"] })),
        (socket) => Effect.sync(() => socket.destroy())
      )
      let text = ""
      slow.once("error", () => {})
      slow.once("data", () => slow.pause())
      slow.write(`GET ${configMaps}?watch=1&resourceVersion=4 HTTP/1.1\r\nHost: x\r\n\r\n`)
      yield* eventually("the watch has begun", () => slow.isPaused())
      slow.on("data", (chunk: Buffer) => {
        text = (text + chunk.toString("utf8")).slice(-4096)
      })
      slow.pause()
      // Fills what sockets and streams buffer by themselves, so that events pile up in the mailbox of the watch.
      const filler = "x".repeat(900_000)
      for (let i = 0; i < 12; i++) {
        yield* http2(connection, configMaps, { method: "POST", body: JSON.stringify(configMap(`fill-${i}`, { filler })) })
      }
      const patch = (i: number) =>
        http2(connection, `${configMaps}/fill-0`, {
          method: "PATCH",
          headers: { "content-type": "application/merge-patch+json" },
          body: JSON.stringify({ data: { filler: null, i: String(i) } })
        })
      yield* Effect.forEach(Array.from({ length: 1200 }, (_, i) => i), patch, { concurrency: 16, discard: true })
      slow.resume()
      yield* eventually("the watch has ended with an error", () => text.includes("\"reason\":\"Expired\""))
      assert.include(text, "\"type\":\"ERROR\"")
      assert.include(text, "too old resource version")
    }).pipe(Effect.provide(layerServer())), 30_000)

  it.scopedLive("bounds concurrent requests with 429", () =>
    Effect.gen(function*() {
      const { url } = yield* HttpsEdge.HttpsEdge
      const connection = yield* session(url, yield* adminCredentials)
      const held = connection.request({ ":path": configMaps, ":method": "POST" })
      held.on("error", () => {})
      held.write("{")
      yield* Effect.sleep("50 millis")
      const refused = yield* http2(connection, "/livez")
      assert.strictEqual(refused.status, 429)
      assert.strictEqual(refused.headers["retry-after"], "1")
      held.close()
    }).pipe(Effect.provide(layerServer({ maxRequests: 1 }))))

  it.scopedLive("ends watches and finishes requests at shutdown", () =>
    Effect.gen(function*() {
      const built = yield* Effect.gen(function*() {
        const { url } = yield* HttpsEdge.HttpsEdge
        return { url, credentials: yield* adminCredentials }
      }).pipe(
        Effect.flatMap(({ credentials, url }) =>
          Effect.gen(function*() {
            const connection = yield* session(url, credentials).pipe(Effect.provideService(Scope.Scope, yield* Effect.scope))
            let begun = false
            let ended = false
            const stream = connection.request({ ":path": `${configMaps}?watch=1` })
            stream.on("response", () => {
              begun = true
            })
            stream.on("data", () => {})
            stream.on("end", () => {
              ended = true
            })
            stream.on("error", () => {})
            yield* eventually("the watch has begun", () => begun)
            return () => ended
          })
        ),
        Effect.provide(layerServer({ shutdownGrace: "3 seconds" }))
      )
      yield* eventually("the watch has ended cleanly", built)
    }))

  it.scopedLive("shows a renewed certificate to new connections", () =>
    Effect.gen(function*() {
      const certificates = yield* Certificates.Certificates
      const first = yield* certificates.serving
      const second = yield* certificates.obtain("second", {
        commonName: "kube-apiserver",
        names: ["127.0.0.1"],
        usages: ["serverAuth"]
      })
      const { host, port } = yield* HttpsEdge.HttpsEdge.pipe(
        Effect.provide(
          yield* Layer.build(
            HttpsEdge.layer({
              port: 0,
              serving: first,
              clientAuthority: certificates.authority,
              renewal: { every: "20 millis", pair: Effect.succeed(second) }
            }).pipe(Layer.provide([Authenticator.layer, layerApi]))
          )
        )
      )
      const shown = Effect.async<string>((resume) => {
        const socket = tlsConnect({ host, port, ca: certificates.authority }, () => {
          resume(Effect.succeed(socket.getPeerX509Certificate()?.toString() ?? ""))
          socket.destroy()
        })
      })
      const last = yield* Effect.repeat(shown, { until: (cert) => cert === second.cert, times: 200 })
      assert.strictEqual(last, second.cert)
    }).pipe(Effect.provide(layerCertificates)))

  it.scopedLive("says which port is in use", () =>
    Effect.gen(function*() {
      const { port } = yield* HttpsEdge.HttpsEdge
      const failure = yield* Effect.flip(Layer.build(layerServer({ port })))
      assert.strictEqual(failure._tag, "EdgeUnavailable")
      assert.include(failure.message, String(port))
    }).pipe(Effect.provide(layerServer())))
})

describe("a client certificate of another authority", () => {
  it.scopedLive("proves nothing", () =>
    Effect.gen(function*() {
      const { url } = yield* HttpsEdge.HttpsEdge
      const { authority } = yield* Certificates.Certificates
      const foreign = yield* Effect.provide(adminCredentials, yield* Layer.build(layerServer()))
      const answer = yield* http1(`${url}/api`, { credentials: { ca: authority, cert: foreign.cert, key: foreign.key } })
      assert.strictEqual(answer.status, 401)
    }).pipe(Effect.provide(layerServer())))
})
