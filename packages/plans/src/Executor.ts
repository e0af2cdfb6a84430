/**
 * Carries out the plan of a status, as far as it goes in one pass. It has no memory: each task is found again by its type and gets what
 * it needs from its params.
 */
import { Timestamp } from "@reddwarf/api-types"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as text from "./internal/text.js"
import type { Current, Status, ZoneInstance } from "./ZoneInstance.js"
import type { Plan } from "./Plan.js"
import { PlanLimits } from "./Plan.js"
import { type LedgerFailed, NoPlan, TaskFailed } from "./PlanError.js"
import type { PlanTask } from "./PlanTask.js"
import * as PlanState from "./PlanState.js"
import * as Precedence from "./Precedence.js"
import type { Background, TaskContext, TaskHandler } from "./TaskHandler.js"
import * as TaskHandlers from "./TaskHandler.js"
import * as TaskOrder from "./TaskOrder.js"
import type { TaskRegistry } from "./TaskRegistry.js"
import * as ZoneInstances from "./ZoneInstance.js"

/** @category models */
export interface Input {
  readonly instance: ZoneInstance
  readonly status: Status
  readonly registry: TaskRegistry
  readonly background: Background
  /** Puts what changed in the plan into the ledger; on disk when it returns if `durable`. */
  readonly record: (plan: Plan, durable: boolean) => Effect.Effect<void, LedgerFailed>
  /** Ends the pass after a task of which this is true. */
  readonly stopAfter?: ((task: PlanTask) => boolean) | undefined
  /** Whether any failure of `init` is final. */
  readonly strictInit?: boolean
}

/** @category models */
export interface Result {
  readonly status: Status
  /** When to go on, in ms; absent when the plan ended. */
  readonly delay?: number
  readonly reason: string
}

/** Between two looks at a task, in ms. @category models */
export const poll = 5000

/** Wait before the `retry`-th repetition of a task, counted from 1: 10, 20, 30, 30 s. In ms. @category combinators */
export const retryDelay = (retry: number): number => Math.min(5000 * 2 ** retry, 30_000)

const seconds = (value: unknown): number => (typeof value === "number" && value > 0 ? value : 0)

/** How long one attempt at a task may take, in ms. @category combinators */
export const timeoutOf = (handler: Pick<TaskHandler, "type" | "timeout">, params: PlanTask["params"]): number =>
  Duration.toMillis(handler.timeout) +
  (handler.type === "pre-stop" || handler.type === "halt-zone" || handler.type === "reload-or-restart"
    ? seconds(params["graceSeconds"]) * 1000
    : handler.type === "soak"
    ? seconds(params["soakSeconds"]) * 1000
    : 0)

/** What completion leaves: what the plan aimed at, whatever the spec says by now. @category combinators */
export const stamp = (current: Current | undefined, { target, type }: Plan): Current => {
  const { stamps } = Precedence.rules[type]
  const digests = new Map((current?.containers ?? []).map(({ digest, name }) => [name, digest]))
  if (stamps.includes("digests")) for (const [name, digest] of Object.entries(target.digests)) digests.set(name, digest)
  const containers = Array.from(digests, ([name, digest]) => ({ name, digest }))
  return {
    ...current,
    ...(containers.length === 0 ? {} : { containers }),
    ...(stamps.includes("specHash") ? { specHash: target.specHash } : {}),
    ...(stamps.includes("caps") && target.caps !== undefined ? { caps: target.caps } : {})
  }
}

const completed = (status: Status, plan: Plan, now: number): Status => {
  const ended: Status = { ...status, plan: PlanState.complete(plan, now), current: stamp(status.current, plan) }
  return plan.targetPhase === undefined ? ended : PlanState.setPhase(ended, plan.targetPhase, now)
}

