/** Tells users about their pods: the `PodScheduled` condition and events. Reporting never fails an attempt. */
import { Kinds } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"
import { ClientError, EventRecorder } from "@reddwarf/client"
import type { ApiClient } from "@reddwarf/client"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as PodInfo from "../PodInfo.js"
import * as PodScheduledCondition from "../PodScheduledCondition.js"
import type { Profile } from "../Profile.js"

export interface Reporter {
  readonly scheduled: (profile: Profile, pod: PodInfo.PodInfo, node: string) => Effect.Effect<void>
  readonly notScheduled: (
    profile: Profile,
    pod: PodInfo.PodInfo,
    reason: PodScheduledCondition.Reason,
    message: string,
    /** Written into the status when given; the empty name takes a nomination back. */
    nominatedNode?: string
  ) => Effect.Effect<void>
  /** Writes the nomination alone. */
  readonly clearNomination: (pod: PodInfo.PodInfo) => Effect.Effect<void>
  /** The events of a profile. */
  readonly recorderOf: (profile: Profile) => EventRecorder.Service | undefined
}

const writeAttempts = 3
/** Each placed pod has an event, and they are written slower than pods are placed. */
const waitingEvents = 10_000

interface StatusChange {
  readonly reason: PodScheduledCondition.Reason | undefined
  readonly message: string
  readonly nominatedNode: string | undefined
}

export const make = Effect.fnUntraced(function*(options: {
  readonly client: ApiClient.Service
  readonly profiles: ReadonlyArray<Profile>
  /** The pod as the watch last showed it. */
  readonly latest: (key: string) => CoreV1.Pod | undefined
}): Effect.fn.Return<Reporter, never, ApiClient.ApiClient | Scope.Scope> {
  const { client, latest, profiles } = options
  const recorders = new Map<string, EventRecorder.Service>()
  for (const { schedulerName } of profiles) {
    recorders.set(schedulerName, yield* EventRecorder.make({ component: schedulerName, capacity: waitingEvents }))
  }
  const record = (profile: Profile, pod: PodInfo.PodInfo, type: EventRecorder.EventType, reason: string, message: string, action: string) =>
    recorders.get(profile.schedulerName)?.event(pod.pod, type, reason, message, action) ?? Effect.void

  const written = (pod: CoreV1.Pod, status: StatusChange, now: number) => {
    const conditions = status.reason === undefined
      ? undefined
      : PodScheduledCondition.notScheduled(pod, status.reason, status.message, now)
    const nominated = status.nominatedNode
    const nominates = nominated !== undefined && nominated !== (pod.status?.nominatedNodeName ?? "")
    if (conditions === undefined && !nominates) return undefined
    return {
      ...(conditions === undefined ? {} : { conditions }),
      ...(nominates ? { nominatedNodeName: nominated === "" ? null : nominated } : {})
    }
  }

  const write = (pod: CoreV1.Pod, change: StatusChange, attemptsLeft: number): Effect.Effect<void, ClientError.ClientError> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const status = written(pod, change, now)
      if (status === undefined || (pod.spec?.nodeName ?? "") !== "") return Effect.void
      const { name = "", namespace, resourceVersion, uid } = pod.metadata
      // A merge patch replaces the list of conditions, so it must not be applied to another version than the one it was made from.
      return client.patch(Kinds.pod, { namespace, name }, { metadata: { uid, resourceVersion }, status }, { subresource: "status" }).pipe(
        Effect.asVoid,
        Effect.catchIf((error) => attemptsLeft > 1 && ClientError.isConflict(error), () =>
          Effect.flatMap(client.get(Kinds.pod, { namespace, name }), (stored) =>
            stored.metadata.uid === uid ? write(stored, change, attemptsLeft - 1) : Effect.void))
      )
    })

  const writeStatus = (pod: PodInfo.PodInfo, change: StatusChange): Effect.Effect<void> =>
    Effect.suspend(() => {
      const current = latest(pod.key)
      return write(current !== undefined && PodInfo.idOf(current) === pod.id ? current : pod.pod, change, writeAttempts)
    }).pipe(
      // The pod waits in flight for this write; it must come back even when the server hangs.
      Effect.disconnect,
      Effect.timeoutOption("10 seconds"),
      Effect.catchAll((error) =>
        ClientError.isNotFound(error)
          ? Effect.void
          : Effect.logWarning("pod status was not written", error).pipe(Effect.annotateLogs("pod", pod.key))
      ),
      Effect.asVoid
    )

  return {
    scheduled: (profile, pod, node) => record(profile, pod, "Normal", "Scheduled", `Successfully assigned ${pod.key} to ${node}`, "Binding"),
    notScheduled: (profile, pod, reason, message, nominatedNode) =>
      Effect.zipRight(
        record(profile, pod, "Warning", "FailedScheduling", message, "Scheduling"),
        writeStatus(pod, { reason, message, nominatedNode })
      ),
    clearNomination: (pod) => writeStatus(pod, { reason: undefined, message: "", nominatedNode: "" }),
    recorderOf: ({ schedulerName }) => recorders.get(schedulerName)
  }
})
