/** Admission: services get addresses of the service network and ports of the nodes, each given to one service only. */
import { ApiError, FieldError, Kinds, type KubeObject, Status } from "@reddwarf/api-types"
import type { WatchCache } from "@reddwarf/event-bus"
import type { ObjectStore } from "@reddwarf/store"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Attributes, Plugin } from "./Admission.js"
import * as range from "../internal/addressRange.js"
import { equals, get, isArray, isObject, type JsonObject } from "../internal/jsonValue.js"
import { keyOf } from "../internal/keys.js"
import * as serviceIndex from "../internal/serviceIndex.js"

/** Settings, all with defaults. @category models */
export interface Options {
  /** IPv4 network that cluster addresses are taken from. Default 10.96.0.0/12. */
  readonly network?: string
  /** First and last node port. Default 30000 and 32767. */
  readonly nodePorts?: readonly [first: number, last: number]
}

/** The service network unless another one is given. @category models */
export const defaultNetwork = "10.96.0.0/12"

const defaultNodePorts: readonly [number, number] = [30_000, 32_767]

/** Whether a text is a network that services can have: IPv4, with 8 to 30 bits. @category combinators */
export const isNetwork = (text: string): boolean => range.parse(text) !== undefined

interface State {
  readonly index: serviceIndex.ServiceIndex
  readonly network: range.AddressRange
  readonly nodePorts: readonly [number, number]
  readonly random: () => number
}

/** What one write takes; the claims it holds are let go of when it has ended. */
interface Taking {
  readonly state: State
  readonly attributes: Attributes
  readonly key: string
  /** Taken by this very write, which may name a port twice for two protocols. */
  readonly own: Set<serviceIndex.Claim>
}

const take = ({ attributes, own, state }: Taking, claim: serviceIndex.Claim): void => {
  own.add(claim)
  if (!attributes.dryRun) attributes.onSettled?.(state.index.hold(claim))
}

/**
 * A free value from `first` to `last`. The low end is left to those who choose for themselves, as long as there is room above:
 * a sixteenth of the range, at least 16 and at most 256 values.
 */
const freeIn = (first: number, last: number, random: () => number, isTaken: (value: number) => boolean): number | undefined => {
  const size = last - first + 1
  const reserved = Math.min(Math.max(16, Math.floor(size / 16)), 256)
  const split = size > 2 * reserved ? first + reserved : first
  const bands: ReadonlyArray<readonly [number, number]> = [[split, last], [first, split - 1]]
  for (const [low, high] of bands) {
    const count = high - low + 1
    const start = Math.floor(random() * count)
    for (let step = 0; step < count; step++) {
      const value = low + ((start + step) % count)
      if (!isTaken(value)) return value
    }
  }
  return undefined
}

type Result<A> = Effect.Effect<A, ApiError.ApiError>

const invalid = ({ attributes }: Taking, error: FieldError.FieldError): Result<never> =>
  ApiError.fail(Status.invalid(Kinds.service, attributes.name, [error]))

const text = (value: unknown): string => typeof value === "string" ? value : ""

const takeAddress = (taking: Taking, asked: string): Result<string> => {
  const { key, state: { index, network, random } } = taking
  if (asked === "") {
    const value = freeIn(network.first, network.last, random, (number) => index.isTaken(range.toAddress(number), key))
    if (value === undefined) return ApiError.fail(Status.internalError("failed to allocate a serviceIP: range is full"))
    take(taking, range.toAddress(value))
    return Effect.succeed(range.toAddress(value))
  }
  const refuse = (why: string) =>
    invalid(taking, FieldError.invalid("spec.clusterIPs", [asked], `failed to allocate IP ${asked}: ${why}`))
  const number = range.toNumber(asked)
  if (number === undefined || number < network.first || number > network.last) {
    return refuse(`the provided network does not match the current range: the provided IP (${asked}) is not in the valid range. The range of valid IPs is ${network.cidr}`)
  }
  if (index.isTaken(asked, key)) return refuse("provided IP is already allocated")
  take(taking, asked)
  return Effect.succeed(asked)
}

