/**
 * The histories of objects. `objecthistories` (and `clusterobjecthistories` for objects outside of namespaces) are named
 * `RESOURCE.GROUP:NAME`; the same is found under `RESOURCE.GROUP/NAME`. Whoever may get an object may read its history.
 */
import { Kind, ObjectDiff, Status, Tables, Timestamp } from "@reddwarf/api-types"
import type { ObjectStore } from "@reddwarf/store"
import * as Effect from "effect/Effect"
import * as Request from "../ApiRequest.js"
import type { ApiRequest } from "../ApiRequest.js"
import type { ApiResponse } from "../ApiResponse.js"
import type { Attributes } from "../authorization/Authorizer.js"
import type { ApiContext, ResourceRequest } from "../internal/apiContext.js"
import * as failures from "../internal/failures.js"
import { forbiddenMessage } from "../internal/forbidden.js"
import * as historyKinds from "../internal/historyKinds.js"
import { keyOf, prefixOf } from "../internal/keys.js"
import * as render from "../internal/render.js"
import { negotiate } from "../Negotiation.js"
import type { RequestInfo } from "../RequestInfo.js"
import type { UserInfo } from "../authentication/UserInfo.js"

type Version = ObjectStore.HistoricVersion

const decoder = new TextDecoder()
const maxChanged = 20
const maxPage = 500

/** What a request is about: the kind of the objects, and perhaps one of them. */
interface Target {
  readonly kind: Kind.Kind | undefined
  readonly name: string | undefined
}

/** The preferred version of a resource, written `deployments.apps`. */
const kindNamed = (context: ApiContext, resource: string): Kind.Kind | undefined => {
  const dot = resource.indexOf(".")
  const plural = dot < 0 ? resource : resource.slice(0, dot)
  const group = dot < 0 ? "" : resource.slice(dot + 1)
  return context.registry.groups()
    .find((known) => known.group === group)?.versions
    .flatMap(({ kinds }) => kinds)
    .find((kind) => kind.plural === plural)
}

const selectedResource = (query: URLSearchParams): string | undefined =>
  /^object\.resource==?([a-z0-9.-]+)$/.exec(query.get("fieldSelector") ?? "")?.[1]

/** Undefined for a resource that there is not. */
const targetOf = (context: ApiContext, info: RequestInfo): Target | undefined => {
  const { name, namespace, query, resource } = info
  if (resource !== historyKinds.namespaced.plural && resource !== historyKinds.cluster.plural) {
    const kind = kindNamed(context, resource)
    return kind === undefined || kind.namespaced !== (namespace !== undefined) && name !== undefined ? undefined : { kind, name }
  }
  const isNamespaced = resource === historyKinds.namespaced.plural
  if (isNamespaced ? name !== undefined && namespace === undefined : namespace !== undefined) return undefined
  if (name === undefined) {
    const selected = selectedResource(query)
    const kind = selected === undefined ? undefined : kindNamed(context, selected)
    return selected !== undefined && kind === undefined ? undefined : { kind, name }
  }
  const colon = name.indexOf(":")
  const kind = colon < 0 ? undefined : kindNamed(context, name.slice(0, colon))
  return kind === undefined || kind.namespaced !== isNamespaced ? { kind: undefined, name } : { kind, name: name.slice(colon + 1) }
}

/** Reading the object itself. */
const readOf = (user: UserInfo, kind: Kind.Kind, namespace: string | undefined, name: string): Attributes => ({
  user,
  verb: "get",
  isResource: true,
  group: kind.group,
  version: kind.version,
  resource: kind.plural,
  subresource: undefined,
  namespace: kind.namespaced ? namespace : undefined,
  name,
  path: ""
})

const nameOf = (kind: Kind.Kind, name: string): string => `${Kind.qualifiedResource(kind)}:${name}`

const contentOf = (version: Version): unknown => JSON.parse(decoder.decode(version.bytes))

const described = ({ origin, revision, type }: Version) => ({
  revision: String(revision),
  operation: type,
  time: Timestamp.secondsFromMillis(origin.at),
  user: origin.user,
  verb: origin.verb,
  ...(origin.manager === undefined ? {} : { manager: origin.manager }),
  ...(origin.subresource === undefined ? {} : { subresource: origin.subresource })
})

/** Each version with its content and what it changed of the one before, unless that one was another object. */
const detailed = (versions: ReadonlyArray<Version>) => {
  let before: unknown
  return versions.map((version, i) => {
    const object = contentOf(version)
    const follows = i > 0 && versions[i - 1]?.createRevision === version.createRevision
    const changed = follows ? ObjectDiff.between(before, object).slice(0, maxChanged).map(({ path }) => path) : []
    before = object
    return { ...described(version), changed, object }
  })
}

