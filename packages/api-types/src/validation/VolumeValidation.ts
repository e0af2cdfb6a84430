/** Rules of the volumes of a pod. */
import { all, among, at, duplicate, each, type FieldError, forbidden, invalid, invalidEach, none, notSupported, required } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { fileMode, keysOf, localFreePath, localPath, optionalOneOf, pathWithoutBacksteps, present, requiredName } from "../internal/fieldRules.js"
import * as Names from "../Names.js"
import * as Quantity from "../Quantity.js"
import { fileFields, validateFieldRef, validateResourceFieldRef } from "./ReferenceValidation.js"
import { validateLabelSelector } from "./SchedulingValidation.js"
import { bundleNameProblems, signerOfBundle, validateSignerName } from "./SignerValidation.js"

const validateItem = ({ key, mode, path: file }: CoreV1.KeyToPath): Errors =>
  all(present(".key", key), present(".path", file), localFreePath(".path", file), fileMode(".mode", mode))

const validateItems = (items: ReadonlyArray<CoreV1.KeyToPath> | undefined): Errors => at(".items", each(items, validateItem))

const validateDownwardSource = ({ fieldRef, resourceFieldRef }: CoreV1.DownwardAPIVolumeFile): Errors => {
  if (fieldRef !== undefined) {
    return all(
      at(".fieldRef", validateFieldRef(fieldRef, fileFields)),
      resourceFieldRef === undefined ? none : [invalid("", "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")]
    )
  }
  return resourceFieldRef === undefined
    ? [required("", "one of fieldRef and resourceFieldRef is required")]
    : at(".resourceFieldRef", validateResourceFieldRef(resourceFieldRef, true))
}

const validateDownwardFile = (file: CoreV1.DownwardAPIVolumeFile): Errors =>
  all(present(".path", file.path), localFreePath(".path", file.path), validateDownwardSource(file), fileMode(".mode", file.mode))

const validateBundleName = (name: string): Errors =>
  name === ""
    ? [required(".name", "must be a valid object name")]
    : bundleNameProblems(name, signerOfBundle(name) ?? "").map((problem) => invalid(".name", name, `not a valid clustertrustbundlename: ${problem}`))

const validateTrustBundle = (bundle: CoreV1.ClusterTrustBundleProjection): Errors => {
  const { labelSelector, name, signerName } = bundle
  const choice =
    name !== undefined && signerName !== undefined
      ? [invalid("", bundle, "only one of name and signerName may be used")]
      : name !== undefined
        ? all(
            validateBundleName(name),
            labelSelector === undefined
              ? none
              : [invalid(".labelSelector", labelSelector, "labelSelector must be unset if name is specified")]
          )
        : signerName !== undefined
          ? all(
              signerName === "" ? [required(".signerName", "must be a valid signer name")] : validateSignerName(".signerName", signerName),
              validateLabelSelector(".labelSelector", labelSelector)
            )
          : [required("", "either name or signerName must be specified")]
  return all(choice, present(".path", bundle.path), localFreePath(".path", bundle.path))
}

/** A projected ConfigMap or Secret. */
const validateNamedFiles = ({ items, name }: CoreV1.ConfigMapProjection | CoreV1.SecretProjection): Errors =>
  all(present(".name", name), validateItems(items))

const validateFiles = ({ configMap, downwardAPI, secret }: CoreV1.VolumeProjection): Errors =>
  all(
    secret === undefined ? none : at(".secret", validateNamedFiles(secret)),
    configMap === undefined ? none : at(".configMap", validateNamedFiles(configMap)),
    downwardAPI === undefined ? none : at(".downwardAPI", among(downwardAPI.items, validateDownwardFile))
  )

const validateExpiration = ({ expirationSeconds: seconds = 3600 }: CoreV1.ServiceAccountTokenProjection): Errors =>
  all(
    seconds < 600 ? [invalid(".expirationSeconds", seconds, "may not specify a duration less than 10 minutes")] : none,
    seconds > 2 ** 32 ? [invalid(".expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds")] : none
  )

const projections = ["clusterTrustBundle", "configMap", "downwardAPI", "podCertificate", "secret", "serviceAccountToken"] as const

const isAmbiguous = (source: CoreV1.VolumeProjection): boolean => {
  let count = 0
  for (const projection of projections) if (source[projection] !== undefined) count++
  return count > 1
}

const inSource = (index: number, errors: Errors): Errors => at(".sources", at(index, errors))

/** One source of a projected volume. Only the path of a token is a matter of the volume, not of the source. */
const validateProjection = (source: CoreV1.VolumeProjection, index: number): Errors => {
  const { clusterTrustBundle, serviceAccountToken: token } = source
  return all(
    inSource(index, validateFiles(source)),
    token === undefined ? none : inSource(index, at(".serviceAccountToken", validateExpiration(token))),
    token === undefined ? none : token.path === "" ? [required(".path")] : localFreePath(".path", token.path),
    clusterTrustBundle === undefined ? none : inSource(index, at(".clusterTrustBundle", validateTrustBundle(clusterTrustBundle))),
    // Nothing here signs such requests: better refused than waited for.
    source.podCertificate === undefined
      ? none
      : inSource(index, [forbidden(".podCertificate", "certificates for pods are not issued by this cluster; mount one that a Secret holds")]),
    isAmbiguous(source) ? inSource(index, [forbidden("", "may not specify more than 1 volume type per source")]) : none
  )
}

