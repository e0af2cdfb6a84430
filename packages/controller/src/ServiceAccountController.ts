/** Gives every active namespace the ServiceAccount `default`, which pods use unless they name another, and puts it back when it is deleted. */
import { Kinds } from "@reddwarf/api-types"
import { ApiClient, ClientError, Informer } from "@reddwarf/client"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ClusterInformers from "./ClusterInformers.js"
import * as Controller from "./Controller.js"
import { Outcome } from "./Reconciler.js"

/**
 * How often all namespaces are visited.
 *
 * @category models
 */
export interface Options {
  /** Time between visits of all namespaces: 30 seconds unless given. */
  readonly resync?: Duration.DurationInput
  /** Informers that are shared with other controllers; its own unless given. */
  readonly informers?: ClusterInformers.ClusterInformers | undefined
}

const accountName = "default"

/** Somebody else was quicker, or the namespace is on its way out. */
const isMoot = (error: ClientError.ClientError): boolean =>
  ClientError.isAlreadyExists(error) || ClientError.isNamespaceTerminating(error) || ClientError.isNotFound(error)

/**
 * Starts the controller, which then runs as long as the scope. Waits for its informers.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<void, never, ApiClient.ApiClient | Scope.Scope> {
  const client = yield* ApiClient.ApiClient
  const namespaces = options.informers?.namespaces ?? (yield* ClusterInformers.namespaces)
  const accounts = yield* Informer.make({ kind: Kinds.serviceAccount, fieldSelector: `metadata.name=${accountName}` })

  const reconcile = (name: string): Effect.Effect<Outcome, ClientError.ClientError> => {
    const namespace = namespaces.get(name)
    const active = namespace !== undefined && namespace.metadata.deletionTimestamp === undefined
    if (!active || accounts.get(`${name}/${accountName}`) !== undefined) return Effect.succeed(Outcome.Settled())
    return client.create(Kinds.serviceAccount, { metadata: { name: accountName, namespace: name } }).pipe(
      Effect.catchIf(isMoot, () => Effect.void),
      Effect.as(Outcome.Settled())
    )
  }

  yield* Controller.run({
    name: "service-account",
    resync: options.resync ?? "30 seconds",
    sources: [
      Controller.source(namespaces, (namespace) => [namespace.metadata.name ?? ""]),
      Controller.source(accounts, (account) => [account.metadata.namespace ?? ""])
    ],
    reconcile
  })
})
