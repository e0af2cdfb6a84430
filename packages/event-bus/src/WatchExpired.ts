/** The ways in which a watch or a read "not older than" can be refused or ended. */
import * as Schema from "effect/Schema"

/**
 * The events after `requested` cannot be delivered without a gap: list again and watch from there (HTTP 410 `Expired`).
 *
 * @category errors
 */
export class WatchExpired extends Schema.TaggedError<WatchExpired>()("WatchExpired", {
  /** The revision that the watcher wanted to go on from. */
  requested: Schema.Number,
  /** The oldest revision that a watch can start from now. */
  oldest: Schema.Number,
  /** `History`: the history no longer reaches back so far. `Slow`: the watcher took its events too slowly. */
  reason: Schema.Literal("History", "Slow")
}) {
  // The text that Kubernetes clients know.
  override get message(): string {
    return `too old resource version: ${this.requested} (${this.oldest})`
  }
}

/**
 * A revision that the cache has not reached (HTTP 504 `Timeout`, cause `ResourceVersionTooLarge`).
 *
 * @category errors
 */
export class RevisionTooLarge extends Schema.TaggedError<RevisionTooLarge>()("RevisionTooLarge", {
  requested: Schema.Number,
  current: Schema.Number
}) {
  override get message(): string {
    return `Too large resource version: ${this.requested}, current: ${this.current}`
  }
}
