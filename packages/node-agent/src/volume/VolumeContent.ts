/** The content of volumes that the agent writes: ConfigMaps, Secrets, tokens, certificates and facts about the pod. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import type { Inputs } from "../container/ContainerEnvironment.js"
import * as FieldValues from "../container/FieldValues.js"
import { VolumeSetupError } from "../pod/PodError.js"
import * as PodTokens from "./PodTokens.js"
import * as TrustAnchorSources from "./TrustAnchorSources.js"

/** Files by path relative to the volume. @category models */
export type Files = ReadonlyMap<string, { readonly content: Uint8Array; readonly mode: number }>

type Result<A> = Either.Either<A, VolumeSetupError>

const encoder = new TextEncoder()
const defaultFileMode = 0o644

/** Whether a path stays inside its volume. @category combinators */
export const isInside = (path: string): boolean => path !== "" && !path.startsWith("/") && !path.startsWith("..") && !path.split("/").includes("..")

const keyed = (
  volume: string,
  kind: "configmap" | "secret",
  name: string,
  data: ReadonlyMap<string, Uint8Array> | undefined,
  options: {
    readonly items?: ReadonlyArray<CoreV1.KeyToPath> | undefined
    readonly optional?: boolean | undefined
    readonly mode?: number | undefined
  }
): Result<Files> => {
  const fail = (detail: string) => Either.left(new VolumeSetupError({ volume, detail }))
  const mode = options.mode ?? defaultFileMode
  const files = new Map<string, { content: Uint8Array; mode: number }>()
  if (data === undefined) return options.optional === true ? Either.right(files) : fail(`${kind} "${name}" not found`)
  if (options.items === undefined || options.items.length === 0) {
    for (const [key, content] of data) files.set(key, { content, mode })
    return Either.right(files)
  }
  for (const item of options.items) {
    const content = data.get(item.key)
    if (content === undefined) {
      if (options.optional === true) continue
      return fail(`${kind} references non-existent ${kind === "secret" ? "secret" : "config"} key: ${item.key}`)
    }
    if (!isInside(item.path)) return fail(`path ${JSON.stringify(item.path)} leads out of the volume`)
    files.set(item.path, { content, mode: item.mode ?? mode })
  }
  return Either.right(files)
}

const configMapData = (object: CoreV1.ConfigMap | undefined): ReadonlyMap<string, Uint8Array> | undefined =>
  object === undefined ? undefined : new Map([
    ...Object.entries(object.data ?? {}).map(([key, value]) => [key, encoder.encode(value)] as const),
    ...Object.entries(object.binaryData ?? {}).map(([key, value]) => [key, new Uint8Array(Buffer.from(value, "base64"))] as const)
  ])

const secretData = (object: CoreV1.Secret | undefined): ReadonlyMap<string, Uint8Array> | undefined =>
  object === undefined ? undefined : new Map(
    Object.entries(object.data ?? {}).map(([key, value]) => [key, new Uint8Array(Buffer.from(value, "base64"))] as const)
  )

const downward = (
  inputs: Inputs,
  volume: string,
  items: ReadonlyArray<CoreV1.DownwardAPIVolumeFile> | undefined,
  defaultMode: number | undefined
): Result<Files> => {
  const files = new Map<string, { content: Uint8Array; mode: number }>()
  for (const item of items ?? []) {
    const fail = (detail: string) => new VolumeSetupError({ volume, detail })
    const { resourceFieldRef } = item
    const container = [...inputs.pod.spec?.initContainers ?? [], ...inputs.pod.spec?.containers ?? []].find(({ name }) => name === resourceFieldRef?.containerName)
    const value = item.fieldRef !== undefined
      ? FieldValues.field(inputs.pod, inputs.facts, item.fieldRef.fieldPath)
      : resourceFieldRef !== undefined && container !== undefined
      ? FieldValues.resource(container, inputs.facts, resourceFieldRef)
      : Either.left(`no value for ${item.path}: neither a field nor a resource of a container of the pod`)
    if (Either.isLeft(value)) return Either.left(fail(value.left))
    if (!isInside(item.path)) return Either.left(fail(`path ${JSON.stringify(item.path)} leads out of the volume`))
    files.set(item.path, { content: encoder.encode(value.right), mode: item.mode ?? defaultMode ?? defaultFileMode })
  }
  return Either.right(files)
}

