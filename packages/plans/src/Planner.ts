/**
 * What to do next about a zone, from its spec, its status and what was observed. Pure: ids and chance come from outside, and nothing is
 * written or executed here.
 */
import { Timestamp } from "@reddwarf/api-types"
import type * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Conditions from "./Conditions.js"
import type { Drift } from "./Drift.js"
import * as DriftDetector from "./DriftDetector.js"
import type { Gate } from "./Gate.js"
import * as steadyState from "./internal/steadyState.js"
import type { Plan, PlanType } from "./Plan.js"
import { PlanLimits } from "./Plan.js"
import * as PlanBuilder from "./PlanBuilder.js"
import { PlanTooLarge } from "./PlanError.js"
import * as PlanOutcome from "./PlanOutcome.js"
import * as PlanState from "./PlanState.js"
import type { PlanTask, TaskType } from "./PlanTask.js"
import * as Precedence from "./Precedence.js"
import * as Target from "./Target.js"
import type { TaskRules } from "./TaskHandler.js"
import type { Status } from "./ZoneInstance.js"
import * as ZoneInstances from "./ZoneInstance.js"

/** @category models */
export interface Input extends DriftDetector.Input {
  /** A UUID of version 4. */
  readonly newId: () => string
  /** From 0 to 1. */
  readonly jitter: number
  readonly rulesOf: (type: TaskType) => Pick<TaskRules, "interruptible" | "maxRetries">
  readonly graceSeconds: number
  readonly deadlineOf: (type: PlanType) => Duration.DurationInput
  /** The pod shall end: the only plan is `teardown`, and neither a pause nor a power state holds it. */
  readonly deleting?: boolean
}

/** What follows. @category models */
export type Decision =
  /** Nothing is to be done. */
  | { readonly _tag: "Steady" }
  /** Nothing may be done now, or not before a time. */
  | { readonly _tag: "Waiting"; readonly reason: "Paused" | "Backoff" | "Failed" | "PlanTooLarge"; readonly until?: number }
  /** `status.plan` is new: it is stored, not executed. */
  | { readonly _tag: "Created"; readonly plan: Plan; readonly consumed: ReadonlyArray<Gate> }
  /** `status.plan` goes on, or goes on only until a task of which `stopAfter` is true. */
  | { readonly _tag: "Execute"; readonly plan: Plan; readonly stopAfter?: (task: PlanTask) => boolean }
  /** `ended` ended without its executor: what it has in flight must be stopped. Its record is in the status already. */
  | { readonly _tag: "Ended"; readonly ended: Plan; readonly abandon: boolean }

/** @category models */
export interface Resolution {
  readonly status: Status
  readonly decision: Decision
  /** What differs, also where nothing is done about it now. */
  readonly drifts: ReadonlyArray<Drift>
}

const condition = (input: Input, status: Status, value: Conditions.ConditionValue): Status =>
  Conditions.set(status, value, input.instance.metadata.generation, input.now)

const unblocked = (input: Input, status: Status): Status =>
  condition(input, status, { type: "PlanBlocked", status: "False", reason: "NotBlocked", message: "nothing holds plans back" })

const idle = (input: Input, status: Status): Status =>
  condition(input, status, { type: "PlanActive", status: "False", reason: "Idle", message: "nothing is being done to the zone" })

/** What an operator or a new spec undoes: waits, remembered failures, the phase Failed. */
const released = (input: Input): Status => {
  const { instance, now, status } = input
  const retry = instance.metadata.annotations?.[ZoneInstances.annotations.retryPlan]
  const asked = retry !== undefined && retry !== status.retryPlan
  const key = status.backoffTarget === undefined ? undefined : Target.key(instance)
  const other = key !== undefined && key !== status.backoffTarget
  const stale = status.failedDigests !== undefined && status.failedDigests.specHash !== instance.spec.specHash
  if (!asked && !other && !stale) return status
  const forgotten: Status = asked || stale
    ? Conditions.clear(
      { ...status, failedDigests: undefined },
      { type: "ImageUpdateRolledBack", reason: "Retry", message: "the wanted images are tried again" },
      instance.metadata.generation,
      now
    )
    : status
  const freed: Status = asked || other
    ? { ...forgotten, nextPlanNotBefore: undefined, backoffTarget: undefined, consecutiveFailures: undefined }
    : forgotten
  const noted: Status = asked ? { ...freed, retryPlan: retry } : freed
  return noted.phase === "Failed" && (asked || other) ? PlanState.setPhase(noted, "Pending", now) : noted
}

