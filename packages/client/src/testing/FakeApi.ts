/**
 * A small API server in memory for tests: a `Transport` that keeps objects by the rules of the real kinds.
 *
 * It decodes, defaults and validates by the kind registry; it counts resource versions, refuses stale writes, honours finalizers, grace
 * periods, propagation policies and preconditions, and serves lists in pages and watches with bookmarks and 410, all as metadata alone
 * too. It has aggregated discovery, the subresources `status`, `binding`, `finalize` and those with rules of their kind, and merge and
 * JSON patches. It knows no users, no tables, no strategic merge patch, no other subresource.
 */
import { KindRegistry, Kinds, type Kind, type KubeObject, ObjectCodec, Status } from "@reddwarf/api-types"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Mailbox from "effect/Mailbox"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as ApiClient from "../ApiClient.js"
import { decodeObject, parseJson } from "../internal/decode.js"
import { jsonPatch, mergePatch } from "../internal/fake/patches.js"
import * as discovery from "../internal/fake/discovery.js"
import * as metadataOnly from "../internal/fake/metadataOnly.js"
import * as reads from "../internal/fake/reads.js"
import * as routes from "../internal/fake/route.js"
import * as stores from "../internal/fake/store.js"
import * as writes from "../internal/fake/writes.js"
import type { ObjectRef } from "../ObjectRef.js"
import { type Request, type Response, type StreamResponse, Transport, TransportFailure } from "../Transport.js"

/**
 * What a fault does to a request: `response` answers instead of the server, `fail` breaks the connection before the server sees it,
 * `lose` lets the server act and breaks the connection before the answer.
 *
 * @category testing
 */
export type Fault =
  | { readonly type: "response"; readonly response: Response }
  | { readonly type: "fail" }
  | { readonly type: "lose" }

/**
 * What the fake server serves and how much it remembers.
 *
 * @category testing
 */
export interface Options {
  /** The kinds served: all built-in ones unless given. Must include Namespace. */
  readonly kinds?: ReadonlyArray<Kind.Kind>
  /** Changes kept for watches: 10,000 unless given. */
  readonly historyLimit?: number
  /** Events that a watcher may fall behind before the server ends its stream: 10,000 unless given. */
  readonly watcherCapacity?: number
}

/**
 * Control over the fake server, beside the API that it serves.
 *
 * @category testing
 */
export interface Service {
  readonly transport: Context.Tag.Service<Transport>
  /** The stored object, without a request. */
  readonly get: <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, ref: ObjectRef) => A | undefined
  /** The stored objects in the order of their keys, without a request. */
  readonly list: <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, namespace?: string) => ReadonlyArray<A>
  /** The current revision. */
  readonly revision: () => number
  /** The last 10,000 requests, oldest first. */
  readonly requests: () => ReadonlyArray<Request>
  /** Asks `decide` about every request from now on, before it is served; undefined lets it pass. */
  readonly injectFaults: (decide: (request: Request) => Fault | undefined) => void
  /** Breaks the connection of every open watch. */
  readonly disconnectWatches: Effect.Effect<void>
  /** Ends every open watch as the server does when its time is up. */
  readonly endWatches: Effect.Effect<void>
  /** Forgets all changes so far: older resource versions and continue tokens give 410. */
  readonly compact: Effect.Effect<void>
  /** Number of open watches. */
  readonly watchers: () => number
}

/**
 * The fake server of a test.
 *
 * @category testing
 */
export class FakeApi extends Context.Tag("@reddwarf/client/FakeApi")<FakeApi, Service>() {}

const maxJournal = 10_000
const server = "the fake API"
const initialNamespaces = ["default", "kube-node-lease", "kube-public", "kube-system"]

const jsonResponse = (status: number, body: unknown): Response => ({
  status,
  headers: { "content-type": "application/json" },
  body: Buffer.from(`${JSON.stringify(body)}\n`)
})

const parsed = (body: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(body))

const reducedLine = (line: Uint8Array): Uint8Array => Buffer.from(`${JSON.stringify(metadataOnly.reduce(parsed(line)))}\n`)

const statusResponse = (status: Status.Status): Response => jsonResponse(status.code ?? 500, status)

