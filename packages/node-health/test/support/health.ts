/** An endpoint on a free port of the loopback interface, its host scripted. */
import { Effect, Layer, Logger, LogLevel } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import * as http from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type HealthCheck, HealthMetrics, HostReader, NodeHealth, type NodeSource } from "../../src/index.js"

export const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "reddwarf-node-health-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

export interface Reply {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
  readonly millis: number
}

/** Sends one request; the path goes out as it is. */
export const request = (port: number, path: string, options: { readonly method?: string; readonly agent?: http.Agent } = {}): Effect.Effect<Reply> =>
  Effect.async<Reply>((resume) => {
    const begun = performance.now()
    const sent = http.request({ host: "127.0.0.1", port, path, method: options.method ?? "GET", agent: options.agent ?? false }, (response) => {
      let body = ""
      response.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk
      })
      response.once("end", () => resume(Effect.succeed({ status: response.statusCode ?? 0, headers: response.headers, body, millis: performance.now() - begun })))
    })
    sent.on("error", (error) => resume(Effect.die(error)))
    sent.end()
    return Effect.sync(() => void sent.destroy())
  })

export interface Settings {
  readonly config?: Readonly<Record<string, unknown>>
  readonly host?: Partial<HostReader.Script>
  readonly checks?: ReadonlyArray<HealthCheck.HealthCheck>
  readonly api?: string
  readonly metrics?: HealthMetrics.HealthMetrics
  readonly load?: NodeHealth.Options["load"]
  readonly hurry?: Effect.Effect<void>
  readonly stateDir?: string
}

/** A running endpoint. */
export const start = (settings: Settings = {}) =>
  Effect.gen(function*() {
    const stateDir = settings.stateDir ?? (yield* folder)
    const metrics = settings.metrics ?? HealthMetrics.make()
    const raw = { listen: "127.0.0.1:0", state_dir: stateDir, ...settings.config }
    const connection: NodeSource.Connection = { server: settings.api ?? "http://127.0.0.1:1" }
    const running = yield* NodeHealth.make({
      metrics,
      load: settings.load ?? Effect.succeed(raw),
      connection: () => Effect.succeed(connection),
      ...(settings.checks === undefined ? {} : { checks: settings.checks }),
      ...(settings.hurry === undefined ? {} : { hurry: settings.hurry })
    }).pipe(Logger.withMinimumLogLevel(LogLevel.Warning), Effect.provide(Layer.succeed(HostReader.HostReader, HostReader.of({ platform: "linux", ...settings.host }))))
    return { ...running, metrics, stateDir, get: (path: string, method?: string) => request(running.port, path, method === undefined ? {} : { method }) }
  })

/** The JSON of a reply. */
export const json = (reply: Reply): { readonly [key: string]: unknown; readonly checks: ReadonlyArray<Readonly<Record<string, unknown>>> } => JSON.parse(reply.body)
