/** Why a simulated host cannot be used; apart from what reads its state, for those who leave that to another process. */
import * as Schema from "effect/Schema"

/** The state cannot be read, locked or written. @category errors */
export class StateUnavailable extends Schema.TaggedError<StateUnavailable>()("StateUnavailable", {
  directory: Schema.String,
  reason: Schema.Literal("Locked", "Corrupt", "InputOutput"),
  detail: Schema.String
}) {
  override get message(): string {
    const next = {
      Locked: "find the process named in the file `lock`, or wait until it ends",
      Corrupt: "restore the file `state.json`, or remove the directory to start with a new host",
      InputOutput: "check space and permissions of the directory"
    }[this.reason]
    return `simulated host in ${this.directory}: ${this.detail}; ${next}`
  }
}
