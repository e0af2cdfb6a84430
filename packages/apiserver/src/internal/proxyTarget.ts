/** Where `pods|services|nodes/<name>/proxy` leads: always to an address that the cluster itself knows as that of a pod or a node. */
import { Kinds, type KubeObject, Status } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import { isIP } from "node:net"
import type { NodeAddress } from "../KubeletClient.js"
import { objectOf, type ResourceRequest } from "./apiContext.js"
import * as failures from "./failures.js"
import { get, isArray } from "./jsonValue.js"
import { keyOf, prefixOf } from "./keys.js"
import { addressOf } from "./podTarget.js"
import * as serviceEndpoints from "./serviceEndpoints.js"

/** An agent, or a server somewhere in a pod. */
export type Target =
  | { readonly _tag: "Agent"; readonly address: NodeAddress }
  | { readonly _tag: "Pod"; readonly origin: string }

/** `name`, `name:port` or `scheme:name:port`, as the name of the request has it. */
interface Reference {
  readonly scheme: "http" | "https"
  readonly name: string
  /** A number, or the name of a service's port; empty when none is given. */
  readonly port: string
}

const parse = (text: string): Reference | undefined => {
  const parts = text.split(":")
  const [scheme, name, port] = parts.length === 1 ? ["", parts[0], ""] : parts.length === 2 ? ["", ...parts] : parts
  if (parts.length > 3 || name === undefined || name === "" || port === undefined) return undefined
  return scheme === "" || scheme === "http" || scheme === "https" ? { scheme: scheme === "https" ? "https" : "http", name, port } : undefined
}

const listOf = (value: unknown): ReadonlyArray<unknown> => isArray(value) ? value : []

const textOf = (value: unknown): string => typeof value === "string" ? value : ""

/** This very machine, and what is no address of one machine. Pods never have them; whoever writes them means something else. */
const isForbidden = (ip: string): boolean => {
  if (isIP(ip) === 0) return true
  return ["127.0.0.1", "::1", "::", "0.0.0.0"].includes(ip) || /^(?:169\.254\.|22[4-9]\.|23\d\.|2[45]\d\.|ff|fe[89ab])/i.test(ip)
}

const notAllowed = () => Status.badRequest("address not allowed")

const numberOf = (port: string): number | undefined => {
  const number = /^\d{1,5}$/.test(port) ? Number(port) : 0
  return number > 0 && number < 65_536 ? number : undefined
}

const originOf = (scheme: string, ip: string, port: number | undefined): Target => ({
  _tag: "Pod",
  origin: `${scheme}://${ip.includes(":") ? `[${ip}]` : ip}${port === undefined ? "" : `:${port}`}`
})

const find = (call: ResourceRequest, name: string): Either.Either<KubeObject.KubeObject, Status.Status> => {
  const entry = call.context.cache.get(keyOf(call.kind, call.info.namespace, name))
  return entry === undefined ? Either.left(failures.missing(call.kind, name)) : Either.right(objectOf(entry))
}

const firstPort = (pod: KubeObject.KubeObject): number | undefined => {
  for (const container of listOf(get(get(pod, "spec"), "containers"))) {
    const port = get(listOf(get(container, "ports"))[0], "containerPort")
    if (typeof port === "number") return port
  }
  return undefined
}

const podTarget = (call: ResourceRequest, { name, port, scheme }: Reference): Either.Either<Target, Status.Status> =>
  Either.flatMap(find(call, name), (pod) => {
    const ip = textOf(get(get(pod, "status"), "podIP"))
    if (isForbidden(ip)) return Either.left(notAllowed())
    if (port === "") return Either.right(originOf(scheme, ip, firstPort(pod)))
    const number = numberOf(port)
    return number === undefined
      ? Either.left(Status.badRequest(`invalid port ${JSON.stringify(port)} of pod ${JSON.stringify(name)}`))
      : Either.right(originOf(scheme, ip, number))
  })

/** Agents answer for their node under any scheme; other ports of a node are not the cluster's. */
const nodeTarget = (call: ResourceRequest, { name, port }: Reference): Either.Either<Target, Status.Status> =>
  Either.flatMap(find(call, name), () =>
    Either.flatMap(addressOf(call.context, name), (address): Either.Either<Target, Status.Status> =>
      port === "" || numberOf(port) === address.port ? Either.right({ _tag: "Agent", address }) : Either.left(notAllowed())))

/** Endpoints can be written by users, so what they say is believed only where a pod says the same. */
const isOfCluster = (call: ResourceRequest, { address: ip, pod }: serviceEndpoints.Endpoint): boolean => {
  if (isForbidden(ip)) return false
  const { cache } = call.context
  const { namespace } = call.info
  const has = (object: unknown) => {
    const status = get(object, "status")
    return get(status, "podIP") === ip || listOf(get(status, "podIPs")).some((known) => get(known, "ip") === ip)
  }
  const named = pod === "" ? undefined : cache.get(keyOf(Kinds.pod, namespace, pod))
  if (named !== undefined) return has(objectOf(named))
  return cache.list(prefixOf(Kinds.pod, undefined)).some((entry) => has(objectOf(entry)))
}

const portNameOf = (service: KubeObject.KubeObject, port: string): Either.Either<string, Status.Status> =>
  /^\d+$/.test(port) ? Either.mapLeft(serviceEndpoints.portName(service, Number(port)), Status.serviceUnavailable) : Either.right(port)

const serviceTarget = (call: ResourceRequest, { name, port, scheme }: Reference, asked: string): Either.Either<Target, Status.Status> =>
  Either.flatMap(find(call, name), (service) =>
    Either.flatMap(portNameOf(service, port), (portName): Either.Either<Target, Status.Status> => {
      const ready = serviceEndpoints.ready(call.context.view, call.info.namespace, name, portName).filter((endpoint) => isOfCluster(call, endpoint))
      const chosen = ready[Math.floor(call.context.random() * ready.length)]
      return chosen === undefined
        ? Either.left(Status.serviceUnavailable(`no endpoints available for service ${JSON.stringify(asked)}`))
        : Either.right(originOf(scheme, chosen.address, chosen.port))
    }))

/** Where a request for `name` goes. */
export const targetOf = (call: ResourceRequest, name: string): Either.Either<Target, Status.Status> => {
  const reference = parse(name)
  if (reference === undefined) return Either.left(Status.badRequest(`invalid ${call.kind.singular} request ${JSON.stringify(name)}`))
  if (call.kind === Kinds.pod) return podTarget(call, reference)
  return call.kind === Kinds.service ? serviceTarget(call, reference, name) : nodeTarget(call, reference)
}