const failed = (input: Input, status: Status, plan: Plan, index: number, error: TaskFailed, now: number): Status => {
  const ended: Status = { ...status, plan: PlanState.fail(plan, index, error, now) }
  const isFinal = plan.type !== "init" || input.strictInit === true || (error.terminal && status.current?.specHash === undefined)
  return plan.failedPhase === undefined || !isFinal ? ended : PlanState.setPhase(ended, plan.failedPhase, now)
}

const timedOut = (task: PlanTask, what: string) =>
  new TaskFailed({ task: task.type, reason: "Timeout", detail: `${what} did not answer in time` })

/** Takes back what a task left that no other plan will use. */
const undo = (input: Input, plan: Plan): Effect.Effect<void> =>
  PlanState.isDown(plan) || plan.tasks.some(({ status, type }) => type === "swap-root" && status === "Complete") ? Effect.void : Effect.forEach(
    plan.tasks.filter((task) => task.status === "Complete" || PlanState.isBegun(task)).toReversed(),
    (task) => {
      const handler = Either.getOrUndefined(input.registry.get(task.type))
      if (handler?.undo === undefined) return Effect.void
      return handler.undo(task.params, contextOf(input, plan, task)).pipe(
        Effect.timeoutFail({ duration: handler.timeout, onTimeout: () => timedOut(task, "taking it back") }),
        Effect.catchAll((error) => Effect.logWarning("something of a plan that ended is left", error))
      )
    },
    { discard: true }
  )

const contextOf = ({ background, instance }: Input, plan: Plan, task: PlanTask): TaskContext => ({ instance, plan, task, background })

/**
 * Stops what the plan has in flight and takes back what nothing will use: it failed or was superseded.
 *
 * @category combinators
 */
export const abandon = (input: Input, plan: Plan): Effect.Effect<void> =>
  Effect.suspend(() => {
    const task = plan.tasks[PlanState.currentIndex(plan)]
    const handler = task === undefined ? undefined : Either.getOrUndefined(input.registry.get(task.type))
    const stop = task === undefined || handler?.cancel === undefined || !PlanState.isBegun(task)
      ? Effect.void
      : handler.cancel(task.params, contextOf(input, plan, task))
    return Effect.zipRight(stop, undo(input, plan))
  })

type Step =
  | { readonly _tag: "Next"; readonly task: PlanTask }
  | { readonly _tag: "Wait"; readonly task: PlanTask; readonly delay: number; readonly reason: string }
  | { readonly _tag: "Failed"; readonly task: PlanTask; readonly error: TaskFailed }

/** Whether an effect is its result already: then it takes no time. */
const isKnown = <A>(effect: Effect.Effect<A, TaskFailed>): boolean => Exit.isExit(effect)

/** One look at one task. */
const step = Effect.fnUntraced(function*(
  input: Input,
  plan: Plan,
  begun: PlanTask,
  handler: TaskHandler
): Effect.fn.Return<Step> {
  const { params } = begun
  const bounded = <A>(effect: Effect.Effect<A, TaskFailed>, what: string): Effect.Effect<Either.Either<A, TaskFailed>> =>
    Effect.either(isKnown(effect) ? effect : Effect.timeoutFail(effect, { duration: timeoutOf(handler, params), onTimeout: () => timedOut(begun, what) }))
  const until = Timestamp.toMillis(begun.deadline) ?? Number.POSITIVE_INFINITY
  const now = yield* Clock.currentTimeMillis
  if (now > until) {
    if (handler.cancel !== undefined) yield* handler.cancel(params, contextOf(input, plan, begun))
    const error = new TaskFailed({ task: begun.type, reason: "DeadlineExceeded", detail: `did not end in time${because(begun)}` })
    return { _tag: "Failed", task: begun, error }
  }
  const wait = (task: PlanTask, reason: string, delay = poll): Step => ({
    _tag: "Wait",
    task,
    reason,
    delay: Math.max(1, Math.min(delay, until - now + 1))
  })
  const context = contextOf(input, plan, begun)
  const executed = yield* bounded(handler.execute(params, context), "executing it")
  if (Either.isLeft(executed)) {
    return executed.left.terminal || executed.left.ends !== undefined
      ? { _tag: "Failed", task: begun, error: executed.left }
      : wait({ ...begun, error: text.bounded(executed.left.detail, PlanLimits.errorBytes) }, "task could not be executed")
  }
  const { error: _old, ...clean } = begun
  const submitted: PlanTask = begun.submittedAt === undefined ? { ...clean, submittedAt: Timestamp.microsFromMillis(now) } : clean
  const progress = yield* bounded(handler.status(params, { ...context, task: submitted }), "asking for it")
  if (Either.isLeft(progress)) {
    return progress.left.terminal
      ? { _tag: "Failed", task: submitted, error: progress.left }
      : wait({ ...submitted, error: text.bounded(progress.left.detail, PlanLimits.errorBytes) }, "task could not be asked")
  }
  const seen = progress.right
  if (seen._tag === "Running") return wait(submitted, "task is running", seen.delay)
  return seen._tag === "Complete"
    ? { _tag: "Next", task: { ...submitted, status: "Complete" } }
    : { _tag: "Failed", task: submitted, error: seen.error }
})

