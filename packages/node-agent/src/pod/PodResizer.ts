/** Carries out what a running pod asks for by a resize: zone and link get other bounds while the containers go on. */
import type { CoreV1 } from "@reddwarf/api-types"
import { PodPhase } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { PodEvent } from "./PodEvents.js"
import * as PodResize from "./PodResize.js"
import type * as PodSandbox from "./PodSandbox.js"

/** @category models */
export interface Options {
  readonly allocatable: PodResize.Capacity
  /** The pods of this node. */
  readonly pods: () => ReadonlyArray<CoreV1.Pod>
  readonly sandbox: PodSandbox.PodSandbox["Type"]
  readonly emit: (pod: CoreV1.Pod, events: ReadonlyArray<PodEvent>) => Effect.Effect<void>
}

/** What became of a resize. @category models */
export interface Outcome {
  /** Absent when there is nothing to tell. */
  readonly condition: PodResize.Condition | undefined
  /** Whether the zone has the amounts asked for now; then they are shown as given. */
  readonly actuated: boolean
  /** Why it could not be carried out; to be tried again. */
  readonly failure?: PodSandbox.SandboxError
}

const nothing: Outcome = { condition: undefined, actuated: false }

const reasons = { Deferred: "ResizeDeferred", Infeasible: "ResizeInfeasible" } as const

const saidBefore = (pod: CoreV1.Pod, { message, reason, type }: PodResize.Condition): boolean => {
  const before = PodPhase.condition(pod, type)
  return before?.reason === reason && before?.message === message
}

/**
 * Looks at one pod whose zone runs. Cheap when it asks for nothing new.
 *
 * @category constructors
 */
export const make = ({ allocatable, emit, pods, sandbox }: Options) => (pod: CoreV1.Pod): Effect.Effect<Outcome> =>
  Effect.suspend(() => {
    if (!PodResize.isAsked(pod)) return Effect.succeed(nothing)
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
    return Effect.flatMap(Effect.either(sandbox.resize(pod)), (outcome): Effect.Effect<Outcome> => {
      if (Either.isLeft(outcome)) {
        const failure = outcome.left
        return Effect.as(
          emit(pod, [{ type: "Warning", reason: "ResizeError", message: failure.message }]),
          { condition: PodResize.conditionOf(decision, failure.message), actuated: false, failure }
        )
      }
      const { nextBoot } = outcome.right
      const later = nextBoot.length === 0 ? "" : `; from the next boot of the zone on: ${nextBoot.join(", ")}`
      return Effect.as(
        emit(pod, [{ type: "Normal", reason: "ResizeCompleted", message: `Pod resize completed${later}` }]),
        { condition: undefined, actuated: true }
      )
    })
  })
