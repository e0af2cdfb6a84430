import type { WatchCache } from "@reddwarf/event-bus"
import { ObjectStore, type StoreError } from "@reddwarf/store"
import { Context, Data, Effect, Layer, type Scope } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { connect, type ClientHttp2Session } from "node:http2"
import { type Agent, request } from "node:https"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type * as ApiServer from "../../src/ApiServer.js"
import * as Certificates from "../../src/Certificates.js"
import type * as HttpsEdge from "../../src/HttpsEdge.js"
import * as Server from "../../src/Server.js"
import type * as StaticTokens from "../../src/authentication/StaticTokens.js"

export class TempDirectory extends Context.Tag("test/TempDirectory")<TempDirectory, string>() {}

export const layerTemp = Layer.scoped(
  TempDirectory,
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "apiserver-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
)

export const layerCertificates = Layer.unwrapEffect(
  Effect.map(TempDirectory, (path) => Certificates.layer({ directory: join(path, "pki") }))
).pipe(Layer.provideMerge(layerTemp))

/** A whole server on a free port, over a store in memory. */
export const layerServer = (
  edge: Server.Options["edge"] = {},
  rest: Omit<Server.Options, "edge"> = {}
): Layer.Layer<
  HttpsEdge.HttpsEdge | ApiServer.ApiServer | Certificates.Certificates | TempDirectory | WatchCache.WatchCache | ObjectStore.ObjectStore,
  StoreError.StoreError | Certificates.CertificateFailure | HttpsEdge.EdgeUnavailable | StaticTokens.TokenFileInvalid
> =>
  Server.layer({ edge: { port: 0, ...edge }, ...rest }).pipe(
    Layer.provideMerge(layerCertificates),
    Layer.provideMerge(ObjectStore.layerMemory)
  )

export const adminCredentials = Effect.flatMap(Certificates.Certificates, (certificates) =>
  Effect.map(certificates.client("admin", "kubernetes-admin", ["system:masters"]), (pair) => ({ ...pair, ca: certificates.authority })))

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: Buffer
}

/** A request that got no complete answer, with Node's error as the cause. */
export class RequestFailed extends Data.TaggedError("RequestFailed")<{
  readonly method: string
  readonly target: string
  readonly cause: Error
}> {
  override get message(): string {
    return `${this.method} ${this.target}: ${this.cause.message}`
  }
}

/** One request over HTTP/1.1. */
export const http1 = (
  url: string,
  options: {
    readonly method?: string
    readonly headers?: Record<string, string>
    readonly body?: string | Buffer
    readonly credentials: { readonly ca: string; readonly cert?: string; readonly key?: string }
    readonly agent?: Agent
  }
): Effect.Effect<HttpAnswer, RequestFailed> =>
  Effect.async((resume) => {
    const method = options.method ?? "GET"
    const fail = (cause: Error) => resume(new RequestFailed({ method, target: url, cause }))
    const outgoing = request(url, {
      method,
      headers: options.headers ?? {},
      agent: options.agent ?? false,
      ...options.credentials
    }, (incoming) => {
      const chunks: Array<Buffer> = []
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
      incoming.on("end", () =>
        resume(Effect.succeed({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks) })))
      incoming.on("error", fail)
    })
    outgoing.on("error", fail)
    outgoing.end(options.body)
  })

/** An HTTP/2 connection that closes with the scope. */
export const session = (
  url: string,
  credentials: { readonly ca: string; readonly cert?: string; readonly key?: string }
): Effect.Effect<ClientHttp2Session, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const opened = connect(url, credentials)
      opened.on("error", () => {})
      return opened
    }),
    (opened) => Effect.sync(() => opened.destroy())
  )

/** One request over HTTP/2. */
export const http2 = (
  connection: ClientHttp2Session,
  path: string,
  options: { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: string | Buffer } = {}
): Effect.Effect<HttpAnswer, RequestFailed> =>
  Effect.async((resume) => {
    const method = options.method ?? "GET"
    const stream = connection.request({ ":path": path, ":method": method, ...options.headers })
    const chunks: Array<Buffer> = []
    let headers: Record<string, unknown> = {}
    stream.on("response", (received) => {
      headers = received
    })
    stream.on("data", (chunk: Buffer) => chunks.push(chunk))
    stream.on("end", () => resume(Effect.succeed({ status: Number(headers[":status"]), headers, body: Buffer.concat(chunks) })))
    stream.on("error", (cause: Error) => resume(new RequestFailed({ method, target: path, cause })))
    stream.end(options.body)
  })

/** Waits for a condition, with a deadline. */
export const eventually = (what: string, condition: () => boolean, millis = 10_000): Effect.Effect<void> =>
  Effect.sync(condition).pipe(
    Effect.delay("5 millis"),
    Effect.repeat({ until: (holds) => holds }),
    Effect.timeoutFail({ duration: millis, onTimeout: () => new Error(`never: ${what}`) }),
    Effect.orDie,
    Effect.asVoid
  )
