/** Rules of resource names and amounts. */
import { duplicate, forbidden, invalid, invalidEach, notFound, notSupported, required } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { named, negative } from "../internal/fieldRules.js"
import * as Names from "../Names.js"
import { aggregate } from "../PodResources.js"
import * as Quantity from "../Quantity.js"

type Amounts = Readonly<Record<string, string>>

const containerResources: ReadonlySet<string> = new Set(["cpu", "memory", "ephemeral-storage"])

const standardResources: ReadonlySet<string> = new Set([
  ...containerResources,
  ...["cpu", "memory", "ephemeral-storage"].flatMap((name) => [`requests.${name}`, `limits.${name}`]),
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "storage",
  "requests.storage",
  "services.nodeports",
  "services.loadbalancers"
])

const integerResources: ReadonlySet<string> = new Set([
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "services.nodeports",
  "services.loadbalancers"
])

/** Whether a name without a domain is one that Kubernetes counts. @category combinators */
export const isStandardResource = (name: string): boolean =>
  standardResources.has(name) || isHugePage(name) || name.startsWith("requests.hugepages-")

const isHugePage = (name: string): boolean => name.startsWith("hugepages-")
const isNative = (name: string): boolean => !name.includes("/") || name.includes("kubernetes.io/")
const isExtended = (name: string): boolean =>
  !isNative(name) && !name.startsWith("requests.") && Names.isQualifiedName(`requests.${name}`).length === 0
const mayOvercommit = (name: string): boolean => isNative(name) && !isHugePage(name)

/** A resource of Kubernetes, or one with a domain. @category combinators */
export const resourceName = (path: string, name: string): Errors => {
  const problems = invalidEach(path, name, Names.isQualifiedName(name))
  if (problems.length > 0 || name.includes("/") || standardResources.has(name) || isHugePage(name)) return problems
  return [invalid(path, name, "must be a standard resource type or fully qualified")]
}

const containerResourceName = (path: string, name: string): Errors => {
  const problems = resourceName(path, name)
  if (!name.includes("/")) {
    return containerResources.has(name) || isHugePage(name)
      ? problems
      : [...problems, invalid(path, name, "must be a standard resource for containers")]
  }
  return isNative(name) || isExtended(name) ? problems : [...problems, invalid(path, name, "doesn't follow extended resource name standard")]
}

const podResourceName = (path: string, name: string): Errors => {
  const problems = resourceName(path, name)
  if (problems.length > 0) return problems
  return name === "cpu" || name === "memory" || isHugePage(name) ? [] : [notSupported(path, name, ["cpu", "hugepages-", "memory"])]
}

/** An amount must not be negative, and whole for resources that are counted. @category combinators */
export const validateResourceAmount = (path: string, name: string, text: string): Errors => {
  const amount = Quantity.fromText(text)
  return [
    ...(amount.nanos < 0n ? [invalid(path, text, negative)] : []),
    ...((integerResources.has(name) || isExtended(name)) && !Quantity.isInteger(amount) ? [invalid(path, text, "must be an integer")] : [])
  ]
}

const hugePageAmount = (path: string, name: string, text: string): Errors => {
  if (!isHugePage(name)) return []
  const size = Quantity.fromText(name.slice("hugepages-".length)).nanos
  const amount = Quantity.fromText(text).nanos
  return size > 0n && amount % size === 0n ? [] : [invalid(path, text, `${text} is not positive integer multiple of ${name}`)]
}

const requestWithinLimit = (path: string, name: string, text: string, limits: Amounts): Errors => {
  const limit = Object.hasOwn(limits, name) ? limits[name] : undefined
  if (limit === undefined) return mayOvercommit(name) ? [] : [required(`${path}.limits`, "Limit must be set for non overcommitable resources")]
  const order = Quantity.compare(Quantity.fromText(text), Quantity.fromText(limit))
  if (order !== 0 && !mayOvercommit(name)) return [invalid(`${path}.requests`, text, `must be equal to ${name} limit of ${limit}`)]
  return order > 0 ? [invalid(`${path}.requests`, text, `must be less than or equal to ${name} limit of ${limit}`)] : []
}