const notFoundPage: Response = {
  status: 404,
  headers: { "content-type": "text/plain; charset=utf-8" },
  body: Buffer.from("404 page not found\n")
}

const closed = (request: Request, detail: string) =>
  new TransportFailure({ method: request.method, path: request.path, server, reason: "Closed", detail })

/**
 * Starts an empty server with the namespaces that every cluster has.
 *
 * @category testing
 */
export const make = Effect.fnUntraced(function*(options: Options = {}): Effect.fn.Return<Service> {
  const clock = yield* Effect.clock
  const registry = KindRegistry.make(options.kinds ?? Kinds.all)
  const store = stores.make(options.historyLimit ?? 10_000)
  const watchers = new Set<Mailbox.Mailbox<Uint8Array, TransportFailure>>()
  let journal: Array<Request> = []
  let decide: (request: Request) => Fault | undefined = () => undefined
  let seed = 1
  const namespaceKind = registry.byKind("", "v1", "Namespace") ?? Kinds.namespace
  const context: writes.Context = {
    store,
    namespaceKind,
    now: () => clock.unsafeCurrentTimeMillis(),
    // A fixed sequence, so that generated names are the same in every run.
    random: () => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed / 2_147_483_647
    }
  }
  for (const name of initialNamespaces) {
    writes.create(context, namespaceKind, undefined, { apiVersion: "v1", kind: "Namespace", metadata: { name } })
  }

  const bodyOf = (request: Request): Either.Either<unknown, Status.Status> => {
    const text = request.body === undefined ? "" : typeof request.body === "string" ? request.body : new TextDecoder().decode(request.body)
    return text === "" ? Either.right(undefined) : Either.mapLeft(parseJson(request, text), (error) => Status.badRequest(error.message))
  }

  const objectOf = (kind: Kind.Kind, json: unknown): Either.Either<KubeObject.KubeObject, Status.Status> =>
    Either.map(ObjectCodec.decode(kind, json), ({ object }) => object)

  const written = (code: number, result: writes.Result): Response =>
    Either.match(result, { onLeft: statusResponse, onRight: ({ object }) => jsonResponse(code, object) })

  const patched = (kind: Kind.Kind, old: KubeObject.KubeObject, request: Request, part: writes.Part): writes.Result =>
    Either.gen(function*() {
      const patch = yield* bodyOf(request)
      const type = request.headers?.["content-type"]
      const operations: ReadonlyArray<unknown> | undefined = Array.isArray(patch) ? patch : undefined
      if (type === "application/json-patch+json" && operations !== undefined) {
        const json = yield* Either.mapLeft(jsonPatch(old, operations), () => Status.unprocessable())
        return yield* writes.update(context, kind, old, yield* objectOf(kind, json), part)
      }
      if (type !== "application/merge-patch+json") return yield* Either.left(Status.unsupportedMediaType())
      return yield* writes.update(context, kind, old, yield* objectOf(kind, mergePatch(old, patch)), part)
    })

  const removed = (kind: Kind.Kind, object: KubeObject.KubeObject, result: writes.Result): Response =>
    Either.match(result, {
      onLeft: statusResponse,
      onRight: (written) =>
        written.removed && kind.deletionGrace === undefined
          ? jsonResponse(200, Status.success({ name: object.metadata.name ?? "", kind: kind.plural, uid: object.metadata.uid ?? "" }))
          : jsonResponse(200, written.object)
    })

  const onCollection = (route: routes.Route, request: Request): Response => {
    const { kind, namespace } = route
    const answer = (body: Either.Either<unknown, Status.Status>) =>
      Either.match(body, { onLeft: statusResponse, onRight: (json) => jsonResponse(200, json) })
    switch (request.method) {
      case "GET":
        return answer(reads.list(store, route))
      case "POST":
        return written(201, Either.flatMap(Either.flatMap(bodyOf(request), (json) => objectOf(kind, json)), (object) =>
          writes.create(context, kind, namespace, object)))
      case "DELETE":
        return answer(Either.gen(function*() {
          const matches = yield* reads.selection(route)
          const deleteOptions = yield* bodyOf(request)
          const listed = yield* reads.list(store, route)
          for (const object of store.list(kind, namespace).filter(matches)) yield* writes.remove(context, kind, object, deleteOptions)
          return listed
        }))
      default:
        return statusResponse(Status.methodNotAllowed())
    }
  }

  const onObject = (route: routes.Route, name: string, request: Request): Response => {
    const { kind, namespace, subresource } = route
    const found = store.get(kind, { namespace, name })
    const part: writes.Part | undefined = subresource === undefined
      ? "object"
      : subresource === "status" || subresource === "finalize"
      ? subresource
      : kind.subresourceUpdates?.[subresource]
    const served = subresource === undefined || kind.subresources.some((each) => each.name === subresource)
    if (!served || (part === undefined && subresource !== "binding")) return statusResponse(Status.resourceNotFound())
    if (found === undefined) {
      return request.method === "PUT" && kind.allowCreateOnUpdate && part === "object"
        ? written(201, Either.flatMap(Either.flatMap(bodyOf(request), (json) => objectOf(kind, json)), (object) =>
          writes.create(context, kind, namespace, object)))
        : statusResponse(Status.notFound(Status.resourceOf(kind), name))
    }
    if (part === undefined) {
      return request.method === "POST"
        ? Either.match(Either.flatMap(bodyOf(request), (body) => writes.bind(context, kind, found, body)), {
          onLeft: statusResponse,
          onRight: () => jsonResponse(201, Status.success(undefined, 201))
        })
        : statusResponse(Status.methodNotAllowed())
    }
    switch (request.method) {
      case "GET":
        return jsonResponse(200, found)
      case "PUT":
        return written(200, Either.flatMap(Either.flatMap(bodyOf(request), (json) => objectOf(kind, json)), (object) =>
          writes.update(context, kind, found, object, part)))
      case "PATCH":
        return written(200, patched(kind, found, request, part))
      case "DELETE":
        return part === "object"
          ? removed(kind, found, Either.flatMap(bodyOf(request), (body) => writes.remove(context, kind, found, body)))
          : statusResponse(Status.methodNotAllowed())
      default:
        return statusResponse(Status.methodNotAllowed())
    }
  }

  const serve = (request: Request): Response => {
    const found = discovery.document(registry, request.path)
    if (found !== undefined) return jsonResponse(200, found)
    const response = serveObjects(request)
    return metadataOnly.isAsked(request) && response.status < 300 ? jsonResponse(response.status, metadataOnly.reduce(parsed(response.body))) : response
  }

  const serveObjects = (request: Request): Response => {
    const route = routes.parse(registry, request.path)
    if (route === undefined) return notFoundPage
    if (route.name !== undefined) return onObject(route, route.name, request)
    if (route.kind.namespaced && route.namespace === undefined && request.method !== "GET") return statusResponse(Status.methodNotAllowed())
    return onCollection(route, request)
  }

  const isWatch = (request: Request): boolean => /[?&]watch=(true|1)(&|$)/.test(request.path)

  const record = (request: Request): Fault | undefined => {
    journal.push(request)
    if (journal.length > 2 * maxJournal) journal = journal.slice(-maxJournal)
    return decide(request)
  }

  const request = (request: Request): Effect.Effect<Response, TransportFailure> =>
    Effect.suspend(() => {
      const fault = record(request)
      if (fault?.type === "response") return Effect.succeed(fault.response)
      if (fault?.type === "fail") return Effect.fail(closed(request, "connection refused by the test"))
      const response = isWatch(request) ? statusResponse(Status.badRequest("a watch must be opened as a stream")) : serve(request)
      return fault?.type === "lose" ? Effect.fail(closed(request, "the answer was lost by the test")) : Effect.succeed(response)
    })

  const watch = Effect.fnUntraced(function*(
    route: routes.Route,
    matches: reads.Matches,
    asMetadata: boolean
  ): Effect.fn.Return<StreamResponse, never, Scope.Scope> {
    const { kind, namespace, query } = route
    const mailbox = yield* Mailbox.make<Uint8Array, TransportFailure>(options.watcherCapacity ?? 10_000)
    const offer = (bytes: Uint8Array | undefined): void => {
      if (bytes === undefined || mailbox.unsafeOffer(asMetadata ? reducedLine(bytes) : bytes)) return
      watchers.delete(mailbox)
      mailbox.unsafeDone(Exit.void)
    }
    const from = query.get("resourceVersion") ?? ""
    if (from === "" || from === "0") {
      for (const object of store.list(kind, namespace).filter(matches)) offer(reads.added(object))
    } else if (Number(from) < store.compactedRevision()) {
      offer(reads.error(Status.tooOldResourceVersion(from, store.compactedRevision())))
      yield* mailbox.end
    } else {
      for (const change of store.since(Number(from))) offer(reads.eventFor(kind, matches, change))
    }
    watchers.add(mailbox)
    const unsubscribe = store.subscribe((change) => offer(reads.eventFor(kind, matches, change)))
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        unsubscribe()
        watchers.delete(mailbox)
      })
    )
    const bookmark = Effect.sync(() => query.get("allowWatchBookmarks") === "true" ? offer(reads.bookmark(kind, store.revision())) : undefined)
    const seconds = Number(query.get("timeoutSeconds") ?? 1800)
    yield* Effect.forkScoped(Effect.forever(Effect.delay(bookmark, "1 minute")))
    yield* Effect.forkScoped(Effect.delay(Effect.zipRight(bookmark, mailbox.end), seconds * 1000))
    return { status: 200, headers: { "content-type": "application/json" }, body: Mailbox.toStream(mailbox) }
  })

  const streamed = (response: Response): StreamResponse => ({ ...response, body: Stream.make(response.body) })

  const open = (request: Request): Effect.Effect<StreamResponse, TransportFailure, Scope.Scope> =>
    Effect.suspend(() => {
      const fault = record(request)
      if (fault?.type === "response") return Effect.succeed(streamed(fault.response))
      if (fault !== undefined) return Effect.fail(closed(request, "connection refused by the test"))
      const route = routes.parse(registry, request.path)
      if (route === undefined || !isWatch(request)) return Effect.succeed(streamed(serve(request)))
      return Either.match(reads.selection(route), {
        onLeft: (status) => Effect.succeed(streamed(statusResponse(status))),
        onRight: (matches) => watch(route, matches, metadataOnly.isAsked(request))
      })
    })

  const all = <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, objects: ReadonlyArray<KubeObject.KubeObject>): ReadonlyArray<A> =>
    objects.flatMap((object) => Either.match(decodeObject(kind, object), { onLeft: () => [], onRight: (typed) => [typed] }))

  const stored = (kind: Pick<Kind.Kind, "group" | "version" | "kind">) => registry.byKind(kind.group, kind.version, kind.kind)

  return {
    transport: { request, open },
    get: (kind, ref) => {
      const served = stored(kind)
      const object = served === undefined ? undefined : store.get(served, ref)
      return object === undefined ? undefined : all(kind, [object])[0]
    },
    list: (kind, namespace) => {
      const served = stored(kind)
      return served === undefined ? [] : all(kind, store.list(served, namespace))
    },
    revision: store.revision,
    requests: () => journal.slice(-maxJournal),
    injectFaults: (next) => {
      decide = next
    },
    disconnectWatches: Effect.suspend(() =>
      Effect.forEach([...watchers], (mailbox) =>
        mailbox.fail(closed({ method: "GET", path: "watch" }, "connection closed by the test")), { discard: true })
    ),
    endWatches: Effect.suspend(() => Effect.forEach([...watchers], (mailbox) => mailbox.end, { discard: true })),
    compact: Effect.sync(store.compact),
    watchers: () => watchers.size
  }
})

/**
 * A fresh server with a client for it.
 *
 * @category testing
 */
export const layer = (options: Options = {}): Layer.Layer<FakeApi | Transport | ApiClient.ApiClient> =>
  ApiClient.layer.pipe(
    Layer.provideMerge(Layer.effect(Transport, Effect.map(FakeApi, (api) => api.transport))),
    Layer.provideMerge(Layer.effect(FakeApi, make(options)))
  )