const because = ({ error }: PlanTask): string => (error === undefined ? "" : `: ${error}`)

/** A task before its attempt: done already, or with the end of the attempt. */
const begin = Effect.fnUntraced(function*(input: Input, plan: Plan, task: PlanTask, handler: TaskHandler, now: number) {
  const begun: PlanTask = PlanState.isBegun(task)
    ? task
    : { ...task, deadline: Timestamp.microsFromMillis(now + timeoutOf(handler, task.params)) }
  // What runs in the background of this process is not done; asking the host would only cost.
  if (handler.done === undefined || (yield* input.background.isRunning(task.id))) return Either.right(begun)
  const done = yield* Effect.either(Effect.timeoutFail(handler.done(task.params, contextOf(input, plan, task)), {
    duration: timeoutOf(handler, task.params),
    onTimeout: () => timedOut(task, "looking whether it is done")
  }))
  // Whether it is done could not be seen: it is executed, which is safe to do again.
  return Either.isRight(done) && done.right
    ? Either.left<PlanTask>({ ...task, status: "Complete" })
    : Either.right(begun)
})

/** A task after a failed attempt: to be repeated, or undefined when its budget is used up. */
const again = (task: PlanTask, error: TaskFailed, now: number): PlanTask | undefined => {
  if (error.terminal || error.ends === "plan" || task.retryCount >= task.maxRetries) return undefined
  const { deadline: _deadline, error: _error, notBefore: _notBefore, submittedAt: _submittedAt, ...rest } = task
  const retryCount = task.retryCount + 1
  return { ...rest, retryCount, status: "Pending", notBefore: Timestamp.microsFromMillis(now + retryDelay(retryCount)) }
}

/**
 * Goes through the tasks of `status.plan` until one has to be waited for, or the plan ends. A plan that has ended is left as it is.
 *
 * @category combinators
 */
