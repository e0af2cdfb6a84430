/** What is done to a zone: durable and visible before its first effect, one at a time. */
import * as Schema from "effect/Schema"
import { Drift } from "./Drift.js"
import { Gate } from "./Gate.js"
import { PlanTask, TaskStatus, TaskType } from "./PlanTask.js"

/** `stop` ends a zone whose `powerState` is `Stopped`. @category schemas */
export const PlanType = Schema.Literal(
  "init",
  "image-update",
  "config-update",
  "network-repair",
  "restart",
  "caps-update",
  "gate-reapproval",
  "companion-repair",
  "rollback",
  "stop",
  "teardown"
)

/** @category models */
export type PlanType = typeof PlanType.Type

/** @category schemas */
export const PlanPhase = Schema.Literal("Active", "Complete", "Failed", "Superseded")

/** @category models */
export type PlanPhase = typeof PlanPhase.Type

/** Where a pod-zone stands. @category schemas */
export const ZonePhase = Schema.Literal("Pending", "Initializing", "Running", "Degraded", "Failed", "Terminating")

/** @category models */
export type ZonePhase = typeof ZonePhase.Type

/**
 * Bounds by name: `cpuCap` (percent of one CPU), `cpuShares`, `physicalMemory`, `swap`, `lockedMemory` (bytes), `lwps`, `processes`, or
 * others that the agent has.
 *
 * @category schemas
 */
export const Caps = Schema.Record({ key: Schema.String, value: Schema.Number })

/** @category models */
export type Caps = typeof Caps.Type

/** Image digests by container. @category schemas */
export const Digests = Schema.Record({ key: Schema.String, value: Schema.String })

/** @category models */
export type Digests = typeof Digests.Type

/** @category schemas */
export const PowerState = Schema.Literal("Running", "Stopped")

/** @category models */
export type PowerState = typeof PowerState.Type

/** What a plan aims at. Its completion stamps this into `status.current`, whatever the spec says by then. @category schemas */
export const PlanTarget = Schema.Struct({
  specHash: Schema.String,
  digests: Digests,
  caps: Schema.optional(Caps),
  gates: Schema.optional(Schema.Array(Gate)),
  powerState: Schema.optional(PowerState)
})

/** @category models */
export type PlanTarget = typeof PlanTarget.Type

/** Which task made a plan fail, and how. @category schemas */
export const FailedTaskDetail = Schema.Struct({
  type: TaskType,
  id: Schema.String,
  error: Schema.String,
  /** Stable word for machines, such as `DeadlineExceeded` or `ImagePullBackOff`. */
  reason: Schema.optional(Schema.String),
  /** No repetition can help. */
  terminal: Schema.optional(Schema.Boolean),
  retryCount: Schema.Int,
  maxRetries: Schema.Int
})

/** @category models */
export type FailedTaskDetail = typeof FailedTaskDetail.Type

/** A plan. Times are RFC 3339 in UTC. @category schemas */
export const Plan = Schema.Struct({
  /** UUID v4. */
  id: Schema.String,
  type: PlanType,
  phase: PlanPhase,
  target: PlanTarget,
  /** The drifts it was made for. */
  reason: Schema.Array(Drift),
  /** Strictly one after the other. */
  tasks: Schema.Array(PlanTask),
  /** Type of the first task that is not Complete; empty when all are. */
  currentTask: Schema.String,
  /** Phase of the zone when it completes; absent: as before. */
  targetPhase: Schema.optional(ZonePhase),
  /** Phase of the zone when it fails; absent: as before, and another plan may follow. */
  failedPhase: Schema.optional(ZonePhase),
  createdAt: Schema.String,
  deadline: Schema.String,
  endedAt: Schema.optional(Schema.String),
  failedTaskIndex: Schema.optional(Schema.Int),
  failedTaskDetail: Schema.optional(FailedTaskDetail)
})

/** @category models */
export type Plan = typeof Plan.Type

/** What is kept of a plan that ended: no params. @category schemas */
export const PlanRecord = Schema.Struct({
  id: Schema.String,
  type: PlanType,
  outcome: Schema.Literal("Complete", "Failed", "Superseded"),
  createdAt: Schema.String,
  endedAt: Schema.String,
  error: Schema.optional(Schema.String),
  failedTask: Schema.optional(FailedTaskDetail),
  tasks: Schema.Array(Schema.Struct({ type: TaskType, status: TaskStatus, retryCount: Schema.Int }))
})

/** @category models */
export type PlanRecord = typeof PlanRecord.Type

/** Bounds of what is stored. @category models */
export const PlanLimits = {
  tasks: 32,
  paramsBytes: 4096,
  errorBytes: 1024,
  history: 5,
  statusBytes: 65_536
} as const
