/** Keeps the Endpoints of every service that selects pods, for clients that do not read EndpointSlices. */
import { isDeepStrictEqual } from "node:util"
import { type CoreV1, Kinds, Timestamp } from "@reddwarf/api-types"
import { ApiClient, ClientError, EventRecorder, Informer, ObjectRef } from "@reddwarf/client"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ClusterInformers from "./ClusterInformers.js"
import * as Controller from "./Controller.js"
import * as endpointSubsets from "./internal/endpointSubsets.js"
import * as newest from "./internal/newest.js"
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

const headlessLabel = "service.kubernetes.io/headless"
const managedByLabel = "endpoints.kubernetes.io/managed-by"
const manager = "endpoint-controller"
const capacityAnnotation = "endpoints.kubernetes.io/over-capacity"
const triggerAnnotation = "endpoints.kubernetes.io/last-change-trigger-time"

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
  const clock = yield* Effect.clock
  const pods = options.informers?.pods ?? (yield* ClusterInformers.pods)
  const services = options.informers?.services ?? (yield* ClusterInformers.services)
  const own = yield* Informer.make({ kind: Kinds.endpoints })
  const latest = newest.make<CoreV1.Endpoints>()
  /** Services that went: their Endpoints go too, whoever wrote them. Others may have Endpoints without a service. */
  const gone = new Set<string>()
  const unsubscribe = services.onChange(({ object, type }) => {
    if (type === "deleted") gone.add(ObjectRef.keyOf(object))
    else gone.delete(ObjectRef.keyOf(object))
  })
  yield* Effect.addFinalizer(() => Effect.sync(unsubscribe))

  const write = (service: CoreV1.Service, found: CoreV1.Endpoints | undefined): Effect.Effect<CoreV1.Endpoints | undefined, ClientError.ClientError> => {
    const { name = "", namespace = "" } = service.metadata
    const { isTruncated, subsets } = endpointSubsets.make(service, serviceKeys.podsOf(service, pods))
    const labels = { ...service.metadata.labels, ...(endpoints.isHeadless(service) ? { [headlessLabel]: "" } : {}), [managedByLabel]: manager }
    const { [capacityAnnotation]: _, [triggerAnnotation]: before, ...others } = found?.metadata.annotations ?? {}
    const annotations = { ...others, ...(isTruncated ? { [capacityAnnotation]: "truncated" } : {}), ...(before === undefined ? {} : { [triggerAnnotation]: before }) }
    const isSame = found !== undefined && isDeepStrictEqual(found.subsets ?? [], subsets) && isDeepStrictEqual(found.metadata.labels ?? {}, labels) &&
      isDeepStrictEqual(found.metadata.annotations ?? {}, annotations)
    if (isSame) return Effect.succeed(undefined)
    const changed = { ...annotations, [triggerAnnotation]: Timestamp.secondsFromMillis(clock.unsafeCurrentTimeMillis()) }
    return found === undefined
      ? client.create(Kinds.endpoints, { metadata: { name, namespace, labels, annotations: changed }, subsets })
      : client.update(Kinds.endpoints, { ...found, metadata: { ...found.metadata, labels, annotations: changed }, subsets })
  }

  const reconcile = Effect.fnUntraced(function*(key: string): Effect.fn.Return<Outcome, ClientError.ClientError> {
    const service = services.get(key)
    const found = latest.of(key, own.get(key))
    if (service === undefined) {
      if (found !== undefined && (gone.has(key) || found.metadata.labels?.[managedByLabel] === manager)) {
        yield* Effect.catchIf(client.delete(Kinds.endpoints, ObjectRef.of(found), { preconditions: { uid: found.metadata.uid } }), ClientError.isNotFound, () => Effect.void)
      }
      gone.delete(key)
      return Outcome.Settled()
    }
    if (!endpoints.isSelecting(service) || service.metadata.deletionTimestamp !== undefined) return Outcome.Settled()
    const stored = yield* write(service, found).pipe(
      Effect.tapError((error) =>
        ClientError.isConflict(error) || ClientError.isAlreadyExists(error) || ClientError.isNamespaceTerminating(error)
          ? Effect.void
          : recorder.event(service, "Warning", "FailedToUpdateEndpoint", `Failed to update endpoint ${key}: ${error.message}`))
    )
    if (stored !== undefined) latest.wrote(key, stored)
    return Outcome.Settled()
  })

  yield* Controller.run({
    name: "endpoint",
    workers: options.workers ?? 5,
    resync: options.resync ?? "30 seconds",
    isRoutine: (error: ClientError.ClientError) =>
      ClientError.isConflict(error) || ClientError.isAlreadyExists(error) || ClientError.isNotFound(error) || ClientError.isNamespaceTerminating(error),
    sources: [
      Controller.source(services, (service) => [ObjectRef.keyOf(service)]),
      Controller.source(own, (object) => [ObjectRef.keyOf(object)]),
      Controller.dependents(pods, serviceKeys.ofPod(services))
    ],
    reconcile
  })
})
