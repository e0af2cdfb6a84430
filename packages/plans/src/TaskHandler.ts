/** How one type of task is executed. Everything that it does is safe to do again. */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { Plan } from "./Plan.js"
import type { TaskFailed } from "./PlanError.js"
import type { PlanTask, TaskParams, TaskType } from "./PlanTask.js"
import type { ZoneInstance } from "./ZoneInstance.js"

/** How a task stands. @category models */
export type TaskProgress =
  /** `delay`: when to look again, in ms; 5 s when it does not say. The end of what runs in the background is noticed at once. */
  | { readonly _tag: "Running"; readonly detail?: string; readonly delay?: number }
  | { readonly _tag: "Complete" }
  | { readonly _tag: "Failed"; readonly error: TaskFailed }

/** @category constructors */
export const running: TaskProgress = { _tag: "Running" }

/** @category constructors */
export const complete: TaskProgress = { _tag: "Complete" }

/** @category constructors */
export const failed = (error: TaskFailed): TaskProgress => ({ _tag: "Failed", error })

/** Effects that outlive a pass, one per task id. They end with the reconciler's scope. @category models */
export interface Background {
  /**
   * Starts `effect` unless this task has one already, and waits a moment for it (`inlineFor` of the reconciler), so that quick tasks are
   * followed by the next one in the same pass. The zone is looked at again when it ends.
   */
  readonly start: (task: Pick<PlanTask, "id" | "type">, effect: Effect.Effect<void, TaskFailed>) => Effect.Effect<void>
  /** How it stands. A failure is told once: the effect may be started anew afterwards. */
  readonly progress: (taskId: string) => Effect.Effect<TaskProgress>
  /** Whether it runs now, in this process. */
  readonly isRunning: (taskId: string) => Effect.Effect<boolean>
  /** Interrupts it and waits for its end. */
  readonly cancel: (taskId: string) => Effect.Effect<void>
}

/** What a handler is told beside its params. @category models */
export interface TaskContext {
  readonly instance: ZoneInstance
  readonly plan: Plan
  /** `task.id` is the idempotency key. */
  readonly task: PlanTask
  readonly background: Background
}

/** @category models */
export interface TaskHandler {
  readonly type: TaskType
  /** For one attempt. */
  readonly timeout: Duration.DurationInput
  /** 0: the first failure is final. */
  readonly maxRetries: number
  /** Whether a plan with another target may stop it in the middle. */
  readonly interruptible: boolean
  /** Changes nothing on the host: no record of it is written to the ledger. */
  readonly readOnly: boolean
  /** Whether what it should bring about is so already: then it is not executed. */
  readonly done?: (params: TaskParams, context: TaskContext) => Effect.Effect<boolean, TaskFailed>
  /**
   * The command. Called again on every look until `status` says otherwise. A failure that is not terminal keeps the task Pending until its
   * deadline.
   */
  readonly execute: (params: TaskParams, context: TaskContext) => Effect.Effect<void, TaskFailed>
  /** The query. A `Failed` uses up one retry. */
  readonly status: (params: TaskParams, context: TaskContext) => Effect.Effect<TaskProgress, TaskFailed>
  /** Stops the task: its deadline passed, or a newer target replaces it. */
  readonly cancel?: (params: TaskParams, context: TaskContext) => Effect.Effect<void>
  /**
   * Removes what the task made when its plan ends before the zone was taken down, such as a staged root. Best effort: what is left by a
   * crash is for the next plan to remove.
   */
  readonly undo?: (params: TaskParams, context: TaskContext) => Effect.Effect<void, TaskFailed>
}

/** What is decided about a type of task, whatever it does. @category models */
export interface TaskRules {
  readonly timeout: Duration.DurationInput
  readonly maxRetries: number
  readonly interruptible: boolean
  readonly readOnly: boolean
}

const second = 1000

const rules = (timeoutSeconds: number, maxRetries: number, interruptible: boolean, readOnly = false): TaskRules => ({
  timeout: timeoutSeconds * second,
  maxRetries,
  interruptible,
  readOnly
})

/**
 * Timeouts, retries and interruptibility of every type of task. `pre-stop`, `halt-zone` and `reload-or-restart` get the pod's grace and `soak` the soak time on
 * top: their params carry `graceSeconds` and `soakSeconds`.
 *
 * @category models
 */
export const defaultRules: Readonly<Record<TaskType, TaskRules>> = {
  "resolve-image": rules(60, 5, true, true),
  "pull-image": rules(1800, 5, true),
  "ensure-datasets": rules(60, 3, true),
  "ensure-network": rules(60, 3, true),
  "ensure-vnic": rules(60, 3, true),
  "ensure-address": rules(60, 3, true),
  "ensure-filter": rules(60, 3, true),
  "write-zonecfg": rules(30, 3, true),
  "persist-zonecfg": rules(30, 3, true),
  "install-zone": rules(600, 1, false),
  "uninstall-zone": rules(600, 1, false),
  "delete-zonecfg": rules(30, 3, true),
  "remove-network": rules(60, 3, true),
  "destroy-datasets": rules(60, 3, true),
  "pre-stop": rules(30, 2, false),
  "halt-zone": rules(30, 2, false),
  "boot-zone": rules(120, 2, false),
  "wait-init": rules(120, 2, false, true),
  "snapshot-root": rules(60, 3, true),
  "stage-root": rules(60, 3, true),
  "swap-root": rules(60, 0, false),
  "observe-image": rules(60, 3, true, true),
  "commit": rules(60, 5, true),
  "soak": rules(30, 0, true),
  "render-files": rules(60, 3, true),
  "reload-or-restart": rules(120, 2, false),
  "set-caps-live": rules(60, 3, true),
  "observe-caps": rules(60, 3, true, true),
  "open-gates": rules(120, 3, true),
  "approve-gate": rules(30, 3, true),
  "repair-companion": rules(60, 3, true)
}

/** @category models */
export interface EffectTask {
  readonly type: TaskType
  readonly done?: TaskHandler["done"]
  readonly undo?: TaskHandler["undo"]
  /** May take as long as the task's timeout. Interrupted when its deadline passes, or when a newer target replaces it. */
  readonly run: (params: TaskParams, context: TaskContext) => Effect.Effect<void, TaskFailed>
  /** Where it differs from `defaultRules`. */
  readonly rules?: Partial<TaskRules>
}

/**
 * A task that is one effect: it is started in the background, and what is asked afterwards is whether it ended.
 *
 * @category constructors
 */
export const fromEffect = ({ done, rules, run, type, undo }: EffectTask): TaskHandler => ({
  type,
  ...defaultRules[type],
  ...rules,
  ...(done === undefined ? {} : { done }),
  ...(undo === undefined ? {} : { undo }),
  execute: (params, context) => context.background.start(context.task, run(params, context)),
  status: (_params, context) => context.background.progress(context.task.id),
  cancel: (_params, context) => context.background.cancel(context.task.id)
})

/**
 * A task that is a command and a query of its own.
 *
 * @category constructors
 */
export const make = (
  { cancel, done, execute, rules, status, type, undo }:
    & Pick<TaskHandler, "type" | "execute" | "status" | "done" | "cancel" | "undo">
    & { readonly rules?: Partial<TaskRules> }
): TaskHandler => ({
  type,
  ...defaultRules[type],
  ...rules,
  ...(done === undefined ? {} : { done }),
  ...(cancel === undefined ? {} : { cancel }),
  ...(undo === undefined ? {} : { undo }),
  execute,
  status
})