const headOf = (
  historyKind: Kind.Kind,
  kind: Kind.Kind,
  namespace: string | undefined,
  name: string,
  versions: ReadonlyArray<Version>
) => ({
  kind: historyKind.kind,
  apiVersion: Kind.apiVersion(historyKind),
  metadata: {
    name: nameOf(kind, name),
    ...(namespace === undefined ? {} : { namespace }),
    resourceVersion: String(versions.at(-1)?.revision ?? 0),
    creationTimestamp: Timestamp.secondsFromMillis(versions[0]?.origin.at ?? 0)
  },
  object: {
    apiVersion: Kind.apiVersion(kind),
    kind: kind.kind,
    resource: Kind.qualifiedResource(kind),
    ...(namespace === undefined ? {} : { namespace }),
    name,
    exists: versions.at(-1)?.type !== "delete"
  }
})

type Head = ReturnType<typeof headOf>

const column = (name: string, type: string, description: string, priority = 0): Tables.ColumnDefinition => ({
  name,
  type,
  format: name === "Name" ? "name" : "",
  description,
  priority
})

const versionColumns = [
  column("Revision", "string", "Resource version of this version."),
  column("Verb", "string", "What was asked for."),
  column("User", "string", "Who asked for it."),
  column("Manager", "string", "The field manager."),
  column("Age", "string", "When."),
  column("Changed", "string", "The fields that it changed.")
]

const objectColumns = [
  column("Name", "string", "Resource and name of the object."),
  column("Versions", "integer", "How many versions are kept."),
  column("Last-Verb", "string", "How it was last changed."),
  column("Last-User", "string", "Who changed it last."),
  column("Age", "string", "When it was last changed."),
  column("Exists", "boolean", "False when it was deleted.")
]

const table = (
  call: ResourceRequest,
  metadata: object,
  columnDefinitions: ReadonlyArray<Tables.ColumnDefinition>,
  rows: ReadonlyArray<{ readonly cells: ReadonlyArray<unknown>; readonly head: Head }>
): ApiResponse => {
  const apiVersion = `meta.k8s.io/${call.accepted.metaVersion}`
  return render.other(call, 200, {
    kind: "Table",
    apiVersion,
    metadata,
    columnDefinitions,
    rows: rows.map(({ cells, head }) => ({ cells, object: { kind: "PartialObjectMetadata", apiVersion, metadata: head.metadata } }))
  })
}

const verbText = (verb: string, subresource: string | undefined): string => subresource === undefined ? verb : `${verb} ${subresource}`

const changesText = (changed: ReadonlyArray<string>): string =>
  changed.length === 0 ? "" : changed.length <= 3 ? changed.join(", ") : `${changed.slice(0, 3).join(", ")}, +${changed.length - 3} more`

const one = (call: ResourceRequest, kind: Kind.Kind, name: string): Effect.Effect<ApiResponse, Status.Status> => {
  const { context, info } = call
  const namespace = kind.namespaced ? info.namespace : undefined
  return Effect.mapError(context.store.history(keyOf(kind, namespace, name)), failures.ofStore).pipe(
    Effect.flatMap((versions) => {
      if (versions.length === 0) return Effect.fail(Status.notFound(call.kind, nameOf(kind, name)))
      const head = headOf(call.kind, kind, namespace, name, versions)
      const details = detailed(versions)
      if (call.accepted.shape !== "Table") return Effect.succeed(render.other(call, 200, { ...head, versions: details }))
      const now = context.now()
      return Effect.succeed(table(
        call,
        { resourceVersion: head.metadata.resourceVersion },
        versionColumns,
        details.map((version, i) => ({
          head,
          cells: [
            version.revision,
            verbText(version.verb, version.subresource),
            version.user,
            version.manager ?? "",
            Tables.humanDuration(Math.max(0, now - (versions[i]?.origin.at ?? now))),
            changesText(version.changed)
          ]
        }))
      ))
    })
  )
}

/** Where a list goes on: after this key of this resource. */
interface Position {
  readonly resource: string
  readonly key: string
}

const encodePosition = (position: Position): string => Buffer.from(JSON.stringify([position.resource, position.key])).toString("base64url")

const decodePosition = (token: string | null): Position | undefined | "invalid" => {
  if (token === null || token === "") return undefined
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"))
    if (!Array.isArray(parsed)) return "invalid"
    const [resource, key]: ReadonlyArray<unknown> = parsed
    return typeof resource === "string" && typeof key === "string" ? { resource, key } : "invalid"
  } catch {
    return "invalid"
  }
}

