/** Admission: the LimitRanges of a namespace give containers default amounts, and bound those of containers, pods and claims. */
import { ApiError, type CoreV1, Kinds, type KubeObject, PodResources, Quantity, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import type { Attributes, ClusterView, Plugin } from "./Admission.js"

type Amounts = Readonly<Record<string, string>>

const isPod = (object: KubeObject.KubeObject): object is CoreV1.Pod => object.kind === "Pod"
const isClaim = (object: KubeObject.KubeObject): object is CoreV1.PersistentVolumeClaim => object.kind === "PersistentVolumeClaim"
const isRange = (object: KubeObject.KubeObject): object is CoreV1.LimitRange => object.kind === "LimitRange"

const itemsOf = (view: ClusterView, namespace: string | undefined): ReadonlyArray<CoreV1.LimitRangeItem> =>
  view.list(Kinds.limitRange, namespace).filter(isRange).flatMap(({ spec }) => spec?.limits ?? [])

const amount = (amounts: Amounts, name: string): Quantity.Quantity | undefined => {
  const text = Object.hasOwn(amounts, name) ? amounts[name] : undefined
  return text === undefined ? undefined : Quantity.fromText(text)
}

/** The default amounts of a container: of several ranges the last one counts. */
const defaultsOf = (items: ReadonlyArray<CoreV1.LimitRangeItem>) => {
  const own = items.filter(({ type }) => type === "Container")
  const merged = (all: ReadonlyArray<Amounts | undefined>): Amounts => Object.fromEntries(all.flatMap((amounts) => Object.entries(amounts ?? {})))
  return { requests: merged(own.map(({ defaultRequest }) => defaultRequest)), limits: merged(own.map((item) => item.default)) }
}

const missing = (given: Amounts, defaults: Amounts): ReadonlyArray<string> =>
  Object.keys(defaults).filter((name) => !Object.hasOwn(given, name)).sort()

/** A container with its defaults, and what to say about them. */
const completed = <A extends CoreV1.Container>(
  container: A,
  defaults: ReturnType<typeof defaultsOf>,
  what: string
): readonly [A, ReadonlyArray<string>] => {
  const { limits = {}, requests = {} } = container.resources ?? {}
  const newRequests = missing(requests, defaults.requests)
  const newLimits = missing(limits, defaults.limits)
  if (newRequests.length === 0 && newLimits.length === 0) return [container, []]
  const resources = {
    ...container.resources,
    ...(Object.keys(defaults.limits).length + Object.keys(limits).length === 0 ? {} : { limits: { ...defaults.limits, ...limits } }),
    ...(Object.keys(defaults.requests).length + Object.keys(requests).length === 0
      ? {}
      : { requests: { ...defaults.requests, ...requests } })
  }
  return [{ ...container, resources }, [
    ...(newRequests.length === 0 ? [] : [`${newRequests.join(", ")} request for ${what} ${container.name}`]),
    ...(newLimits.length === 0 ? [] : [`${newLimits.join(", ")} limit for ${what} ${container.name}`])
  ]]
}

/** The pod with the defaults of its containers; the annotation says which. */
const withDefaults = (pod: CoreV1.Pod, items: ReadonlyArray<CoreV1.LimitRangeItem>): CoreV1.Pod => {
  const { spec } = pod
  if (spec === undefined || items.length === 0) return pod
  const defaults = defaultsOf(items)
  const containers = spec.containers.map((container) => completed(container, defaults, "container"))
  const init = spec.initContainers?.map((container) => completed(container, defaults, "init container"))
  const said = [...containers, ...init ?? []].flatMap(([, notes]) => notes)
  if (said.length === 0) return pod
  const next: CoreV1.Pod = {
    ...pod,
    metadata: {
      ...pod.metadata,
      annotations: { ...pod.metadata.annotations, "kubernetes.io/limit-ranger": `LimitRanger plugin set: ${said.join("; ")}` }
    },
    spec: {
      ...spec,
      containers: containers.map(([container]) => container),
      ...(init === undefined ? {} : { initContainers: init.map(([container]) => container) })
    }
  }
  const { status: _, ...unclassified } = next
  return { ...next, status: { ...pod.status, qosClass: PodResources.qosClass(unclassified) } }
}

interface Bounded {
  readonly type: string
  readonly requests: Amounts
  readonly limits: Amounts
}

const exceeds = (left: Quantity.Quantity, right: Quantity.Quantity): boolean => Quantity.compare(left, right) > 0

const minimumProblems = ({ limits, requests, type }: Bounded, min: Amounts): ReadonlyArray<string> =>
  Object.entries(min).flatMap(([name, text]) => {
    const bound = Quantity.fromText(text)
    const request = amount(requests, name)
    const limit = amount(limits, name)
    const begin = `minimum ${name} usage per ${type} is ${text}`
    if (request === undefined) return [`${begin}.  No request is specified`]
    if (exceeds(bound, request)) return [`${begin}, but request is ${Quantity.toCanonical(request)}`]
    return limit !== undefined && exceeds(bound, limit) ? [`${begin}, but limit is ${Quantity.toCanonical(limit)}`] : []
  })

/** `required`: what is not limited at all may use more than the maximum. */
const maximumProblems = ({ limits, requests, type }: Bounded, max: Amounts, required: boolean): ReadonlyArray<string> =>
  Object.entries(max).flatMap(([name, text]) => {
    const bound = Quantity.fromText(text)
    const request = amount(requests, name)
    const limit = amount(limits, name)
    const begin = `maximum ${name} usage per ${type} is ${text}`
    if (required && limit === undefined) return [`${begin}.  No limit is specified`]
    if (limit !== undefined && exceeds(limit, bound)) return [`${begin}, but limit is ${Quantity.toCanonical(limit)}`]
    return request !== undefined && exceeds(request, bound) ? [`${begin}, but request is ${Quantity.toCanonical(request)}`] : []
  })

const ratioProblems = ({ limits, requests, type }: Bounded, ratios: Amounts): ReadonlyArray<string> =>
  Object.entries(ratios).flatMap(([name, text]) => {
    const request = amount(requests, name)
    const limit = amount(limits, name)
    const begin = `${name} max limit to request ratio per ${type} is ${text}`
    if (request === undefined || request.nanos === 0n) return [`${begin}, but no request is specified or request is 0`]
    if (limit === undefined || limit.nanos === 0n) return [`${begin}, but no limit is specified or limit is 0`]
    const highest = Quantity.fromText(text).nanos
    if (limit.nanos * 1_000_000_000n <= highest * request.nanos) return []
    return [`${begin}, but provided ratio is ${(Number(limit.nanos) / Number(request.nanos)).toFixed(6)}`]
  })

const problemsOf = (bounded: Bounded, items: ReadonlyArray<CoreV1.LimitRangeItem>): ReadonlyArray<string> =>
  items.filter(({ type }) => type === bounded.type).flatMap(({ max = {}, maxLimitRequestRatio = {}, min = {} }) => [
    ...minimumProblems(bounded, min),
    // A claim has no limits: it gets what it requests.
    ...maximumProblems(bounded, max, bounded.type !== "PersistentVolumeClaim"),
    ...ratioProblems(bounded, maxLimitRequestRatio)
  ])

const texts = (amounts: ReadonlyMap<string, Quantity.Quantity>): Amounts =>
  Object.fromEntries([...amounts].map(([name, quantity]) => [name, Quantity.toCanonical(quantity)]))

const podProblems = ({ spec }: CoreV1.Pod, items: ReadonlyArray<CoreV1.LimitRangeItem>): ReadonlyArray<string> => {
  if (spec === undefined || items.length === 0) return []
  const containers = [...spec.containers, ...spec.initContainers ?? []].flatMap(({ resources }) =>
    problemsOf({ type: "Container", requests: resources?.requests ?? {}, limits: resources?.limits ?? {} }, items))
  const requests = texts(PodResources.aggregate(spec, ({ resources }) => resources?.requests))
  const limits = texts(PodResources.aggregate(spec, ({ resources }) => resources?.limits))
  return [...containers, ...problemsOf({ type: "Pod", requests, limits }, items)]
}

const check = (object: KubeObject.KubeObject, { kind, name, namespace }: Attributes, view: ClusterView) => {
  const items = itemsOf(view, namespace)
  const problems = isPod(object)
    ? podProblems(object, items)
    : isClaim(object)
    ? problemsOf({ type: "PersistentVolumeClaim", requests: object.spec?.resources?.requests ?? {}, limits: {} }, items)
    : []
  const [first] = problems
  if (first === undefined) return Effect.void
  return ApiError.fail(Status.forbidden(kind, name, problems.length === 1 ? first : `[${problems.join(", ")}]`))
}

const concerns = ({ kind, operation, subresource }: Attributes): boolean =>
  operation === "CREATE" && subresource === undefined && (kind === Kinds.pod || kind === Kinds.persistentVolumeClaim)

/** Fills the defaults of containers; refuses (403) what is out of bounds. @category constructors */
export const plugin: Plugin = {
  name: "LimitRanges",
  mutate: (object, attributes, view) =>
    Effect.succeed(
      concerns(attributes) && isPod(object) ? withDefaults(object, itemsOf(view, attributes.namespace)) : object
    ),
  validate: (object, attributes, view) =>
    object !== undefined && concerns(attributes) ? check(object, attributes, view) : Effect.void
}
