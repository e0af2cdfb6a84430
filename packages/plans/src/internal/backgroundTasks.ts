/** Tasks that go on between passes. */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { TaskFailed } from "../PlanError.js"
import type { PlanTask } from "../PlanTask.js"
import type { Background } from "../TaskHandler.js"
import * as TaskHandler from "../TaskHandler.js"

export type Task = Pick<PlanTask, "id" | "type">

interface Run {
  readonly task: Task
  readonly fiber: Fiber.Fiber<void, TaskFailed>
  /** The pass that started it does not wait for it any more. */
  detached: boolean
  exit: Exit.Exit<void, TaskFailed> | undefined
}

export interface BackgroundTasks {
  /** The background as the handlers of one zone see it. */
  readonly of: (key: string) => Background
  /** Tasks that run now. */
  readonly inFlight: () => ReadonlyArray<Task>
  /** Waits for the end of each task that runs, at most as long as it is given. True: all ended. */
  readonly drain: (graceOf: (task: Task) => Duration.DurationInput) => Effect.Effect<boolean>
}

const asFailure = ({ type }: Task, cause: Cause.Cause<TaskFailed>): TaskFailed => {
  const failure = Cause.failureOption(cause)
  if (Option.isSome(failure)) return failure.value
  return new TaskFailed({
    task: type,
    reason: Cause.isInterruptedOnly(cause) ? "Interrupted" : "Defect",
    detail: Cause.isInterruptedOnly(cause) ? "it was interrupted" : Cause.pretty(cause)
  })
}

/** They end with `scope`. `wake` is called when one ends that no pass waits for. */
export const make = (
  scope: Scope.Scope,
  inlineFor: Duration.DurationInput,
  wake: (key: string) => Effect.Effect<void>
): BackgroundTasks => {
  const runs = new Map<string, Run>()

  const start = (key: string, task: Task, effect: Effect.Effect<void, TaskFailed>): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (runs.has(task.id)) return Effect.void
      let run: Run | undefined
      const observed = Effect.onExit(effect, (exit) =>
        Effect.suspend(() => {
          if (run === undefined) return Effect.void
          run.exit = exit
          return run.detached ? wake(key) : Effect.void
        }))
      return Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(Effect.forkIn(Effect.interruptible(observed), scope), (fiber) => {
          const begun: Run = { task, fiber, detached: false, exit: fiber.unsafePoll() ?? undefined }
          run = begun
          runs.set(task.id, begun)
          return restore(Effect.timeoutOption(Fiber.await(fiber), inlineFor)).pipe(
            Effect.ensuring(Effect.sync(() => {
              begun.detached = true
            })),
            Effect.map((exit) => {
              // The fiber may have ended before its observer could know of the run.
              if (Option.isSome(exit)) begun.exit = exit.value
            })
          )
        })
      )
    })

  const progress = (id: string): TaskHandler.TaskProgress => {
    const run = runs.get(id)
    if (run?.exit === undefined) return TaskHandler.running
    runs.delete(id)
    return Exit.match(run.exit, { onSuccess: () => TaskHandler.complete, onFailure: (cause) => TaskHandler.failed(asFailure(run.task, cause)) })
  }

  const cancel = (id: string): Effect.Effect<void> =>
    Effect.suspend(() => {
      const run = runs.get(id)
      if (run === undefined) return Effect.void
      return Effect.ensuring(Effect.asVoid(Fiber.interrupt(run.fiber)), Effect.sync(() => runs.delete(id)))
    })

  return {
    of: (key) => ({
      start: (task, effect) => start(key, task, effect),
      progress: (id) => Effect.sync(() => progress(id)),
      isRunning: (id) => Effect.sync(() => runs.has(id)),
      cancel
    }),
    inFlight: () => [...runs.values()].flatMap(({ exit, task }) => exit === undefined ? [task] : []),
    drain: (graceOf) =>
      Effect.suspend(() =>
        Effect.forEach([...runs.values()], ({ fiber, task }) => Effect.timeoutOption(Fiber.await(fiber), graceOf(task)), { concurrency: "unbounded" })
      ).pipe(Effect.map((ended) => ended.every(Option.isSome)))
  }
}
