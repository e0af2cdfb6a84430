/** What an object uses of the resources that a ResourceQuota bounds. Plain functions: admission calls them for every object of a namespace. */
import type * as CoreV1 from "./generated/CoreV1.js"
import type { Kind } from "./Kind.js"
import type { KubeObject } from "./KubeObject.js"
import * as PodPhase from "./PodPhase.js"
import * as PodResources from "./PodResources.js"
import * as Quantity from "./Quantity.js"
import * as Timestamp from "./Timestamp.js"

/** Amounts by the name that a quota gives the resource. @category models */
export type Usage = ReadonlyMap<string, Quantity.Quantity>

const one = Quantity.fromNumber(1)

type Amounts = Map<string, Quantity.Quantity>

const isPod = (object: KubeObject): object is CoreV1.Pod => object.kind === "Pod" && object.apiVersion === "v1"
const isService = (object: KubeObject): object is CoreV1.Service => object.kind === "Service" && object.apiVersion === "v1"
const isClaim = (object: KubeObject): object is CoreV1.PersistentVolumeClaim => object.kind === "PersistentVolumeClaim" && object.apiVersion === "v1"

/** Kinds of the core group that quotas also count under their bare name. */
const bare: ReadonlySet<string> = new Set(["replicationcontrollers", "resourcequotas", "secrets", "configmaps"])

/**
 * The name under which a quota counts objects of a kind, such as `count/deployments.apps`.
 *
 * @category combinators
 */
export const countName = (kind: Pick<Kind, "group" | "plural">): string => `count/${kind.plural}${kind.group === "" ? "" : `.${kind.group}`}`

const putResources = (amounts: Amounts, resources: PodResources.Resources, isLimit: boolean): void => {
  const put = (name: string, amount: Quantity.Quantity) => {
    if (amount.nanos <= 0n) return
    if (isLimit) amounts.set(`limits.${name}`, amount)
    else {
      // The requests of devices are counted only under their long name.
      if (!name.includes("/")) amounts.set(name, amount)
      amounts.set(`requests.${name}`, amount)
    }
  }
  put("cpu", Quantity.fromMillis(resources.cpuMillis))
  put("memory", Quantity.fromBytes(resources.memoryBytes))
  put("ephemeral-storage", Quantity.fromBytes(resources.ephemeralStorageBytes))
  if (!isLimit) for (const [name, amount] of Object.entries(resources.scalars)) put(name, name.startsWith("hugepages-") ? Quantity.fromBytes(amount) : Quantity.fromNumber(amount))
}

const podUsage = (pod: CoreV1.Pod): Amounts => {
  const amounts: Amounts = new Map([["pods", one]])
  putResources(amounts, PodResources.requests(pod), false)
  putResources(amounts, PodResources.limits(pod), true)
  return amounts
}

const serviceUsage = ({ spec }: CoreV1.Service): Amounts => {
  const amounts: Amounts = new Map([["services", one]])
  const isBalanced = spec?.type === "LoadBalancer"
  if (isBalanced) amounts.set("services.loadbalancers", one)
  const ports = spec?.ports ?? []
  // A balancer may do without node ports; those that it was given explicitly count all the same.
  const count = spec?.type === "NodePort" || (isBalanced && spec?.allocateLoadBalancerNodePorts !== false)
    ? ports.length
    : isBalanced ? ports.filter(({ nodePort = 0 }) => nodePort !== 0).length : 0
  if (count > 0) amounts.set("services.nodeports", Quantity.fromNumber(count))
  return amounts
}

const claimUsage = ({ metadata, spec, status }: CoreV1.PersistentVolumeClaim): Amounts => {
  const amounts: Amounts = new Map([["persistentvolumeclaims", one]])
  const requested = spec?.resources?.requests?.["storage"]
  const allocated = status?.allocatedResources?.["storage"]
  const sizes = [requested, allocated].filter((text) => text !== undefined).map((text) => Quantity.fromText(text))
  const size = sizes.reduce<Quantity.Quantity | undefined>((most, next) => (most === undefined || Quantity.compare(next, most) > 0 ? next : most), undefined)
  if (size !== undefined) amounts.set("requests.storage", size)
  const storageClass = metadata.annotations?.["volume.beta.kubernetes.io/storage-class"] ?? spec?.storageClassName ?? ""
  if (storageClass !== "") {
    const prefix = `${storageClass}.storageclass.storage.k8s.io`
    amounts.set(`${prefix}/persistentvolumeclaims`, one)
    if (size !== undefined) amounts.set(`${prefix}/requests.storage`, size)
  }
  return amounts
}

const isOver = (pod: CoreV1.Pod, now: number): boolean => {
  if (PodPhase.isTerminal(pod)) return true
  const { deletionGracePeriodSeconds = 0, deletionTimestamp } = pod.metadata
  const deleted = Timestamp.toMillis(deletionTimestamp)
  // A node that is gone must not hold the quota of its pods for ever.
  return deleted !== undefined && deletionGracePeriodSeconds > 0 && now > deleted + 1000 * deletionGracePeriodSeconds
}

const none: Usage = new Map()