const claimNames = (path: string, claims: ReadonlyArray<CoreV1.ResourceClaim>, known: ReadonlyArray<string>): Errors => {
  const seen = new Set<string>()
  const partly = new Set<string>()
  return claims.flatMap(({ name, request = "" }, index) => {
    const at = `${path}[${index}]`
    if (name === "") return [required(at)]
    const key = request === "" ? name : `${name}/${request}`
    // A claim as a whole and one of its requests are the same thing twice.
    const repeated = seen.has(name) || seen.has(key) || (request === "" && partly.has(name))
    seen.add(key)
    if (request !== "") partly.add(name)
    const missing = notFound(at, name)
    const names = known.length === 0 ? " which is empty" : `: ${known.toSorted().join(", ")}`
    return [
      ...(repeated ? [duplicate(at, key)] : []),
      ...(request === "" ? [] : named(`${at}.request`, request, Names.isDns1123Label)),
      ...(known.includes(name)
        ? []
        : [{ ...missing, message: `${missing.message}: must be one of the names in pod.spec.resourceClaims${names}` }])
    ]
  })
}

const requirements = (
  path: string,
  { claims = [], limits = {}, requests = {} }: CoreV1.ResourceRequirements,
  nameRule: (path: string, name: string) => Errors,
  podClaims: ReadonlyArray<string>
): Errors => {
  const amount = (list: string, name: string, text: string): Errors => {
    const at = `${path}.${list}[${name}]`
    return [...nameRule(at, name), ...validateResourceAmount(at, name, text), ...hugePageAmount(at, name, text)]
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)]
  const lonelyHugePages = names.some(isHugePage) && !names.includes("cpu") && !names.includes("memory")
  return [
    ...Object.entries(limits).flatMap(([name, text]) => amount("limits", name, text)),
    ...Object.entries(requests).flatMap(([name, text]) => [...amount("requests", name, text), ...requestWithinLimit(path, name, text, limits)]),
    ...(lonelyHugePages ? [forbidden(path, "HugePages require cpu or memory")] : []),
    ...claimNames(`${path}.claims`, claims, podClaims)
  ]
}

/** Resources of a container. @category combinators */
export const validateContainerResources = (
  path: string,
  resources: CoreV1.ResourceRequirements | undefined,
  podClaims: ReadonlyArray<string>
): Errors => (resources === undefined ? [] : requirements(path, resources, containerResourceName, podClaims))

/** Overhead of a runtime class: amounts like limits of a container. @category combinators */
export const validateOverhead = (path: string, overhead: Amounts | undefined): Errors =>
  overhead === undefined ? [] : requirements(path, { limits: overhead }, containerResourceName, [])

/** Resources of a pod as a whole, which must have room for those of its containers. @category combinators */
export const validatePodResources = (path: string, spec: CoreV1.PodSpec): Errors => {
  const resources = spec.resources
  if (resources === undefined || Object.keys(resources).length === 0) return []
  const { claims, limits = {}, requests = {} } = resources
  const aggregated = [...aggregate(spec, (container) => container.resources?.requests)].flatMap(([name, amount]) => {
    const given = Object.hasOwn(requests, name) ? requests[name] : undefined
    const shown = given ?? "0"
    return Quantity.compare(amount, Quantity.fromText(given)) > 0
      ? [invalid(`${path}.requests[${name}]`, shown, `must be greater than or equal to aggregate container requests of ${Quantity.toCanonical(amount)}`)]
      : []
  })
  const exceeding = spec.containers.flatMap((container, index) =>
    Object.entries(container.resources?.limits ?? {}).flatMap(([name, text]) => {
      const bound = Object.hasOwn(limits, name) ? limits[name] : undefined
      return bound !== undefined && Quantity.compare(Quantity.fromText(text), Quantity.fromText(bound)) > 0
        ? [invalid(`${path}.containers[${index}][${name}].limits`, text, `must be less than or equal to pod limits of ${bound}`)]
        : []
    })
  )
  return [
    ...(claims === undefined ? [] : [forbidden(`${path}.claims`, "claims cannot be set for Resources at pod-level")]),
    ...requirements(path, { limits, requests }, podResourceName, []),
    ...aggregated,
    ...exceeding
  ]
}