export const execute = Effect.fnUntraced(function*(input: Input): Effect.fn.Return<Result, LedgerFailed | NoPlan> {
  const { instance, record, registry } = input
  let status = input.status
  if (status.plan === undefined) return yield* new NoPlan({ key: ZoneInstances.keyOf(instance) })
  let plan = status.plan
  if (plan.phase !== "Active") return { status, reason: "the plan has ended" }
  let unrecorded = false
  const stop = (result: Omit<Result, "status">) =>
    Effect.as(
      unrecorded && plan.phase === "Active" ? record(plan, false) : Effect.void,
      { ...result, status: { ...status, plan } }
    )
  const giveUp = (index: number, error: TaskFailed, now: number) =>
    Effect.suspend(() => {
      status = failed(input, status, plan, index, error, now)
      return Effect.as(abandon(input, plan), { status, reason: "the plan failed" })
    })
  /** Tasks that had their turn and have to wait, of a plan that goes on without them; and when the first of them is to be looked at. */
  const waiting = new Set<number>()
  let soonest: Omit<Result, "status"> & { readonly delay: number } | undefined
  const waits = (index: number, result: { readonly delay: number; readonly reason: string }) => {
    if (!TaskOrder.goesOn(plan)) return stop(result)
    waiting.add(index)
    if (soonest === undefined || result.delay < soonest.delay) soonest = result
    return undefined
  }
  for (;;) {
    const now = yield* Clock.currentTimeMillis
    const index = TaskOrder.next(plan, waiting)
    const task = plan.tasks[index]
    if (task === undefined) {
      if (soonest !== undefined) return yield* stop(soonest)
      const failure = plan.tasks.findIndex((task) => task.status === "Failed")
      const failed = plan.tasks[failure]
      if (failed === undefined) return { status: completed(status, plan, now), reason: "the plan is complete" }
      return yield* giveUp(failure, new TaskFailed({ task: failed.type, reason: "TasksFailed", detail: TaskOrder.failures(plan) }), now)
    }
    const fails = (error: TaskFailed) => {
      if (!TaskOrder.goesOn(plan)) return giveUp(index, error, now)
      plan = PlanState.withTask(plan, index, { ...task, status: "Failed", error: text.bounded(error.detail, PlanLimits.errorBytes) })
      unrecorded = true
      return undefined
    }
    const found = registry.get(task.type)
    if (Either.isLeft(found)) {
      const given = fails(new TaskFailed({ task: task.type, reason: "UnknownTask", detail: found.left.message, terminal: true }))
      if (given !== undefined) return yield* given
      continue
    }
    const handler = found.right
    const notBefore = Timestamp.toMillis(task.notBefore) ?? 0
    if (now < notBefore) {
      const stopped = waits(index, { delay: notBefore - now, reason: "the task is repeated after a failure" })
      if (stopped !== undefined) return yield* stopped
      continue
    }
    const begun = yield* begin(input, plan, task, handler, now)
    if (Either.isLeft(begun)) {
      plan = PlanState.withTask(plan, index, begun.left)
      if (input.stopAfter?.(begun.left) === true) return yield* stop({ delay: 1, reason: "something else is wanted" })
      continue
    }
    plan = PlanState.withTask(plan, index, begun.right)
    if (!handler.readOnly && begun.right !== task) {
      // A task that may not be cut off is never begun without a trace that outlives the host; others are found out by looking, as is all of the
      // end of a pod, which nothing takes back.
      yield* record(plan, !handler.interruptible && plan.type !== "teardown")
      unrecorded = false
    }
    const result = yield* step(input, plan, begun.right, handler)
    plan = PlanState.withTask(plan, index, result.task)
    if (!handler.readOnly && result.task !== begun.right) unrecorded = true
    switch (result._tag) {
      case "Next":
        if (input.stopAfter?.(result.task) === true) return yield* stop({ delay: 1, reason: "something else is wanted" })
        continue
      case "Wait": {
        const stopped = waits(index, result)
        if (stopped !== undefined) return yield* stopped
        continue
      }
      case "Failed": {
        const at = yield* Clock.currentTimeMillis
        const repeated = again(result.task, result.error, at)
        if (repeated === undefined) {
          const given = fails(result.error)
          if (given !== undefined) return yield* given
          continue
        }
        plan = PlanState.withTask(plan, index, repeated)
        const stopped = waits(index, { delay: retryDelay(repeated.retryCount), reason: "the task is repeated after a failure" })
        if (stopped !== undefined) return yield* stopped
      }
    }
  }
})

/** @internal */
export const isInterruptible = (registry: TaskRegistry, type: PlanTask["type"]): boolean =>
  Either.match(registry.get(type), {
    onLeft: () => TaskHandlers.defaultRules[type].interruptible,
    onRight: ({ interruptible }) => interruptible
  })
