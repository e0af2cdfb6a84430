/** Keeps the EndpointSlices of every service that selects pods: where those pods are, and which of them may be sent requests. */
import { Kinds, OwnerReference } from "@reddwarf/api-types"
import { ApiClient, ClientError, EventRecorder, Informer, ObjectRef } from "@reddwarf/client"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ClusterInformers from "./ClusterInformers.js"
import * as Controller from "./Controller.js"
import * as slices from "./internal/endpointSlices.js"
import * as endpoints from "./internal/serviceEndpoints.js"
import * as serviceKeys from "./internal/serviceKeys.js"
import { Outcome } from "./Reconciler.js"

/**
 * How many services are looked at, and how often all are visited.
 *
 * @category models
 */
export interface Options {
  /** Services that are looked at concurrently: 5 unless given. */
  readonly workers?: number
  /** Time between visits of all services: 30 seconds unless given. */
  readonly resync?: Duration.DurationInput
  /** Informers that are shared with other controllers; its own unless given. */
  readonly informers?: ClusterInformers.ClusterInformers | undefined
}

const manager = "endpointslice-controller.k8s.io"
const headlessLabel = "service.kubernetes.io/headless"
const zoneLabel = "topology.kubernetes.io/zone"

/**
 * Starts the controller, which then runs as long as the scope. Waits for its informers.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<void, never, ApiClient.ApiClient | EventRecorder.EventRecorder | Scope.Scope> {
  const client = yield* ApiClient.ApiClient
  const recorder = yield* EventRecorder.EventRecorder
  const pods = options.informers?.pods ?? (yield* ClusterInformers.pods)
  const nodes = options.informers?.nodes ?? (yield* ClusterInformers.nodes)
  const services = options.informers?.services ?? (yield* ClusterInformers.services)
  const own = yield* Informer.make({
    kind: Kinds.endpointSlice,
    labelSelector: `${slices.managedByLabel}=${manager}`,
    indexers: { service: ({ metadata }) => [`${metadata.namespace ?? ""}/${metadata.labels?.[slices.serviceLabel] ?? ""}`] }
  })
  const writer = slices.make(client, own.get)
  const zoneOf = (node: string): string | undefined => nodes.get(node)?.metadata.labels?.[zoneLabel]

  const reconcile = Effect.fnUntraced(function*(key: string): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const service = services.get(key)
    const present = own.byIndex("service", key)
    // Slices of a service that is gone go with it.
    if (service === undefined || service.metadata.deletionTimestamp !== undefined) return Outcome.Settled()
    const { labels = {}, name = "", namespace = "" } = service.metadata
    const groups = endpoints.isSelecting(service) ? endpoints.groups(service, serviceKeys.podsOf(service, pods), zoneOf) : []
    yield* writer.write({
      namespace,
      name,
      labels: {
        ...labels,
        ...(endpoints.isHeadless(service) ? { [headlessLabel]: "" } : {}),
        [slices.serviceLabel]: name,
        [slices.managedByLabel]: manager
      },
      reference: OwnerReference.controllerOf(Kinds.service, service)
    }, groups, present).pipe(
      Effect.tapError((error) =>
        ClientError.isConflict(error) || ClientError.isNotFound(error) || ClientError.isNamespaceTerminating(error)
          ? Effect.void
          : recorder.event(service, "Warning", "FailedToUpdateEndpointSlices", `Error updating Endpoint Slices for Service ${key}: ${error.message}`))
    )
    return Outcome.Settled()
  })

  yield* Effect.zipRight(nodes.hasSynced, Controller.run({
    name: "endpoint-slice",
    workers: options.workers ?? 5,
    resync: options.resync ?? "30 seconds",
    isRoutine: (error: ClientError.ClientError) =>
      ClientError.isConflict(error) || ClientError.isNotFound(error) || ClientError.isNamespaceTerminating(error),
    sources: [
      Controller.source(services, (service) => [ObjectRef.keyOf(service)]),
      Controller.source(own, ({ metadata }) => [`${metadata.namespace ?? ""}/${metadata.labels?.[slices.serviceLabel] ?? ""}`]),
      Controller.dependents(pods, serviceKeys.ofPod(services))
    ],
    reconcile
  }))
})
