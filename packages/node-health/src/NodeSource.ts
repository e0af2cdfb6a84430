/** What the API server says about the own Node object, and how it was asked. Not knowing is an answer of its own. */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { LookupFunction } from "node:net"
import * as HttpProbe from "./HttpProbe.js"

const text = Schema.optionalWith(Schema.String, { exact: true, nullable: true })

/** A condition of a node. @category schemas */
export const NodeCondition = Schema.Struct({
  type: Schema.String,
  status: Schema.String,
  reason: text,
  lastHeartbeatTime: text
})
/** @category models */
export type NodeCondition = typeof NodeCondition.Type

/** The parts of a Node object that decide about traffic. @category schemas */
export const NodeView = Schema.Struct({
  metadata: Schema.Struct({ name: Schema.String, resourceVersion: text }),
  spec: Schema.optionalWith(Schema.Struct({ unschedulable: Schema.optionalWith(Schema.Boolean, { exact: true, nullable: true }) }), { exact: true, nullable: true }),
  status: Schema.optionalWith(Schema.Struct({ conditions: Schema.optionalWith(Schema.Array(NodeCondition), { exact: true, nullable: true }) }), { exact: true, nullable: true })
})
/** @category models */
export type NodeView = typeof NodeView.Type

const decodeNode = Schema.decodeUnknownOption(Schema.parseJson(NodeView))

/** What is known about the Node object. @category models */
export type NodeAnswer =
  | { readonly _tag: "Found"; readonly node: NodeView }
  | { readonly _tag: "NotFound" }
  /** The API cannot be asked, or does not tell. */
  | { readonly _tag: "Unavailable"; readonly detail: string }

/** @category models */
export interface NodeSource {
  /** The Node as it is now. It has no time limit of its own. */
  readonly read: Effect.Effect<NodeAnswer>
}

/** How the API server is reached. @category models */
export interface Connection {
  /** Base URL without a slash at its end. */
  readonly server: string
  readonly tlsServerName?: string
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly insecureSkipTlsVerify?: boolean
  /** The bearer token as it is now; it must not come from a disk at this moment. */
  readonly token?: () => string | undefined
  readonly lookup?: LookupFunction
}

/** @category combinators */
export const unavailable = (detail: string): NodeAnswer => ({ _tag: "Unavailable", detail })

/** No client can be built: every read says so. @category constructors */
export const never = (detail: string): NodeSource => ({ read: Effect.succeed(unavailable(detail)) })

/** Options of a request to the API server. Tokens and certificates go over https only. @category combinators */
export const httpOptions = (connection: Connection): HttpProbe.HttpOptions => {
  const { ca, cert, insecureSkipTlsVerify = false, key, lookup, server, tlsServerName, token } = connection
  const secret = server.startsWith("https:") ? token?.() : undefined
  return {
    headers: { accept: "application/json", "user-agent": "reddwarf-node-health", ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }) },
    ...(lookup === undefined ? {} : { lookup }),
    tls: {
      rejectUnauthorized: !insecureSkipTlsVerify,
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
      ...(tlsServerName === undefined ? {} : { servername: tlsServerName })
    },
    // A Node lists every image it holds.
    maxBytes: 4 * 1024 * 1024
  }
}

const answerOf = ({ body, status }: HttpProbe.HttpAnswer): NodeAnswer => {
  if (status === 404) return { _tag: "NotFound" }
  if (status !== 200) return unavailable(`the API server answers ${status}`)
  return Option.match(decodeNode(body), { onNone: () => unavailable("the API server answers something that is no Node"), onSome: (node) => ({ _tag: "Found", node }) })
}

/**
 * One request for each read; reads at the same time, and within `shareMillis` after one, share its answer, so that several checks of one
 * request cost the API server one.
 *
 * @category constructors
 */
export const polling = (connection: Connection, nodeName: string, shareMillis = 500): NodeSource => {
  let last: { readonly answer: NodeAnswer; readonly at: number } | undefined
  let running: Deferred.Deferred<NodeAnswer> | undefined
  const url = `${connection.server}/api/v1/nodes/${encodeURIComponent(nodeName)}`
  const request = Effect.suspend(() => HttpProbe.get(url, httpOptions(connection))).pipe(
    Effect.map(answerOf),
    Effect.catchAll((error) => Effect.succeed(unavailable(error.code)))
  )
  const ask = (done: Deferred.Deferred<NodeAnswer>) =>
    request.pipe(
      Effect.onExit((exit) =>
        Effect.gen(function*() {
          running = undefined
          if (exit._tag === "Success" && exit.value._tag !== "Unavailable") last = { answer: exit.value, at: yield* Clock.currentTimeMillis }
          yield* Deferred.succeed(done, exit._tag === "Success" ? exit.value : unavailable("no answer in time"))
        }))
    )
  return {
    read: Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      if (last !== undefined && now - last.at < shareMillis) return last.answer
      if (running !== undefined) return yield* Deferred.await(running)
      const done = yield* Deferred.make<NodeAnswer>()
      running = done
      return yield* ask(done)
    })
  }
}
