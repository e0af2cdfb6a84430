/**
 * Statuses of pods wherever they came from, whether or not the API can be reached: what cannot be shown now is known here all the same, so
 * that nothing on the node waits for it, and is shown when it can be.
 */
import type { CoreV1 } from "@reddwarf/api-types"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as PodStatus from "../pod/PodStatus.js"
import type { StatusManager } from "../pod/StatusManager.js"
import type { MirrorPods } from "../static/MirrorPods.js"
import * as StaticPod from "../static/StaticPod.js"
import type { PodSource } from "./PodSource.js"

/** @category models */
export interface Options {
  readonly source: Pick<PodSource, "byUid" | "isRemembered">
  readonly mirrors: MirrorPods
  /** The writer to the API. */
  readonly api: StatusManager["Type"]
}

/** @category models */
export interface PodStatuses {
  readonly manager: StatusManager["Type"]
  /** Whether the last status of a pod has not reached the API, which did not answer. */
  readonly owes: (uid: string) => boolean
}

/** @category constructors */
export const make = ({ api, mirrors, source }: Options): PodStatuses => {
  /** What was worked out and is not in the object of the API. */
  const known = new Map<string, CoreV1.PodStatus>()
  const owed = new Set<string>()

  const withKnown = (pod: CoreV1.Pod): CoreV1.Pod => {
    const status = known.get(pod.metadata.uid ?? "")
    return status === undefined ? pod : { ...pod, status }
  }
  const keep = (pod: CoreV1.Pod, observation: PodStatus.Observation) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const latest = withKnown(pod)
      const status = PodStatus.of(latest, observation, now)
      known.set(pod.metadata.uid ?? "", status)
      return { ...latest, status }
    })

  return {
    manager: {
      latest: (pod) => withKnown(api.latest(pod)),
      show: (pod, observation) => {
        const { uid = "" } = pod.metadata
        if (StaticPod.isStatic(pod)) return Effect.tap(keep(pod, observation), () => Effect.sync(() => mirrors.show(pod, observation)))
        if (source.isRemembered(uid)) return keep(pod, observation)
        // What the API has is compared with, not what is only known here.
        const inApi = known.has(uid) ? api.latest(source.byUid(uid) ?? pod) : pod
        return api.show(inApi, observation).pipe(
          Effect.tap(() => Effect.sync(() => {
            known.delete(uid)
            owed.delete(uid)
          })),
          Effect.catchTag("TransportFailure", (error) =>
            Effect.zipRight(
              Effect.logDebug("the status of a pod cannot be shown: the API does not answer", error),
              Effect.zipLeft(keep(pod, observation), Effect.sync(() => void owed.add(uid)))
            ))
        )
      },
      forget: (uid) =>
        Effect.zipRight(
          Effect.sync(() => {
            known.delete(uid)
            owed.delete(uid)
            mirrors.forget(uid)
          }),
          api.forget(uid)
        )
    },
    owes: (uid) => owed.has(uid)
  }
}
