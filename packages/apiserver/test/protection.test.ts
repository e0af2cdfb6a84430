import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Metric } from "effect"
import { connect as connectHttp2, type ClientHttp2Session, type ClientHttp2Stream } from "node:http2"
import { connect as tlsConnect, type TLSSocket } from "node:tls"
import * as Metrics from "../src/ApiServerMetrics.js"
import * as Certificates from "../src/Certificates.js"
import * as HttpsEdge from "../src/HttpsEdge.js"
import * as places from "../src/internal/places.js"
import * as requestTimeout from "../src/internal/requestTimeout.js"
import { call, configMap, configMaps, layerApi, merge, pod, pods } from "./support/api.js"
import { adminCredentials, eventually, http1, http2, layerServer, session } from "./support/http.js"

const json = (body: Buffer) => JSON.parse(body.toString("utf8"))

const userCredentials = (name: string) =>
  Effect.flatMap(Certificates.Certificates, (certificates) =>
    Effect.map(certificates.client(name, name, ["system:masters"]), (pair) => ({ ...pair, ca: certificates.authority })))

/** A bare TLS connection, and what came over it. */
const raw = Effect.gen(function*() {
  const { host, port } = yield* HttpsEdge.HttpsEdge
  const credentials = yield* adminCredentials
  const socket: TLSSocket = yield* Effect.acquireRelease(
    Effect.sync(() => tlsConnect({ host, port, ...credentials, ALPNProtocols: ["http/1.1"] })),
    (opened) => Effect.sync(() => opened.destroy())
  )
  const state = { text: "", closed: false }
  socket.on("error", () => {})
  socket.on("data", (chunk: Buffer) => (state.text += chunk.toString("utf8")))
  socket.on("close", () => (state.closed = true))
  return { socket, state }
})

/** Requests whose bodies never end. */
const hold = (connection: ClientHttp2Session, count: number) => {
  const streams = Array.from({ length: count }, () => {
    const stream = connection.request({ ":path": configMaps, ":method": "POST" })
    stream.on("error", () => {})
    stream.write("{")
    return stream
  })
  return {
    streams,
    release: () => {
      for (const stream of streams) stream.close()
    }
  }
}

const statusOf = (stream: ClientHttp2Stream) => {
  const state = { status: 0, closed: false }
  stream.on("response", (headers) => (state.status = Number(headers[":status"])))
  stream.on("close", () => (state.closed = true))
  stream.on("error", () => {})
  stream.resume()
  return state
}