/** Refuses what a cluster with one IPv4 network cannot give. */
const checkFamilies = (taking: Taking, spec: JsonObject): Result<void> => {
  if (spec["ipFamilyPolicy"] === "RequireDualStack") {
    return invalid(
      taking,
      FieldError.invalid("spec.ipFamilyPolicy", "RequireDualStack", "this cluster is not configured for dual-stack services")
    )
  }
  const families = isArray(spec["ipFamilies"]) ? spec["ipFamilies"] : []
  const other = families.findIndex((family) => family !== "IPv4")
  return other < 0
    ? Effect.void
    : invalid(taking, FieldError.invalid(`spec.ipFamilies[${other}]`, families[other], "not configured on this cluster"))
}

const withAddress = (taking: Taking, spec: JsonObject): Result<JsonObject> => {
  const given = text(spec["clusterIP"])
  if (spec["type"] === "ExternalName") return Effect.succeed(spec)
  // Without an address of its own a service needs none of the network's families.
  if (given === "None") return Effect.succeed(spec)
  if (given !== "" && given === text(get(get(taking.attributes.old, "spec"), "clusterIP"))) return Effect.succeed(spec)
  return Effect.zipRight(
    checkFamilies(taking, spec),
    Effect.map(takeAddress(taking, given), (address) => ({
      ...spec,
      clusterIP: address,
      clusterIPs: [address],
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: spec["ipFamilyPolicy"] ?? "SingleStack"
    }))
  )
}

const portKey = (port: unknown): string => JSON.stringify([get(port, "protocol") ?? "TCP", get(port, "port")])

const nodePortOf = (port: unknown): number => {
  const value = get(port, "nodePort")
  return typeof value === "number" ? value : 0
}

const takePort = (taking: Taking, asked: number, at: string): Result<number> => {
  const { key, own, state: { index, nodePorts: [first, last], random } } = taking
  if (asked === 0) {
    const value = freeIn(first, last, random, (port) => own.has(port) || index.isTaken(port, key))
    if (value === undefined) return ApiError.fail(Status.internalError("failed to allocate a nodePort: range is full"))
    take(taking, value)
    return Effect.succeed(value)
  }
  const refuse = (why: string) => invalid(taking, FieldError.invalid(`${at}.nodePort`, asked, why))
  if (asked < first || asked > last) {
    return refuse(`provided port is not in the valid range. The range of valid ports is ${first}-${last}`)
  }
  if (!own.has(asked) && index.isTaken(asked, key)) return refuse("provided port is already allocated")
  take(taking, asked)
  return Effect.succeed(asked)
}

const hasNodePorts = (spec: unknown): boolean => {
  const type = get(spec, "type")
  return type === "NodePort" || (type === "LoadBalancer" && get(spec, "allocateLoadBalancerNodePorts") !== false)
}

const listOf = (value: unknown): ReadonlyArray<unknown> => isArray(value) ? value : []

