/** What can go wrong around plans. Each says what to do next. */
import * as Schema from "effect/Schema"
import { TaskType } from "./PlanTask.js"

/**
 * A task did not do what it should. `terminal` marks what no repetition can mend: the plan fails at once. `reason` is a stable word for
 * machines (`ImagePullBackOff`), `detail` is for people. `ends` marks a failure after which trying the same again is of no use: `attempt` uses
 * up one retry at once, `plan` ends the plan, which another one may follow. Without either the task is tried again until its deadline.
 *
 * @category errors
 */
export class TaskFailed extends Schema.TaggedError<TaskFailed>()("TaskFailed", {
  task: TaskType,
  reason: Schema.String,
  detail: Schema.String,
  terminal: Schema.optionalWith(Schema.Boolean, { default: () => false }),
  ends: Schema.optional(Schema.Literal("attempt", "plan"))
}) {
  override get message(): string {
    return `${this.task}: ${this.detail}`
  }
}

/** The object changed since it was read: read it again. @category errors */
export class InstanceConflict extends Schema.TaggedError<InstanceConflict>()("InstanceConflict", { key: Schema.String }) {
  override get message(): string {
    return `ZoneInstance ${this.key} was changed by somebody else since it was read: it is read again and the pass repeated`
  }
}

/** The API does not answer, or has no such resource: work goes on from the ledger where that is safe. @category errors */
export class InstanceUnreachable extends Schema.TaggedError<InstanceUnreachable>()("InstanceUnreachable", {
  key: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `the API does not answer for ZoneInstance ${this.key}: ${this.detail}; its status is written when it does`
  }
}

/** The object is gone. @category errors */
export class InstanceGone extends Schema.TaggedError<InstanceGone>()("InstanceGone", { key: Schema.String }) {
  override get message(): string {
    return `ZoneInstance ${this.key} is gone from the API: the next pass sees it`
  }
}

/** A file of the ledger cannot be read or written. @category errors */
export class LedgerFailed extends Schema.TaggedError<LedgerFailed>()("LedgerFailed", {
  operation: Schema.String,
  path: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `cannot ${this.operation} ${this.path} of the plan ledger: ${this.detail}; nothing is done to the zone until that works`
  }
}

/** The ledger was written by a newer agent. There is no silent downgrade. @category errors */
export class LedgerSchemaNewer extends Schema.TaggedError<LedgerSchemaNewer>()("LedgerSchemaNewer", {
  path: Schema.String,
  found: Schema.Int,
  known: Schema.Int
}) {
  override get message(): string {
    return `${this.path} has schema ${this.found}, this agent knows up to ${this.known}: start the newer agent, or move the file away`
  }
}

/** There is no handler for a task of a plan. @category errors */
export class UnknownTask extends Schema.TaggedError<UnknownTask>()("UnknownTask", { task: Schema.String }) {
  override get message(): string {
    return `no handler for task ${this.task}: this agent cannot execute the plan`
  }
}

/** A plan may not be stored: it is over a limit. @category errors */
export class PlanTooLarge extends Schema.TaggedError<PlanTooLarge>()("PlanTooLarge", { detail: Schema.String }) {
  override get message(): string {
    return `the plan is too large: ${this.detail}; make the pod smaller`
  }
}

/** The executor was called without a plan: a defect of the caller. @category errors */
export class NoPlan extends Schema.TaggedError<NoPlan>()("NoPlan", { key: Schema.String }) {
  override get message(): string {
    return `ZoneInstance ${this.key} has no plan to execute`
  }
}
