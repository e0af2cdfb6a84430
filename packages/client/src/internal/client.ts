/** The operations of ApiClient over a Transport. */
import { type ApiError, Kind, Kinds, type KubeObject } from "@reddwarf/api-types"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import type { DeleteOptions, Draft, ListOptions, Page, PatchOptions, Service, StoredReads, WatchOptions } from "../ApiClient.js"
import { type ClientError, DecodeFailure } from "../ClientError.js"
import type { ObjectRef } from "../ObjectRef.js"
import { type Request, type Response, type StoredAnswer, Transport, TransportFailure } from "../Transport.js"
import * as Watch from "../Watch.js"
import { decodeItem, decodeObject, describe, isRecord, parseJson, responseError } from "./decode.js"
import * as discovery from "./discovery.js"
import * as metadata from "./metadata.js"
import * as paths from "./paths.js"

const maxAttempts = 10
const maxErrorBytes = 64 * 1024
const longestRetryAfterSeconds = 60
/** How long a server may overrun the time limit of a watch before the client takes the connection for dead. */
const watchGraceSeconds = 30

const patchTypes = {
  merge: "application/merge-patch+json",
  json: "application/json-patch+json",
  strategic: "application/strategic-merge-patch+json"
} as const

/** Seconds after which the server wants the request again; undefined if repeating is not asked for. */
const retryAfter = (response: Response): number | undefined => {
  if (response.status !== 429 && response.status < 500) return undefined
  const seconds = Number.parseInt(response.headers["retry-after"] ?? "", 10)
  return Number.isNaN(seconds) || seconds < 0 ? undefined : Math.min(seconds, longestRetryAfterSeconds)
}

const decodeFailure = (request: Request, detail: string) => new DecodeFailure({ method: request.method, path: request.path, detail })

