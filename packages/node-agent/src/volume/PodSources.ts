/** The ConfigMaps, Secrets and tokens a pod refers to, read once for one look at the pod. */
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { type ApiClient, ClientError } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import type { PodTokens, Tokens } from "./PodTokens.js"

/**
 * The objects that exist, by name.
 *
 * @category models
 */
export interface PodSources {
  readonly configMaps: ReadonlyMap<string, CoreV1.ConfigMap>
  readonly secrets: ReadonlyMap<string, CoreV1.Secret>
  /** Tokens of the pod's ServiceAccount. */
  readonly tokens: Tokens
}

/** @category constructors */
export const empty: PodSources = { configMaps: new Map(), secrets: new Map(), tokens: new Map() }

interface Names {
  readonly configMaps: Set<string>
  readonly secrets: Set<string>
}

const addTo = (set: Set<string>, name: string | undefined): void => {
  if (name !== undefined && name !== "") set.add(name)
}

const collectContainer = (names: Names, container: CoreV1.Container): void => {
  for (const source of container.envFrom ?? []) {
    addTo(names.configMaps, source.configMapRef?.name)
    addTo(names.secrets, source.secretRef?.name)
  }
  for (const { valueFrom } of container.env ?? []) {
    addTo(names.configMaps, valueFrom?.configMapKeyRef?.name)
    addTo(names.secrets, valueFrom?.secretKeyRef?.name)
  }
}

const collectVolume = (names: Names, volume: CoreV1.Volume): void => {
  addTo(names.configMaps, volume.configMap?.name)
  addTo(names.secrets, volume.secret?.secretName)
  for (const source of volume.projected?.sources ?? []) {
    addTo(names.configMaps, source.configMap?.name)
    addTo(names.secrets, source.secret?.name)
  }
}

/**
 * Reads what the pod refers to. Objects that do not exist are left out: whether that matters is for the reader of the reference to say.
 *
 * @category constructors
 */
export const read = (
  client: ApiClient.Service,
  tokens: Pick<PodTokens, "obtain">,
  pod: CoreV1.Pod
): Effect.Effect<PodSources, ClientError.ClientError> => {
  const names: Names = { configMaps: new Set(), secrets: new Set() }
  for (const container of [...pod.spec?.initContainers ?? [], ...pod.spec?.containers ?? []]) collectContainer(names, container)
  for (const volume of pod.spec?.volumes ?? []) collectVolume(names, volume)
  const { namespace } = pod.metadata
  const optional = <A>(effect: Effect.Effect<A, ClientError.ClientError>) =>
    Effect.catchIf(Effect.asSome(effect), ClientError.isNotFound, () => Effect.succeedNone)
  const readAll = <A>(list: ReadonlySet<string>, get: (name: string) => Effect.Effect<A, ClientError.ClientError>) =>
    Effect.forEach(list, (name) => Effect.map(optional(get(name)), (found) => found._tag === "Some" ? [[name, found.value] as const] : []), {
      concurrency: 4
    }).pipe(Effect.map((found) => new Map(found.flat())))
  return Effect.all({
    configMaps: readAll(names.configMaps, (name) => client.get(Kinds.configMap, { namespace, name })),
    secrets: readAll(names.secrets, (name) => client.get(Kinds.secret, { namespace, name })),
    tokens: tokens.obtain(pod)
  })
}
