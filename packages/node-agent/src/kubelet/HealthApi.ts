/**
 * `http://127.0.0.1:10248/healthz`: whether the agent itself works. It answers from what its parts did, not from trying them then: an answer
 * takes no disk and no command, and an agent that hangs answers nothing. The evidence is also left in a file for the health endpoint of the
 * node, whether or not anybody may ask here.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import type { CoreV1 } from "@reddwarf/api-types"
import { AgentStatus, ListeningServer } from "@reddwarf/node-health"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { join } from "node:path"
import * as durableFile from "../internal/durableFile.js"

/** @category models */
export interface Options {
  /** 0 takes a free one; without a port nothing is served. */
  readonly port: number | undefined
  readonly dataDir: string
  /** States of the zones of the host by name, read now. */
  readonly zoneStates: Effect.Effect<ReadonlyMap<string, string>, { readonly message: string }>
  /** When the last pass over all pods ended, in milliseconds since the epoch. */
  readonly lastPassEnd: () => number | undefined
  readonly pods: () => ReadonlyArray<CoreV1.Pod>
  /** Name of the zone of a pod. */
  readonly zoneOf: (pod: CoreV1.Pod) => string
  readonly maxPods: number
  /** Brands that the node advertises. */
  readonly brands: ReadonlyArray<string>
  /** How often ledger and runtime are tried. Default 30 seconds. */
  readonly interval?: Duration.DurationInput
}

/** One part of the agent. @category models */
export interface Part {
  readonly name: "ledger" | "reconcile" | "runtime"
  /** What is wrong; undefined when nothing is. */
  readonly problem: string | undefined
}

/** @category models */
export interface HealthApi {
  /** The port it listens on; undefined while it cannot, because another process does, or when it is not to. */
  readonly port: () => number | undefined
  readonly parts: Effect.Effect<ReadonlyArray<Part>>
}

/** Older evidence is none, in milliseconds. @category models */
export const evidenceMillis = 180_000

/** When a part last worked, and what was wrong if it did not since. */
interface Evidence {
  readonly at: number
  readonly problem: string | undefined
}

/** What evidence means at `now`. @category combinators */
export const judge = (evidence: { readonly at: number; readonly problem: string | undefined }, now: number): string | undefined =>
  evidence.problem ?? (now - evidence.at < evidenceMillis ? undefined : `nothing heard for ${Math.round((now - evidence.at) / 1000)} s`)

/** Pods of this priority are those the cluster cannot do without. */
const systemCritical = 2_000_000_000

/** The text of an answer, in the kubelet's form. @category combinators */
export const text = (parts: ReadonlyArray<Part>, verbose: boolean): string => {
  const failed = parts.some(({ problem }) => problem !== undefined)
  if (!verbose && !failed) return "ok"
  const lines = parts.map(({ name, problem }) => problem === undefined ? `[+]${name} ok\n` : `[-]${name} failed: ${problem}\n`)
  return `${lines.join("")}healthz check ${failed ? "failed" : "passed"}\n`
}

/**
 * Gathers evidence and serves it for as long as the scope lives. A port that is taken is tried again: an agent does not fail for it.
 *
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<HealthApi, never, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function*() {
    const clock = yield* Effect.clock
    const started = yield* Clock.currentTimeMillis
    const interval = options.interval ?? Duration.seconds(30)
    let ledger: Evidence = { at: started, problem: undefined }
    let runtime: Evidence = { at: started, problem: undefined }
    let listening: number | undefined

    const limited = <A, E extends { readonly message: string }, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.timeoutFail(Effect.mapError(effect, ({ message }) => message), { duration: "10 seconds", onTimeout: () => "no answer within 10 s" })

    const tryRuntime = Effect.matchEffect(limited(options.zoneStates), {
      onFailure: (problem) =>
        Effect.sync(() => {
          runtime = { ...runtime, problem }
        }),
      onSuccess: () =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          runtime = { at: now, problem: undefined }
        })
    })
    const status = Effect.sync((): AgentStatus.AgentStatus => {
      const pods = options.pods()
      return {
        version: 1,
        pid: process.pid,
        zonesListedAt: runtime.at,
        brands: options.brands,
        zones: pods.map((pod) => ({ name: options.zoneOf(pod), critical: (pod.spec?.priority ?? 0) >= systemCritical })),
        pods: pods.length,
        maxPods: options.maxPods
      }
    })
    // Written where the ledger is, in the way the ledger is: what cannot be written says that the other cannot either.
    const tryLedger = Effect.flatMap(status, (found) => limited(durableFile.write(join(options.dataDir, AgentStatus.fileName), AgentStatus.encode(found)))).pipe(
      Effect.matchEffect({
        onFailure: (problem) =>
          Effect.sync(() => {
            ledger = { ...ledger, problem }
          }),
        onSuccess: () =>
          Effect.map(Clock.currentTimeMillis, (now) => {
            ledger = { at: now, problem: undefined }
          })
      })
    )
    yield* Effect.forkScoped(Effect.repeat(Effect.zipRight(tryRuntime, tryLedger), Schedule.spaced(interval)))

    const partsAt = (now: number): ReadonlyArray<Part> => [
      { name: "ledger", problem: judge(ledger, now) },
      { name: "reconcile", problem: judge({ at: options.lastPassEnd() ?? started, problem: undefined }, now) },
      { name: "runtime", problem: judge(runtime, now) }
    ]

    const answer = (request: IncomingMessage, response: ServerResponse): void => {
      request.resume()
      const url = URL.parse(request.url ?? "/", "http://localhost")
      const send = (code: number, body: string) => {
        response.writeHead(code, { "content-type": "text/plain; charset=utf-8", "content-length": String(Buffer.byteLength(body)), "cache-control": "no-store" })
        response.end(request.method === "HEAD" ? undefined : body)
      }
      if (url?.pathname !== "/healthz") return send(404, "404 page not found\n")
      if (request.method !== "GET" && request.method !== "HEAD") return send(405, "Method Not Allowed\n")
      const parts = partsAt(clock.unsafeCurrentTimeMillis())
      return send(parts.some(({ problem }) => problem !== undefined) ? 500 : 200, text(parts, url.searchParams.has("verbose")))
    }

    let warned = false
    const listen = (port: number) =>
      ListeningServer.acquire({
        host: "127.0.0.1",
        port,
        make: () => {
          const created = createServer(answer)
          created.maxConnections = 64
          created.headersTimeout = 5000
          created.requestTimeout = 5000
          return created
        },
        failed: (detail) => detail,
        cut: (server) => server.closeAllConnections()
      }).pipe(
        Effect.tapError((problem) => {
          if (warned) return Effect.void
          warned = true
          return Effect.logWarning(`the health of the agent cannot be asked for on 127.0.0.1:${port}, which is tried again: ${problem}`)
        }),
        Effect.retry(Schedule.spaced("10 seconds")),
        Effect.map((server) => {
          listening = server.port
        })
      )
    if (options.port !== undefined) yield* Effect.forkScoped(listen(options.port))
    return { port: () => listening, parts: Effect.map(Clock.currentTimeMillis, partsAt) }
  })