interface Choice {
  readonly type: PlanType
  readonly reason: ReadonlyArray<Drift>
  readonly halt?: "stuck" | "running"
  readonly forCaps?: boolean
  readonly config?: DriftDetector.ConfigDrift
}

/** Whether the zone was never brought up by a plan, and is not found running. */
const needsInit = ({ observation: { zone }, status, ...input }: Input): boolean => {
  if (!zone.known || Target.powerState(input.instance) === "Stopped" || !zone.value.shouldRun) return false
  if (zone.value.state === "mounted" || DriftDetector.isTransient(zone.value)) return false
  return DriftDetector.isUninstalled(zone.value) || status.phase === undefined || status.phase === "Pending" || status.phase === "Initializing"
}

const choose = (input: Input, drifts: ReadonlyArray<Drift>): Choice | undefined => {
  if (PlanOutcome.needsRollback(input.status)) {
    return { type: "rollback", reason: [{ kind: "image", detail: input.status.lastPlan?.error ?? "the new image did not come up" }] }
  }
  if (needsInit(input)) return { type: "init", reason: [{ kind: "missing", detail: "the zone is not provisioned" }] }
  const type = Precedence.select(drifts.map(({ kind }) => kind))
  if (type === undefined) return undefined
  if (type === "restart" && DriftDetector.isStuck(input)) return { type, reason: drifts, halt: "stuck" }
  const { caps, zone } = input.observation
  if (type === "caps-update" && caps.known && caps.value.restart === true && zone.known && zone.value.state === "running") {
    return { type: "restart", reason: drifts, halt: "running", forCaps: true }
  }
  if (type !== "config-update") return { type, reason: drifts }
  const config = DriftDetector.configDrift(input)
  return config.boot ? { type: "restart", reason: drifts, halt: "running", config } : { type, reason: drifts, config }
}

const rollbackTarget = (input: Input, plan: PlanType) => {
  const wanted = Target.wanted(input.instance, input.observation)
  return plan === "rollback" ? { ...wanted, digests: input.status.previousDigests ?? {} } : wanted
}

/** The digests that an update replaces: what a rollback goes back to. */
const replaced = ({ observation, status }: Input): Readonly<Record<string, string>> => ({
  ...Object.fromEntries((status.current?.containers ?? []).map(({ digest, name }) => [name, digest])),
  ...(observation.digests.known ? observation.digests.value : {})
})

const started = (input: Input, status: Status, plan: Plan): Status => {
  const shown = condition(input, unblocked(input, status), {
    type: "PlanActive",
    status: "True",
    reason: Conditions.camelCase(plan.type),
    message: plan.reason.map(({ detail, kind }) => `${kind}: ${detail}`).join("; ")
  })
  const updating = plan.type !== "image-update" ? shown : condition(input, shown, {
    type: "UpdateInProgress",
    status: "True",
    reason: "UpdateStarted",
    message: plan.reason.find(({ kind }) => kind === "image")?.detail ?? "images are updated"
  })
  const accepted = Conditions.clear(
    updating,
    { type: "PlanRejected", reason: "Accepted", message: "the plan is within its bounds" },
    input.instance.metadata.generation,
    input.now
  )
  return plan.type === "init" && (status.phase === undefined || status.phase === "Pending")
    ? PlanState.setPhase(accepted, "Initializing", input.now)
    : accepted
}

