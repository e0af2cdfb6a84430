/**
 * The HTTPS endpoint by which the API server reads logs of containers on this node, runs commands in them and reaches their ports.
 *
 * Only clients with a certificate of the cluster's CA are served. Requests and their bodies come from nowhere else than the API server, but
 * their paths hold what users typed: every part is checked before it becomes part of a file name.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import { type CoreV1, Status, Timestamp } from "@reddwarf/api-types"
import { ListeningServer } from "@reddwarf/node-health"
import { Exposition } from "@reddwarf/prometheus"
import { Upgrade } from "@reddwarf/streaming"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as FiberSet from "effect/FiberSet"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { IncomingMessage, ServerResponse } from "node:http"
import { createServer } from "node:https"
import type { Duplex } from "node:stream"
import * as byteStreams from "../internal/byteStreams.js"
import * as ContainerLogs from "../container/ContainerLogs.js"
import * as LogPieces from "../container/LogPieces.js"
import * as LogTarget from "../container/LogTarget.js"
import * as NodeAgentMetrics from "../NodeAgentMetrics.js"
import * as PeerIdentity from "./PeerIdentity.js"
import * as RunningPods from "../pod/RunningPods.js"
import type * as StatsApi from "./StatsApi.js"
import type * as StreamingApi from "./StreamingApi.js"
import * as SupervisorClient from "../supervisor/SupervisorClient.js"
import * as Paths from "../supervisor/SupervisorPaths.js"

/**
 * Where to listen, and as whom.
 *
 * @category models
 */
export interface Options {
  readonly host: string
  /** 0 chooses a free port. */
  readonly port: number
  /** PEM texts: the node's own certificate and key, and the CA whose clients are served. */
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string }
  /** The pods of this node. */
  readonly pods: () => ReadonlyArray<CoreV1.Pod>
  /** What pods and node use; without it the paths for that are not served. */
  readonly stats?: StatsApi.StatsApi
  /** What probes came to, in the text form of Prometheus: `/metrics/probes`; without it the path is not served. */
  readonly probes?: Effect.Effect<string>
  /** What the agent counts: the answer to `/metrics`; without it the path is not served. */
  readonly metrics?: Effect.Effect<StatsApi.Answer>
  /** What the agent was started with: the answer to `/configz`; without it the path is not served. */
  readonly configuration?: object
  /** What the last look at every pod did: the answer to `/debug/reconcile`; without it the path is not served. */
  readonly reconcile?: () => object | undefined
  /** Commands in containers, attaching, port forwarding; without it they are not served. */
  readonly streaming?: StreamingApi.StreamingApi
  /** Requests served at the same time; more are answered with 429. Default 128. */
  readonly maxRequests?: number
}

/** @category models */
export interface KubeletApi {
  /** The port it listens on. */
  readonly port: number
}

/**
 * The endpoint could not be opened.
 *
 * @category errors
 */
export class ListenFailed extends Schema.TaggedError<ListenFailed>()("ListenFailed", {
  host: Schema.String,
  port: Schema.Number,
  detail: Schema.String
}) {
  override get message(): string {
    return `kubelet API on ${this.host}:${this.port}: ${this.detail}; free the port, or choose another one and a valid certificate`
  }
}

interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string | Effect.Effect<ContainerLogs.Reader, ContainerLogs.LogReadFailed, Scope.Scope>
}

const text = (status: number, body: string): Answer => ({ status, contentType: "text/plain; charset=utf-8", body })

/** Why the peer may not ask; undefined when it may. */
const refusal = (request: IncomingMessage): Answer | undefined => {
  const refused = PeerIdentity.refusal(request)
  return refused === undefined ? undefined : text(refused.status, refused.message)
}

/** The parts of the path, decoded; none when they cannot be. */
const targetOf = (request: IncomingMessage): { readonly url: URL; readonly parts: ReadonlyArray<string> | undefined } => {
  const url = new URL(request.url?.startsWith("/") === true ? `https://node${request.url}` : "https://node/")
  try {
    return { url, parts: url.pathname.slice(1).split("/").map(decodeURIComponent) }
  } catch {
    return { url, parts: undefined }
  }
}

