import type { ApiError } from "@reddwarf/api-types"
import type { WatchCache } from "@reddwarf/event-bus"
import { ObjectStore, type StoreError } from "@reddwarf/store"
import { Effect, Fiber, Layer, type Scope } from "effect"
import * as waiting from "vitest-config/waiting"
import * as ApiServer from "../../src/ApiServer.js"
import type { Sink } from "../../src/ApiResponse.js"
import * as KubeletClient from "../../src/KubeletClient.js"
import * as Server from "../../src/Server.js"
import type * as TokenAuthenticator from "../../src/authentication/TokenAuthenticator.js"
import * as UserInfo from "../../src/authentication/UserInfo.js"

export const admin = UserInfo.authenticated("kubernetes-admin", ["system:masters"])

/** The API over a store in memory, without a port. */
export const layerApi: Layer.Layer<
  ApiServer.ApiServer | WatchCache.WatchCache | ObjectStore.ObjectStore | TokenAuthenticator.TokenAuthenticator,
  StoreError.StoreError
> = Server.layerApi().pipe(
  Layer.provideMerge(ObjectStore.layerMemory),
  Layer.provide(KubeletClient.layerUnavailable)
)

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string>>>
  readonly text: string
  // Tests look into answers freely.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any
}

export interface CallOptions {
  readonly body?: unknown
  readonly type?: string
  readonly accept?: string
  readonly headers?: Record<string, string>
  readonly user?: UserInfo.UserInfo | undefined
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const bytesOf = (body: unknown): Uint8Array =>
  body === undefined
    ? new Uint8Array(0)
    : body instanceof Uint8Array
    ? body
    : encoder.encode(typeof body === "string" ? body : JSON.stringify(body))

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const toRequest = (method: string, url: string, options: CallOptions) => ({
  method,
  url,
  headers: {
    ...(options.type === undefined ? {} : { "content-type": options.type }),
    ...(options.accept === undefined ? {} : { accept: options.accept }),
    ...options.headers
  },
  body: Effect.sync(() => bytesOf(options.body)) as Effect.Effect<Uint8Array, ApiError.ApiError>,
  user: "user" in options ? options.user : admin
})

/** Makes a request and waits for the whole answer. */
export const call = (
  method: string,
  url: string,
  options: CallOptions = {}
): Effect.Effect<Answer, never, ApiServer.ApiServer> =>
  Effect.gen(function*() {
    const api = yield* ApiServer.ApiServer
    const { body, headers, status } = yield* api.handle(toRequest(method, url, options))
    let bytes: Uint8Array
    if (body instanceof Uint8Array) bytes = body
    else {
      const chunks: Array<Uint8Array> = []
      yield* Effect.ensuring(
        body.run({ write: (chunk) => chunks.push(chunk) > 0, drained: Effect.void }),
        body.discard
      )
      bytes = Buffer.concat(chunks)
    }
    const text = decoder.decode(bytes)
    return { status, headers, text, json: parse(text) }
  })

export interface WatchEvent {
  readonly type: string
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly object: any
}

export interface Watch {
  readonly events: ReadonlyArray<WatchEvent>
  /** Waits until so many events have come. */
  readonly until: (count: number) => Effect.Effect<ReadonlyArray<WatchEvent>>
  readonly done: Effect.Effect<unknown>
}

/** Opens a watch and collects its events. */
export const watch = (
  url: string,
  options: CallOptions = {}
): Effect.Effect<Watch, never, ApiServer.ApiServer | Scope.Scope> =>
  Effect.gen(function*() {
    const api = yield* ApiServer.ApiServer
    const { body, status } = yield* api.handle(toRequest("GET", url, options))
    if (body instanceof Uint8Array) throw new Error(`no watch: ${status} ${decoder.decode(body)}`)
    const events: Array<WatchEvent> = []
    const sink: Sink = {
      write: (chunk) => {
        for (const line of decoder.decode(chunk).split("\n")) if (line !== "") events.push(JSON.parse(line))
        return true
      },
      drained: Effect.void
    }
    const fiber = yield* Effect.forkScoped(body.run(sink))
    return {
      events,
      until: (count) =>
        waiting.until(`${count} events`, Effect.sync(() => events.length >= count && events)).pipe(
          Effect.catchAllDefect((why) => Effect.dieMessage(`${String(why)}; events: ${JSON.stringify(events)}`))
        ),
      done: Fiber.join(fiber)
    }
  })

export const configMap = (name: string, data: Record<string, string> = {}, labels?: Record<string, string>) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...(labels === undefined ? {} : { labels }) },
  data
})

export const pod = (name: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, ...metadata },
  spec: { containers: [{ name: "c", image: "nginx:1" }], ...spec }
})

export const configMaps = "/api/v1/namespaces/default/configmaps"
export const pods = "/api/v1/namespaces/default/pods"
export const merge = "application/merge-patch+json"
export const strategic = "application/strategic-merge-patch+json"
export const jsonPatch = "application/json-patch+json"
export const table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
