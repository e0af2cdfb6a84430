/**
 * Empties a namespace that is being deleted, says in its conditions what is still there or cannot be removed, and releases it when nothing
 * is left of any kind that the server serves, custom ones included.
 *
 * Pods go first: what protects or feeds them, such as network policies and secrets, stays as long as they run.
 */
import { type CoreV1, Kind, Kinds, type KubeObject } from "@reddwarf/api-types"
import { ApiClient, ClientError } from "@reddwarf/client"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as ClusterInformers from "./ClusterInformers.js"
import * as Controller from "./Controller.js"
import * as content from "./internal/namespaceContent.js"
import { isRoutine } from "./internal/routine.js"
import { Outcome } from "./Reconciler.js"

/**
 * What a namespace may hold, and how often to look at one that is being deleted.
 *
 * @category models
 */
export interface Options {
  /** The kinds served now, of which a namespace may hold objects: what the server's discovery says unless given. */
  readonly discover?: Effect.Effect<ReadonlyArray<Kind.Kind>, ClientError.ClientError>
  /** Time between looks at a namespace whose content is still going: 5 seconds unless given. */
  readonly recheck?: Duration.DurationInput
  /** Time between visits of all namespaces: 30 seconds unless given. */
  readonly resync?: Duration.DurationInput
  /** Informers that are shared with other controllers; its own unless given. */
  readonly informers?: ClusterInformers.ClusterInformers | undefined
}

/** The finalizer by which a namespace waits for this controller. */
const finalizer = "kubernetes"
const concurrency = 4

/**
 * Starts the controller, which then runs as long as the scope. Waits for its informer.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<void, never, ApiClient.ApiClient | Scope.Scope> {
  const client = yield* ApiClient.ApiClient
  const clock = yield* Effect.clock
  const namespaces = options.informers?.namespaces ?? (yield* ClusterInformers.namespaces)

  /** Kinds to empty, pods first. Of several versions of a resource one is enough. */
  const emptied = (kinds: ReadonlyArray<Kind.Kind>): ReadonlyArray<Kind.Kind> => {
    const resources = new Map<string, Kind.Kind>()
    for (const kind of kinds) {
      const resource = Kind.qualifiedResource(kind)
      if (kind.namespaced && kind.verbs.includes("list") && kind.verbs.includes("delete") && !resources.has(resource)) resources.set(resource, kind)
    }
    return [...resources.values()]
  }

  const deleteAll = (namespace: string, kind: Kind.Kind, objects: ReadonlyArray<KubeObject.KubeObject>) =>
    kind.verbs.includes("deletecollection")
      ? client.deleteCollection(kind, { namespace }, { propagationPolicy: "Background" })
      : Effect.forEach(objects, ({ metadata: { name = "" } }) =>
        Effect.catchIf(client.delete(kind, { namespace, name }, { propagationPolicy: "Background" }), ClientError.isNotFound, () => Effect.void), {
        concurrency,
        discard: true
      })

  /** Deletes all objects of a kind and gives those that take their time. */
  const empty = (namespace: string) => (kind: Kind.Kind): Effect.Effect<content.Emptied> =>
    Effect.gen(function*() {
      const first = yield* client.listMetadata(kind, { namespace, ...(kind.verbs.includes("deletecollection") ? { limit: 1 } : {}) })
      if (first.items.length === 0) return { kind, objects: [] }
      yield* deleteAll(namespace, kind, first.items)
      const { items } = yield* client.listMetadata(kind, { namespace })
      return { kind, objects: items }
    }).pipe(
      // A kind that was served a moment ago and is not any more has no objects.
      Effect.catchIf(ClientError.isNotFound, () => Effect.succeed({ kind, objects: [] })),
      // One kind that cannot be emptied must not save the others.
      Effect.catchAll((failure) => Effect.succeed({ kind, objects: [], failure: failure.message }))
    )

  const emptyAll = Effect.fnUntraced(function*(name: string): Effect.fn.Return<content.Progress> {
    const discovered = yield* Effect.either(options.discover ?? client.discover)
    if (Either.isLeft(discovered)) return { discovery: discovered.left.message, emptied: [] }
    const kinds = emptied(discovered.right)
    const isPod = (kind: Kind.Kind) => kind.group === "" && kind.plural === "pods"
    const pods = yield* Effect.forEach(kinds.filter(isPod), empty(name))
    if (pods.some(content.isLeft)) return { emptied: pods }
    const rest = yield* Effect.forEach(kinds.filter((kind) => !isPod(kind)), empty(name), { concurrency })
    return { emptied: [...pods, ...rest] }
  })

  const finalize = (namespace: CoreV1.Namespace) => {
    const finalizers = (namespace.spec?.finalizers ?? []).filter((each) => each !== finalizer)
    return client.updateSubresource(Kinds.namespace, "finalize", { ...namespace, spec: { ...namespace.spec, finalizers } })
  }

  const report = (namespace: CoreV1.Namespace, progress: content.Progress) => {
    const before = namespace.status?.conditions ?? []
    const next = content.describe(before, progress, clock.unsafeCurrentTimeMillis())
    return next === before
      ? Effect.succeed(namespace)
      : client.updateStatus(Kinds.namespace, { ...namespace, status: { ...namespace.status, conditions: next } })
  }

  const recheck = Duration.toMillis(options.recheck ?? "5 seconds")
  /** When namespaces that are not empty yet were last looked at: what is said of one is a change of it, and no reason to look again. */
  const lookedAt = new Map<string, { readonly uid: string | undefined; readonly millis: number }>()

  const reconcile = Effect.fnUntraced(function*(name: string): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const namespace = namespaces.get(name)
    if (namespace?.metadata.deletionTimestamp === undefined || namespace.spec?.finalizers?.includes(finalizer) !== true) {
      lookedAt.delete(name)
      return Outcome.Settled()
    }
    const last = lookedAt.get(name)
    const early = last?.uid === namespace.metadata.uid && last !== undefined ? last.millis + recheck - clock.unsafeCurrentTimeMillis() : 0
    if (early > 0) return Outcome.RequeueAfter({ delay: early })
    // The copy may be old, and the name another namespace's by now, whose content nobody wants to lose.
    const live = yield* client.get(Kinds.namespace, { name })
    if (live.metadata.uid !== namespace.metadata.uid || live.metadata.deletionTimestamp === undefined) return Outcome.Settled()
    const progress = yield* emptyAll(name)
    if (progress.discovery !== undefined || progress.emptied.some(content.isLeft)) {
      yield* report(live, progress)
      lookedAt.set(name, { uid: live.metadata.uid, millis: clock.unsafeCurrentTimeMillis() })
      return Outcome.RequeueAfter({ delay: recheck })
    }
    yield* finalize(live)
    return Outcome.Settled()
  })

  yield* Controller.run({
    name: "namespace",
    workers: 2,
    resync: options.resync ?? "30 seconds",
    isRoutine,
    sources: [Controller.source(namespaces, (namespace) => [namespace.metadata.name ?? ""])],
    reconcile
  })
})