/** Sends a log to its end. The next part is read while the one before is on its way. */
const sendLog = (
  response: ServerResponse,
  opened: Effect.Effect<ContainerLogs.Reader, ContainerLogs.LogReadFailed, Scope.Scope>
): Effect.Effect<void, ContainerLogs.LogReadFailed> =>
  Effect.scoped(Effect.flatMap(opened, ({ next }) => {
    let sent = Effect.void
    return next.pipe(
      Effect.flatMap((bytes) => Effect.zipRight(sent, Effect.sync(() => void (sent = byteStreams.begin(response, bytes))))),
      Effect.forever,
      Effect.catchAll(Option.match({ onNone: () => sent, onSome: Effect.fail }))
    )
  }))

const send = (response: ServerResponse, answer: Answer): Effect.Effect<void, ContainerLogs.LogReadFailed> =>
  Effect.gen(function*() {
    response.writeHead(answer.status, { "content-type": answer.contentType, ...(typeof answer.body === "string" ? { "content-length": Buffer.byteLength(answer.body) } : {}) })
    if (typeof answer.body === "string") {
      response.end(answer.body)
      return
    }
    response.flushHeaders()
    yield* sendLog(response, answer.body)
    response.end()
  })

/**
 * Opens the endpoint for as long as the scope lives.
 *
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<KubeletApi, ListenFailed, FileSystem.FileSystem | Scope.Scope | SupervisorClient.SupervisorClient> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const supervisor = yield* SupervisorClient.SupervisorClient
    const maxRequests = options.maxRequests ?? 128
    let active = 0

    const containerLogs = (url: URL, namespace: string, name: string, container: string): Effect.Effect<Answer> =>
      Effect.gen(function*() {
        const query = LogTarget.parseQuery(url.searchParams)
        if (Either.isLeft(query)) return text(400, query.left)
        const pod = options.pods().find(({ metadata }) => metadata.namespace === namespace && metadata.name === name)
        if (pod === undefined) return text(404, `pod "${name}" does not exist`)
        const supervised = yield* supervisor.read(pod.metadata.uid ?? "")
        const target = LogTarget.find(pod, container, supervised, query.right.previous)
        if (Either.isLeft(target)) return text(target.left.status, target.left.message)
        const { from, pieces } = query.right
        // Who goes on reading means the attempt that was begun with, whatever runs by now.
        const { attempt, path } = from === undefined || Option.isNone(supervised)
          ? target.right
          : { attempt: from.attempt, path: Paths.log(supervised.value.spec.logs.directory, container, from.attempt) }
        const now = yield* Clock.currentTimeMillis
        const { sinceSeconds, sinceTime, ...rest } = query.right
        const since = sinceSeconds === undefined ? sinceTime : Timestamp.microsFromMillis(now - sinceSeconds * 1000)
        const isOver = supervisor.read(pod.metadata.uid ?? "").pipe(
          Effect.map((now) => LogTarget.isOver(now, container, attempt)),
          // A record that cannot be read just now says nothing about the container: it is asked for again.
          Effect.orElseSucceed(() => false)
        )
        if (!(yield* Effect.orElseSucceed(fs.exists(path), () => false))) {
          return text(400, `container "${container}" in pod "${name}" is not available`)
        }
        return {
          status: 200,
          contentType: pieces ? LogPieces.contentType : "text/plain",
          body: ContainerLogs.open(path, { ...rest, sinceTime: since, pieces: pieces ? { attempt } : undefined }, isOver)
        }
      }).pipe(Effect.catchAll((error) => Effect.succeed(text(500, error.message))))

    const route = (request: IncomingMessage): Effect.Effect<Answer> => {
      const { parts, url } = targetOf(request)
      if (parts === undefined) return Effect.succeed(text(400, "the path is not valid"))
      if (options.streaming?.owns(parts) === true) return Effect.succeed(text(400, "Upgrade request required"))
      if (parts[0] === "run" && (parts.length === 4 || parts.length === 5) && options.streaming !== undefined) {
        if (request.method !== "POST") return Effect.succeed(text(405, "Method Not Allowed"))
        const [, namespace = "", name = ""] = parts
        const words = (url.searchParams.get("cmd") ?? "").split(" ").filter((word) => word !== "")
        return Effect.map(
          options.streaming.run(namespace, name, parts.length === 5 ? parts[3] : undefined, parts.at(-1) ?? "", words),
          ({ body, status }) => text(status, body)
        )
      }
      if (request.method !== "GET") return Effect.succeed(text(405, "Method Not Allowed"))
      const [first, namespace, name, container] = parts
      if (first === "healthz" && parts.length === 1) return Effect.succeed(text(200, "ok"))
      if (first === "pods" && parts.length === 1) {
        const body = JSON.stringify({ kind: "PodList", apiVersion: "v1", metadata: {}, items: options.pods() })
        return Effect.succeed({ status: 200, contentType: "application/json", body })
      }
      if (first === "runningpods" && parts.length === 1) {
        return Effect.map(RunningPods.list(supervisor), (body) => ({ status: 200, contentType: "application/json", body }))
      }
      if (first === "containerLogs" && namespace !== undefined && name !== undefined && container !== undefined && parts.length === 4) {
        return containerLogs(url, namespace, name, container)
      }
      if (first === "metrics" && namespace === "probes" && parts.length === 2 && options.probes !== undefined) {
        return Effect.map(options.probes, (body) => ({ status: 200, contentType: Exposition.contentType, body }))
      }
      if (first === "metrics" && parts.length === 1 && options.metrics !== undefined) return options.metrics
      if (first === "configz" && parts.length === 1 && options.configuration !== undefined) {
        const body = JSON.stringify({ kubeletconfig: options.configuration })
        return Effect.succeed({ status: 200, contentType: "application/json", body })
      }
      if (first === "debug" && parts[1] === "reconcile" && parts.length === 2 && options.reconcile !== undefined) {
        const report = options.reconcile()
        return Effect.succeed(report === undefined
          ? text(503, "no look at the pods has ended yet")
          : { status: 200, contentType: "application/json", body: JSON.stringify(report) })
      }
      return options.stats?.(parts) ?? Effect.succeed(text(404, "404 page not found"))
    }

    const handle = (request: IncomingMessage, response: ServerResponse): Effect.Effect<void> =>
      Effect.suspend(() => {
        const refused = refusal(request)
        if (refused !== undefined) {
          NodeAgentMetrics.unauthorizedRequests.unsafeUpdate(1, [])
          return send(response, refused)
        }
        if (active >= maxRequests) return send(response, text(429, "too many requests, please try again later"))
        return Effect.acquireUseRelease(
          Effect.sync(() => void (active += 1)),
          () => Effect.flatMap(route(request), (answer) => send(response, answer)),
          () => Effect.sync(() => void (active -= 1))
        )
      }).pipe(
        Effect.catchAllCause((cause) =>
          Effect.zipRight(Effect.logWarning("a request was cut off", cause), Effect.sync(() => void response.destroy()))
        )
      )

    /** A request that asks for another protocol. Its connection is the handler's from then on. */
    const upgrade = (asked: Upgrade.Upgrade): Effect.Effect<void> =>
      Effect.suspend(() => {
        const { parts, url } = targetOf(asked.request)
        const refused = refusal(asked.request)
        if (refused !== undefined) {
          NodeAgentMetrics.unauthorizedRequests.unsafeUpdate(1, [])
          return Upgrade.refuse(asked, Status.failure(refused.status, "", typeof refused.body === "string" ? refused.body : ""))
        }
        const { streaming } = options
        if (parts === undefined || streaming?.owns(parts) !== true) return Upgrade.refuse(asked, Status.failure(404, "NotFound", "404 page not found"))
        return streaming.serve(asked, parts, url.searchParams)
      }).pipe(
        Effect.catchAllCause((cause) => Effect.logWarning("a session was cut off", cause)),
        Effect.onInterrupt(() => Effect.sync(() => void asked.socket.destroy()))
      )

    /** Connections the server does not know any more, and still waits for when it closes. */
    const upgraded = new Set<Duplex>()
    const run = yield* FiberSet.makeRuntime()
    const { port } = yield* ListeningServer.acquire({
      host: options.host,
      port: options.port,
      make: () => {
        const created = createServer({ ...options.tls, requestCert: true, rejectUnauthorized: false, minVersion: "TLSv1.2" }, (request, response) => {
          const fiber = run(handle(request, response))
          response.once("close", () => fiber.unsafeInterruptAsFork(fiber.id()))
        })
        created.on("upgrade", (request, socket, head) => {
          socket.on("error", () => undefined)
          upgraded.add(socket)
          socket.once("close", () => upgraded.delete(socket))
          run(upgrade({ request, socket, head }))
        })
        created.headersTimeout = 10_000
        created.requestTimeout = 30_000
        return created
      },
      failed: (detail) => new ListenFailed({ host: options.host, port: options.port, detail }),
      cut: (created) => {
        created.closeAllConnections()
        for (const socket of upgraded) socket.destroy()
      }
    })
    return { port }
  })
