/** Rules of resource names and amounts. */
import { all, among, amongEntries, at, atKey, duplicate, each, forbidden, invalid, invalidEach, none, notFound, notSupported, required } from "../FieldError.js"
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
  if (standardResources.has(name)) return none
  const problems = invalidEach(path, name, Names.isQualifiedName(name))
  if (problems.length > 0 || name.includes("/") || isHugePage(name)) return problems
  return [invalid(path, name, "must be a standard resource type or fully qualified")]
}

type NameRule = (name: string) => Errors

const containerResourceName: NameRule = (name) => {
  const problems = resourceName("", name)
  if (!name.includes("/")) {
    return containerResources.has(name) || isHugePage(name)
      ? problems
      : all(problems, [invalid("", name, "must be a standard resource for containers")])
  }
  return isNative(name) || isExtended(name) ? problems : all(problems, [invalid("", name, "doesn't follow extended resource name standard")])
}

const podResources = ["cpu", "hugepages-", "memory"]

const podResourceName: NameRule = (name) => {
  const problems = resourceName("", name)
  if (problems.length > 0) return problems
  return name === "cpu" || name === "memory" || isHugePage(name) ? none : [notSupported("", name, podResources)]
}

/** An amount must not be negative, and whole for resources that are counted. @category combinators */
export const validateResourceAmount = (path: string, name: string, text: string): Errors => {
  const amount = Quantity.fromText(text)
  return all(
    amount.nanos < 0n ? [invalid(path, text, negative)] : none,
    (integerResources.has(name) || isExtended(name)) && !Quantity.isInteger(amount) ? [invalid(path, text, "must be an integer")] : none
  )
}

const hugePageAmount = (name: string, text: string): Errors => {
  if (!isHugePage(name)) return none
  const size = Quantity.fromText(name.slice("hugepages-".length)).nanos
  const amount = Quantity.fromText(text).nanos
  return size > 0n && amount % size === 0n ? none : [invalid("", text, `${text} is not positive integer multiple of ${name}`)]
}

const requestWithinLimit = (name: string, text: string, limits: Amounts): Errors => {
  const limit = Object.hasOwn(limits, name) ? limits[name] : undefined
  if (limit === undefined) return mayOvercommit(name) ? none : [required(".limits", "Limit must be set for non overcommitable resources")]
  const order = Quantity.compare(Quantity.fromText(text), Quantity.fromText(limit))
  if (order !== 0 && !mayOvercommit(name)) return [invalid(".requests", text, `must be equal to ${name} limit of ${limit}`)]
  return order > 0 ? [invalid(".requests", text, `must be less than or equal to ${name} limit of ${limit}`)] : none
}

type PodClaims = ReadonlyArray<CoreV1.PodResourceClaim>

const claimNames = (claims: ReadonlyArray<CoreV1.ResourceClaim>, podClaims: PodClaims): Errors => {
  const known = podClaims.map(({ name }) => name).filter((name) => name !== "")
  const seen = new Set<string>()
  const partly = new Set<string>()
  return each(claims, ({ name, request = "" }) => {
    if (name === "") return [required("")]
    const key = request === "" ? name : `${name}/${request}`
    // A claim as a whole and one of its requests are the same thing twice.
    const repeated = seen.has(name) || seen.has(key) || (request === "" && partly.has(name))
    seen.add(key)
    if (request !== "") partly.add(name)
    const missing = notFound("", name)
    const names = known.length === 0 ? " which is empty" : `: ${known.toSorted().join(", ")}`
    return all(
      repeated ? [duplicate("", key)] : none,
      request === "" ? none : named(".request", request, Names.isDns1123Label),
      known.includes(name) ? none : [{ ...missing, message: `${missing.message}: must be one of the names in pod.spec.resourceClaims${names}` }]
    )
  })
}

const noAmounts: Amounts = {}
const noClaims: PodClaims = []

const isOrdinary = (name: string): boolean => name === "cpu" || name === "memory"

const hasName = (amounts: Amounts, matches: (name: string) => boolean): boolean => {
  for (const name in amounts) if (matches(name)) return true
  return false
}

const requirements = (
  { claims, limits = noAmounts, requests = noAmounts }: CoreV1.ResourceRequirements,
  nameRule: NameRule,
  podClaims: PodClaims
): Errors => {
  const amount = (name: string, text: string): Errors =>
    all(nameRule(name), validateResourceAmount("", name, text), hugePageAmount(name, text))
  const has = (matches: (name: string) => boolean): boolean => hasName(limits, matches) || hasName(requests, matches)
  return all(
    amongEntries(limits, (name, text) => at(".limits", atKey(name, amount(name, text)))),
    amongEntries(requests, (name, text) => all(at(".requests", atKey(name, amount(name, text))), requestWithinLimit(name, text, limits))),
    has(isHugePage) && !has(isOrdinary) ? [forbidden("", "HugePages require cpu or memory")] : none,
    claims === undefined ? none : at(".claims", claimNames(claims, podClaims))
  )
}

/** Resources of a container. @category combinators */
export const validateContainerResources = (
  path: string,
  resources: CoreV1.ResourceRequirements | undefined,
  podClaims: PodClaims = noClaims
): Errors => (resources === undefined ? none : at(path, requirements(resources, containerResourceName, podClaims)))

/** Overhead of a runtime class: amounts like limits of a container. @category combinators */
export const validateOverhead = (path: string, overhead: Amounts | undefined): Errors =>
  overhead === undefined ? none : at(path, requirements({ limits: overhead }, containerResourceName, noClaims))

/** What the containers of a pod ask for together must not be more than what the pod asks for. */
const validateAggregate = (spec: CoreV1.PodSpec, requests: Amounts): Errors =>
  among([...aggregate(spec, (container) => container.resources?.requests)], ([name, amount]) => {
    const given = Object.hasOwn(requests, name) ? requests[name] : undefined
    return Quantity.compare(amount, Quantity.fromText(given)) > 0
      ? [
          invalid(
            `.requests[${name}]`,
            given ?? "0",
            `must be greater than or equal to aggregate container requests of ${Quantity.toCanonical(amount)}`
          )
        ]
      : none
  })

const validateWithinPod = (container: CoreV1.Container, limits: Amounts): Errors =>
  amongEntries(container.resources?.limits, (name, text) => {
    const bound = Object.hasOwn(limits, name) ? limits[name] : undefined
    return bound !== undefined && Quantity.compare(Quantity.fromText(text), Quantity.fromText(bound)) > 0
      ? [invalid(`[${name}].limits`, text, `must be less than or equal to pod limits of ${bound}`)]
      : none
  })

/** Resources of a pod as a whole, which must have room for those of its containers. @category combinators */
export const validatePodResources = (spec: CoreV1.PodSpec): Errors => {
  const resources = spec.resources
  if (resources === undefined || Object.keys(resources).length === 0) return none
  const { claims, limits = noAmounts, requests = noAmounts } = resources
  return all(
    claims === undefined ? none : [forbidden(".claims", "claims cannot be set for Resources at pod-level")],
    requirements({ limits, requests }, podResourceName, noClaims),
    validateAggregate(spec, requests),
    at(".containers", each(spec.containers, (container) => validateWithinPod(container, limits)))
  )
}
