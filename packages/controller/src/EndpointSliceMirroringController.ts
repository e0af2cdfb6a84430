/** Keeps EndpointSlices of Endpoints that users write by hand, for services without a selector: readers of slices see them too. */
import { isIPv6 } from "node:net"
import { type CoreV1, type DiscoveryV1, Kinds, OwnerReference } from "@reddwarf/api-types"
import { ApiClient, ClientError, Informer, ObjectRef } from "@reddwarf/client"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ClusterInformers from "./ClusterInformers.js"
import * as Controller from "./Controller.js"
import * as slices from "./internal/endpointSlices.js"
import { isRoutine } from "./internal/routine.js"
import * as endpoints from "./internal/serviceEndpoints.js"
import { Outcome } from "./Reconciler.js"

/**
 * How often all Endpoints are visited.
 *
 * @category models
 */
export interface Options {
  /** Time between visits of all Endpoints: 30 seconds unless given. */
  readonly resync?: Duration.DurationInput
  /** Informers that are shared with other controllers; its own unless given. */
  readonly informers?: ClusterInformers.ClusterInformers | undefined
}

const manager = "endpointslicemirroring-controller.k8s.io"
const skipLabel = "endpointslice.kubernetes.io/skip-mirror"
const leaderAnnotation = "control-plane.alpha.kubernetes.io/leader"

/** Addresses of one subset that are copied at most. */
const maxAddresses = 1000

const endpointOf = ({ hostname, ip, nodeName, targetRef }: CoreV1.EndpointAddress, ready: boolean): DiscoveryV1.Endpoint => ({
  addresses: [ip],
  conditions: { ready },
  ...(hostname === undefined ? {} : { hostname }),
  ...(nodeName === undefined ? {} : { nodeName }),
  ...(targetRef === undefined ? {} : { targetRef })
})

const groupsOf = ({ subsets = [] }: CoreV1.Endpoints): ReadonlyArray<endpoints.Group> =>
  subsets.flatMap(({ addresses = [], notReadyAddresses = [], ports = [] }) => {
    const all = [...addresses.map((address) => endpointOf(address, true)), ...notReadyAddresses.map((address) => endpointOf(address, false))].slice(0, maxAddresses)
    return (["IPv4", "IPv6"] as const).flatMap((addressType) => {
      const those = all.filter((endpoint) => isIPv6(endpoint.addresses[0] ?? "") === (addressType === "IPv6"))
      return those.length === 0 ? [] : [{ addressType, ports: ports.map((port) => ({ ...port, name: port.name ?? "" })), endpoints: those }]
    })
  })

/**
 * Starts the controller, which then runs as long as the scope. Waits for its informers.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<void, never, ApiClient.ApiClient | Scope.Scope> {
  const client = yield* ApiClient.ApiClient
  const services = options.informers?.services ?? (yield* ClusterInformers.services)
  const written = yield* Informer.make({ kind: Kinds.endpoints })
  const own = yield* Informer.make({
    kind: Kinds.endpointSlice,
    labelSelector: `${slices.managedByLabel}=${manager}`,
    indexers: { service: ({ metadata }) => [`${metadata.namespace ?? ""}/${metadata.labels?.[slices.serviceLabel] ?? ""}`] }
  })
  const writer = yield* slices.make(client, own)

  const isMirrored = ({ metadata }: CoreV1.Endpoints, service: CoreV1.Service | undefined): boolean =>
    metadata.labels?.[skipLabel] !== "true" && metadata.annotations?.[leaderAnnotation] === undefined &&
    service !== undefined && !endpoints.isSelecting(service) && service.spec?.type !== "ExternalName"

  const reconcile = Effect.fnUntraced(function*(key: string): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const source = written.get(key)
    const present = own.byIndex("service", key)
    if (source === undefined || !isMirrored(source, services.get(key))) {
      yield* Effect.forEach(present, (slice) =>
        Effect.catchIf(client.delete(Kinds.endpointSlice, ObjectRef.of(slice), { preconditions: { uid: slice.metadata.uid } }), ClientError.isNotFound, () => Effect.void))
      return Outcome.Settled()
    }
    const { labels, name = "", namespace = "" } = source.metadata
    yield* writer.write({
      namespace,
      name,
      labels: { ...labels, [slices.serviceLabel]: name, [slices.managedByLabel]: manager },
      reference: OwnerReference.controllerOf(Kinds.endpoints, source)
    }, groupsOf(source), present)
    return Outcome.Settled()
  })

  const keyOf = ({ metadata }: DiscoveryV1.EndpointSlice) => [`${metadata.namespace ?? ""}/${metadata.labels?.[slices.serviceLabel] ?? ""}`]
  yield* Controller.run({
    name: "endpoint-slice-mirroring",
    resync: options.resync ?? "30 seconds",
    isRoutine,
    sources: [
      Controller.source(written, (object) => [ObjectRef.keyOf(object)]),
      Controller.source(services, (object) => [ObjectRef.keyOf(object)]),
      Controller.source(own, keyOf)
    ],
    reconcile
  })
})
