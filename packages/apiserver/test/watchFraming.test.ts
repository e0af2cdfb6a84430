import { assert, describe, it, layer } from "@effect/vitest"
import { ObjectStore } from "@reddwarf/store"
import { Deferred, Effect, Fiber, Layer, TestClock } from "effect"
import * as waiting from "vitest-config/waiting"
import { WebSocket } from "ws"
import type { Sink } from "../src/ApiResponse.js"
import * as ApiServer from "../src/ApiServer.js"
import * as HttpsEdge from "../src/HttpsEdge.js"
import * as KubeletClient from "../src/KubeletClient.js"
import * as Server from "../src/Server.js"
import { admin, call, configMap, configMaps, layerApi, merge } from "./support/api.js"
import { adminCredentials, eventually, http1, http2, layerServer, session } from "./support/http.js"

const events = "text/event-stream"

/** A Server-Sent Events watch, as text. */
const open = (url: string, headers: Record<string, string> = {}) =>
  Effect.gen(function*() {
    const api = yield* ApiServer.ApiServer
    const answer = yield* api.handle({ method: "GET", url, headers: { accept: events, ...headers }, body: Effect.succeed(new Uint8Array(0)), user: admin })
    const { body } = answer
    if (body instanceof Uint8Array) throw new Error(`no watch: ${answer.status}`)
    let text = ""
    const sink: Sink = {
      write: (chunk) => {
        text += Buffer.from(chunk).toString("utf8")
        return true
      },
      drained: Effect.void
    }
    const fiber = yield* Effect.forkScoped(body.run(sink))
    const until = (found: (text: string) => boolean) =>
      waiting.until("the text that the test looks for", Effect.sync(() => found(text) && text)).pipe(
        Effect.catchAllDefect((why) => Effect.dieMessage(`${String(why)}; in: ${text}`))
      )
    return { answer, until, done: Fiber.join(fiber) }
  })

describe("Server-Sent Events", () => {
  layer(layerApi)((it) => {
    it.scoped("carry one event each, with the revision to go on from once the current state is complete", () =>
      Effect.gen(function*() {
        yield* call("POST", configMaps, { body: configMap("a") })
        const second = yield* call("POST", configMaps, { body: configMap("b") })
        const watched = yield* open(`${configMaps}?watch=1`)
        assert.strictEqual(watched.answer.headers["content-type"], events)
        const begin = yield* watched.until((text) => text.includes(`: keep-alive\nid: ${second.json.metadata.resourceVersion}\n\n`))
        assert.match(begin, /^data: \{"type":"ADDED".*\n\ndata: \{"type":"ADDED".*\n\n: keep-alive\nid: \d+\n\n$/)
        const third = yield* call("POST", configMaps, { body: configMap("c") })
        yield* watched.until((text) => text.includes(`id: ${third.json.metadata.resourceVersion}\ndata: {"type":"ADDED"`))
        const other = yield* call("POST", "/api/v1/namespaces/default/secrets", {
          body: { apiVersion: "v1", kind: "Secret", metadata: { name: "s" } }
        })
        yield* TestClock.adjust("16 seconds")
        yield* watched.until((text) => text.endsWith(`: keep-alive\nid: ${other.json.metadata.resourceVersion}\n\n`))
      }))

    it.scoped("go on after the last event that a client saw", () =>
      Effect.gen(function*() {
        const { json } = yield* call("GET", configMaps)
        yield* call("PATCH", `${configMaps}/a`, { type: merge, body: { data: { k: "v" } } })
        const resumed = yield* open(`${configMaps}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`, {
          "last-event-id": json.metadata.resourceVersion
        })
        const text = yield* resumed.until((found) => found.includes("MODIFIED"))
        assert.notInclude(text, "ADDED")
      }))

    it.scoped("end with their timeout, and are only for watches", () =>
      Effect.gen(function*() {
        const watched = yield* open(`${configMaps}?watch=1&timeoutSeconds=5&allowWatchBookmarks=true`)
        yield* watched.until((text) => text.includes("id: "))
        yield* TestClock.adjust("6 seconds")
        yield* watched.done
        yield* watched.until((text) => text.includes("BOOKMARK"))
        assert.strictEqual((yield* call("GET", configMaps, { accept: events })).status, 406)
      }))
  })

  const small = Server.layerApiWith({}, { historyEvents: 4 }).pipe(
    Layer.provideMerge(ObjectStore.layerMemory),
    Layer.provide(KubeletClient.layerUnavailable)
  )
  layer(small)((it) => {
    it.effect("a lost place is answered 410 instead of asked for again and again", () =>
      Effect.gen(function*() {
        for (let i = 0; i < 12; i++) yield* call("POST", configMaps, { body: configMap(`h${i}`) })
        const expired = yield* call("GET", `${configMaps}?watch=1`, { accept: events, headers: { "last-event-id": "5" } })
        assert.strictEqual(expired.status, 410)
        assert.strictEqual(expired.json.reason, "Expired")
      }))
  })
})

/** A WebSocket with what came over it. */
const webSocket = (url: string, options: object, protocols: Array<string> = []) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const socket = new WebSocket(url.replace("https:", "wss:"), protocols, options)
      const frames: Array<{ readonly text: string; readonly binary: boolean }> = []
      const state: { status: number; closed: number; open: boolean } = { status: 0, closed: 0, open: false }
      socket.on("open", () => (state.open = true))
      socket.on("message", (data: Buffer, binary) => frames.push({ text: data.toString("utf8"), binary }))
      socket.on("unexpected-response", (_request, response) => (state.status = response.statusCode ?? 0))
      socket.on("close", (code) => (state.closed = code))
      socket.on("error", () => {})
      return { socket, frames, state }
    }),
    ({ socket }) => Effect.sync(() => socket.terminate())
  )

