/** What can be wrong with session hosts. */
import * as Schema from "effect/Schema"

/**
 * A session host cannot be started, reached or used. Sessions are then served in the agent, and end with it.
 *
 * @category errors
 */
export class SessionHostUnusable extends Schema.TaggedError<SessionHostUnusable>()("SessionHostUnusable", {
  operation: Schema.String,
  path: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `cannot ${this.operation} ${this.path}: ${this.detail}; sessions that outlive the agent need this`
  }
}

/** Turns whatever an operation failed with into an error that names the place. @category constructors */
export const unusable = (operation: string, path: string) => (cause: unknown): SessionHostUnusable =>
  new SessionHostUnusable({ operation, path, detail: cause instanceof Error ? cause.message : String(cause) })