export const make: Effect.Effect<Service, never, Transport> = Effect.gen(function*() {
  const transport = yield* Transport

  const answer = (request: Request, attempt = 1): Effect.Effect<Response, ApiError.ApiError | TransportFailure> =>
    Effect.flatMap(transport.request(request), (response) => {
      if (response.status >= 200 && response.status < 300) return Effect.succeed(response)
      const seconds = retryAfter(response)
      return seconds === undefined || attempt >= maxAttempts
        ? Effect.fail(responseError(response))
        : Effect.delay(Effect.suspend(() => answer(request, attempt + 1)), Duration.seconds(seconds))
    })

  const read = (path: string, accept: string): Effect.Effect<unknown, ClientError> => {
    const request: Request = { method: "GET", path, headers: { accept } }
    return Effect.flatMap(answer(request), (response) => parseJson(request, new TextDecoder().decode(response.body)))
  }

  const send = (method: string, path: string, body?: unknown, contentType = "application/json"): Effect.Effect<unknown, ClientError> => {
    const request: Request = body === undefined
      ? { method, path, headers: { accept: "application/json" } }
      : { method, path, headers: { accept: "application/json", "content-type": contentType }, body: JSON.stringify(body) }
    return Effect.flatMap(answer(request), (response) => parseJson(request, new TextDecoder().decode(response.body)))
  }

  const sendFor = <A extends KubeObject.KubeObject>(
    kind: Kind.Kind<A>,
    method: string,
    path: string,
    body?: unknown,
    contentType?: string
  ): Effect.Effect<A, ClientError> =>
    Effect.flatMap(send(method, path, body, contentType), (json) =>
      Either.mapLeft(decodeObject(kind, json), (detail) => decodeFailure({ method, path }, detail)))

  const complete = <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, object: Draft<A>) => ({
    ...object,
    apiVersion: Kind.apiVersion(kind),
    kind: kind.kind
  })

  const refOf = <A extends KubeObject.KubeObject>(object: Draft<A>): ObjectRef => {
    const { name, namespace } = object.metadata
    return { namespace, name: name ?? "" }
  }

  const list = <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, options: ListOptions = {}): Effect.Effect<Page<A>, ClientError> => {
    const { namespace, ...parameters } = options
    const path = paths.collection(kind, namespace) + paths.query({ ...parameters })
    return Effect.flatMap(send("GET", path), (json) => decodeList(kind, kind.listKind, decodeItem, path, json))
  }

  const listMetadata = (kind: Kind.Kind, options: ListOptions = {}): Effect.Effect<Page<KubeObject.KubeObject>, ClientError> => {
    const { namespace, ...parameters } = options
    const path = paths.collection(kind, namespace) + paths.query({ ...parameters })
    return Effect.flatMap(read(path, metadata.accept("PartialObjectMetadataList")), (json) =>
      decodeList(kind, "PartialObjectMetadataList", metadata.decode, path, json))
  }

  const getMetadata = (kind: Kind.Kind, ref: ObjectRef): Effect.Effect<KubeObject.KubeObject, ClientError> => {
    const path = paths.object(kind, ref)
    return Effect.flatMap(read(path, metadata.accept("PartialObjectMetadata")), (json) =>
      Either.mapLeft(metadata.decode(kind, json), (detail) => decodeFailure({ method: "GET", path }, detail)))
  }

  const discover = Effect.map(
    Effect.forEach(discovery.roots, (path) =>
      Effect.flatMap(read(path, discovery.accept), (json) =>
        Either.mapLeft(discovery.decode(json), (detail) => decodeFailure({ method: "GET", path }, detail)))),
    (documents) => documents.flat()
  )

  const deleteBody = (options: DeleteOptions) =>
    Object.keys(options).length === 0 ? undefined : { apiVersion: "v1", kind: "DeleteOptions", ...options }

  const watchAs = <A extends KubeObject.KubeObject>(
    kind: Kind.Kind<A>,
    options: WatchOptions,
    accept: string,
    decode: Watch.ObjectDecoder<A>
  ): Stream.Stream<Watch.WatchEvent<A>, ClientError> => {
    const { allowBookmarks, namespace, ...parameters } = options
    const path = paths.collection(kind, namespace) +
      paths.query({ watch: true, allowWatchBookmarks: allowBookmarks, ...parameters })
    const events = Stream.unwrapScoped(Effect.flatMap(
      transport.open({ method: "GET", path, headers: { accept } }),
      (response): Effect.Effect<Stream.Stream<Watch.WatchEvent<A>, ClientError>, ClientError> =>
        response.status === 200
          ? Effect.succeed(Watch.decodeWith(decode, kind, path, response.body))
          : Effect.flatMap(readBounded(response.body), (body) => Effect.fail(responseError({ status: response.status, body })))
    ))
    return options.timeoutSeconds === undefined
      ? events
      : Stream.interruptWhen(events, silenceAfter(path, options.timeoutSeconds + watchGraceSeconds))
  }

  return {
    get: (kind, ref) => sendFor(kind, "GET", paths.object(kind, ref)),
    list,
    create: (kind, object) => sendFor(kind, "POST", paths.collection(kind, object.metadata.namespace), complete(kind, object)),
    update: (kind, object) => sendFor(kind, "PUT", paths.object(kind, refOf(object)), complete(kind, object)),
    updateStatus: (kind, object) => sendFor(kind, "PUT", paths.object(kind, refOf(object), "status"), complete(kind, object)),
    updateSubresource: (kind, subresource, object) =>
      sendFor(kind, "PUT", paths.object(kind, refOf(object), subresource), complete(kind, object)),
    patch: (kind, ref, patch, options: PatchOptions = {}) =>
      sendFor(kind, "PATCH", paths.object(kind, ref, options.subresource), patch, patchTypes[options.type ?? "merge"]),
    delete: (kind, ref, options = {}) => Effect.asVoid(send("DELETE", paths.object(kind, ref), deleteBody(options))),
    deleteCollection: (kind, { namespace, ...selectors }, options = {}) =>
      Effect.asVoid(send("DELETE", paths.collection(kind, namespace) + paths.query(selectors), deleteBody(options))),
    bind: (pod, node) =>
      Effect.asVoid(send("POST", paths.object(Kinds.pod, pod, "binding"), {
        apiVersion: "v1",
        kind: "Binding",
        metadata: { name: pod.name, namespace: pod.namespace },
        target: { apiVersion: "v1", kind: "Node", name: node }
      })),
    createSubresource: (kind, ref, subresource, body) => send("POST", paths.object(kind, ref, subresource), body),
    getSubresource: (kind, ref, subresource) => send("GET", paths.object(kind, ref, subresource)),
    putSubresource: (kind, ref, subresource, body) => send("PUT", paths.object(kind, ref, subresource), body),
    watch: (kind, options) => watchAs(kind, options, "application/json", decodeObject),
    discover,
    getMetadata,
    listMetadata,
    watchMetadata: (kind, options) => watchAs(kind, options, metadata.accept("PartialObjectMetadata"), metadata.decode),
    ...(transport.stored === undefined ? {} : { stored: storedReads(transport.stored) })
  }
})

