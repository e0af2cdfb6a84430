/**
 * Empties a namespace that is being deleted, says in its conditions what is still there, and releases it when nothing is.
 */
import { type CoreV1, type Kind, Kinds } from "@reddwarf/api-types"
import { ApiClient, ClientError, Informer } from "@reddwarf/client"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Controller from "./Controller.js"
import * as content from "./internal/namespaceContent.js"
import { Outcome } from "./Reconciler.js"

/**
 * What a namespace may hold, and how often to look at one that is being deleted.
 *
 * @category models
 */
export interface Options {
  /** Kinds whose objects a namespace may hold: all built-in ones unless given. */
  readonly kinds?: ReadonlyArray<Kind.Kind>
  /** Time between looks at a namespace whose content is still going: 5 seconds unless given. */
  readonly recheck?: Duration.DurationInput
  /** Time between visits of all namespaces: 30 seconds unless given. */
  readonly resync?: Duration.DurationInput
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
  const namespaces = yield* Informer.make({ kind: Kinds.namespace })
  const kinds = (options.kinds ?? Kinds.all).filter((kind) =>
    kind.namespaced && kind.verbs.includes("deletecollection") && kind.verbs.includes("list")
  )

  /** Deletes all objects of a kind and gives those that take their time. */
  const empty = (namespace: string) => (kind: Kind.Kind) =>
    Effect.gen(function*() {
      const first = yield* client.list(kind, { namespace, limit: 1 })
      if (first.items.length === 0) return { kind, objects: [] }
      yield* client.deleteCollection(kind, { namespace }, { propagationPolicy: "Background" })
      const { items } = yield* client.list(kind, { namespace })
      return { kind, objects: items }
    })

  const finalize = (namespace: CoreV1.Namespace) => {
    const finalizers = (namespace.spec?.finalizers ?? []).filter((each) => each !== finalizer)
    return client.updateSubresource(Kinds.namespace, "finalize", { ...namespace, spec: { ...namespace.spec, finalizers } })
  }

  const report = (namespace: CoreV1.Namespace, remaining: ReadonlyArray<content.Remaining>) => {
    const before = namespace.status?.conditions ?? []
    const next = content.describe(before, remaining, clock.unsafeCurrentTimeMillis())
    return next === before
      ? Effect.succeed(namespace)
      : client.updateStatus(Kinds.namespace, { ...namespace, status: { ...namespace.status, conditions: next } })
  }

  const reconcile = Effect.fnUntraced(function*(name: string): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const namespace = namespaces.get(name)
    if (namespace?.metadata.deletionTimestamp === undefined || namespace.spec?.finalizers?.includes(finalizer) !== true) return Outcome.Settled()
    const results = yield* Effect.forEach(kinds, empty(name), { concurrency })
    const remaining = results.filter(({ objects }) => objects.length > 0)
    if (remaining.length > 0) {
      yield* report(namespace, remaining)
      return Outcome.RequeueAfter({ delay: options.recheck ?? "5 seconds" })
    }
    yield* finalize(namespace)
    return Outcome.Settled()
  })

  yield* Controller.run({
    name: "namespace",
    workers: 2,
    resync: options.resync ?? "30 seconds",
    isRoutine: (error: ClientError.ClientError) => ClientError.isConflict(error) || ClientError.isNotFound(error),
    sources: [Controller.source(namespaces, (namespace) => [namespace.metadata.name ?? ""])],
    reconcile
  })
})