/** What an object of a kind uses. `now` is milliseconds since the epoch. @category combinators */
export const ofObject = (kind: Pick<Kind, "group" | "plural">, object: KubeObject, now: number): Usage => {
  const amounts: Amounts = isPod(object)
    ? new Map(isOver(object, now) ? none : podUsage(object))
    : isService(object) ? serviceUsage(object) : isClaim(object) ? claimUsage(object) : new Map()
  amounts.set(countName(kind), one)
  if (kind.group === "" && bare.has(kind.plural)) amounts.set(kind.plural, one)
  return amounts
}

/** Whether objects of the kind can use a resource of that name at all. @category combinators */
export const concerns = (kind: Pick<Kind, "group" | "plural">, resource: string): boolean => {
  if (resource === countName(kind)) return true
  if (kind.group !== "") return false
  switch (kind.plural) {
    case "pods":
      return resource === "pods" || resource === "cpu" || resource === "memory" || resource === "ephemeral-storage" || resource.startsWith("hugepages-") ||
        resource.startsWith("limits.") || (resource.startsWith("requests.") && resource !== "requests.storage")
    case "services":
      return resource === "services" || resource.startsWith("services.")
    case "persistentvolumeclaims":
      return resource === "persistentvolumeclaims" || resource === "requests.storage" || resource.includes(".storageclass.storage.k8s.io/")
    default:
      return resource === kind.plural && bare.has(resource)
  }
}

const reachesOtherNamespaces = ({ affinity }: CoreV1.PodSpec): boolean =>
  [affinity?.podAffinity, affinity?.podAntiAffinity].some((either) =>
    [
      ...either?.requiredDuringSchedulingIgnoredDuringExecution ?? [],
      ...(either?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm)
    ].some(({ namespaceSelector, namespaces = [] }) => namespaces.length > 0 || namespaceSelector !== undefined))

const selects = ({ operator, values = [] }: CoreV1.ScopedResourceSelectorRequirement, value: string): boolean => {
  switch (operator) {
    case "Exists":
      return value !== ""
    case "DoesNotExist":
      return value === ""
    case "In":
      return value !== "" && values.includes(value)
    case "NotIn":
      return !values.includes(value)
    default:
      return false
  }
}

const matchesPod = (requirement: CoreV1.ScopedResourceSelectorRequirement, pod: CoreV1.Pod): boolean => {
  const { spec } = pod
  switch (requirement.scopeName) {
    case "Terminating":
      return spec?.activeDeadlineSeconds !== undefined
    case "NotTerminating":
      return spec?.activeDeadlineSeconds === undefined
    case "BestEffort":
      return PodResources.qosClass(pod) === "BestEffort"
    case "NotBestEffort":
      return PodResources.qosClass(pod) !== "BestEffort"
    case "PriorityClass":
      return selects(requirement, spec?.priorityClassName ?? "")
    case "CrossNamespacePodAffinity":
      return spec !== undefined && reachesOtherNamespaces(spec)
    case "VolumeAttributesClass":
      return false
    default:
      return false
  }
}

/** Whether an object is within all scopes of a quota. Without scopes every object is. @category combinators */
export const isInScope = ({ spec }: CoreV1.ResourceQuota, object: KubeObject): boolean => {
  const requirements: ReadonlyArray<CoreV1.ScopedResourceSelectorRequirement> = [
    ...(spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists" as const })),
    ...spec?.scopeSelector?.matchExpressions ?? []
  ]
  return requirements.every((requirement) =>
    isPod(object)
      ? matchesPod(requirement, object)
      : isClaim(object) && requirement.scopeName === "VolumeAttributesClass" && selects(requirement, object.spec?.volumeAttributesClassName ?? ""))
}

/** Adds the amounts of `usage` that `names` contains to a sum. @category combinators */
export const addInto = (sum: Map<string, Quantity.Quantity>, usage: Usage, names: ReadonlySet<string>): void => {
  for (const [name, amount] of usage) if (names.has(name)) sum.set(name, Quantity.add(sum.get(name) ?? Quantity.zero, amount))
}

/** Resources that every container has to ask for, or be limited in, where a quota bounds them. */
const perContainer: ReadonlySet<string> = new Set(["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"])

/**
 * The containers that do not say how much they use of resources that a quota bounds, by resource: nobody could tell whether they keep to it.
 *
 * @category combinators
 */
export const unspecified = (pod: CoreV1.Pod, hard: Iterable<string>): ReadonlyMap<string, ReadonlyArray<string>> => {
  const { containers = [], initContainers = [], resources } = pod.spec ?? {}
  const found = new Map<string, ReadonlyArray<string>>()
  for (const resource of [...hard].sort()) {
    if (!perContainer.has(resource)) continue
    const isLimit = resource.startsWith("limits.")
    const name = resource.replace(/^(limits|requests)\./, "")
    const isSet = (given: CoreV1.ResourceRequirements | undefined): boolean => (isLimit ? given?.limits : given?.requests)?.[name] !== undefined
    if (isSet(resources)) continue
    const names = [...containers, ...initContainers].filter((container) => !isSet(container.resources)).map((container) => container.name)
    if (names.length > 0) found.set(resource, names.sort())
  }
  return found
}
