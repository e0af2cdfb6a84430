/** Which container of which node's agent a request about a pod is for. */
import { Kinds, type KubeObject, Status } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import type { NodeAddress } from "../KubeletClient.js"
import { type ApiContext, objectOf } from "./apiContext.js"
import * as failures from "./failures.js"
import { get, isArray } from "./jsonValue.js"
import { keyOf } from "./keys.js"

const namesOf = (pod: KubeObject.KubeObject, field: string): ReadonlyArray<string> => {
  const list = get(get(pod, "spec"), field)
  return isArray(list) ? list.map((container) => String(get(container, "name"))) : []
}

/** The container that is asked for, or the only one. */
export const containerOf = (pod: KubeObject.KubeObject, asked: string | null): Either.Either<string, Status.Status> => {
  const name = pod.metadata.name ?? ""
  const containers = namesOf(pod, "containers")
  const init = namesOf(pod, "initContainers")
  const ephemeral = namesOf(pod, "ephemeralContainers")
  if (asked === null || asked === "") {
    const [only] = containers
    if (only !== undefined && containers.length === 1) return Either.right(only)
    const choices = `choose one of: [${containers.join(" ")}]`
    const more = init.length === 0 ? "" : ` or one of the init containers: [${init.join(" ")}]`
    return Either.left(Status.badRequest(`a container name must be specified for pod ${name}, ${choices}${more}`))
  }
  return [...containers, ...init, ...ephemeral].includes(asked)
    ? Either.right(asked)
    : Either.left(Status.badRequest(`container ${asked} is not valid for pod ${name}`))
}

/** The node that a pod is bound to; undefined before it is. */
export const nodeNameOf = (pod: KubeObject.KubeObject): string | undefined => {
  const node = get(get(pod, "spec"), "nodeName")
  return typeof node === "string" && node !== "" ? node : undefined
}

/** Where the agent of a node listens, as it has reported. */
export const addressOf = (context: Pick<ApiContext, "cache">, node: string): Either.Either<NodeAddress, Status.Status> => {
  const entry = context.cache.get(keyOf(Kinds.node, undefined, node))
  if (entry === undefined) return Either.left(failures.missing(Kinds.node, node))
  const status = get(objectOf(entry), "status")
  const addresses = get(status, "addresses")
  const internal = isArray(addresses) ? addresses.find((address) => get(address, "type") === "InternalIP") : undefined
  const address = get(internal, "address")
  const port = get(get(get(status, "daemonEndpoints"), "kubeletEndpoint"), "Port")
  return typeof address === "string" && typeof port === "number" && port > 0
    ? Either.right({ node, address, port })
    : Either.left(Status.serviceUnavailable(`node ${JSON.stringify(node)} has not reported where its agent listens`))
}