/** Reads of a server in this process. */
const storedReads = (ask: NonNullable<Context.Tag.Service<Transport>["stored"]>): StoredReads => {
  const unexpected = (request: Request, answer: StoredAnswer) =>
    answer._tag === "Other" && (answer.response.status < 200 || answer.response.status >= 300)
      ? responseError(answer.response)
      : decodeFailure(request, `the answer is of another kind: ${answer._tag}`)
  return {
    list: (kind, { namespace, ...parameters }) => {
      const request = { method: "GET", path: paths.collection(kind, namespace) + paths.query({ ...parameters }) }
      return Effect.flatMap(ask(request), (answer) => answer._tag === "List" ? Effect.succeed(answer) : Effect.fail(unexpected(request, answer)))
    },
    watch: (kind, { namespace, ...parameters }, emit) => {
      const request = { method: "GET", path: paths.collection(kind, namespace) + paths.query({ watch: true, ...parameters }) }
      return Effect.flatMap(ask(request), (answer): Effect.Effect<void, ClientError> =>
        answer._tag === "Watch" ? answer.run(emit) : Effect.fail(unexpected(request, answer)))
    }
  }
}

const decodeList = <A extends KubeObject.KubeObject>(
  kind: Kind.Kind<A>,
  listKind: string,
  decode: Watch.ObjectDecoder<A>,
  path: string,
  json: unknown
): Either.Either<Page<A>, DecodeFailure> => {
  const request = { method: "GET", path }
  if (!isRecord(json) || json["kind"] !== listKind || !isRecord(json["metadata"])) {
    return Either.left(decodeFailure(request, `expected a ${listKind}, found ${describe(json)}`))
  }
  const entries: ReadonlyArray<unknown> = Array.isArray(json["items"]) ? json["items"] : []
  const items: Array<A> = []
  for (const [index, entry] of entries.entries()) {
    const item = decode(kind, entry)
    if (Either.isLeft(item)) return Either.left(decodeFailure(request, `items[${index}]: ${item.left}`))
    items.push(item.right)
  }
  const { continue: next, resourceVersion } = json["metadata"]
  return Either.right({
    items,
    resourceVersion: typeof resourceVersion === "string" ? resourceVersion : "",
    ...(typeof next === "string" && next !== "" ? { continue: next } : {})
  })
}

/** The first bytes of an error answer: enough for any Status. */
const readBounded = (body: Stream.Stream<Uint8Array, TransportFailure>): Effect.Effect<Uint8Array, TransportFailure> =>
  Stream.runFoldWhile(body, Buffer.alloc(0), (read) => read.length < maxErrorBytes, (read, chunk) => Buffer.concat([read, chunk]))

const silenceAfter = (path: string, seconds: number): Effect.Effect<never, TransportFailure> =>
  Effect.delay(
    Effect.fail(new TransportFailure({
      method: "GET",
      path,
      server: "the API server",
      reason: "Timeout",
      detail: `the watch did not end ${seconds} s after it began, though a shorter limit was asked for`
    })),
    Duration.seconds(seconds)
  )
