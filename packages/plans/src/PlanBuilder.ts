/** Plans as they are stored: every task with all that its execution needs. Pure. */
import { Timestamp } from "@reddwarf/api-types"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import type { Drift } from "./Drift.js"
import type { ConfigDrift } from "./DriftDetector.js"
import type { Gate } from "./Gate.js"
import * as text from "./internal/text.js"
import type { Observation } from "./Observation.js"
import type { Digests, Plan, PlanTarget, PlanType } from "./Plan.js"
import { PlanLimits } from "./Plan.js"
import { PlanTooLarge } from "./PlanError.js"
import type { TaskParams, TaskType } from "./PlanTask.js"
import * as PlanTask from "./PlanTask.js"
import * as Precedence from "./Precedence.js"
import type { TaskRules } from "./TaskHandler.js"
import type { Status, ZoneInstance } from "./ZoneInstance.js"

/** @category models */
export interface Input {
  readonly id: string
  readonly type: PlanType
  readonly instance: ZoneInstance
  readonly status: Status
  readonly observation: Observation
  readonly target: PlanTarget
  readonly reason: ReadonlyArray<Drift>
  /** Gates to approve, for `gate-reapproval`. */
  readonly gates?: ReadonlyArray<Gate>
  /** The zone is halted first: it hangs, or runs and has to be restarted. */
  readonly halt?: "stuck" | "running"
  /** What of the configuration differs, for `config-update` and a restart for it. */
  readonly config?: ConfigDrift
  /** The restart is for caps: they are persisted first and looked at afterwards. */
  readonly forCaps?: boolean
  readonly graceSeconds: number
  readonly deadline: Duration.DurationInput
  readonly rulesOf: (type: TaskType) => Pick<TaskRules, "maxRetries">
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** How long a new image must run, unless the update policy says otherwise. @category models */
export const defaultSoakSeconds = 30

/** Whether an update was cut short since the zone was last brought up: what it has put aside is still there. */
const leftRoots = ({ planHistory = [] }: Status): boolean => {
  const up = planHistory.findIndex(({ outcome, type }) => outcome === "Complete" && Precedence.rules[type].boots)
  return planHistory.slice(0, up === -1 ? undefined : up).some(({ type }) => type === "image-update")
}

const restartTasks = ({ config, forCaps, halt, status }: Input): ReadonlyArray<TaskType> => {
  const clean: ReadonlyArray<TaskType> = leftRoots(status) ? ["commit"] : []
  const stop: ReadonlyArray<TaskType> = halt === undefined ? [] : halt === "stuck" ? ["halt-zone"] : ["pre-stop", "halt-zone"]
  return forCaps === true
    ? ["persist-zonecfg", ...stop, "ensure-network", "boot-zone", "wait-init", "observe-caps", "open-gates", ...clean]
    : [...(config === undefined ? [] : ["persist-zonecfg" as const]), ...stop, ...Precedence.rules.restart.tasks, ...clean]
}

/** Only what mends something: who changed the configuration of a zone must not cost its processes anything. */
const configTasks = ({ config }: Input): ReadonlyArray<TaskType> =>
  Precedence.rules["config-update"].tasks.filter((task) =>
    task === "persist-zonecfg" ? config !== undefined && config.zone.length > 0 : task === "open-gates" || config?.processes !== false)

const taskTypes = (input: Input): ReadonlyArray<TaskType> => {
  if (input.type === "gate-reapproval") return (input.gates ?? []).map(() => "approve-gate")
  if (input.type === "companion-repair") return faulty(input.observation).map(() => "repair-companion")
  if (input.type === "config-update") return configTasks(input)
  return input.type === "restart" ? restartTasks(input) : Precedence.rules[input.type].tasks
}

const faulty = ({ companions }: Observation): ReadonlyArray<string> =>
  companions.known ? companions.value.filter(({ fault }) => fault !== undefined).map(({ name }) => name) : []

/** Every container with its image, by digest where it is known. */
const imagesOf = ({ instance, target, type }: Input) =>
  instance.spec.containers.map(({ image, name }) => ({
    container: name,
    image,
    ...(target.digests[name] === undefined || type === "rollback" ? {} : { digest: target.digests[name] })
  }))

const rootsOf = ({ id, target, type }: Input): { readonly planId: string; readonly digests: Digests; readonly rollback: boolean } => ({
  planId: id,
  digests: target.digests,
  rollback: type === "rollback"
})

const roots = (input: Input): TaskParams => ({ ...rootsOf(input) })
const images = (input: Input): TaskParams => ({ images: imagesOf(input) })
const caps = ({ target }: Input): TaskParams => ({ caps: target.caps ?? {} })
const grace = ({ graceSeconds }: Input): TaskParams => ({ graceSeconds })
const zone = ({ status }: Input): TaskParams => (status.zoneName === undefined ? {} : { zone: status.zoneName })

/** What each task needs, so that its execution needs nobody else. */
const paramsOf: Readonly<Record<TaskType, (input: Input, index: number) => TaskParams>> = {
  "resolve-image": images,
  "pull-image": images,
  "snapshot-root": roots,
  "stage-root": roots,
  "swap-root": roots,
  "observe-image": ({ target }) => ({ digests: target.digests }),
  "set-caps-live": caps,
  "persist-zonecfg": caps,
  "observe-caps": caps,
  "write-zonecfg": ({ target }) => ({ specHash: target.specHash, caps: target.caps ?? {} }),
  "pre-stop": grace,
  "halt-zone": grace,
  "soak": ({ instance: { spec } }) => ({ soakSeconds: spec.updatePolicy?.soakSeconds ?? defaultSoakSeconds }),
  "commit": ({ id, instance: { spec } }) => ({ planId: id, keepPrevious: spec.updatePolicy?.keepPrevious ?? 1 }),
  "approve-gate": ({ gates }, index) => ({ gate: gates?.[index] }),
  "open-gates": ({ target }) => ({
    gates: (target.gates ?? []).filter(({ approval }) => approval === "Always").map(({ name }) => name)
  }),
  "repair-companion": ({ observation }, index) => ({ companion: faulty(observation)[index] }),
  "ensure-datasets": zone,
  "ensure-network": zone,
  "ensure-vnic": zone,
  "ensure-address": zone,
  "ensure-filter": zone,
  "install-zone": zone,
  "uninstall-zone": zone,
  "delete-zonecfg": zone,
  "remove-network": zone,
  "destroy-datasets": zone,
  "boot-zone": zone,
  "wait-init": zone,
  "render-files": zone,
  "reload-or-restart": grace
}

/** The plan, or why it may not be stored. @category constructors */
export const build = (input: Input): Either.Either<Plan, PlanTooLarge> => {
  const { id, now, reason, rulesOf, status, target, type } = input
  const types = taskTypes(input)
  if (types.length > PlanLimits.tasks) {
    return Either.left(new PlanTooLarge({ detail: `${type} would have ${types.length} tasks, at most ${PlanLimits.tasks} are kept` }))
  }
  const tasks: Array<PlanTask.PlanTask> = []
  for (const [index, task] of types.entries()) {
    const params = paramsOf[task](input, index)
    const bytes = Buffer.byteLength(JSON.stringify(params))
    if (bytes > PlanLimits.paramsBytes) {
      return Either.left(
        new PlanTooLarge({ detail: `what task ${task} of ${type} needs takes ${bytes} bytes, at most ${PlanLimits.paramsBytes} are kept` })
      )
    }
    tasks.push({
      type: task,
      id: PlanTask.idOf(id, task, index),
      status: "Pending",
      params,
      maxRetries: rulesOf(task).maxRetries,
      retryCount: 0
    })
  }
  const rule = Precedence.rules[type]
  // A zone that is not well becomes Running again with the plan that brings it up.
  const targetPhase = rule.targetPhase ?? (rule.boots && status.phase !== undefined && status.phase !== "Running" ? "Running" : undefined)
  return Either.right({
    id,
    type,
    phase: "Active",
    target,
    reason: reason.map(({ detail, kind }) => ({ kind, detail: text.bounded(detail, PlanLimits.errorBytes) })),
    tasks,
    currentTask: tasks[0]?.type ?? "",
    ...(targetPhase === undefined ? {} : { targetPhase }),
    ...(rule.failedPhase === undefined ? {} : { failedPhase: rule.failedPhase }),
    createdAt: Timestamp.microsFromMillis(now),
    deadline: Timestamp.microsFromMillis(now + Duration.toMillis(input.deadline))
  })
}
