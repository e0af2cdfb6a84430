/** What follows from a resize that a running pod asks for, beside the plan that gives its zone other bounds: containers that are to be started anew, and what users are told. */
import type { CoreV1 } from "@reddwarf/api-types"
import { PodPhase } from "@reddwarf/api-types"
import type { Plan, ZoneInstance } from "@reddwarf/plans"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"
import * as ZoneCaps from "../plan/ZoneCaps.js"
import type { PodEvent } from "./PodEvents.js"
import * as PodResize from "./PodResize.js"
import * as PodSandbox from "./PodSandbox.js"
import * as ResizeRestarts from "./ResizeRestarts.js"

/** @category models */
export interface Options {
  readonly allocatable: PodResize.Capacity
  /** The pods of this node. */
  readonly pods: () => ReadonlyArray<CoreV1.Pod>
  readonly sandbox: Pick<PodSandbox.PodSandbox["Type"], "resources">
  readonly supervisor: Pick<SupervisorClient.SupervisorClient["Type"], "restart">
  readonly emit: (pod: CoreV1.Pod, events: ReadonlyArray<PodEvent>) => Effect.Effect<void>
}

/** What became of a resize. @category models */
export interface Outcome {
  /** Absent when there is nothing to tell. */
  readonly condition: PodResize.Condition | undefined
  /** Whether the zone has the amounts asked for now; then they are shown as given. */
  readonly actuated: boolean
  /** Why it could not be carried out; to be tried again. */
  readonly failure?: PodSandbox.SandboxError | SupervisorFileFailed
}

/** How far the plan for it is. @category models */
export interface Progress {
  readonly instance: ZoneInstance.ZoneInstance | undefined
  /** Names of the bounds that the host takes over with the next boot of the zone only. */
  readonly nextBoot: ReadonlyArray<string>
}

/** Whether the zone was seen to have these bounds. */
const isApplied = (wanted: Plan.Caps, instance: ZoneInstance.ZoneInstance | undefined): boolean =>
  Object.entries(wanted).every(([name, value]) => instance?.status?.current?.caps?.[name] === value)

/** Why the plan does not get on. */
const problemOf = ({ status }: Pick<ZoneInstance.ZoneInstance, "status">): string | undefined =>
  status?.plan === undefined
    ? status?.lastPlan?.type === "caps-update" ? status.lastPlan.error : undefined
    : status.plan.type === "caps-update"
    ? status.plan.tasks.find(({ error }) => error !== undefined)?.error
    : undefined

const nothing: Outcome = { condition: undefined, actuated: false }

const reasons = { Deferred: "ResizeDeferred", Infeasible: "ResizeInfeasible" } as const

const saidBefore = (pod: CoreV1.Pod, { message, reason, type }: PodResize.Condition): boolean => {
  const before = PodPhase.condition(pod, type)
  return before?.reason === reason && before?.message === message
}

const completed = (later: string): PodEvent => ({ type: "Normal", reason: "ResizeCompleted", message: `Pod resize completed${later}` })

/**
 * Looks at one pod whose zone runs. Cheap when it asks for nothing new.
 *
 * @category constructors
 */
export const make = ({ allocatable, emit, pods, sandbox, supervisor }: Options) => {
  const inProgress: Outcome = { condition: PodResize.conditionOf({ kind: "proceed" }), actuated: false }

  /** Ends the containers that are to be started anew; it gives whether any of them does not run again yet. */
  const startAnew = (pod: CoreV1.Pod, supervised: SupervisorClient.SupervisedPod): Effect.Effect<boolean, SupervisorFileFailed> =>
    Effect.gen(function*() {
      const { uid } = PodSandbox.identityOf(pod)
      const asked = ResizeRestarts.unasked(ResizeRestarts.of(pod), supervised)
      const requestedAt = yield* Clock.currentTimeMillis
      const graceSeconds = pod.spec?.terminationGracePeriodSeconds ?? 30
      for (const { attempt, container, requestId } of asked) {
        // An attempt that a probe has ended already goes first; the one after it is asked for then.
        if (yield* supervisor.restart(uid, { requestId, container, attempt, requestedAt, graceSeconds })) {
          yield* emit(pod, [{ type: "Normal", reason: "Killing", message: `Container ${container} resize requires restart`, container }])
        }
      }
      return asked.length > 0 || ResizeRestarts.isPending(supervised)
    })

  const failed = (pod: CoreV1.Pod, message: string): Effect.Effect<PodResize.Condition | undefined> => {
    const condition = PodResize.conditionOf({ kind: "proceed" }, message)
    const isNew = condition !== undefined && !saidBefore(pod, condition)
    return Effect.as(isNew ? emit(pod, [{ type: "Warning", reason: "ResizeError", message }]) : Effect.void, condition)
  }

  return (pod: CoreV1.Pod, supervised: SupervisorClient.SupervisedPod | undefined, { instance, nextBoot }: Progress): Effect.Effect<Outcome> =>
    Effect.suspend(() => {
      if (!PodResize.isAsked(pod)) {
        // A container that is between two attempts shows no amounts.
        if (PodPhase.condition(pod, PodResize.conditionTypes.inProgress)?.status !== "True" || supervised === undefined || !ResizeRestarts.isKnown(supervised)) return Effect.succeed(nothing)
        return ResizeRestarts.isPending(supervised)
          ? Effect.succeed(inProgress)
          : Effect.as(emit(pod, [completed("")]), { condition: undefined, actuated: true })
      }
      const others = pods().filter((other) => other.metadata.uid !== pod.metadata.uid && !PodPhase.isTerminal(other))
      const decision = PodResize.decide(pod, others, allocatable)
      const condition = PodResize.conditionOf(decision)
      if (decision.kind !== "proceed") {
        const event = condition === undefined || saidBefore(pod, condition) ? [] : [{
          type: "Warning",
          reason: reasons[decision.kind === "infeasible" ? "Infeasible" : "Deferred"],
          message: condition.message ?? ""
        } as const]
        return Effect.as(emit(pod, event), { condition, actuated: false })
      }
      const actuated = Effect.gen(function*() {
        if (!isApplied(ZoneCaps.of(yield* sandbox.resources(pod)), instance)) {
          const problem = instance === undefined ? undefined : problemOf(instance)
          return problem === undefined ? inProgress : { condition: yield* failed(pod, problem), actuated: false }
        }
        if (supervised !== undefined && (yield* startAnew(pod, supervised))) return inProgress
        const later = nextBoot.length === 0 ? "" : `; from the next boot of the zone on: ${nextBoot.join(", ")}`
        yield* emit(pod, [completed(later)])
        return { condition: undefined, actuated: true }
      })
      return Effect.catchAll(actuated, (failure) =>
        Effect.map(failed(pod, failure.message), (condition): Outcome => ({ condition, actuated: false, failure })))
    })
}
