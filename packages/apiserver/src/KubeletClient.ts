/** How the server reaches node agents: their HTTPS endpoint, by the certificate authority of the cluster. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { Agent, request } from "node:https"
import type { KeyPair } from "./Certificates.js"
import * as handOver from "./internal/handOver.js"
import * as nodeStream from "./internal/nodeStream.js"
import * as outbound from "./internal/outbound.js"

/** A request of any kind, and what may come of it. @category models */
export type { Answer, Outgoing } from "./internal/outbound.js"

/**
 * A node agent could not be reached, or did not prove to be the one that was asked for.
 *
 * @category errors
 */
export class KubeletUnreachable extends Schema.TaggedError<KubeletUnreachable>()("KubeletUnreachable", {
  node: Schema.String,
  url: Schema.String,
  detail: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {
  override get message(): string {
    return `${this.detail} (node ${this.node}, ${this.url}): check that its agent runs and can be reached from here`
  }
}

/** Where a node agent listens. @category models */
export interface NodeAddress {
  /** Name of the node: the agent's certificate must be valid for it. */
  readonly node: string
  readonly address: string
  readonly port: number
}

/** The beginning of an agent's answer. @category models */
export interface KubeletResponse {
  readonly status: number
  readonly contentType: string
  /** Takes the chunks one after the other; undefined is the end. */
  readonly next: Effect.Effect<Uint8Array | undefined, KubeletUnreachable>
  /** Hands on every chunk as it comes, instead of `next`: until the end, or until enough has come. */
  readonly pump: (
    receiver: nodeStream.Receiver,
    take: (chunk: Uint8Array) => nodeStream.Taken
  ) => Effect.Effect<"ended" | "over", KubeletUnreachable>
}

/**
 * Requests to node agents.
 *
 * @category services
 */
export class KubeletClient extends Context.Tag("@reddwarf/apiserver/KubeletClient")<KubeletClient, {
  /** Opens a GET; closing the scope ends it. `path` includes the query. */
  readonly get: (
    node: NodeAddress,
    path: string
  ) => Effect.Effect<KubeletResponse, KubeletUnreachable, Scope.Scope>
  /**
   * Sends a request of any kind, also one that changes the protocol of its connection; closing the scope ends it. Such a one may be handed over
   * by the agent to another port of its node, and is followed there.
   */
  readonly open: (node: NodeAddress, request: outbound.Outgoing) => Effect.Effect<outbound.Answer, KubeletUnreachable, Scope.Scope>
}>() {}

const originOf = ({ address, port }: NodeAddress): string => `https://${address.includes(":") ? `[${address}]` : address}:${port}`

// Commands may hold secrets, which do not belong into messages.
const pathOf = ({ path }: outbound.Outgoing): string => path.split("?", 1)[0] ?? ""

const noConnection = "this server has no connection to node agents"

const detailOf = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause)

/** How the server proves itself to agents, and how agents are verified. @category models */
export interface KubeletClientOptions {
  /** Authority of the agents' certificates, as PEM. */
  readonly authority: string
  readonly credentials: KeyPair
  /** Longest time to wait for the connection and the first answer, in milliseconds. Default 10 seconds. */
  readonly timeoutMillis?: number
  /** Longest time to wait for the same where an agent hands a session over to, in milliseconds. Default 5 seconds. */
  readonly handOverTimeoutMillis?: number
}

/** How long a node whose sessions could not be reached where it handed them over to is asked to serve them in its agent. */
const servedInAgentMillis = 300_000

/** Nodes that this is remembered of. */
const maxRemembered = 1024

/** Over TLS with a client certificate; each request has a connection of its own. @category layers */
export const layer = (options: KubeletClientOptions): Layer.Layer<KubeletClient> =>
  Layer.scoped(
    KubeletClient,
    Effect.gen(function*() {
      const agent = yield* Effect.acquireRelease(
        Effect.sync(() =>
          new Agent({
            // A kept connection may be closed by the node just when it is used again, and what opens a session cannot be sent twice.
            keepAlive: false,
            ca: options.authority,
            cert: options.credentials.cert,
            key: options.credentials.key
          })
        ),
        (agent) => Effect.sync(() => agent.destroy())
      )
      const timeout = options.timeoutMillis ?? 10_000

      const get = (node: NodeAddress, path: string) => {
        const url = `${originOf(node)}${path}`
        const unreachable = (detail: string, cause?: unknown) =>
          new KubeletUnreachable({ node: node.node, url, detail, ...(cause === undefined ? {} : { cause }) })
        const opened = Effect.acquireRelease(
          Effect.try({
            try: () => {
              const outgoing = request(url, { agent, servername: node.node, method: "GET" })
              outgoing.setTimeout(timeout, () => outgoing.destroy(new Error(`no answer within ${timeout} ms`)))
              // Failures after the answer has begun are seen by its reader.
              outgoing.on("error", () => {})
              return outgoing
            },
            catch: (cause) => unreachable(detailOf(cause), cause)
          }),
          (outgoing) => Effect.sync(() => outgoing.destroy())
        )
        return Effect.flatMap(opened, (outgoing) =>
          Effect.async<KubeletResponse, KubeletUnreachable>((resume) => {
            outgoing.once("error", (cause) => resume(Effect.fail(unreachable(detailOf(cause), cause))))
            outgoing.once("response", (incoming) => {
              // A followed log may be silent for as long as it likes.
              outgoing.setTimeout(0)
              resume(Effect.succeed({
                status: incoming.statusCode ?? 502,
                contentType: incoming.headers["content-type"] ?? "text/plain",
                next: Effect.mapError(nodeStream.readChunks(incoming), ({ cause, detail }) => unreachable(detail, cause)),
                pump: (receiver, take) => Effect.mapError(nodeStream.pump(incoming, receiver, take), ({ cause, detail }) => unreachable(detail, cause))
              }))
            })
            outgoing.end()
          }))
      }
      const sendTo = (node: NodeAddress, request: outbound.Outgoing, timeoutMillis: number) =>
        outbound.send(originOf(node), { agent, servername: node.node }, request, timeoutMillis)
      const unreachable = (node: NodeAddress, request: outbound.Outgoing) => ({ cause, detail }: { readonly cause?: unknown; readonly detail: string }) =>
        new KubeletUnreachable({ node: node.node, url: `${originOf(node)}${pathOf(request)}`, detail, ...(cause === undefined ? {} : { cause }) })
      const send = (node: NodeAddress, request: outbound.Outgoing) => Effect.mapError(sendTo(node, request, timeout), unreachable(node, request))

      /** Until when sessions of a node are not handed over, by its name. Such as where a firewall lets nobody but the agent be asked. */
      const inAgentUntil = new Map<string, number>()

      const open = (node: NodeAddress, request: outbound.Outgoing) =>
        Effect.gen(function*() {
          if (!handOver.isUpgrade(request.headers)) return yield* send(node, request)
          const now = yield* Clock.currentTimeMillis
          if ((inAgentUntil.get(node.node) ?? 0) > now) return yield* send(node, request)
          inAgentUntil.delete(node.node)
          const answer = yield* send(node, { ...request, headers: handOver.announced(request.headers) })
          if (answer._tag !== "Response" || answer.status !== 307) return answer
          const { location } = answer.incoming.headers
          answer.incoming.destroy()
          const place = handOver.placeOf(node.address, location)
          if (place === undefined) {
            return yield* unreachable(node, request)({ detail: "the agent hands the session over to a place that is not on its node, where nobody follows it" })
          }
          const there = { ...node, port: place.port }
          const handedOver = { ...request, path: place.path }
          return yield* sendTo(there, handedOver, options.handOverTimeoutMillis ?? 5_000).pipe(
            Effect.catchAll((error) =>
              Effect.gen(function*() {
                if (error.sent) return yield* unreachable(there, handedOver)(error)
                yield* Effect.logWarning(`where node ${node.node} hands sessions over to cannot be reached (${originOf(there)}: ${error.detail}); its agent serves those of the next ${servedInAgentMillis / 60_000} minutes, and they end with it; let the server reach that port`)
                if (inAgentUntil.size >= maxRemembered) inAgentUntil.clear()
                inAgentUntil.set(node.node, now + servedInAgentMillis)
                return yield* send(node, request)
              }))
          )
        })
      return KubeletClient.of({ get, open })
    })
  )

/** No agent can be reached: for servers that only keep objects. @category layers */
export const layerUnavailable: Layer.Layer<KubeletClient> = Layer.succeed(KubeletClient, {
  get: (node, path) => Effect.fail(new KubeletUnreachable({ node: node.node, url: `${originOf(node)}${path}`, detail: noConnection })),
  open: (node, request) =>
    Effect.fail(new KubeletUnreachable({ node: node.node, url: `${originOf(node)}${pathOf(request)}`, detail: noConnection }))
})
