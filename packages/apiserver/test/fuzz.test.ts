import { assert, describe, it, layer } from "@effect/vitest"
import { Data, Effect, FastCheck, Runtime } from "effect"
import { connect as tlsConnect } from "node:tls"
import * as ApiServer from "../src/ApiServer.js"
import type { Sink } from "../src/ApiResponse.js"
import * as HttpsEdge from "../src/HttpsEdge.js"
import { admin, call } from "./support/api.js"
import { layerApi } from "./support/api.js"
import { type FuzzRequest, request } from "./support/fuzz.js"
import { adminCredentials, http1, layerServer } from "./support/http.js"

const runs = Number(process.env["REDDWARF_FUZZ_RUNS"] ?? "2000")
const seed = process.env["REDDWARF_FUZZ_SEED"]

class NoAnswer extends Data.TaggedError("NoAnswer")<{ readonly method: string; readonly url: string }> {
  override get message(): string {
    return `no answer to ${this.method} ${this.url}`
  }
}

/** Makes a request; of a stream without an end only the beginning is read. */
const send = ({ accept, body, headers, method, type, url }: FuzzRequest) =>
  Effect.gen(function*() {
    const api = yield* ApiServer.ApiServer
    const answer = yield* api.handle({
      method,
      url,
      headers: { ...headers, ...(type === undefined ? {} : { "content-type": type }), ...(accept === undefined ? {} : { accept }) },
      body: Effect.succeed(typeof body === "string" ? new TextEncoder().encode(body) : body),
      user: admin
    })
    if (answer.body instanceof Uint8Array) return { answer, text: new TextDecoder().decode(answer.body) }
    const stream = answer.body
    const chunks: Array<Uint8Array> = []
    const sink: Sink = { write: (chunk) => chunks.push(chunk) > 0, drained: Effect.void }
    const read = stream.live ? Effect.timeoutOption(stream.run(sink), "2 millis") : stream.run(sink)
    yield* Effect.ensuring(read, stream.discard)
    return { answer, text: stream.live ? "" : Buffer.concat(chunks).toString("utf8") }
  }).pipe(Effect.timeoutFail({ duration: "10 seconds", onTimeout: () => new NoAnswer({ method, url }) }))

const statuses = new Set([200, 201, 202, 204, 301, 304, 400, 401, 403, 404, 405, 406, 409, 410, 413, 415, 422, 429, 503, 504])

/** Kubernetes answers strategic merge patches that do not fit their object with a 500 of their own, without a reason. */
const isUnfitPatch = ({ type }: FuzzRequest, status: number, text: string): boolean =>
  status === 500 && type === "application/strategic-merge-patch+json" && !text.includes("\"reason\"") && !text.includes("Internal error")

/** What every answer must be, whatever was asked. */
const check = (made: FuzzRequest, { answer, text }: Effect.Effect.Success<ReturnType<typeof send>>) => {
  const { method, url } = made
  assert.isTrue(statuses.has(answer.status) || isUnfitPatch(made, answer.status, text), `${method} ${url}: ${answer.status} ${text}`)
  if (answer.headers["content-type"] !== "application/json" || text === "") return
  const json: { kind?: unknown; code?: unknown; paths?: unknown } = JSON.parse(text)
  if (answer.status < 400 || json.paths !== undefined) return
  assert.strictEqual(json.kind, "Status", `${method} ${url}: ${text}`)
  assert.strictEqual(json.code, answer.status, `${method} ${url}: ${text}`)
}

describe("whatever is sent", () => {
  layer(layerApi, { excludeTestServices: true })((it) => {
    it.effect("there is a well-formed answer, and the server goes on", () =>
      Effect.gen(function*() {
        const runtime = yield* Effect.runtime<ApiServer.ApiServer>()
        yield* Effect.promise(() =>
          FastCheck.assert(
            FastCheck.asyncProperty(request, async (made) => check(made, await Runtime.runPromise(runtime)(send(made)))),
            { numRuns: runs, ...(seed === undefined ? {} : { seed: Number(seed) }) }
          )
        )
        const health = yield* call("GET", "/readyz?verbose")
        assert.strictEqual(health.status, 200)
      }), 30_000 + runs * 30)
  })

  it.scopedLive("bytes that are no HTTP end the connection, not the server", () =>
    Effect.gen(function*() {
      const { host, port, url } = yield* HttpsEdge.HttpsEdge
      const credentials = yield* adminCredentials
      const head = FastCheck.tuple(
        FastCheck.oneof(FastCheck.constantFrom("GET /api HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "POST /api/v1/pods HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"), FastCheck.string({ maxLength: 40 })),
        FastCheck.uint8Array({ maxLength: 80 }),
        FastCheck.constantFrom("h2", "http/1.1")
      )
      const once = ([text, bytes, protocol]: readonly [string, Uint8Array, string]) =>
        new Promise<void>((resolve) => {
          const socket = tlsConnect({ host, port, ...credentials, ALPNProtocols: [protocol] })
          socket.on("error", () => {})
          socket.on("data", () => {})
          socket.once("close", () => resolve())
          socket.once("secureConnect", () => {
            socket.write(text)
            socket.end(bytes)
            socket.setTimeout(50, () => socket.destroy())
          })
        })
      yield* Effect.promise(() => FastCheck.assert(FastCheck.asyncProperty(head, once), { numRuns: 100 }))
      assert.strictEqual((yield* http1(`${url}/livez`, { credentials })).status, 200)
    }).pipe(Effect.provide(layerServer())), 30_000)
})
