/**
 * Gives every active namespace the ConfigMap `kube-root-ca.crt`, with the certificate authority by which pods know the API server, and puts
 * it back when it is deleted or changed.
 */
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, ClientError, Informer } from "@reddwarf/client"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ClusterInformers from "./ClusterInformers.js"
import * as Controller from "./Controller.js"
import { Outcome } from "./Reconciler.js"

/**
 * The authority, and how often all namespaces are visited.
 *
 * @category models
 */
export interface Options {
  /** Certificates of the authority, as PEM. */
  readonly authority: string
  /** Time between visits of all namespaces: 30 seconds unless given. */
  readonly resync?: Duration.DurationInput
  /** Informers that are shared with other controllers; its own unless given. */
  readonly informers?: ClusterInformers.ClusterInformers | undefined
}

/**
 * Name of the ConfigMap.
 *
 * @category models
 */
export const configMapName = "kube-root-ca.crt"

const dataKey = "ca.crt"
const annotations = { "kubernetes.io/description": "The certificate authority by which programs in the cluster verify its API server." }

/** Somebody else was quicker, or the namespace is on its way out. */
const isMoot = (error: ClientError.ClientError): boolean =>
  ClientError.isAlreadyExists(error) || ClientError.isNamespaceTerminating(error) || ClientError.isNotFound(error)

/**
 * Starts the controller, which then runs as long as the scope. Waits for its informers.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<void, never, ApiClient.ApiClient | Scope.Scope> {
  const client = yield* ApiClient.ApiClient
  const namespaces = options.informers?.namespaces ?? (yield* ClusterInformers.namespaces)
  const maps = yield* Informer.make({ kind: Kinds.configMap, fieldSelector: `metadata.name=${configMapName}` })
  const data = { [dataKey]: options.authority }

  const isRight = (found: CoreV1.ConfigMap): boolean =>
    found.data?.[dataKey] === options.authority && Object.keys(found.data).length === 1 && found.metadata.annotations !== undefined

  const write = (name: string, found: CoreV1.ConfigMap | undefined) =>
    found === undefined
      ? client.create(Kinds.configMap, { metadata: { name: configMapName, namespace: name, annotations }, data })
      : client.update(Kinds.configMap, {
        ...found,
        metadata: { ...found.metadata, annotations: { ...annotations, ...found.metadata.annotations } },
        data
      })

  const reconcile = (name: string): Effect.Effect<Outcome, ClientError.ClientError> => {
    const namespace = namespaces.get(name)
    const found = maps.get(`${name}/${configMapName}`)
    const active = namespace !== undefined && namespace.metadata.deletionTimestamp === undefined
    if (!active || (found !== undefined && isRight(found))) return Effect.succeed(Outcome.Settled())
    return write(name, found).pipe(
      Effect.asVoid,
      Effect.catchIf(isMoot, () => Effect.void),
      Effect.as(Outcome.Settled())
    )
  }

  yield* Controller.run({
    name: "root-ca",
    resync: options.resync ?? "30 seconds",
    isRoutine: ClientError.isConflict,
    sources: [
      Controller.source(namespaces, (namespace) => [namespace.metadata.name ?? ""]),
      Controller.source(maps, (map) => [map.metadata.namespace ?? ""])
    ],
    reconcile
  })
})
