/** Services of the host that belong to single pods, as the plans of their zones see them: what is wrong with them, and the task that mends one. */
import { type Observation, PlanError, TaskHandler } from "@reddwarf/plans"
import * as Effect from "effect/Effect"
import type { CompanionError } from "../companion/Companion.js"

/** @category models */
export interface CompanionPlans {
  /** Those of a pod as they were last seen; none where none was looked at. */
  readonly faults: (uid: string) => ReadonlyArray<Observation.CompanionFact>
  /** Brings one to what it should be, within the limit of restarts. Fails when that is not to be tried now. */
  readonly mend: (name: string) => Effect.Effect<void, CompanionError>
}

/** Of an agent that keeps none. @category constructors */
export const none: CompanionPlans = { faults: () => [], mend: () => Effect.void }

/** Mends the companion that its params name. @category constructors */
export const handler = ({ mend }: CompanionPlans): TaskHandler.TaskHandler =>
  TaskHandler.make({
    type: "repair-companion",
    execute: ({ companion }) =>
      typeof companion !== "string"
        ? Effect.fail(new PlanError.TaskFailed({ task: "repair-companion", reason: "NoCompanion", detail: "the task names no companion", terminal: true }))
        : Effect.mapError(mend(companion), ({ message }) =>
          new PlanError.TaskFailed({ task: "repair-companion", reason: "CompanionFailed", detail: message, ends: "attempt" })),
    status: () => Effect.succeed(TaskHandler.complete)
  })
