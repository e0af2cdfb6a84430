/** The handlers of an agent by type of task. */
import * as Either from "effect/Either"
import { UnknownTask } from "./PlanError.js"
import type { TaskHandler } from "./TaskHandler.js"

/** @category models */
export interface TaskRegistry {
  /** The handler of a type; a plan stored by another version may name one that is not known. */
  readonly get: (type: string) => Either.Either<TaskHandler, UnknownTask>
}

/** Of two handlers for one type the later one counts. @category constructors */
export const make = (handlers: Iterable<TaskHandler>): TaskRegistry => {
  const byType = new Map<string, TaskHandler>(Array.from(handlers, (handler) => [handler.type, handler]))
  return {
    get: (type) => {
      const handler = byType.get(type)
      return handler === undefined ? Either.left(new UnknownTask({ task: type })) : Either.right(handler)
    }
  }
}
