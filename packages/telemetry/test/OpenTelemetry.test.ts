import { expect, it } from "@effect/vitest"
import { OpenTelemetry } from "@reddwarf/telemetry"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

interface Received {
  readonly path: string
  readonly authorization: string | undefined
  readonly body: string
}

/** A collector that keeps what it gets. */
const collector = Effect.acquireRelease(
  Effect.async<{ readonly url: string; readonly received: Array<Received>; readonly close: () => void }>((resume) => {
    const received: Array<Received> = []
    const server = createServer((request, response) => {
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        received.push({ path: request.url ?? "", authorization: request.headers.authorization, body: Buffer.concat(chunks).toString() })
        response.end("{}")
      })
    })
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, received, close: () => server.close() }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

it.scopedLive("what happened is at the collector when the program ends", () =>
  Effect.gen(function*() {
    const { received, url } = yield* collector
    const telemetry = OpenTelemetry.layer({
      endpoint: url,
      service: "reddwarf-test",
      version: "1.2.3",
      attributes: { "host.name": "n1" },
      headers: { authorization: "Bearer abc" }
    })
    yield* Effect.gen(function*() {
      yield* Metric.increment(Metric.counter("otlp_things_total", { incremental: true }))
      yield* Effect.logInfo("a thing was done").pipe(Effect.withSpan("do a thing", { attributes: { pod: "default/web" } }))
    }).pipe(Effect.provide(telemetry))

    const bodyOf = (path: string): string => received.filter((export_) => export_.path === path).map(({ body }) => body).join("\n")
    expect(bodyOf("/v1/traces")).toContain("\"do a thing\"")
    expect(bodyOf("/v1/traces")).toContain("default/web")
    expect(bodyOf("/v1/traces")).toContain("reddwarf-test")
    expect(bodyOf("/v1/logs")).toContain("a thing was done")
    expect(bodyOf("/v1/metrics")).toContain("otlp_things_total")
    expect(new Set(received.map(({ authorization }) => authorization))).toEqual(new Set(["Bearer abc"]))
  }))

it.scopedLive("a collector that is not there does not keep the program from ending", () =>
  Effect.gen(function*() {
    const { close, url } = yield* collector
    close()
    const telemetry = OpenTelemetry.layer({ endpoint: url, service: "reddwarf-test", version: "1.2.3" })
    const done = yield* Effect.succeed("done").pipe(Effect.withSpan("unseen"), Effect.provide(telemetry))
    expect(done).toBe("done")
  }))