const noFiles: ReadonlyArray<{ readonly path: string }> = []

/** Visits the files of a source, each with the text that a conflict about it shows. */
const forEachFile = (
  { clusterTrustBundle, configMap, downwardAPI, secret }: CoreV1.VolumeProjection,
  visit: (file: string, shown: string) => void
): void => {
  for (const { path } of secret?.items ?? noFiles) visit(path, secret?.name ?? "")
  for (const { path } of configMap?.items ?? noFiles) visit(path, configMap?.name ?? "")
  for (const { path } of downwardAPI?.items ?? noFiles) visit(path, path)
  if (clusterTrustBundle !== undefined) visit(clusterTrustBundle.path, clusterTrustBundle.path)
}

const validateConflicts = (sources: ReadonlyArray<CoreV1.VolumeProjection>): Errors => {
  const seen = new Set<string>()
  let conflicts: Array<FieldError> | undefined
  const visit = (file: string, shown: string): void => {
    if (file !== "" && seen.has(file)) (conflicts ??= []).push(invalid("", shown, "conflicting duplicate paths"))
    else seen.add(file)
  }
  for (const source of sources) forEachFile(source, visit)
  return conflicts ?? none
}

const validateProjected = ({ defaultMode, sources = [] }: CoreV1.ProjectedVolumeSource): Errors =>
  all(fileMode(".defaultMode", defaultMode), among(sources, validateProjection), validateConflicts(sources))

const hostPathTypes = ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"]

const validateHostPath = (source: CoreV1.HostPathVolumeSource): Errors =>
  source.path === ""
    ? [required(".path")]
    : all(pathWithoutBacksteps(".path", source.path), optionalOneOf(".type", source.type, hostPathTypes))

const validateNfs = ({ path, server }: CoreV1.NFSVolumeSource): Errors =>
  all(
    present(".server", server),
    present(".path", path),
    path.startsWith("/") ? none : [invalid(".path", path, "must be an absolute path")]
  )

const qualifiedIscsiName = /^(iqn|eui|naa)/

const validateIscsi = ({ chapAuthDiscovery, chapAuthSession, iqn, lun, secretRef, targetPortal }: CoreV1.ISCSIVolumeSource): Errors =>
  all(
    present(".targetPortal", targetPortal),
    present(".iqn", iqn),
    iqn === "" || qualifiedIscsiName.test(iqn) ? none : [invalid(".iqn", iqn, "must be valid format starting with iqn, eui, or naa")],
    lun < 0 || lun > 255 ? [invalid(".lun", lun, Names.rangeProblem(0, 255))] : none,
    (chapAuthDiscovery === true || chapAuthSession === true) && secretRef === undefined ? [required(".secretRef")] : none
  )

const validateEphemeral = ({ volumeClaimTemplate: template }: CoreV1.EphemeralVolumeSource): Errors => {
  if (template === undefined) return [required(".volumeClaimTemplate")]
  const { accessModes = [], resources } = template.spec
  return at(
    ".volumeClaimTemplate.spec",
    all(
      accessModes.length === 0 ? [required(".accessModes", "at least 1 access mode is required")] : none,
      resources?.requests?.["storage"] === undefined ? [required(".resources[storage]")] : none
    )
  )
}

const pullPolicies = ["Always", "IfNotPresent", "Never"]

const validateImage = ({ pullPolicy = "", reference }: CoreV1.ImageVolumeSource): Errors =>
  all(
    present(".reference", reference),
    pullPolicy === "" || pullPolicies.includes(pullPolicy) ? none : [notSupported(".pullPolicy", pullPolicy, pullPolicies)]
  )

type SourceRule = (volume: CoreV1.Volume) => Errors

const rule = <K extends keyof CoreV1.VolumeSource>(
  key: K,
  validate: (source: NonNullable<CoreV1.VolumeSource[K]>) => Errors
): readonly [name: string, check: SourceRule] => [
  key,
  (volume) => {
    const source = volume[key]
    return source === undefined || source === null ? none : at(`.${key}`, validate(source))
  }
]

const accepted = (): Errors => none

