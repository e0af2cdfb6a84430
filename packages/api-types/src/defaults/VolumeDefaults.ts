/** Defaults of a volume. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { orElse } from "../internal/strings.js"
import { fieldRefDefaults, pullPolicy } from "./ContainerDefaults.js"

// 0644: readable for all, writable for the owner.
const fileMode = 420

const filesWithVersion = (files: ReadonlyArray<CoreV1.DownwardAPIVolumeFile>): ReadonlyArray<CoreV1.DownwardAPIVolumeFile> =>
  files.map((file) => (file.fieldRef === undefined ? file : { ...file, fieldRef: fieldRefDefaults(file.fieldRef) }))

const withItems = <A extends { readonly items?: ReadonlyArray<CoreV1.DownwardAPIVolumeFile> }>(source: A): A =>
  source.items === undefined ? source : { ...source, items: filesWithVersion(source.items) }

const projectionDefaults = (projection: CoreV1.VolumeProjection): CoreV1.VolumeProjection => ({
  ...projection,
  ...(projection.downwardAPI === undefined ? {} : { downwardAPI: withItems(projection.downwardAPI) }),
  ...(projection.serviceAccountToken === undefined
    ? {}
    : {
        serviceAccountToken: {
          ...projection.serviceAccountToken,
          expirationSeconds: projection.serviceAccountToken.expirationSeconds ?? 3600
        }
      })
})

const projectedDefaults = (projected: CoreV1.ProjectedVolumeSource): CoreV1.ProjectedVolumeSource => ({
  ...projected,
  ...(projected.sources === undefined ? {} : { sources: projected.sources.map(projectionDefaults) }),
  defaultMode: projected.defaultMode ?? fileMode
})

const claimDefaults = (source: CoreV1.EphemeralVolumeSource): CoreV1.EphemeralVolumeSource => {
  const template = source.volumeClaimTemplate
  if (template === undefined) return source
  return { ...source, volumeClaimTemplate: { ...template, spec: { ...template.spec, volumeMode: template.spec.volumeMode ?? "Filesystem" } } }
}

const sourceDefaults = (volume: CoreV1.Volume): Partial<CoreV1.VolumeSource> => {
  const { configMap, downwardAPI, ephemeral, hostPath, image, iscsi, projected, secret } = volume
  if (secret !== undefined) return { secret: { ...secret, defaultMode: secret.defaultMode ?? fileMode } }
  if (configMap !== undefined) return { configMap: { ...configMap, defaultMode: configMap.defaultMode ?? fileMode } }
  if (downwardAPI !== undefined) return { downwardAPI: { ...withItems(downwardAPI), defaultMode: downwardAPI.defaultMode ?? fileMode } }
  if (projected !== undefined) return { projected: projectedDefaults(projected) }
  if (hostPath !== undefined) return { hostPath: { ...hostPath, type: hostPath.type ?? "" } }
  if (iscsi !== undefined) return { iscsi: { ...iscsi, iscsiInterface: orElse(iscsi.iscsiInterface, "default") } }
  if (image !== undefined) return { image: { ...image, pullPolicy: orElse(image.pullPolicy, pullPolicy(image.reference ?? "")) } }
  return ephemeral === undefined ? {} : { ephemeral: claimDefaults(ephemeral) }
}

/** A volume without a source is an empty directory. @category combinators */
export const volumeDefaults = (volume: CoreV1.Volume): CoreV1.Volume =>
  Object.keys(volume).every((key) => key === "name") ? { ...volume, emptyDir: {} } : { ...volume, ...sourceDefaults(volume) }
