/** One step of a plan. It carries everything that its execution needs. */
import * as Schema from "effect/Schema"
import * as uuidV5 from "./internal/uuidV5.js"

/** Every kind of step that the plans of this package consist of. @category schemas */
export const TaskType = Schema.Literal(
  "resolve-image",
  "pull-image",
  "ensure-datasets",
  "ensure-network",
  "ensure-vnic",
  "ensure-address",
  "ensure-filter",
  "write-zonecfg",
  "persist-zonecfg",
  "install-zone",
  "uninstall-zone",
  "delete-zonecfg",
  "remove-network",
  "destroy-datasets",
  "pre-stop",
  "halt-zone",
  "boot-zone",
  "wait-init",
  "snapshot-root",
  "stage-root",
  "swap-root",
  "observe-image",
  "commit",
  "soak",
  "render-files",
  "reload-or-restart",
  "set-caps-live",
  "observe-caps",
  "open-gates",
  "approve-gate",
  "repair-companion"
)

/** @category models */
export type TaskType = typeof TaskType.Type

/** `Pending` covers a running task as well: whether it runs is asked, not stored. @category schemas */
export const TaskStatus = Schema.Literal("Pending", "Complete", "Failed")

/** @category models */
export type TaskStatus = typeof TaskStatus.Type

/** What a task gets, as plain JSON: at most `PlanLimits.paramsBytes` bytes. @category schemas */
export const TaskParams = Schema.Record({ key: Schema.String, value: Schema.Unknown })

/** @category models */
export type TaskParams = typeof TaskParams.Type

/**
 * A task of a plan. Times are RFC 3339 in UTC.
 *
 * @category schemas
 */
export const PlanTask = Schema.Struct({
  type: TaskType,
  /** UUID v5 of plan, type and place: the key by which gates and the ledger know a repetition. */
  id: Schema.String,
  status: TaskStatus,
  params: TaskParams,
  /** When it was first handed to its handler; cleared by a retry. */
  submittedAt: Schema.optional(Schema.String),
  /** Absolute end of the present attempt, so that a restart does not extend it. */
  deadline: Schema.optional(Schema.String),
  /** Absolute time before which a failed attempt is not repeated. */
  notBefore: Schema.optional(Schema.String),
  error: Schema.optional(Schema.String),
  /** 0: the first failure is final. */
  maxRetries: Schema.Int,
  retryCount: Schema.Int
})

/** @category models */
export type PlanTask = typeof PlanTask.Type

/** Namespace of all task ids. @category models */
export const idNamespace = "0bad98cd-3ca4-5e5b-a606-3145bcbcae66"

/** The id of a task: the same for the same plan, type and place in the plan. @category constructors */
export const idOf = (planId: string, type: TaskType, index: number): string => uuidV5.make(idNamespace, `${planId}/${type}/${index}`)
