/** Where the pods behind a service are reached. */
import { type CoreV1, type DiscoveryV1, Kinds, type KubeObject } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import type { ClusterView } from "../admission/Admission.js"

/** One place. */
export interface Endpoint {
  readonly address: string
  readonly port: number
}

const isSlice = (object: KubeObject.KubeObject): object is DiscoveryV1.EndpointSlice => object.kind === "EndpointSlice"
const isService = (object: KubeObject.KubeObject | undefined): object is CoreV1.Service => object?.kind === "Service"

const isReady = ({ conditions }: DiscoveryV1.Endpoint): boolean => conditions?.ready !== false

/** The ready endpoints of a service at one of its ports; or why there are none, in the words of Kubernetes. */
export const find = (
  view: ClusterView,
  namespace: string,
  name: string,
  port: number
): Either.Either<ReadonlyArray<Endpoint>, string> => {
  const service = view.get(Kinds.service, namespace, name)
  if (!isService(service)) return Either.left(`service "${name}" not found`)
  const wanted = service.spec?.ports?.find((one) => one.port === port)
  if (wanted === undefined) return Either.left(`no service port ${port} found for service "${name}"`)
  const found = view.list(Kinds.endpointSlice, namespace).flatMap((slice) => {
    if (!isSlice(slice) || slice.metadata.labels?.["kubernetes.io/service-name"] !== name) return []
    const target = slice.ports?.find((one) => (one.name ?? "") === (wanted.name ?? ""))?.port
    if (target === undefined) return []
    return (slice.endpoints ?? []).filter(isReady).flatMap(({ addresses }) => addresses.map((address) => ({ address, port: target })))
  })
  return found.length === 0 ? Either.left(`no endpoints available for service "${name}"`) : Either.right(found)
}
