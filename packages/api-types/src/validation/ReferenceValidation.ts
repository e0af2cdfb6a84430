/** Rules of the values that a container takes from elsewhere: fields of its pod, resources, ConfigMaps and Secrets. */
import { invalid, notSupported, required } from "../FieldError.js"
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

const subscripted = /^([^[]*)\['(.*)'\]$/

/** A field of the pod by its path, which must be one of `supported`. @category combinators */
export const validateFieldRef = (path: string, reference: CoreV1.ObjectFieldSelector, supported: ReadonlyArray<string>): Errors => {
  const { apiVersion = "", fieldPath } = reference
  if (apiVersion === "") return [required(`${path}.apiVersion`)]
  if (fieldPath === "") return [required(`${path}.fieldPath`)]
  const conversion = (why: string): Errors => [invalid(`${path}.fieldPath`, fieldPath, `error converting fieldPath: ${why}`)]
  if (apiVersion !== "v1") return conversion(`unsupported pod version: ${apiVersion}`)
  const [, owner = "", key = ""] = subscripted.exec(fieldPath) ?? []
  if (owner === "metadata.annotations") return named(path, key.toLowerCase(), Names.isQualifiedName)
  if (owner === "metadata.labels") return named(path, key, Names.isQualifiedName)
  if (owner !== "") return allFields.has(owner) ? [invalid(path, owner, "does not support subscript")] : conversion(`field label does not support subscript: ${fieldPath}`)
  if (!allFields.has(fieldPath)) return conversion(`field label not supported: ${fieldPath}`)
  const internal = fieldPath === "spec.host" ? "spec.nodeName" : fieldPath
  return supported.includes(internal) ? [] : [notSupported(`${path}.fieldPath`, internal, supported)]
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

const validateDivisor = (path: string, resource: string, divisor: string): Errors => {
  const rule = divisorRule(resource)
  if (rule === undefined || Quantity.fromText(divisor).nanos === 0n || rule.divisors.includes(divisor)) return []
  const allowed = rule.what === "cpu" ? "1m and 1" : rule.divisors.join(", ")
  return [invalid(`${path}.divisor`, resource, `only divisor's values ${allowed} are supported with the ${rule.what} resource`)]
}

/** A resource of a container, which a file must name and a variable need not. @category combinators */
export const validateResourceFieldRef = (path: string, reference: CoreV1.ResourceFieldSelector, needsContainer: boolean): Errors => {
  const { containerName = "", divisor = "0", resource } = reference
  const problems: Errors =
    needsContainer && containerName === ""
      ? [required(`${path}.containerName`)]
      : resource === ""
        ? [required(`${path}.resource`)]
        : resourceFields.includes(resource) || hugePages.test(resource)
          ? []
          : [notSupported(`${path}.resource`, resource, resourceFields)]
  return [...problems, ...validateDivisor(path, resource, divisor)]
}

const validateKeyRef = (path: string, { key, name = "" }: CoreV1.ConfigMapKeySelector | CoreV1.SecretKeySelector): Errors => [
  ...named(`${path}.name`, name, Names.isDns1123Subdomain),
  ...requiredName(`${path}.key`, key, Names.isConfigMapKey)
]

const validateFileKeyRef = (path: string, { key, path: file, volumeName }: CoreV1.FileKeySelector): Errors => [
  ...requiredName(`${path}.key`, key, Names.isEnvVarName),
  ...requiredName(`${path}.volumeName`, volumeName, Names.isDns1123Label),
  ...present(`${path}.path`, file),
  ...localFreePath(`${path}.path`, file)
]

const validateValueFrom = (path: string, variable: CoreV1.EnvVar): Errors => {
  const source = variable.valueFrom
  if (source === undefined) return []
  const { configMapKeyRef, fieldRef, fileKeyRef, resourceFieldRef, secretKeyRef } = source
  const count = [configMapKeyRef, fieldRef, fileKeyRef, resourceFieldRef, secretKeyRef].filter((each) => each !== undefined).length
  const choice =
    count === 0
      ? "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
      : (variable.value ?? "") !== ""
        ? "may not be specified when `value` is not empty"
        : count > 1
          ? "may not have more than one field specified at a time"
          : undefined
  return [
    ...(fieldRef === undefined ? [] : validateFieldRef(`${path}.fieldRef`, fieldRef, envFields)),
    ...(resourceFieldRef === undefined ? [] : validateResourceFieldRef(`${path}.resourceFieldRef`, resourceFieldRef, false)),
    ...(configMapKeyRef === undefined ? [] : validateKeyRef(`${path}.configMapKeyRef`, configMapKeyRef)),
    ...(secretKeyRef === undefined ? [] : validateKeyRef(`${path}.secretKeyRef`, secretKeyRef)),
    ...(fileKeyRef === undefined ? [] : validateFileKeyRef(`${path}.fileKeyRef`, fileKeyRef)),
    ...(choice === undefined ? [] : [invalid(path, "", choice)])
  ]
}

/** Environment variables. @category combinators */
export const validateEnv = (path: string, variables: ReadonlyArray<CoreV1.EnvVar>): Errors =>
  variables.flatMap((variable, index) => [
    ...requiredName(`${path}[${index}].name`, variable.name, Names.isEnvVarName),
    ...validateValueFrom(`${path}[${index}].valueFrom`, variable)
  ])

/** Whole ConfigMaps and Secrets as environment variables. @category combinators */
export const validateEnvFrom = (path: string, sources: ReadonlyArray<CoreV1.EnvFromSource>): Errors =>
  sources.flatMap(({ configMapRef, prefix = "", secretRef }, index) => {
    const at = `${path}[${index}]`
    const choice =
      configMapRef === undefined && secretRef === undefined
        ? "must specify one of: `configMapRef` or `secretRef`"
        : configMapRef !== undefined && secretRef !== undefined
          ? "may not have more than one field specified at a time"
          : undefined
    return [
      ...(prefix === "" ? [] : named(`${at}.prefix`, prefix, Names.isEnvVarName)),
      ...(configMapRef === undefined ? [] : requiredName(`${at}.configMapRef.name`, configMapRef.name, Names.isDns1123Subdomain)),
      ...(secretRef === undefined ? [] : requiredName(`${at}.secretRef.name`, secretRef.name, Names.isDns1123Subdomain)),
      ...(choice === undefined ? [] : [invalid(path, "", choice)])
    ]
  })
