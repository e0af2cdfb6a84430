/** The only writer of pod statuses on this node: one patch for each change, none without, never an older status over a newer one. */
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, type ClientError, EventRecorder } from "@reddwarf/client"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { sameJson } from "../internal/sameJson.js"
import * as NodeAgentMetrics from "../NodeAgentMetrics.js"
import * as PodEvents from "./PodEvents.js"
import * as PodStatus from "./PodStatus.js"

/** @category services */
export class StatusManager extends Context.Tag("@reddwarf/node-agent/StatusManager")<StatusManager, {
  /**
   * The newer of the object at hand and the one that the last write gave back, so that a status is never worked out from what this agent
   * itself has replaced already.
   */
  readonly latest: (pod: CoreV1.Pod) => CoreV1.Pod
  /**
   * Shows an observation, and records what happened to the containers since the last one. Gives the pod as stored. A conflict means that
   * somebody else wrote: look at the pod again.
   */
  readonly show: (pod: CoreV1.Pod, observation: PodStatus.Observation) => Effect.Effect<CoreV1.Pod, ClientError.ClientError>
  /** Drops what is remembered of a pod. */
  readonly forget: (uid: string) => Effect.Effect<void>
}>() {}

const isDigits = /^\d+$/

/** Whether resource version `a` is newer than `b`; only decimal ones can be compared. */
const isNewer = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && isDigits.test(a) && isDigits.test(b) && BigInt(a) > BigInt(b)

/** Fields of a status that are shown and not there any more must be taken away explicitly by a merge patch. */
const patchOf = (before: CoreV1.PodStatus | undefined, after: CoreV1.PodStatus): Record<string, unknown> => {
  const removed = Object.keys(before ?? {}).filter((key) => !(key in after))
  return { ...Object.fromEntries(removed.map((key) => [key, null])), ...after }
}

/** @category layers */
export const layer: Layer.Layer<StatusManager, never, ApiClient.ApiClient | EventRecorder.EventRecorder> = Layer.effect(
  StatusManager,
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    const recorder = yield* EventRecorder.EventRecorder
    const written = new Map<string, CoreV1.Pod>()
    const latest = (pod: CoreV1.Pod): CoreV1.Pod => {
      const mine = written.get(pod.metadata.uid ?? "")
      return mine !== undefined && isNewer(mine.metadata.resourceVersion, pod.metadata.resourceVersion) ? mine : pod
    }
    return StatusManager.of({
      latest,
      show: (given, observation) =>
        Effect.gen(function*() {
          const pod = latest(given)
          const { name = "", namespace, resourceVersion, uid } = pod.metadata
          const status = PodStatus.of(pod, observation, yield* Clock.currentTimeMillis)
          if (sameJson(status, pod.status)) return pod
          const stored = yield* client.patch(
            Kinds.pod,
            { namespace, name },
            { metadata: { uid, resourceVersion }, status: patchOf(pod.status, status) },
            { type: "merge", subresource: "status" }
          )
          NodeAgentMetrics.statusWrites.unsafeUpdate(1, [])
          written.set(uid ?? "", stored)
          yield* Effect.forEach(PodEvents.between(pod, pod.status, status), ({ container, message, reason, type }) =>
            recorder.event(PodEvents.reference(stored, container), type, reason, message), { discard: true })
          return stored
        }),
      forget: (uid) => Effect.sync(() => void written.delete(uid))
    })
  })
)
