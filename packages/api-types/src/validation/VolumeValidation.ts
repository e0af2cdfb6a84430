/** Rules of the volumes of a pod. */
import { duplicate, forbidden, invalid, invalidEach, notSupported, required } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { fileMode, localFreePath, localPath, named, optionalOneOf, pathWithoutBacksteps, present, requiredName } from "../internal/fieldRules.js"
import * as Names from "../Names.js"
import * as Quantity from "../Quantity.js"
import { fileFields, validateFieldRef, validateResourceFieldRef } from "./ReferenceValidation.js"

const validateItems = (path: string, items: ReadonlyArray<CoreV1.KeyToPath> | undefined): Errors =>
  (items ?? []).flatMap(({ key, mode, path: file }, index) => [
    ...present(`${path}[${index}].key`, key),
    ...present(`${path}[${index}].path`, file),
    ...localFreePath(`${path}[${index}].path`, file),
    ...fileMode(`${path}[${index}].mode`, mode)
  ])

const validateDownwardFile = (path: string, file: CoreV1.DownwardAPIVolumeFile): Errors => {
  const { fieldRef, mode, resourceFieldRef } = file
  const source =
    fieldRef !== undefined
      ? [
          ...validateFieldRef(`${path}.fieldRef`, fieldRef, fileFields),
          ...(resourceFieldRef === undefined
            ? []
            : [invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")])
        ]
      : resourceFieldRef !== undefined
        ? validateResourceFieldRef(`${path}.resourceFieldRef`, resourceFieldRef, true)
        : [required(path, "one of fieldRef and resourceFieldRef is required")]
  return [
    ...present(`${path}.path`, file.path),
    ...localFreePath(`${path}.path`, file.path),
    ...source,
    ...fileMode(`${path}.mode`, mode)
  ]
}

const validateToken = (path: string, volumePath: string, token: CoreV1.ServiceAccountTokenProjection): Errors => {
  const seconds = token.expirationSeconds ?? 3600
  const expiration = `${path}.expirationSeconds`
  return [
    ...(seconds < 600 ? [invalid(expiration, seconds, "may not specify a duration less than 10 minutes")] : []),
    ...(seconds > 2 ** 32 ? [invalid(expiration, seconds, "may not specify a duration larger than 2^32 seconds")] : []),
    ...(token.path === "" ? [required(`${volumePath}.path`)] : localFreePath(`${volumePath}.path`, token.path))
  ]
}

const validateTrustBundle = (path: string, bundle: CoreV1.ClusterTrustBundleProjection): Errors => {
  const { labelSelector, name, signerName } = bundle
  const choice =
    name !== undefined && signerName !== undefined
      ? [invalid(path, bundle, "only one of name and signerName may be used")]
      : name !== undefined
        ? [
            ...present(`${path}.name`, name, "must be a valid object name"),
            ...(labelSelector === undefined
              ? []
              : [invalid(`${path}.labelSelector`, labelSelector, "labelSelector must be unset if name is specified")])
          ]
        : signerName !== undefined
          ? present(`${path}.signerName`, signerName, "must be a valid signer name")
          : [required(path, "either name or signerName must be specified")]
  return [...choice, ...present(`${path}.path`, bundle.path), ...localFreePath(`${path}.path`, bundle.path)]
}

const validateProjection = (path: string, volumePath: string, source: CoreV1.VolumeProjection): Errors => {
  const { clusterTrustBundle, configMap, downwardAPI, podCertificate, secret, serviceAccountToken } = source
  const count = [clusterTrustBundle, configMap, downwardAPI, podCertificate, secret, serviceAccountToken].filter((each) => each !== undefined)
  return [
    ...(secret === undefined ? [] : [...present(`${path}.secret.name`, secret.name), ...validateItems(`${path}.secret.items`, secret.items)]),
    ...(configMap === undefined
      ? []
      : [...present(`${path}.configMap.name`, configMap.name), ...validateItems(`${path}.configMap.items`, configMap.items)]),
    ...(downwardAPI?.items ?? []).flatMap((file) => validateDownwardFile(`${path}.downwardAPI`, file)),
    ...(serviceAccountToken === undefined ? [] : validateToken(`${path}.serviceAccountToken`, volumePath, serviceAccountToken)),
    ...(clusterTrustBundle === undefined ? [] : validateTrustBundle(`${path}.clusterTrustBundle`, clusterTrustBundle)),
    ...(count.length > 1 ? [forbidden(path, "may not specify more than 1 volume type per source")] : [])
  ]
}

const pathsOf = ({ clusterTrustBundle, configMap, downwardAPI, secret }: CoreV1.VolumeProjection): ReadonlyArray<readonly [path: string, shown: string]> => [
  ...(secret?.items ?? []).map(({ path }) => [path, secret?.name ?? ""] as const),
  ...(configMap?.items ?? []).map(({ path }) => [path, configMap?.name ?? ""] as const),
  ...(downwardAPI?.items ?? []).map(({ path }) => [path, path] as const),
  ...(clusterTrustBundle === undefined ? [] : [[clusterTrustBundle.path, clusterTrustBundle.path] as const])
]

const validateProjected = (path: string, { defaultMode, sources = [] }: CoreV1.ProjectedVolumeSource): Errors => {
  const seen = new Set<string>()
  const conflicts = sources.flatMap(pathsOf).flatMap(([file, shown]) => {
    if (file === "" || !seen.has(file)) {
      seen.add(file)
      return []
    }
    return [invalid(path, shown, "conflicting duplicate paths")]
  })
  return [
    ...fileMode(`${path}.defaultMode`, defaultMode),
    ...sources.flatMap((source, index) => validateProjection(`${path}.sources[${index}]`, path, source)),
    ...conflicts
  ]
}

const hostPathTypes = ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"]

const validateHostPath = (path: string, source: CoreV1.HostPathVolumeSource): Errors =>
  source.path === ""
    ? [required(`${path}.path`)]
    : [...pathWithoutBacksteps(`${path}.path`, source.path), ...optionalOneOf(`${path}.type`, source.type, hostPathTypes)]

const validateNfs = (path: string, source: CoreV1.NFSVolumeSource): Errors => [
  ...present(`${path}.server`, source.server),
  ...present(`${path}.path`, source.path),
  ...(source.path.startsWith("/") ? [] : [invalid(`${path}.path`, source.path, "must be an absolute path")])
]

const validateIscsi = (path: string, source: CoreV1.ISCSIVolumeSource): Errors => [
  ...present(`${path}.targetPortal`, source.targetPortal),
  ...present(`${path}.iqn`, source.iqn),
  ...(source.iqn === "" || /^(iqn|eui|naa)/.test(source.iqn)
    ? []
    : [invalid(`${path}.iqn`, source.iqn, "must be valid format starting with iqn, eui, or naa")]),
  ...(source.lun < 0 || source.lun > 255 ? [invalid(`${path}.lun`, source.lun, Names.rangeProblem(0, 255))] : []),
  ...((source.chapAuthDiscovery === true || source.chapAuthSession === true) && source.secretRef === undefined
    ? [required(`${path}.secretRef`)]
    : [])
]

const validateEphemeral = (path: string, source: CoreV1.EphemeralVolumeSource): Errors => {
  const template = source.volumeClaimTemplate
  if (template === undefined) return [required(`${path}.volumeClaimTemplate`)]
  const spec = `${path}.volumeClaimTemplate.spec`
  const { accessModes = [], resources } = template.spec
  return [
    ...(accessModes.length === 0 ? [required(`${spec}.accessModes`, "at least 1 access mode is required")] : []),
    ...(resources?.requests?.["storage"] === undefined ? [required(`${spec}.resources[storage]`)] : [])
  ]
}

const validateImage = (path: string, source: CoreV1.ImageVolumeSource): Errors => [
  ...present(`${path}.reference`, source.reference),
  ...(["", "Always", "IfNotPresent", "Never"].includes(source.pullPolicy ?? "")
    ? []
    : [notSupported(`${path}.pullPolicy`, source.pullPolicy, ["Always", "IfNotPresent", "Never"])])
]

type SourceRule = (volume: CoreV1.Volume, path: string) => Errors | undefined

const rule = <K extends keyof CoreV1.VolumeSource>(
  key: K,
  validate: (path: string, source: NonNullable<CoreV1.VolumeSource[K]>) => Errors
): readonly [K, SourceRule] => [
  key,
  (volume, path) => {
    const source = volume[key]
    return source === undefined || source === null ? undefined : validate(`${path}.${key}`, source)
  }
]

const accepted = (): Errors => []

/** The sources in the order in which they are checked: the second one found is one too many. */
const sourceRules: ReadonlyArray<readonly [name: keyof CoreV1.VolumeSource, check: SourceRule]> = [
  rule("emptyDir", (path, { sizeLimit }) =>
    Quantity.fromText(sizeLimit).nanos < 0n ? [forbidden(`${path}.sizeLimit`, "SizeLimit field must be a valid resource quantity")] : []),
  rule("hostPath", validateHostPath),
  rule("gitRepo", (path, { directory = "", repository }) => [
    ...present(`${path}.repository`, repository),
    ...localPath(`${path}.directory`, directory)
  ]),
  rule("gcePersistentDisk", (path, { pdName }) => present(`${path}.pdName`, pdName)),
  rule("awsElasticBlockStore", (path, { volumeID }) => present(`${path}.volumeID`, volumeID)),
  rule("secret", (path, { defaultMode, items, secretName }) => [
    ...present(`${path}.secretName`, secretName),
    ...fileMode(`${path}.defaultMode`, defaultMode),
    ...validateItems(`${path}.items`, items)
  ]),
  rule("nfs", validateNfs),
  rule("iscsi", validateIscsi),
  rule("glusterfs", (path, source) => [...present(`${path}.endpoints`, source.endpoints), ...present(`${path}.path`, source.path)]),
  rule("flocker", accepted),
  rule("persistentVolumeClaim", (path, { claimName }) => present(`${path}.claimName`, claimName)),
  rule("rbd", (path, { image, monitors }) => [
    ...(monitors.length === 0 ? [required(`${path}.monitors`)] : []),
    ...present(`${path}.image`, image)
  ]),
  rule("cinder", (path, { volumeID }) => present(`${path}.volumeID`, volumeID)),
  rule("cephfs", (path, { monitors }) => (monitors.length === 0 ? [required(`${path}.monitors`)] : [])),
  rule("quobyte", (path, { volume }) => present(`${path}.volume`, volume)),
  rule("downwardAPI", (path, { defaultMode, items = [] }) => [
    ...fileMode(`${path}.defaultMode`, defaultMode),
    ...items.flatMap((file) => validateDownwardFile(path, file))
  ]),
  rule("fc", accepted),
  rule("flexVolume", (path, { driver }) => present(`${path}.driver`, driver)),
  rule("configMap", (path, { defaultMode, items, name }) => [
    ...present(`${path}.name`, name),
    ...fileMode(`${path}.defaultMode`, defaultMode),
    ...validateItems(`${path}.items`, items)
  ]),
  rule("azureFile", (path, { secretName, shareName }) => [...present(`${path}.secretName`, secretName), ...present(`${path}.shareName`, shareName)]),
  rule("vsphereVolume", (path, { volumePath }) => present(`${path}.volumePath`, volumePath)),
  rule("photonPersistentDisk", (path, { pdID }) => present(`${path}.pdID`, pdID)),
  rule("portworxVolume", (path, { volumeID }) => present(`${path}.volumeID`, volumeID)),
  rule("azureDisk", (path, { diskName, diskURI }) => [...present(`${path}.diskName`, diskName), ...present(`${path}.diskURI`, diskURI)]),
  rule("storageos", (path, { volumeName }) => requiredName(`${path}.volumeName`, volumeName, Names.isDns1123Label)),
  rule("projected", validateProjected),
  rule("scaleIO", (path, { gateway, system, volumeName }) => [
    ...present(`${path}.gateway`, gateway),
    ...present(`${path}.system`, system),
    ...present(`${path}.volumeName`, volumeName)
  ]),
  rule("csi", (path, { driver }) => present(`${path}.driver`, driver)),
  rule("ephemeral", validateEphemeral),
  rule("image", validateImage)
]

const validateSource = (path: string, volume: CoreV1.Volume): Errors => {
  let count = 0
  const errors = sourceRules.flatMap(([key, check]) => {
    const found = check(volume, path)
    if (found === undefined) return []
    return ++count > 1 ? [forbidden(`${path}.${key}`, "may not specify more than 1 volume type")] : found
  })
  return count === 0 ? [required(path, "must specify a volume type")] : errors
}

/** The volumes, and those of them that mounts may refer to. @category combinators */
export const validateVolumes = (
  path: string,
  volumes: ReadonlyArray<CoreV1.Volume>,
  podName: string
): { readonly errors: Errors; readonly valid: ReadonlyMap<string, CoreV1.Volume> } => {
  const claims = new Set(volumes.flatMap(({ ephemeral, name }) => (ephemeral === undefined ? [] : [`${podName}-${name}`])))
  const valid = new Map<string, CoreV1.Volume>()
  const errors = volumes.flatMap((volume, index) => {
    const at = `${path}[${index}]`
    const claim = volume.persistentVolumeClaim?.claimName ?? ""
    const claimName = `${podName}-${volume.name}`
    const own = [
      ...validateSource(at, volume),
      ...(volume.ephemeral === undefined || podName === ""
        ? []
        : invalidEach(`${at}.name`, volume.name, Names.isDns1123Subdomain(claimName).map((problem) => `PVC name ${JSON.stringify(claimName)}: ${problem}`))),
      ...(volume.name === "" ? [required(`${at}.name`)] : named(`${at}.name`, volume.name, Names.isDns1123Label)),
      ...(valid.has(volume.name) ? [duplicate(`${at}.name`, volume.name)] : [])
    ]
    if (own.length === 0) valid.set(volume.name, volume)
    return claims.has(claim)
      ? [...own, invalid(`${at}.persistentVolumeClaim.claimName`, claim, "must not reference a PVC that gets created for an ephemeral volume")]
      : own
  })
  return { errors, valid }
}
