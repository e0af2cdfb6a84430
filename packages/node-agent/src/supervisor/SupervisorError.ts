/** What can go wrong between the agent, the supervisor and their files. */
import * as Schema from "effect/Schema"

/**
 * Another process supervises this data directory.
 *
 * @category errors
 */
export class SupervisorRunning extends Schema.TaggedError<SupervisorRunning>()("SupervisorRunning", {
  dataDir: Schema.String
}) {
  override get message(): string {
    return `data directory ${this.dataDir}: another supervisor is alive; one per directory is enough, so end this one`
  }
}

/**
 * A file of the data directory could not be read or written.
 *
 * @category errors
 */
export class SupervisorFileFailed extends Schema.TaggedError<SupervisorFileFailed>()("SupervisorFileFailed", {
  path: Schema.String,
  operation: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.operation} ${this.path}: ${this.detail}; check space, permissions and the version that wrote it`
  }
}

/** @category errors */
export type SupervisorError = SupervisorRunning | SupervisorFileFailed