/** The kinds that a list is about, each once, in the order of their names. */
const kindsOf = (call: ResourceRequest, only: Kind.Kind | undefined): ReadonlyArray<Kind.Kind> => {
  if (only !== undefined) return [only]
  const isNamespaced = call.kind === historyKinds.namespaced
  const byName = new Map<string, Kind.Kind>()
  for (const { group, versions } of call.context.registry.groups()) {
    if (group === historyKinds.group) continue
    for (const kind of versions.flatMap(({ kinds }) => kinds)) {
      const name = Kind.qualifiedResource(kind)
      const listed = kind.storage === undefined && kind.namespaced === isNamespaced && kind.verbs.includes("get")
      if (listed && !byName.has(name)) byName.set(name, kind)
    }
  }
  return [...byName].sort(([a], [b]) => a < b ? -1 : 1).map(([, kind]) => kind)
}

const many = (call: ResourceRequest, only: Kind.Kind | undefined): Effect.Effect<ApiResponse, Status.Status> =>
  Effect.gen(function*() {
    const { context, info, user } = call
    const start = decodePosition(info.query.get("continue"))
    if (start === "invalid") return yield* Effect.fail(Status.badRequest("continue key is not valid"))
    const asked = Number(info.query.get("limit") ?? 0)
    const limit = Number.isInteger(asked) && asked > 0 ? Math.min(asked, maxPage) : maxPage
    const found: Array<{ readonly head: Head; readonly versions: ReadonlyArray<Version> }> = []
    let next: Position | undefined
    for (const kind of kindsOf(call, only)) {
      const resource = Kind.qualifiedResource(kind)
      if (next !== undefined || start !== undefined && resource < start.resource) continue
      const prefix = prefixOf(kind, info.namespace)
      let after = start?.resource === resource ? start.key : ""
      let keys: ReadonlyArray<string>
      do {
        keys = yield* context.store.historyKeys(prefix, after, maxPage)
        for (const key of keys) {
          if (found.length === limit) {
            next = { resource, key: after }
            break
          }
          after = key
          const path = key.slice(prefixOf(kind, undefined).length).split("/")
          const name = path.at(-1) ?? ""
          const namespace = kind.namespaced ? path[0] : undefined
          if (!context.authorizer.authorize(readOf(user, kind, namespace, name)).allowed) continue
          const versions = yield* context.store.history(key)
          if (versions.length > 0) found.push({ head: headOf(call.kind, kind, namespace, name, versions), versions })
        }
        // Others have their turn between two pages.
        yield* Effect.yieldNow()
      } while (next === undefined && keys.length === maxPage)
    }
    const metadata = {
      resourceVersion: String(context.cache.revision()),
      ...(next === undefined ? {} : { continue: encodePosition(next) })
    }
    if (call.accepted.shape !== "Table") {
      const items = found.map(({ head, versions }) => ({ ...head, versions: versions.map(described) }))
      return render.other(call, 200, { kind: call.kind.listKind, apiVersion: Kind.apiVersion(call.kind), metadata, items })
    }
    const now = context.now()
    return table(call, metadata, objectColumns, found.map(({ head, versions }) => {
      const last = versions.at(-1)?.origin
      const age = Tables.humanDuration(Math.max(0, now - (last?.at ?? now)))
      const verb = verbText(last?.verb ?? "", last?.subresource)
      return { head, cells: [head.metadata.name, versions.length, verb, last?.user ?? "", age, head.object.exists] }
    }))
  }).pipe(Effect.mapError((error) => "_tag" in error ? failures.ofStore(error) : error))

/** Answers a request below the group of histories; who may read what is decided here. */
export const respond = (
  context: ApiContext,
  request: ApiRequest,
  info: RequestInfo,
  user: UserInfo
): ApiResponse | Effect.Effect<ApiResponse, Status.Status> => {
  const target = info.version === historyKinds.namespaced.version ? targetOf(context, info) : undefined
  if (target === undefined || info.subresource !== undefined) return render.status(Status.resourceNotFound())
  if (info.verb !== "get" && info.verb !== "list") return render.status(Status.methodNotAllowed())
  const accepted = negotiate(Request.header(request, "accept"))
  if (accepted === undefined) return render.status(Status.notAcceptable())
  const isNamespaced = target.kind?.namespaced ?? info.resource === historyKinds.namespaced.plural
  const kind = isNamespaced ? historyKinds.namespaced : historyKinds.cluster
  const call: ResourceRequest = { context, request, user, info, kind, accepted, onSettled: () => {}, warn: () => {} }
  if (target.name === undefined) return many(call, target.kind)
  if (target.kind === undefined) {
    return render.status(Status.badRequest(
      `the name of a history is RESOURCE.GROUP:NAME, such as deployments.apps:web or configmaps:settings; ${JSON.stringify(target.name)} is none of this server's resources`
    ))
  }
  const read = readOf(user, target.kind, info.namespace, target.name)
  const decision = context.authorizer.authorize(read)
  if (!decision.allowed) return render.status(forbiddenMessage(read, decision.reason))
  return one(call, target.kind, target.name)
}