describe("watches over WebSocket", () => {
  it.scopedLive("send one text frame per event", () =>
    Effect.gen(function*() {
      const { url } = yield* HttpsEdge.HttpsEdge
      const credentials = yield* adminCredentials
      const connection = yield* session(url, credentials)
      yield* http2(connection, configMaps, { method: "POST", body: JSON.stringify(configMap("a")) })
      const { frames, socket, state } = yield* webSocket(`${url}${configMaps}?watch=1`, credentials)
      yield* eventually("the first event", () => frames.length === 1)
      yield* http2(connection, configMaps, { method: "POST", body: JSON.stringify(configMap("b", { text: "x".repeat(700_000) })) })
      yield* eventually("the second event", () => frames.length === 2)
      assert.deepStrictEqual(frames.map(({ binary, text }) => [binary, JSON.parse(text).type, JSON.parse(text).object.metadata.name]), [
        [false, "ADDED", "a"],
        [false, "ADDED", "b"]
      ])
      socket.close()
      yield* eventually("the close is answered", () => state.closed !== 0)
      const short = yield* webSocket(`${url}${configMaps}?watch=1&timeoutSeconds=1`, credentials)
      yield* eventually("the watch ends normally", () => short.state.closed === 1000)
    }).pipe(Effect.provide(layerServer())))

  it.scopedLive("answer what is no watch, not allowed, or of another site as plain HTTP", () =>
    Effect.gen(function*() {
      const { url } = yield* HttpsEdge.HttpsEdge
      const credentials = yield* adminCredentials
      const cases: ReadonlyArray<readonly [number, string, object]> = [
        [200, configMaps, credentials],
        [404, "/api/v1/nothing?watch=1", credentials],
        [401, `${configMaps}?watch=1`, { ca: credentials.ca, headers: { authorization: "Bearer nobody" } }],
        [403, `${configMaps}?watch=1`, { ...credentials, headers: { origin: "https://other.example" } }]
      ]
      for (const [status, path, options] of cases) {
        const refused = yield* webSocket(`${url}${path}`, options)
        yield* eventually(`${path} is answered ${status}`, () => refused.state.status === status)
      }
      const plain = yield* http1(`${url}${configMaps}`, { credentials, headers: { connection: "Upgrade", upgrade: "h2c" } })
      assert.strictEqual(plain.status, 200)
      assert.strictEqual(JSON.parse(plain.body.toString()).kind, "ConfigMapList")
    }).pipe(Effect.provide(layerServer())))

  it.scopedLive("count among the watches of a client, and end at shutdown", () =>
    Effect.gen(function*() {
      const held = yield* Deferred.make<Effect.Effect.Success<ReturnType<typeof webSocket>>>()
      const inner = Effect.gen(function*() {
        const { url } = yield* HttpsEdge.HttpsEdge
        const credentials = yield* adminCredentials
        const first = yield* webSocket(`${url}${configMaps}?watch=1`, credentials)
        yield* eventually("the first is open", () => first.state.open)
        const second = yield* webSocket(`${url}${configMaps}?watch=1`, credentials)
        yield* eventually("the second is refused", () => second.state.status === 429)
        const third = yield* Effect.flatMap(session(url, credentials), (connection) => http2(connection, `${configMaps}?watch=1`))
        assert.strictEqual(third.status, 429)
        assert.strictEqual(third.headers["retry-after"], "1")
        yield* Deferred.succeed(held, first)
      })
      yield* Effect.provide(inner, layerServer({ maxStreamsPerClient: 1 }))
      const { state } = yield* Deferred.await(held)
      yield* eventually("the watch is closed", () => state.closed !== 0)
    }))
})
