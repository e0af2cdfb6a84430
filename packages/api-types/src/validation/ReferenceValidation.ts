/** Rules of the values that a container takes from elsewhere: fields of its pod, resources, ConfigMaps and Secrets. */
import { all, among, at, each, invalid, none, notFound, notSupported, required, tooLong } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { localFreePath, named, present, requiredName } from "../internal/fieldRules.js"
import * as Names from "../Names.js"
import * as Quantity from "../Quantity.js"

/** Fields that environment variables can show. @category models */
export const envFields = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs"
]

/** Fields that files of a downward API volume can show. @category models */
export const fileFields = ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"]

const allFields: ReadonlySet<string> = new Set([...envFields, ...fileFields, "spec.restartPolicy", "spec.schedulerName", "status.phase", "spec.host"])

const subscripted = /^([^[]+)\['(.*)'\]$/

const notConvertible = (fieldPath: string, why: string): Errors => [invalid(".fieldPath", fieldPath, `error converting fieldPath: ${why}`)]

const validateSubscripted = (fieldPath: string, owner: string, key: string): Errors => {
  if (owner === "metadata.annotations") return named("", key.toLowerCase(), Names.isQualifiedName)
  if (owner === "metadata.labels") return named("", key, Names.isQualifiedName)
  return allFields.has(owner)
    ? [invalid("", owner, "does not support subscript")]
    : notConvertible(fieldPath, `field label does not support subscript: ${fieldPath}`)
}

/** A field of the pod by its path, which must be one of `supported`. @category combinators */
export const validateFieldRef = (reference: CoreV1.ObjectFieldSelector, supported: ReadonlyArray<string>): Errors => {
  const { apiVersion = "", fieldPath } = reference
  if (apiVersion === "") return [required(".apiVersion")]
  if (fieldPath === "") return [required(".fieldPath")]
  if (apiVersion !== "v1") return notConvertible(fieldPath, `unsupported pod version: ${apiVersion}`)
  const subscript = subscripted.exec(fieldPath)
  if (subscript !== null) return validateSubscripted(fieldPath, subscript[1] ?? "", subscript[2] ?? "")
  if (!allFields.has(fieldPath)) return notConvertible(fieldPath, `field label not supported: ${fieldPath}`)
  const internal = fieldPath === "spec.host" ? "spec.nodeName" : fieldPath
  return supported.includes(internal) ? none : [notSupported(".fieldPath", internal, supported)]
}

const resourceFields = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory"
]

const hugePages = /^(requests|limits)\.hugepages-/
const byteDivisors = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"]

const divisorRule = (resource: string): { readonly divisors: ReadonlyArray<string>; readonly what: string } | undefined => {
  if (resource.endsWith(".cpu")) return { divisors: ["1m", "1"], what: "cpu" }
  if (resource.endsWith(".memory")) return { divisors: byteDivisors, what: "memory" }
  if (resource.endsWith(".ephemeral-storage")) return { divisors: byteDivisors, what: "local ephemeral storage" }
  return hugePages.test(resource) ? { divisors: byteDivisors, what: "hugepages" } : undefined
}

const validateDivisor = (resource: string, divisor: string): Errors => {
  const rule = divisorRule(resource)
  if (rule === undefined || Quantity.fromText(divisor).nanos === 0n || rule.divisors.includes(divisor)) return none
  const allowed = rule.what === "cpu" ? "1m and 1" : rule.divisors.join(", ")
  return [invalid(".divisor", resource, `only divisor's values ${allowed} are supported with the ${rule.what} resource`)]
}

/** A resource of a container, which a file must name and a variable need not. @category combinators */
export const validateResourceFieldRef = (reference: CoreV1.ResourceFieldSelector, needsContainer: boolean): Errors => {
  const { containerName = "", divisor = "0", resource } = reference
  const problems: Errors =
    needsContainer && containerName === ""
      ? [required(".containerName")]
      : resource === ""
        ? [required(".resource")]
        : resourceFields.includes(resource) || hugePages.test(resource)
          ? none
          : [notSupported(".resource", resource, resourceFields)]
  return all(problems, validateDivisor(resource, divisor))
}

