/** The former versions of an object, and how to bring one of them back. */
import { Kind, type KubeObject } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ApiClient } from "./ApiClient.js"
import * as ClientError from "./ClientError.js"

/**
 * One version. `object` is the whole object as it was.
 *
 * @category schemas
 */
export const Version = Schema.Struct({
  revision: Schema.String,
  /** `create`, `update` or `delete`. */
  operation: Schema.String,
  time: Schema.String,
  user: Schema.String,
  verb: Schema.String,
  manager: Schema.optional(Schema.String),
  subresource: Schema.optional(Schema.String),
  /** Paths of the fields that it changed; may be cut off. */
  changed: Schema.optionalWith(Schema.Array(Schema.String), { default: () => [] }),
  object: Schema.Record({ key: Schema.String, value: Schema.Unknown })
})

/** One version. @category models */
export type Version = typeof Version.Type

const History = Schema.Struct({
  object: Schema.Struct({ exists: Schema.Boolean }),
  versions: Schema.Array(Version)
})

/**
 * The history of one object, oldest version first.
 *
 * @category models
 */
export interface ObjectHistory {
  readonly kind: Kind.Kind
  readonly namespace: string | undefined
  readonly name: string
  /** False when the object was deleted. */
  readonly exists: boolean
  readonly versions: ReadonlyArray<Version>
}

/**
 * There is no such resource or version, or the server keeps no histories.
 *
 * @category errors
 */
export class HistoryUnavailable extends Schema.TaggedError<HistoryUnavailable>()("HistoryUnavailable", { detail: Schema.String }) {
  override get message(): string {
    return this.detail
  }
}

const unavailable = (detail: string) => new HistoryUnavailable({ detail })

const decode = Schema.decodeUnknown(History)

/** Whether a user means this kind by `deployments`, `deployment`, `deploy` or `deployments.apps`. */
const isMeant = (kind: Kind.Kind, word: string): boolean => {
  const dot = word.indexOf(".")
  const name = (dot < 0 ? word : word.slice(0, dot)).toLowerCase()
  if (dot >= 0 && word.slice(dot + 1) !== kind.group) return false
  return kind.plural === name || kind.singular === name || kind.kind.toLowerCase() === name || kind.shortNames.includes(name)
}

const historyKind = (kinds: ReadonlyArray<Kind.Kind>, namespaced: boolean) =>
  kinds.find((kind) => kind.group === "history.reddwarf.io" && kind.namespaced === namespaced)

/**
 * Reads the history of an object. `resource` is what `kubectl get` takes.
 *
 * @category constructors
 */
export const read = (
  resource: string,
  name: string,
  namespace: string
): Effect.Effect<ObjectHistory, ClientError.ClientError | HistoryUnavailable, ApiClient> =>
  Effect.gen(function*() {
    const client = yield* ApiClient
    const kinds = yield* client.discover
    const kind = kinds.find((known) => isMeant(known, resource))
    if (kind === undefined) return yield* unavailable(`the server has no resource ${JSON.stringify(resource)}: see kubectl api-resources`)
    const histories = historyKind(kinds, kind.namespaced)
    if (histories === undefined) return yield* unavailable("the server keeps no histories of objects")
    const at = kind.namespaced ? namespace : undefined
    const found = yield* client.get(histories, {
      name: `${Kind.qualifiedResource(kind)}:${name}`,
      ...(at === undefined ? {} : { namespace: at })
    })
    const { object, versions } = yield* Effect.mapError(
      decode(found),
      (cause) => unavailable(`the server's answer is not a history: ${cause.message}`)
    )
    return { kind, namespace: at, name, exists: object.exists, versions }
  })

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** What the server gave an object, which its successor gets anew. */
const serverFields = new Set([
  "creationTimestamp",
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "selfLink",
  "uid"
])

const contentOf = (version: Version): { readonly metadata: Record<string, unknown>; readonly rest: Record<string, unknown> } => {
  const { metadata, status: _, ...rest } = version.object
  return {
    metadata: Object.fromEntries(Object.entries(isRecord(metadata) ? metadata : {}).filter(([name]) => !serverFields.has(name))),
    rest
  }
}

/** The kind in the version of its group that the object was stored in. */
const kindOf = (kind: Kind.Kind, { object: { apiVersion } }: Version): Kind.Kind =>
  typeof apiVersion === "string" ? { ...kind, version: apiVersion.slice(apiVersion.indexOf("/") + 1) } : kind

/**
 * Makes the object again what it was in a version: an ordinary update, or a create when it was deleted, with all that the server
 * checks then. A status is not restored. An object that is created again has no owners: those it had are not the ones that are there now.
 *
 * @category combinators
 */
export const restore = (
  history: ObjectHistory,
  revision: string
): Effect.Effect<KubeObject.KubeObject, ClientError.ClientError | HistoryUnavailable, ApiClient> =>
  Effect.gen(function*() {
    const client = yield* ApiClient
    const { name, namespace } = history
    const version = history.versions.find((known) => known.revision === revision)
    if (version === undefined) {
      const known = history.versions.map((one) => one.revision).join(", ")
      return yield* unavailable(`${Kind.qualifiedResource(history.kind)} ${name} has no version ${revision}: there are ${known}`)
    }
    const kind = kindOf(history.kind, version)
    const { metadata, rest } = contentOf(version)
    const ref = { name, ...(namespace === undefined ? {} : { namespace }) }
    const current = yield* client.get(kind, ref).pipe(
      Effect.map((object): KubeObject.KubeObject | undefined => object),
      Effect.catchIf(ClientError.isNotFound, () => Effect.succeed(undefined))
    )
    if (current === undefined) {
      const { finalizers: _, ownerReferences: __, ...kept } = metadata
      return yield* client.create(kind, { ...rest, metadata: { ...kept, ...ref } })
    }
    const { resourceVersion, uid } = current.metadata
    // What keeps the object alive now, and who owns it, is not a matter of what it was.
    const { finalizers, ownerReferences } = current.metadata
    return yield* client.update(kind, {
      ...rest,
      metadata: {
        ...metadata,
        ...ref,
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
        ...(uid === undefined ? {} : { uid }),
        finalizers: finalizers ?? [],
        ownerReferences: ownerReferences ?? []
      }
    })
  })
