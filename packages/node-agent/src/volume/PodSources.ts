/** The ConfigMaps, Secrets, tokens and trust anchors a pod refers to, read once for one look at the pod. */
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { type ApiClient, ClientError } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as ClaimVolume from "./ClaimVolume.js"
import type { PodTokens, Tokens } from "./PodTokens.js"
import * as TrustAnchorSources from "./TrustAnchorSources.js"

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
  /** Claims by volume of the pod. */
  readonly claims: ClaimVolume.Claims
  /** Trust anchors that projected volumes ask for. */
  readonly trustAnchors: TrustAnchorSources.Anchors
}

/** @category constructors */
export const empty: PodSources = { configMaps: new Map(), secrets: new Map(), tokens: new Map(), claims: new Map(), trustAnchors: new Map() }

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

/** Where ConfigMaps, Secrets and trust anchors come from: the API, or a memory of it. @category models */
export interface Reader extends TrustAnchorSources.Reader {
  readonly configMap: (namespace: string, name: string) => Effect.Effect<CoreV1.ConfigMap, ClientError.ClientError>
  readonly secret: (namespace: string, name: string) => Effect.Effect<CoreV1.Secret, ClientError.ClientError>
}

/** Asks the API each time. @category constructors */
export const direct = (client: Pick<ApiClient.Service, "get" | "list">): Reader => ({
  ...TrustAnchorSources.direct(client),
  configMap: (namespace, name) => client.get(Kinds.configMap, { namespace, name }),
  secret: (namespace, name) => client.get(Kinds.secret, { namespace, name })
})

/** Names of the ConfigMaps and Secrets that a pod refers to. @category combinators */
export const references = (pod: CoreV1.Pod): { readonly configMaps: ReadonlySet<string>; readonly secrets: ReadonlySet<string> } => {
  const names: Names = { configMaps: new Set(), secrets: new Set() }
  for (const container of [...pod.spec?.initContainers ?? [], ...pod.spec?.containers ?? []]) collectContainer(names, container)
  for (const volume of pod.spec?.volumes ?? []) collectVolume(names, volume)
  return names
}

/**
 * Reads what the pod refers to. Objects that do not exist are left out: whether that matters is for the reader of the reference to say.
 *
 * @category constructors
 */
export const read = (
  client: Pick<ApiClient.Service, "get" | "list">,
  tokens: Pick<PodTokens, "obtain">,
  pod: CoreV1.Pod,
  reader: Reader = direct(client)
): Effect.Effect<PodSources, ClientError.ClientError> => {
  const names = references(pod)
  const { namespace = "" } = pod.metadata
  const optional = <A>(effect: Effect.Effect<A, ClientError.ClientError>) =>
    Effect.catchIf(Effect.asSome(effect), ClientError.isNotFound, () => Effect.succeedNone)
  const readAll = <A>(list: ReadonlySet<string>, get: (name: string) => Effect.Effect<A, ClientError.ClientError>) =>
    Effect.forEach(list, (name) => Effect.map(optional(get(name)), (found) => found._tag === "Some" ? [[name, found.value] as const] : []), {
      concurrency: 4
    }).pipe(Effect.map((found) => new Map(found.flat())))
  return Effect.all({
    configMaps: readAll(names.configMaps, (name) => reader.configMap(namespace, name)),
    secrets: readAll(names.secrets, (name) => reader.secret(namespace, name)),
    tokens: tokens.obtain(pod),
    claims: ClaimVolume.read(client, pod),
    trustAnchors: TrustAnchorSources.read(reader, pod)
  })
}