describe("heads and bodies", () => {
  layer(layerServer(), { excludeTestServices: true })((it) => {
    it.scoped("a URL or headers that are too long are refused on both protocols", () =>
      Effect.gen(function*() {
        const { url } = yield* HttpsEdge.HttpsEdge
        const credentials = yield* adminCredentials
        const connection = yield* session(url, credentials)
        const longPath = `${configMaps}?labelSelector=${"a".repeat(20_000)}`
        const large = { "x-large": "a".repeat(40_000) }
        for (const answer of [yield* http2(connection, longPath), yield* http1(`${url}${longPath}`, { credentials })]) {
          assert.strictEqual(answer.status, 414)
          assert.strictEqual(json(answer.body).kind, "Status")
        }
        for (
          const answer of [
            yield* http2(connection, configMaps, { headers: large }),
            yield* http1(`${url}${configMaps}`, { credentials, headers: large })
          ]
        ) {
          assert.strictEqual(answer.status, 431)
          assert.strictEqual(json(answer.body).code, 431)
        }
        const { socket, state } = yield* raw
        socket.write(`GET ${configMaps} HTTP/1.1\r\nHost: x\r\nX-Large: ${"a".repeat(100_000)}\r\n\r\n`)
        yield* eventually("an answer from the parser", () => state.closed)
        assert.match(state.text, /^HTTP\/1\.1 431 /)
        const nonsense = yield* raw
        nonsense.socket.write("NONSENSE\r\n\r\n")
        yield* eventually("an answer to nonsense", () => nonsense.state.closed)
        assert.match(nonsense.state.text, /^HTTP\/1\.1 400 /)
        assert.strictEqual((yield* http2(connection, "/livez")).status, 200)
      }))
  })

  layer(layerApi)((it) => {
    it.effect("nesting, objects and forms have limits", () =>
      Effect.gen(function*() {
        const deep = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"deep"},"data":${"[".repeat(5000)}${"]".repeat(5000)}}`
        const refused = yield* call("POST", configMaps, { body: deep })
        assert.strictEqual(refused.status, 400)
        assert.include(refused.json.message, "exceeded max depth")
        const yaml = yield* call("POST", configMaps, { type: "application/yaml", body: deep })
        assert.strictEqual(yaml.status, 400)
        yield* call("POST", configMaps, { body: configMap("patched") })
        const patch = yield* call("PATCH", `${configMaps}/patched`, { type: merge, body: `{"data":${"{\"a\":".repeat(5000)}1${"}".repeat(5000)}}` })
        assert.strictEqual(patch.status, 400)

        const env = [{ name: "A", value: "x".repeat(1_700_000) }]
        const large = yield* call("POST", pods, { body: pod("large", { containers: [{ name: "c", image: "nginx:1", env }] }) })
        assert.strictEqual(large.status, 413)
        assert.strictEqual(large.json.message, "etcdserver: request is too large")

        assert.strictEqual((yield* call("POST", configMaps, { type: "application/cbor", body: "x" })).status, 415)
        assert.strictEqual((yield* call("PATCH", `${configMaps}/patched`, { type: "application/apply-patch+cbor", body: "x" })).status, 415)
        assert.strictEqual((yield* call("GET", configMaps, { accept: "application/cbor" })).status, 406)
        assert.strictEqual((yield* call("GET", configMaps, { accept: "application/cbor, application/json" })).status, 200)
        const shown = yield* call("GET", `${configMaps}/patched`, { accept: "application/yaml" })
        assert.match(shown.text, /^kind: ConfigMap\napiVersion: v1\n/)
        assert.strictEqual(shown.headers["content-type"], "application/yaml")
      }))
  })
})

describe("time", () => {
  it("reads durations in Go's form", () => {
    assert.deepStrictEqual(
      ["32s", "1m30s", "1.5h", "100ms", "0", "-2s", "", "5", "s", "1x", "1s "].map(requestTimeout.parseDuration),
      [32_000, 90_000, 5_400_000, 100, 0, -2000, undefined, undefined, undefined, undefined, undefined]
    )
  })

  it.scopedLive("an answer that takes too long is 504, by the wish of the client or of the server", () =>
    Effect.gen(function*() {
      const { url } = yield* HttpsEdge.HttpsEdge
      const connection = yield* session(url, yield* adminCredentials)
      const future = `${configMaps}?resourceVersion=99999999`
      const wish = yield* http2(connection, `${future}&timeout=20ms`)
      assert.strictEqual(wish.status, 504)
      assert.strictEqual(json(wish.body).message, "Timeout: request did not complete within the allotted timeout")
      const own = yield* http2(connection, future)
      assert.strictEqual(json(own.body).message, "Timeout: request did not complete within the allotted timeout")
      assert.strictEqual(json(own.body).reason, "Timeout")
      const malformed = yield* http2(connection, `${configMaps}?timeout=soon`)
      assert.strictEqual(malformed.status, 400)
      assert.strictEqual((yield* http2(connection, `${configMaps}?timeout=32s`)).status, 200)
    }).pipe(Effect.provide(layerServer({ requestTimeout: "300 millis" }))))

  it.scopedLive("peers that do not send their body or do not take their answer are let go", () =>
    Effect.gen(function*() {
      const { url } = yield* HttpsEdge.HttpsEdge
      const credentials = yield* adminCredentials
      const connection = yield* session(url, credentials)
      const stalled = Effect.map(Metric.value(Metrics.stalledTotal), ({ count }) => count)
      const before = yield* stalled
      const sender = statusOf(hold(connection, 1).streams[0] ?? connection.request({}))
      yield* eventually("the slow sender is let go", () => sender.closed)
      assert.isAbove(yield* stalled, before)
      const { socket, state } = yield* raw
      socket.write(`POST ${configMaps} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{`)
      yield* eventually("the slow sender on HTTP/1.1 is let go", () => state.closed)

      yield* http2(connection, configMaps, { method: "POST", body: JSON.stringify(configMap("big", { text: "x".repeat(900_000) })) })
      const reader: ClientHttp2Session = yield* Effect.acquireRelease(
        Effect.sync(() => connectHttp2(url, { ...credentials, settings: { initialWindowSize: 0 } })),
        (opened) => Effect.sync(() => opened.destroy())
      )
      reader.on("error", () => {})
      const stream = reader.request({ ":path": `${configMaps}/big` })
      let closed = false
      stream.on("close", () => (closed = true))
      stream.on("error", () => {})
      yield* eventually("the reader that takes nothing is let go", () => closed)
      assert.strictEqual((yield* http2(connection, "/livez")).status, 200)
    }).pipe(Effect.provide(layerServer({ stallTimeout: "200 millis" }))))
})

describe("crowds", () => {
  it("places are shared: each of n clients gets at most 3/(1+3n), and a newcomer finds one", () => {
    for (const clients of [1, 2, 5, 20]) {
      const shared = places.make(1000, 1000)
      const names = Array.from({ length: clients }, (_, i) => `client-${i}`)
      const held = new Map<string, number>()
      for (let turn = 0; turn < 2000; turn++) {
        for (const name of names) if (shared.enter(name)) held.set(name, (held.get(name) ?? 0) + 1)
      }
      for (const count of held.values()) assert.closeTo(count, 3000 / (1 + 3 * clients), 2)
      assert.isTrue(shared.enter("newcomer"))
      shared.leave("newcomer")
      for (const [name, count] of held) for (let i = 0; i < count; i++) shared.leave(name)
      assert.strictEqual(shared.taken(), 0)
    }
    const capped = places.make(1000, 10)
    assert.strictEqual(Array.from({ length: 50 }, () => capped.enter("a")).filter((entered) => entered).length, 10)
  })

  it.scopedLive("one client cannot take all places, nor all watches", () =>
    Effect.gen(function*() {
      const { url } = yield* HttpsEdge.HttpsEdge
      const greedy = yield* session(url, yield* adminCredentials)
      const other = yield* session(url, yield* userCredentials("other"))
      const held = hold(greedy, 6)
      yield* Effect.sleep("50 millis")
      const refused = yield* http2(greedy, configMaps)
      assert.strictEqual(refused.status, 429)
      assert.strictEqual(refused.headers["retry-after"], "1")
      assert.strictEqual(json(refused.body).reason, "TooManyRequests")
      assert.strictEqual((yield* http2(other, configMaps)).status, 200)
      held.release()
      yield* Effect.repeat(http2(greedy, configMaps), { until: ({ status }) => status === 200, times: 100 })

      const watches = Array.from({ length: 4 }, () => statusOf(greedy.request({ ":path": `${configMaps}?watch=1` })))
      yield* eventually("all are answered", () => watches.every(({ status }) => status !== 0))
      assert.deepStrictEqual(watches.map(({ status }) => status), [200, 200, 200, 429])
      const newcomer = statusOf(other.request({ ":path": `${configMaps}?watch=1` }))
      yield* eventually("the other client's watch", () => newcomer.status === 200)
    }).pipe(Effect.provide(layerServer({ maxRequests: 8, maxStreams: 4 }))))

  it.scopedLive("floods of pings, settings and resets end the connection, not the server", () =>
    Effect.gen(function*() {
      const { url } = yield* HttpsEdge.HttpsEdge
      const credentials = yield* adminCredentials
      const healthy = yield* session(url, credentials)
      const cut = () => Metrics.abusiveTotal.unsafeValue([]).count
      let before = cut()
      const enough = () => cut() > before
      const floods: ReadonlyArray<readonly [string, (connection: ClientHttp2Session) => void]> = [
        ["pings", (connection) => {
          const again = () => {
            // On a connection that is being closed a ping fails at once, so the next one waits for a turn of the event loop.
            if (!connection.destroyed && !connection.closed) connection.ping(() => setImmediate(again))
          }
          again()
        }],
        ["settings", (connection) => {
          let size = 70_000
          const again = () => {
            if (!connection.destroyed && !connection.closed) connection.settings({ initialWindowSize: size++ }, () => setImmediate(again))
          }
          again()
        }],
        ["resets", (connection) => {
          const timer = setInterval(() => {
            if (connection.destroyed || connection.closed || enough()) return clearInterval(timer)
            for (let i = 0; i < 100; i++) {
              const stream = connection.request({ ":path": `${configMaps}?watch=1` })
              stream.on("error", () => {})
              stream.close(8)
            }
          }, 5)
          connection.on("close", () => clearInterval(timer))
        }]
      ]
      for (const [what, flood] of floods) {
        const connection = yield* session(url, credentials)
        let closed = false
        connection.on("close", () => (closed = true))
        yield* eventually("connected", () => !connection.connecting)
        before = cut()
        flood(connection)
        // A client that is busy flooding may not notice that nobody listens any more.
        yield* eventually(`the connection with a flood of ${what} is closed`, () => closed || enough(), 25_000)
        assert.strictEqual((yield* http2(healthy, "/livez")).status, 200)
      }
      assert.isAbove(cut(), 0)
    }).pipe(Effect.provide(layerServer({ shutdownGrace: "1 second" }))), 60_000)
})
