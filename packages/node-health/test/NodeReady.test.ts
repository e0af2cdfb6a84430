/** The fail-open table of node_ready, with an API server that misbehaves. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, LogLevel } from "effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import { createServer } from "node:net"
import { NodeSource } from "../src/index.js"
import * as FakeApi from "./support/api.js"
import { json, request, start } from "./support/health.js"

type Handler = (request: IncomingMessage, response: ServerResponse) => void

const config = { node_name: "n1", cache_ttl: 0 }

/** Messages of warnings while the effect runs. */
const warnings = () => {
  const lines: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => {
    if (logLevel === LogLevel.Warning) lines.push(String(message))
  })
  return { lines, layer: Logger.replace(Logger.defaultLogger, logger) }
}

/** Asks three times: each is quick and passes, and one warning is logged. */
const failsOpen = (api: string) => {
  const { layer, lines } = warnings()
  return Effect.gen(function*() {
    const running = yield* start({ config, api })
    for (let asked = 0; asked < 3; asked++) {
      const reply = yield* running.get("/health")
      assert.strictEqual(reply.status, 200, reply.body)
      assert.isBelow(Number(json(reply)["total_duration_ms"]), 1200)
      const [only] = json(reply).checks
      assert.deepStrictEqual([only?.["passed"], only?.["observed"], only?.["reason"]], [true, "unknown", undefined])
      assert.isString(only?.["note"])
    }
    assert.strictEqual(lines.length, 1, lines.join("\n"))
    assert.strictEqual(running.metrics.get("fail_open_total", { check: "node_ready" }), 3)
  }).pipe(Effect.provide(layer))
}

describe("an API server that cannot be asked passes", () => {
  const handlers: Readonly<Record<string, Handler>> = {
    "401": FakeApi.answering({ kind: "Status" }, 401),
    "403": FakeApi.answering({ kind: "Status" }, 403),
    "429": FakeApi.answering({ kind: "Status" }, 429),
    "500": FakeApi.answering({ kind: "Status" }, 500),
    "503": FakeApi.answering({ kind: "Status" }, 503),
    "a redirect": (_request, response) => void response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
    "an answer after 1.1 s": (_request, response) => void setTimeout(() => response.end(JSON.stringify(FakeApi.node("False"))), 1100),
    "accepting and hanging": () => undefined,
    "half a body": (_request, response) => {
      const text = JSON.stringify(FakeApi.node("False"))
      response.writeHead(200, { "content-length": text.length })
      response.write(text.slice(0, text.length / 2), () => response.destroy())
    },
    "what is no JSON": (_request, response) => void response.end("<html>"),
    "what is no Node": FakeApi.answering({ kind: "Status" })
  }
  for (const [name, handler] of Object.entries(handlers)) {
    it.scopedLive(name, () =>
      Effect.gen(function*() {
        const api = yield* FakeApi.make
        api.become(handler)
        yield* failsOpen(api.url)
      }))
  }

  it.scopedLive("connection refused", () =>
    Effect.gen(function*() {
      // A port that was free a moment ago and is closed again.
      const port = yield* Effect.async<number>((resume) => {
        const server = createServer().listen(0, "127.0.0.1", () => {
          const address = server.address()
          server.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 1)))
        })
      })
      yield* failsOpen(`http://127.0.0.1:${port}`)
    }))

  it.scopedLive("a TLS error", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make
      yield* failsOpen(api.url.replace("http:", "https:"))
    }))

  it.scopedLive("a client that cannot be built", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* NodeSource.never("no token").read)._tag, "Unavailable")
      yield* failsOpen("no URL at all")
    }))
})

describe("what the API server says decides", () => {
  const rows: ReadonlyArray<readonly [string, unknown, number, number, string | undefined]> = [
    ["Ready = True", FakeApi.node("True"), 200, 200, undefined],
    ["Ready = False", FakeApi.node("False", { reason: "KubeletNotReady" }), 200, 503, "KubeletNotReady"],
    ["Ready = False without reason", FakeApi.node("False"), 200, 503, "NotReady"],
    ["Ready = Unknown", FakeApi.node("Unknown", { reason: "NodeStatusUnknown" }), 200, 503, "NodeStatusUnknown"],
    ["no Ready condition", FakeApi.node(undefined), 200, 503, "the node has no Ready condition"],
    ["no status", { kind: "Node", metadata: { name: "n1" } }, 200, 503, "the node has no Ready condition"],
    ["404", { kind: "Status", code: 404 }, 404, 503, "node not found"]
  ]
  for (const [name, body, status, expected, reason] of rows) {
    it.scopedLive(name, () =>
      Effect.gen(function*() {
        const api = yield* FakeApi.make
        api.become(FakeApi.answering(body, status))
        const { port } = yield* start({ config, api: api.url })
        const reply = yield* request(port, "/health")
        assert.strictEqual(reply.status, expected)
        assert.strictEqual(json(reply).checks[0]?.["reason"], reason)
      }))
  }

  it.scopedLive("checks of one request share one question", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.make
      api.become(FakeApi.answering(FakeApi.node("True", { unschedulable: true })))
      const { get } = yield* start({ config, api: api.url })
      const reply = yield* get("/health?check=node_ready,schedulable,custom_conditions")
      assert.deepStrictEqual(json(reply).checks.map(({ passed, reason }) => [passed, reason]), [[true, undefined], [false, "the node is cordoned"], [true, undefined]])
      assert.strictEqual(api.requests(), 1)
    }))
})