const validateKeyRef = ({ key, name = "" }: CoreV1.ConfigMapKeySelector | CoreV1.SecretKeySelector): Errors =>
  all(named(".name", name, Names.isDns1123Subdomain), requiredName(".key", key, Names.isConfigMapKey))

/** Volumes of the pod by their names. @category models */
export type Volumes = ReadonlyMap<string, CoreV1.Volume>

const longestFileKey = 128

const validateFileVolume = (name: string, volumes: Volumes): Errors => {
  const volume = volumes.get(name)
  if (name === "" || Names.isDns1123Label(name).length > 0) return requiredName(".volumeName", name, Names.isDns1123Label)
  if (volume === undefined) return [notFound(".volumeName", name)]
  return volume.emptyDir === undefined ? [invalid(".volumeName", name, "must name a volume of type emptyDir")] : none
}

const validateFileKeyRef = ({ key, path: file, volumeName }: CoreV1.FileKeySelector, volumes: Volumes): Errors =>
  all(
    requiredName(".key", key, Names.isEnvVarName),
    key.length > longestFileKey ? [tooLong(".key", longestFileKey)] : none,
    validateFileVolume(volumeName, volumes),
    present(".path", file),
    localFreePath(".path", file)
  )

const validateValueFrom = (source: CoreV1.EnvVarSource, value: string, volumes: Volumes): Errors => {
  const { configMapKeyRef, fieldRef, fileKeyRef, resourceFieldRef, secretKeyRef } = source
  const count = [configMapKeyRef, fieldRef, fileKeyRef, resourceFieldRef, secretKeyRef].filter((each) => each !== undefined).length
  const choice =
    count === 0
      ? "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
      : value !== ""
        ? "may not be specified when `value` is not empty"
        : count > 1
          ? "may not have more than one field specified at a time"
          : undefined
  return all(
    fieldRef === undefined ? none : at(".fieldRef", validateFieldRef(fieldRef, envFields)),
    resourceFieldRef === undefined ? none : at(".resourceFieldRef", validateResourceFieldRef(resourceFieldRef, false)),
    configMapKeyRef === undefined ? none : at(".configMapKeyRef", validateKeyRef(configMapKeyRef)),
    secretKeyRef === undefined ? none : at(".secretKeyRef", validateKeyRef(secretKeyRef)),
    fileKeyRef === undefined ? none : at(".fileKeyRef", validateFileKeyRef(fileKeyRef, volumes)),
    choice === undefined ? none : [invalid("", "", choice)]
  )
}

const validateVariable = ({ name, value = "", valueFrom }: CoreV1.EnvVar, volumes: Volumes): Errors => {
  const problems = requiredName(".name", name, Names.isEnvVarName)
  return valueFrom === undefined ? problems : all(problems, at(".valueFrom", validateValueFrom(valueFrom, value, volumes)))
}

/** Environment variables of a container of a pod with these volumes. @category combinators */
export const validateEnv = (variables: ReadonlyArray<CoreV1.EnvVar> | undefined, volumes: Volumes): Errors =>
  each(variables, (variable) => validateVariable(variable, volumes))

/** Whole ConfigMaps and Secrets as environment variables. @category combinators */
export const validateEnvFrom = (sources: ReadonlyArray<CoreV1.EnvFromSource> | undefined): Errors =>
  among(sources, ({ configMapRef, prefix = "", secretRef }, index) => {
    const choice =
      configMapRef === undefined && secretRef === undefined
        ? "must specify one of: `configMapRef` or `secretRef`"
        : configMapRef !== undefined && secretRef !== undefined
          ? "may not have more than one field specified at a time"
          : undefined
    const own = all(
      prefix === "" ? none : named(".prefix", prefix, Names.isEnvVarName),
      configMapRef === undefined ? none : requiredName(".configMapRef.name", configMapRef.name, Names.isDns1123Subdomain),
      secretRef === undefined ? none : requiredName(".secretRef.name", secretRef.name, Names.isDns1123Subdomain)
    )
    return all(at(index, own), choice === undefined ? none : [invalid("", "", choice)])
  })
