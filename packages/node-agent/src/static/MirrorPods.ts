/**
 * Shows the static pods of this node in the API, where it can be reached. What is shown has no say: who deletes it sees it come again, and
 * the zone never notices.
 */
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, ClientError, type EventRecorder, WorkQueue } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { PodSource } from "../adoption/PodSource.js"
import type * as PodStatus from "../pod/PodStatus.js"
import type { StatusManager } from "../pod/StatusManager.js"
import type { ManifestDirectory } from "./ManifestDirectory.js"
import * as StaticPod from "./StaticPod.js"

/** @category models */
export interface Options {
  readonly nodeName: string
  readonly manifests: ManifestDirectory
  readonly source: PodSource
  /** Writes the status of an object of the API. */
  readonly statuses: StatusManager["Type"]
  readonly recorder: EventRecorder.EventRecorder["Type"]
}

/** @category models */
export interface MirrorPods {
  /** Shows what was seen of a static pod, as soon as the API can be reached. */
  readonly show: (pod: CoreV1.Pod, observation: PodStatus.Observation) => void
  readonly forget: (uid: string) => void
}

const keyOf = ({ metadata }: CoreV1.Pod): string => `${metadata.namespace ?? "default"}/${metadata.name ?? ""}`

/**
 * Keeps the objects right for as long as the scope lives.
 *
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<MirrorPods, never, ApiClient.ApiClient | Scope.Scope> =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    const { manifests, nodeName, source, statuses } = options
    const queue = yield* WorkQueue.make<string>({ name: "mirror-pods", baseDelay: "500 millis", maxDelay: "30 seconds" })
    const observations = new Map<string, PodStatus.Observation>()
    /** Objects of users that have the name of a static pod, and of which was told. */
    const conflicts = new Set<string>()

    const nodeReference = Effect.map(client.get(Kinds.node, { name: nodeName }), ({ metadata }) => ({ name: nodeName, uid: metadata.uid ?? "" }))

    const remove = ({ metadata: { name = "", namespace, uid } }: CoreV1.Pod) =>
      client.delete(Kinds.pod, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } }).pipe(
        Effect.asVoid,
        Effect.catchIf((error) => ClientError.isNotFound(error) || ClientError.isConflict(error), () => Effect.void)
      )

    const reconcile = (key: string) =>
      Effect.gen(function*() {
        const wanted = [...manifests.pods().values()].find((pod) => keyOf(pod) === key)
        const [namespace = "", name = ""] = key.split("/")
        const found = source.inApi(namespace, name)
        if (wanted === undefined) {
          conflicts.delete(key)
          // Until the directory was read nobody knows that the pod is gone.
          if (found !== undefined && StaticPod.isMirror(found) && manifests.isSynced()) yield* remove(found)
          return
        }
        if (found === undefined) {
          const { metadata, spec } = StaticPod.mirrorOf(wanted, yield* nodeReference)
          yield* client.create(Kinds.pod, { metadata, ...(spec === undefined ? {} : { spec }) }).pipe(
            // It exists on another node, or the informer is about to hear of it.
            Effect.catchIf(ClientError.isAlreadyExists, () => conflict(key, wanted))
          )
          return
        }
        if (!StaticPod.isMirror(found)) {
          yield* conflict(key, wanted)
          return
        }
        conflicts.delete(key)
        const isCurrent = found.metadata.annotations?.[StaticPod.annotations.mirror] === wanted.metadata.annotations?.[StaticPod.annotations.hash]
        if (!isCurrent || found.metadata.deletionTimestamp !== undefined) {
          yield* remove(found)
          return
        }
        const observation = observations.get(wanted.metadata.uid ?? "")
        if (observation !== undefined) yield* statuses.show(found, observation)
      })

    const conflict = (key: string, pod: CoreV1.Pod) =>
      Effect.suspend(() => {
        if (conflicts.has(key)) return Effect.void
        conflicts.add(key)
        const { name, namespace } = pod.metadata
        return options.recorder.event(
          { kind: "Node", apiVersion: "v1", name: nodeName, uid: nodeName },
          "Warning",
          "StaticPodNameConflict",
          `static pod ${namespace}/${name} runs and is not shown, because another pod has its name; rename one of them`
        )
      })

    const enqueue = (pod: CoreV1.Pod): void => void queue.unsafeAdd(keyOf(pod))
    manifests.onChange(({ pod }) => enqueue(pod))
    source.onMirrorChange(enqueue)
    // A user's pod may take the name of a static one, or give it back.
    source.onChange(({ object }) => enqueue(object), { existing: false })
    const enqueueAll = Effect.sync(() => {
      for (const pod of manifests.pods().values()) enqueue(pod)
    })
    yield* Effect.forkScoped(source.hasSynced.pipe(
      Effect.zipRight(Effect.repeat(enqueueAll, Schedule.spaced("5 minutes")))
    ))
    const pass = (key: string) =>
      reconcile(key).pipe(
        Effect.matchCauseEffect({
          onSuccess: () => queue.forget(key),
          onFailure: (cause) => Effect.zipRight(Effect.logDebug("a static pod cannot be shown in the API; it is tried again", cause), queue.addRateLimited(key))
        }),
        Effect.annotateLogs({ pod: key }),
        Effect.ensuring(queue.done(key))
      )
    yield* Effect.forkScoped(source.hasSynced.pipe(Effect.zipRight(Effect.forever(Effect.flatMap(queue.take, pass)))))
    return {
      show: (pod, observation) => {
        observations.set(pod.metadata.uid ?? "", observation)
        enqueue(pod)
      },
      forget: (uid) => void observations.delete(uid)
    }
  })
