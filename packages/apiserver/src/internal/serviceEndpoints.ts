/** Where the pods behind a service are reached. */
import { type CoreV1, type DiscoveryV1, Kinds, type KubeObject } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import type { ClusterView } from "../admission/Admission.js"

/** One place. */
export interface Endpoint {
  readonly address: string
  readonly port: number
  /** Name of the pod that it says to be; empty when it names none. */
  readonly pod: string
}

const isSlice = (object: KubeObject.KubeObject): object is DiscoveryV1.EndpointSlice => object.kind === "EndpointSlice"
const isService = (object: KubeObject.KubeObject | undefined): object is CoreV1.Service => object?.kind === "Service"
const isEndpoints = (object: KubeObject.KubeObject | undefined): object is CoreV1.Endpoints => object?.kind === "Endpoints"

const isReady = ({ conditions }: DiscoveryV1.Endpoint): boolean => conditions?.ready !== false

const podOf = (reference: CoreV1.ObjectReference | undefined): string => reference?.kind === "Pod" ? reference.name ?? "" : ""

const portNamed = (ports: ReadonlyArray<{ readonly name?: string; readonly port?: number }> | undefined, name: string): number | undefined =>
  ports?.find((port) => (port.name ?? "") === name)?.port

const ofSlice = (slice: DiscoveryV1.EndpointSlice, portName: string): ReadonlyArray<Endpoint> => {
  const port = portNamed(slice.ports, portName)
  if (port === undefined) return []
  // The addresses of one endpoint are one and the same: readers take the first.
  return (slice.endpoints ?? []).filter(isReady).flatMap(({ addresses: [address], targetRef }) =>
    address === undefined ? [] : [{ address, port, pod: podOf(targetRef) }])
}

const ofSubset = ({ addresses = [], ports }: CoreV1.EndpointSubset, portName: string): ReadonlyArray<Endpoint> => {
  const port = portNamed(ports, portName)
  return port === undefined ? [] : addresses.map(({ ip, targetRef }) => ({ address: ip, port, pod: podOf(targetRef) }))
}

/** The ready endpoints at the port of this name: from the slices of the service, or from its Endpoints where it has no slices. */
export const ready = (view: ClusterView, namespace: string | undefined, service: string, portName: string): ReadonlyArray<Endpoint> => {
  const slices = view.list(Kinds.endpointSlice, namespace).filter(isSlice)
    .filter(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === service)
  if (slices.length > 0) return slices.flatMap((slice) => ofSlice(slice, portName))
  const found = view.get(Kinds.endpoints, namespace, service)
  return isEndpoints(found) ? (found.subsets ?? []).flatMap((subset) => ofSubset(subset, portName)) : []
}

/** The name of a service's port; empty when it has none. The left side says, in the words of Kubernetes, that there is no such port. */
export const portName = (service: KubeObject.KubeObject, port: number): Either.Either<string, string> => {
  const found = isService(service) ? service.spec?.ports?.find((one) => one.port === port) : undefined
  return found === undefined
    ? Either.left(`no service port ${port} found for service ${JSON.stringify(service.metadata.name ?? "")}`)
    : Either.right(found.name ?? "")
}

/** The ready endpoints of a service at one of its ports; or why there are none, in the words of Kubernetes. */
export const find = (
  view: ClusterView,
  namespace: string,
  name: string,
  port: number
): Either.Either<ReadonlyArray<Endpoint>, string> => {
  const service = view.get(Kinds.service, namespace, name)
  if (service === undefined) return Either.left(`service "${name}" not found`)
  return Either.flatMap(portName(service, port), (wanted) => {
    const found = ready(view, namespace, name, wanted)
    return found.length === 0 ? Either.left(`no endpoints available for service "${name}"`) : Either.right(found)
  })
}