const withNodePorts = (taking: Taking, spec: JsonObject): Result<JsonObject> => {
  const ports = listOf(spec["ports"])
  const before = new Map(listOf(get(get(taking.attributes.old, "spec"), "ports")).map((port) => [portKey(port), nodePortOf(port)]))
  if (ports.length === 0) return Effect.succeed(spec)
  if (!hasNodePorts(spec)) {
    // Who takes the type away takes the ports away that came with it, and need not name them.
    const kept = new Set(before.values())
    const cleared = ports.map((port) => {
      if (!isObject(port) || !kept.has(nodePortOf(port)) || spec["type"] === "LoadBalancer") return port
      const { nodePort: _, ...rest } = port
      return rest
    })
    return Effect.succeed({ ...spec, ports: cleared })
  }
  const old = new Set(before.values())
  const wanted = ports.map((port) => nodePortOf(port) === 0 ? before.get(portKey(port)) ?? 0 : nodePortOf(port))
  // Ports that are chosen come first, so that none of them is given to a port that has no choice.
  for (const port of wanted) if (old.has(port)) taking.own.add(port)
  const order = [...wanted.keys()].sort((left, right) => Number(wanted[left] === 0) - Number(wanted[right] === 0))
  return Effect.map(
    Effect.forEach(order, (place) => {
      const asked = wanted[place] ?? 0
      const taken = old.has(asked) && asked !== 0 ? Effect.succeed(asked) : takePort(taking, asked, `spec.ports[${place}]`)
      return Effect.map(taken, (nodePort) => [place, nodePort] as const)
    }),
    (taken) => {
      const byPlace = new Map(taken)
      return { ...spec, ports: ports.map((port, place) => ({ ...(isObject(port) ? port : {}), nodePort: byPlace.get(place) })) }
    }
  )
}

const ofAddress = ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"]
const ofOutside = ["externalTrafficPolicy"]
const ofBalancer = ["allocateLoadBalancerNodePorts", "loadBalancerClass"]

/** Fields that say nothing for the type of a service. */
const idleFields = (spec: JsonObject): ReadonlyArray<string> => {
  switch (spec["type"]) {
    case "ExternalName":
      return [...ofAddress, ...ofOutside, ...ofBalancer]
    case "NodePort":
      return ofBalancer
    case "LoadBalancer":
      return []
    default:
      return listOf(spec["externalIPs"]).length > 0 ? ofBalancer : [...ofOutside, ...ofBalancer]
  }
}

/** A service that changes its type gives up what came with the old one, unless the client gives it another value. */
const withoutOldType = (spec: JsonObject, old: unknown): JsonObject => {
  if (old === undefined || get(old, "type") === spec["type"]) return spec
  const dropped = new Set(idleFields(spec).filter((field) => equals(spec[field], get(old, field))))
  return dropped.size === 0 ? spec : Object.fromEntries(Object.entries(spec).filter(([field]) => !dropped.has(field)))
}

const allocate = (state: State, object: KubeObject.KubeObject, attributes: Attributes): Result<KubeObject.KubeObject> => {
  const spec = get(object, "spec")
  if (!isObject(spec)) return Effect.succeed(object)
  const key = keyOf(Kinds.service, attributes.namespace, attributes.name)
  const taking: Taking = { state, attributes, key, own: new Set() }
  return withAddress(taking, withoutOldType(spec, get(attributes.old, "spec"))).pipe(
    Effect.flatMap((addressed) => withNodePorts(taking, addressed)),
    Effect.map((complete) => {
      const next = { ...object, spec: complete }
      return next
    })
  )
}

/** The plugin. Dies when the network of the options is not one, see `isNetwork`. @category constructors */
export const make = (
  store: Context.Tag.Service<ObjectStore.ObjectStore>,
  cache: Context.Tag.Service<WatchCache.WatchCache>,
  now: () => number,
  random: () => number,
  options: Options = {}
): Effect.Effect<Plugin, never, Scope.Scope> =>
  Effect.gen(function*() {
    const cidr = options.network ?? defaultNetwork
    const network = range.parse(cidr)
    if (network === undefined) {
      return yield* Effect.dieMessage(`the service network ${cidr} is not an IPv4 network of 8 to 30 bits`)
    }
    const index = yield* serviceIndex.make(store, cache, now)
    const state: State = { index, network, nodePorts: options.nodePorts ?? defaultNodePorts, random }
    return {
      name: "ServiceAddresses",
      mutate: (object, attributes) =>
        attributes.kind === Kinds.service && attributes.subresource === undefined && attributes.operation !== "DELETE"
          ? allocate(state, object, attributes)
          : Effect.succeed(object)
    }
  })
