/** The Services of the cluster, as far as the variables of containers name them. */
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { type ApiClient, Informer } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** @category models */
export interface ServiceWatch {
  /** As last heard of. */
  readonly list: () => ReadonlyArray<CoreV1.Service>
  /** Another number after each change; undefined while they are not known yet. */
  readonly version: () => number | undefined
  /** Waits until the Services are known, for a pod that came from the API; the others start without it. Bounded: a pod that lacks them still starts. */
  readonly ready: (pod: CoreV1.Pod) => Effect.Effect<void>
}

const longestWait = "10 seconds"

/** Where pods come from that are not of the API. */
const sourceAnnotation = "kubernetes.io/config.source"

const isOfApi = ({ metadata }: CoreV1.Pod): boolean => (metadata.annotations?.[sourceAnnotation] ?? "api") === "api"

/** Only what variables are made from is kept: an agent holds all Services of its cluster. */
const essence = ({ apiVersion, kind, metadata, spec }: CoreV1.Service): CoreV1.Service => ({
  apiVersion,
  kind,
  metadata: {
    ...(metadata.name === undefined ? {} : { name: metadata.name }),
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
    ...(metadata.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion })
  },
  spec: {
    ...(spec?.clusterIP === undefined ? {} : { clusterIP: spec.clusterIP }),
    ...(spec?.ports === undefined ? {} : { ports: spec.ports })
  }
})

/**
 * Watches the Services as long as the scope lives.
 *
 * @category constructors
 */
export const make: Effect.Effect<ServiceWatch, never, ApiClient.ApiClient | Scope.Scope> = Effect.map(
  Informer.make({ kind: Kinds.service, transform: essence }),
  (informer) => {
    let changes = 0
    informer.onChange(() => void (changes += 1), { existing: false })
    return {
      list: informer.list,
      version: () => informer.isSynced() ? changes : undefined,
      ready: (pod) => isOfApi(pod) ? Effect.asVoid(Effect.timeoutOption(informer.hasSynced, longestWait)) : Effect.void
    }
  }
)