/** The rules of the sources by their names, in the order in which sources count: all but the first one of a volume are too many. */
const sourceRules: ReadonlyMap<string, SourceRule> = new Map([
  rule("emptyDir", ({ sizeLimit }) =>
    Quantity.fromText(sizeLimit).nanos < 0n ? [forbidden(".sizeLimit", "SizeLimit field must be a valid resource quantity")] : none),
  rule("hostPath", validateHostPath),
  rule("gitRepo", ({ directory = "", repository }) => all(present(".repository", repository), localPath(".directory", directory))),
  rule("gcePersistentDisk", ({ pdName }) => present(".pdName", pdName)),
  rule("awsElasticBlockStore", ({ volumeID }) => present(".volumeID", volumeID)),
  rule("secret", ({ defaultMode, items, secretName }) =>
    all(present(".secretName", secretName), fileMode(".defaultMode", defaultMode), validateItems(items))),
  rule("nfs", validateNfs),
  rule("iscsi", validateIscsi),
  rule("glusterfs", ({ endpoints, path }) => all(present(".endpoints", endpoints), present(".path", path))),
  rule("flocker", accepted),
  rule("persistentVolumeClaim", ({ claimName }) => present(".claimName", claimName)),
  rule("rbd", ({ image, monitors }) => all(monitors.length === 0 ? [required(".monitors")] : none, present(".image", image))),
  rule("cinder", ({ volumeID }) => present(".volumeID", volumeID)),
  rule("cephfs", ({ monitors }) => (monitors.length === 0 ? [required(".monitors")] : none)),
  rule("quobyte", ({ volume }) => present(".volume", volume)),
  rule("downwardAPI", ({ defaultMode, items }) => all(fileMode(".defaultMode", defaultMode), among(items, validateDownwardFile))),
  rule("fc", accepted),
  rule("flexVolume", ({ driver }) => present(".driver", driver)),
  rule("configMap", ({ defaultMode, items, name }) =>
    all(present(".name", name), fileMode(".defaultMode", defaultMode), validateItems(items))),
  rule("azureFile", ({ secretName, shareName }) => all(present(".secretName", secretName), present(".shareName", shareName))),
  rule("vsphereVolume", ({ volumePath }) => present(".volumePath", volumePath)),
  rule("photonPersistentDisk", ({ pdID }) => present(".pdID", pdID)),
  rule("portworxVolume", ({ volumeID }) => present(".volumeID", volumeID)),
  rule("azureDisk", ({ diskName, diskURI }) => all(present(".diskName", diskName), present(".diskURI", diskURI))),
  rule("storageos", ({ volumeName }) => requiredName(".volumeName", volumeName, Names.isDns1123Label)),
  rule("projected", validateProjected),
  rule("scaleIO", ({ gateway, system, volumeName }) =>
    all(present(".gateway", gateway), present(".system", system), present(".volumeName", volumeName))),
  rule("csi", ({ driver }) => present(".driver", driver)),
  rule("ephemeral", validateEphemeral),
  rule("image", validateImage)
])

const sourceOrder = [...sourceRules.keys()]

// A volume has few fields, so that they are looked up among the thirty sources and not the other way round.
const sourcesOf = (volume: CoreV1.Volume): ReadonlyArray<string> => {
  const names: Array<string> = []
  for (const [field, value] of Object.entries(volume)) {
    if (sourceRules.has(field) && value !== undefined && value !== null) names.push(field)
  }
  return names.length < 2 ? names : names.sort((left, right) => sourceOrder.indexOf(left) - sourceOrder.indexOf(right))
}

const validateSource = (volume: CoreV1.Volume): Errors => {
  const [first, ...others] = sourcesOf(volume)
  const check = first === undefined ? undefined : sourceRules.get(first)
  return check === undefined
    ? [required("", "must specify a volume type")]
    : all(check(volume), among(others, (name) => [forbidden(`.${name}`, "may not specify more than 1 volume type")]))
}

// The claim of an ephemeral volume is made with a name of this form.
const claimNameOf = ({ name }: CoreV1.Volume, podName: string): string => `${podName}-${name}`

const validateClaimName = (volume: CoreV1.Volume, podName: string): Errors => {
  if (volume.ephemeral === undefined || podName === "") return none
  const claimName = claimNameOf(volume, podName)
  const problems = Names.isDns1123Subdomain(claimName)
  return problems.length === 0
    ? none
    : invalidEach(".name", volume.name, problems.map((problem) => `PVC name ${JSON.stringify(claimName)}: ${problem}`))
}

/** The volumes, and those of them that mounts may refer to. @category combinators */
export const validateVolumes = (
  volumes: ReadonlyArray<CoreV1.Volume> | undefined,
  podName: string
): { readonly errors: Errors; readonly valid: ReadonlyMap<string, CoreV1.Volume> } => {
  const claims = keysOf(volumes, (volume) => (volume.ephemeral === undefined ? undefined : claimNameOf(volume, podName)))
  const valid = new Map<string, CoreV1.Volume>()
  const errors = each(volumes, (volume) => {
    const { name, persistentVolumeClaim } = volume
    const own = all(
      validateSource(volume),
      validateClaimName(volume, podName),
      requiredName(".name", name, Names.isDns1123Label),
      valid.has(name) ? [duplicate(".name", name)] : none
    )
    if (own.length === 0) valid.set(name, volume)
    const claim = persistentVolumeClaim?.claimName ?? ""
    return claims.has(claim)
      ? all(own, [
          invalid(".persistentVolumeClaim.claimName", claim, "must not reference a PVC that gets created for an ephemeral volume")
        ])
      : own
  })
  return { errors, valid }
}