const create = (input: Input, status: Status, choice: Choice, drifts: ReadonlyArray<Drift>): Resolution => {
  const gates = choice.type === "gate-reapproval" ? DriftDetector.closedGates({ ...input, status }) : []
  const built = Either.flatMap(
    PlanBuilder.build({
      ...choice,
      id: input.newId(),
      instance: input.instance,
      status,
      observation: input.observation,
      target: rollbackTarget(input, choice.type),
      gates,
      graceSeconds: input.graceSeconds,
      deadline: input.deadlineOf(choice.type),
      rulesOf: input.rulesOf,
      now: input.now
    }),
    (plan) => {
      const kept: Status = plan.type === "image-update" ? { ...status, previousDigests: replaced(input) } : status
      // What an owner approved is used up by the plan that it allows.
      const used = gates.some(({ approval }) => approval === "Owner")
        ? condition(input, kept, {
          type: DriftDetector.readinessApproved,
          status: "False",
          reason: "Used",
          message: "the approval was used for one opening of the gates"
        })
        : kept
      const next: Status = { ...started(input, used, plan), plan }
      const bytes = Buffer.byteLength(JSON.stringify(next))
      return bytes > PlanLimits.statusBytes
        ? Either.left(new PlanTooLarge({ detail: `the status would take ${bytes} bytes, at most ${PlanLimits.statusBytes} are kept` }))
        : Either.right({ next, plan })
    }
  )
  return Either.match(built, {
    onLeft: (error): Resolution => ({
      status: condition(input, idle(input, status), {
        type: "PlanRejected",
        status: "True",
        reason: "PlanTooLarge",
        message: error.message
      }),
      decision: { _tag: "Waiting", reason: "PlanTooLarge" },
      drifts
    }),
    onRight: ({ next, plan }): Resolution => ({
      status: next,
      decision: { _tag: "Created", plan, consumed: gates.filter(({ approval }) => approval === "Manual") },
      drifts
    })
  })
}

const end = (input: Input, status: Status, ended: Plan, drifts: ReadonlyArray<Drift>): Resolution => {
  const phased = ended.phase === "Failed" && ended.failedPhase !== undefined && ended.type !== "init"
    ? PlanState.setPhase(status, ended.failedPhase, input.now)
    : status
  return {
    status: PlanOutcome.finish({ ...input, status: { ...phased, plan: ended } }),
    decision: { _tag: "Ended", ended, abandon: true },
    drifts
  }
}

/** Whether something else has to be done than what the plan does. */
const isOvertaken = (input: Input, plan: Plan, drifts: ReadonlyArray<Drift>): boolean => {
  if (input.deleting === true) return plan.type !== "teardown"
  if (!Target.isSame(plan.type, plan.target, Target.wanted(input.instance, input.observation))) return true
  const task = plan.tasks[PlanState.currentIndex(plan)]
  if (task === undefined || (task.retryCount === 0 && task.error === undefined)) return false
  // A plan that does not get on makes way for a worse difference that it would not mend.
  const own = Precedence.mostSevere(plan.reason.map(({ kind }) => kind))
  return own !== undefined && drifts.some(({ kind }) => !Precedence.covers(plan.type, kind) && Precedence.isMoreSevere(kind, own))
}

/** What a plan waits for after it has booted its zone: nobody in a zone that is down will ever do it. */
const waitsInZone: ReadonlySet<string> = new Set<TaskType>(["wait-init", "open-gates"])

/** Whether the zone, once up, went down while the plan waits for something in it. What follows is the next plan, or the rollback of this one. */
const isLost = (plan: Plan, drifts: ReadonlyArray<Drift>): boolean =>
  waitsInZone.has(plan.currentTask) && drifts.some(({ kind }) => kind === "missing")

/**
 * Whether a task that may not be cut off is at work. A pod that shall end does not wait for one that only failed and would be tried again, nor
 * for containers to end in another plan's time: its own plan begins with that.
 */
const isHeld = ({ deleting, rulesOf }: Input, task: PlanTask): boolean =>
  PlanState.isBegun(task) && !rulesOf(task.type).interruptible &&
  (deleting !== true || (task.submittedAt !== undefined && task.error === undefined && task.type !== "pre-stop"))