/** One file; empty where the anchors may be missing and are. */
const anchors = (inputs: Inputs, volume: string, source: CoreV1.ClusterTrustBundleProjection, mode: number | undefined): Result<Files> => {
  const fail = (detail: string) => Either.left(new VolumeSetupError({ volume, detail }))
  const text = inputs.sources.trustAnchors.get(TrustAnchorSources.keyOf(source))
  if (text === undefined && source.optional !== true) return fail(TrustAnchorSources.missing(source))
  return isInside(source.path)
    ? Either.right(new Map([[source.path, { content: encoder.encode(text ?? ""), mode: mode ?? defaultFileMode }]]))
    : fail(`path ${JSON.stringify(source.path)} leads out of the volume`)
}

const projection = (inputs: Inputs, volume: string, source: CoreV1.VolumeProjection, mode: number | undefined): Result<Files> => {
  const { sources } = inputs
  if (source.configMap !== undefined) {
    const { items, name = "", optional } = source.configMap
    return keyed(volume, "configmap", name, configMapData(sources.configMaps.get(name)), { items, optional, mode })
  }
  if (source.secret !== undefined) {
    const { items, name = "", optional } = source.secret
    return keyed(volume, "secret", name, secretData(sources.secrets.get(name)), { items, optional, mode })
  }
  if (source.downwardAPI !== undefined) return downward(inputs, volume, source.downwardAPI.items, mode)
  if (source.clusterTrustBundle !== undefined) return anchors(inputs, volume, source.clusterTrustBundle, mode)
  const { serviceAccountToken } = source
  if (serviceAccountToken === undefined) {
    const detail = source.podCertificate === undefined
      ? "only serviceAccountToken, configMap, secret, downwardAPI and clusterTrustBundle can be projected by this version"
      : "certificates for pods (podCertificate) are not requested by this node; mount one that a Secret holds"
    return Either.left(new VolumeSetupError({ volume, detail }))
  }
  const token = sources.tokens.get(PodTokens.keyOf(serviceAccountToken))
  if (token === undefined) return Either.left(new VolumeSetupError({ volume, detail: "there is no token for it" }))
  const { path } = serviceAccountToken
  return isInside(path)
    ? Either.right(new Map([[path, { content: encoder.encode(token), mode: mode ?? defaultFileMode }]]))
    : Either.left(new VolumeSetupError({ volume, detail: `path ${JSON.stringify(path)} leads out of the volume` }))
}

/** The files of a volume that the agent writes; undefined for volumes with content of their own. @category constructors */
export const of = (inputs: Inputs, volume: CoreV1.Volume): Result<Files> | undefined => {
  const { sources } = inputs
  if (volume.configMap !== undefined) {
    const { defaultMode: mode, items, name = "", optional } = volume.configMap
    return keyed(volume.name, "configmap", name, configMapData(sources.configMaps.get(name)), { items, optional, mode })
  }
  if (volume.secret !== undefined) {
    const { defaultMode: mode, items, optional, secretName = "" } = volume.secret
    return keyed(volume.name, "secret", secretName, secretData(sources.secrets.get(secretName)), { items, optional, mode })
  }
  if (volume.downwardAPI !== undefined) return downward(inputs, volume.name, volume.downwardAPI.items, volume.downwardAPI.defaultMode)
  if (volume.projected !== undefined) {
    const { defaultMode, sources: projections } = volume.projected
    return Either.map(
      Either.all((projections ?? []).map((source) => projection(inputs, volume.name, source, defaultMode))),
      (parts) => new Map(parts.flatMap((part) => [...part]))
    )
  }
  return undefined
}
