/** Names of the formats that manifests, configs and layers come in, of OCI and of Docker. */

/** @category models */
export const ociManifest = "application/vnd.oci.image.manifest.v1+json"
/** @category models */
export const ociIndex = "application/vnd.oci.image.index.v1+json"
/** @category models */
export const ociConfig = "application/vnd.oci.image.config.v1+json"
/** A tar archive, not compressed. @category models */
export const ociLayer = "application/vnd.oci.image.layer.v1.tar"
/** @category models */
export const ociLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip"
/** @category models */
export const ociLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd"
/** @category models */
export const dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
/** @category models */
export const dockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json"
/** @category models */
export const dockerConfig = "application/vnd.docker.container.image.v1+json"
/** @category models */
export const dockerLayerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip"
/** @category models */
export const dockerLayer = "application/vnd.docker.image.rootfs.diff.tar"

/** What a registry is asked for when a manifest is wanted, in order of preference. @category models */
export const acceptedManifests: ReadonlyArray<string> = [ociIndex, ociManifest, dockerManifestList, dockerManifest]

/** Whether it names a list of manifests. @category combinators */
export const isIndex = (mediaType: string): boolean => mediaType === ociIndex || mediaType === dockerManifestList

/** Whether it names the manifest of one image. @category combinators */
export const isManifest = (mediaType: string): boolean => mediaType === ociManifest || mediaType === dockerManifest

/** How a layer is packed. @category models */
export type Compression = "none" | "gzip" | "zstd"

/** How a layer of this type says it is packed; undefined if it is no layer that can be read. @category combinators */
export const layerCompression = (mediaType: string): Compression | undefined => {
  const base = mediaType.toLowerCase().replace("layer.nondistributable.", "layer.").replace("rootfs.foreign.diff", "rootfs.diff")
  if (!base.startsWith(ociLayer) && !base.startsWith(dockerLayer)) return undefined
  const suffix = base.slice(base.startsWith(ociLayer) ? ociLayer.length : dockerLayer.length)
  if (suffix === "") return "none"
  if (suffix === "+gzip" || suffix === ".gzip") return "gzip"
  return suffix === "+zstd" || suffix === ".zstd" ? "zstd" : undefined
}
