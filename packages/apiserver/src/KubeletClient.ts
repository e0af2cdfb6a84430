/** How the server reaches node agents: their HTTPS endpoint, by the certificate authority of the cluster. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { Agent, request } from "node:https"
import type { KeyPair } from "./Certificates.js"
import { readChunks } from "./internal/nodeStream.js"
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
  /** Sends a request of any kind, also one that changes the protocol of its connection; closing the scope ends it. */
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
}

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
                next: Effect.mapError(readChunks(incoming), ({ cause, detail }) => unreachable(detail, cause))
              }))
            })
            outgoing.end()
          }))
      }
      const open = (node: NodeAddress, request: outbound.Outgoing) =>
        Effect.mapError(outbound.send(originOf(node), { agent, servername: node.node }, request, timeout), ({ cause, detail }) =>
          new KubeletUnreachable({ node: node.node, url: `${originOf(node)}${pathOf(request)}`, detail, cause }))
      return KubeletClient.of({ get, open })
    })
  )

/** No agent can be reached: for servers that only keep objects. @category layers */
export const layerUnavailable: Layer.Layer<KubeletClient> = Layer.succeed(KubeletClient, {
  get: (node, path) => Effect.fail(new KubeletUnreachable({ node: node.node, url: `${originOf(node)}${path}`, detail: noConnection })),
  open: (node, request) =>
    Effect.fail(new KubeletUnreachable({ node: node.node, url: `${originOf(node)}${pathOf(request)}`, detail: noConnection }))
})
