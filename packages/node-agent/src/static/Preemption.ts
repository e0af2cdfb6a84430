/** Makes room on the node for a critical static pod: other pods are ended, and it begins when they are over. */
import type { CoreV1 } from "@reddwarf/api-types"
import type { EventRecorder } from "@reddwarf/client"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as NodeAgentMetrics from "../NodeAgentMetrics.js"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import * as CriticalAdmission from "./CriticalAdmission.js"
import * as StaticAdmission from "./StaticAdmission.js"

/** @category models */
export interface Services {
  readonly supervisor: Pick<SupervisorClient.SupervisorClient["Type"], "list" | "read" | "stop">
  readonly recorder: Pick<EventRecorder.EventRecorder["Type"], "event">
  /** Every pod that shall run here, as last shown. */
  readonly pods: () => ReadonlyArray<CoreV1.Pod>
  readonly room: StaticAdmission.Room
}

/** Why a pod does not begin yet. @category models */
export interface Waiting extends StaticAdmission.Refusal {
  /** Others are ending for it: it is worth looking soon. */
  readonly isMakingRoom: boolean
}

const uidOf = ({ metadata: { uid = "" } }: CoreV1.Pod): string => uid

/**
 * Whether a static pod may begin; undefined when it may. For a critical one that does not fit others are asked to end, with their own grace.
 * It may be asked again at any time, by another agent too: those that are ending already count as gone.
 *
 * @category combinators
 */
export const admit = ({ pods, recorder, room, supervisor }: Services, pod: CoreV1.Pod): Effect.Effect<Waiting | undefined, SupervisorFileFailed> =>
  Effect.gen(function*() {
    const begun = new Set(yield* supervisor.list)
    const refusal = StaticAdmission.refusal(pod, pods(), begun, room)
    if (refusal === undefined) return undefined
    const waiting = (isMakingRoom: boolean): Waiting => ({ ...refusal, isMakingRoom })
    if (!CriticalAdmission.isCritical(pod)) return waiting(false)
    const running = StaticAdmission.others(pod, pods()).filter((other) => begun.has(uidOf(other)))
    const isEnding = (other: CoreV1.Pod) =>
      other.metadata.deletionTimestamp !== undefined
        ? Effect.succeed(true)
        : Effect.map(supervisor.read(uidOf(other)), Option.exists(({ spec }) => spec.desired.state === "stop"))
    const staying = yield* Effect.filter(running, isEnding, { negate: true })
    const isMakingRoom = staying.length < running.length
    const shortage = StaticAdmission.shortage(pod, staying, pods(), begun, room)
    const victims = Object.keys(shortage).length === 0 ? [] : CriticalAdmission.victims(pod, staying, shortage) ?? []
    if (victims.length === 0) return waiting(isMakingRoom)
    const requestedAt = yield* Clock.currentTimeMillis
    for (const victim of victims) {
      const { message, reason } = CriticalAdmission
      yield* supervisor.stop(uidOf(victim), {
        requestId: `${uidOf(victim)}/preempted`,
        requestedAt,
        graceSeconds: victim.spec?.terminationGracePeriodSeconds ?? 30,
        verdict: { reason, message }
      })
      yield* recorder.event(victim, "Warning", reason, message)
      yield* Metric.increment(NodeAgentMetrics.preemptions)
    }
    return waiting(true)
  })
