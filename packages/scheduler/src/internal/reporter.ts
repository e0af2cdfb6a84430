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
    message: string
  ) => Effect.Effect<void>
}

const writeAttempts = 3

export const make = Effect.fnUntraced(function*(options: {
  readonly client: ApiClient.Service
  readonly profiles: ReadonlyArray<Profile>
  /** The pod as the watch last showed it. */
  readonly latest: (key: string) => CoreV1.Pod | undefined
}): Effect.fn.Return<Reporter, never, ApiClient.ApiClient | Scope.Scope> {
  const { client, latest, profiles } = options
  const recorders = new Map<string, EventRecorder.Service>()
  for (const { schedulerName } of profiles) {
    recorders.set(schedulerName, yield* EventRecorder.make({ component: schedulerName }))
  }
  const record = (profile: Profile, pod: PodInfo.PodInfo, type: EventRecorder.EventType, reason: string, message: string, action: string) =>
    recorders.get(profile.schedulerName)?.event(pod.pod, type, reason, message, action) ?? Effect.void

  const write = (
    pod: CoreV1.Pod,
    reason: PodScheduledCondition.Reason,
    message: string,
    attemptsLeft: number
  ): Effect.Effect<void, ClientError.ClientError> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const conditions = PodScheduledCondition.notScheduled(pod, reason, message, now)
      if (conditions === undefined || (pod.spec?.nodeName ?? "") !== "") return Effect.void
      const { name = "", namespace, resourceVersion, uid } = pod.metadata
      // A merge patch replaces the list of conditions, so it must not be applied to another version than the one it was made from.
      return client.patch(Kinds.pod, { namespace, name }, { metadata: { uid, resourceVersion }, status: { conditions } }, { subresource: "status" })
        .pipe(
          Effect.asVoid,
          Effect.catchIf((error) => attemptsLeft > 1 && ClientError.isConflict(error), () =>
            Effect.flatMap(client.get(Kinds.pod, { namespace, name }), (stored) =>
              stored.metadata.uid === uid ? write(stored, reason, message, attemptsLeft - 1) : Effect.void))
        )
    })

  const condition = (pod: PodInfo.PodInfo, reason: PodScheduledCondition.Reason, message: string): Effect.Effect<void> => {
    const current = latest(pod.key)
    return write(current !== undefined && PodInfo.idOf(current) === pod.id ? current : pod.pod, reason, message, writeAttempts).pipe(
      // The pod waits in flight for this write; it must come back even when the server hangs.
      Effect.disconnect,
      Effect.timeoutOption("10 seconds"),
      Effect.catchAll((error) =>
        ClientError.isNotFound(error)
          ? Effect.void
          : Effect.logWarning("pod condition was not written", error).pipe(Effect.annotateLogs("pod", pod.key))
      ),
      Effect.asVoid
    )
  }

  return {
    scheduled: (profile, pod, node) => record(profile, pod, "Normal", "Scheduled", `Successfully assigned ${pod.key} to ${node}`, "Binding"),
    notScheduled: (profile, pod, reason, message) =>
      Effect.zipRight(record(profile, pod, "Warning", "FailedScheduling", message, "Scheduling"), condition(pod, reason, message))
  }
})