const active = (input: Input, plan: Plan): Resolution => {
  const { now, status } = input
  const drifts = input.deleting === true ? [] : DriftDetector.detect(input)
  if (now > (Timestamp.toMillis(plan.deadline) ?? Number.POSITIVE_INFINITY)) {
    const detail = { reason: "PlanDeadlineExceeded", detail: "PlanDeadlineExceeded: the plan did not end in time", terminal: false }
    return end(input, status, PlanState.fail(plan, PlanState.currentIndex(plan), detail, now), drifts)
  }
  if (isLost(plan, drifts)) {
    const detail = { reason: "ZoneDown", detail: "ZoneDown: the zone went down before it was ready", terminal: false }
    return end(input, status, PlanState.fail(plan, PlanState.currentIndex(plan), detail, now), drifts)
  }
  const go = (stopAfter?: (task: PlanTask) => boolean): Resolution => ({
    status,
    decision: { _tag: "Execute", plan, ...(stopAfter === undefined ? {} : { stopAfter }) },
    drifts
  })
  if (!isOvertaken(input, plan, drifts)) return go()
  const task = plan.tasks[PlanState.currentIndex(plan)]
  if (task !== undefined && isHeld(input, task)) {
    return go((ended) => ended.id === task.id)
  }
  if (input.deleting !== true && PlanState.isDown(plan)) {
    // The zone is down because of this plan: only a plan that brings it up takes over.
    const next = choose({ ...input, status: { ...status, plan: undefined } }, drifts)
    if (next === undefined || !Precedence.rules[next.type].boots) return go(({ type }) => type === "boot-zone")
  }
  return end(input, status, PlanState.supersede(plan, now), drifts)
}

const teardown = (input: Input): Resolution => {
  const until = Timestamp.toMillis(input.status.nextPlanNotBefore)
  return until !== undefined && input.now < until && input.status.lastPlan?.type === "teardown"
    ? waiting(input, input.status, [], "Backoff", until)
    : create(input, input.status, { type: "teardown", reason: [] }, [])
}

const blockedMessages = {
  Paused: "spec.paused is set: no plan is made or carried out until it is not",
  Backoff: "the last plan failed: the next one waits, or comes with a change of the spec or of annotation reddwarf.io/retry-plan"
}

const waiting = (
  input: Input,
  status: Status,
  drifts: ReadonlyArray<Drift>,
  reason: keyof typeof blockedMessages,
  until?: number
): Resolution => ({
  status: condition(input, idle(input, status), { type: "PlanBlocked", status: "True", reason, message: blockedMessages[reason] }),
  decision: { _tag: "Waiting", reason, ...(until === undefined ? {} : { until }) },
  drifts
})

/**
 * One decision. A plan that has ended is put away, an active one goes on or makes way, and without one the differences are looked for.
 *
 * @category combinators
 */
export const resolve = (given: Input): Resolution => {
  const input: Input = { ...given, status: steadyState.observed(given, released(given)) }
  const { now, status } = input
  const { plan } = status
  if (plan !== undefined && plan.phase !== "Active") {
    return { status: PlanOutcome.finish(input), decision: { _tag: "Ended", ended: plan, abandon: false }, drifts: [] }
  }
  const paused = input.instance.spec.paused === true && input.deleting !== true
  if (plan !== undefined) {
    return paused
      ? {
        status: condition(input, status, { type: "PlanBlocked", status: "True", reason: "Paused", message: blockedMessages.Paused }),
        decision: { _tag: "Waiting", reason: "Paused" },
        drifts: []
      }
      : active(input, plan)
  }
  if (input.deleting === true) return teardown(input)
  const drifts = DriftDetector.detect(input)
  if (status.phase === "Failed") return { status, decision: { _tag: "Waiting", reason: "Failed" }, drifts }
  if (paused) return waiting(input, status, drifts, "Paused")
  const until = Timestamp.toMillis(status.nextPlanNotBefore)
  if (until !== undefined && now < until) return waiting(input, status, drifts, "Backoff", until)
  const choice = choose(input, drifts)
  if (choice !== undefined) return create(input, status, choice, drifts)
  return { status: steadyState.settled(input, unblocked(input, idle(input, status)), drifts), decision: { _tag: "Steady" }, drifts }
}
