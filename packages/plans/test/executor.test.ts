import { assert, describe, it } from "@effect/vitest"
import { Executor, type Plan, PlanError, type PlanTask, TaskHandler, TaskRegistry, type ZoneInstance } from "@reddwarf/plans"
import { Duration, Effect, TestClock } from "effect"
import { instanceOf } from "./support/simCluster.js"

const background: TaskHandler.Background = {
  start: () => Effect.void,
  progress: () => Effect.succeed(TaskHandler.complete),
  isRunning: () => Effect.succeed(false),
  cancel: () => Effect.void
}

const task = (type: PlanTask.TaskType, more: Partial<PlanTask.PlanTask> = {}): PlanTask.PlanTask => ({
  type,
  id: type,
  status: "Pending",
  params: {},
  maxRetries: 2,
  retryCount: 0,
  ...more
})

const planOf = (tasks: ReadonlyArray<PlanTask.PlanTask>, more: Partial<Plan.Plan> = {}): Plan.Plan => ({
  id: "p1",
  type: "caps-update",
  phase: "Active",
  target: { specHash: "h1", digests: { app: "sha256:1" }, caps: { cpuCap: 7 } },
  reason: [],
  tasks,
  currentTask: tasks[0]?.type ?? "",
  createdAt: "1970-01-01T00:00:00Z",
  deadline: "1970-01-01T01:00:00Z",
  ...more
})

/** Runs a plan until it ends, at most so many passes; gives the status and the waits. */
const run = (handlers: ReadonlyArray<TaskHandler.TaskHandler>, plan: Plan.Plan | undefined, most = 200) =>
  Effect.gen(function*() {
    const waits: Array<number> = []
    const records: Array<boolean> = []
    let status: ZoneInstance.Status = { phase: "Running", ...(plan === undefined ? {} : { plan }) }
    for (let pass = 0; pass < most; pass++) {
      const result = yield* Executor.execute({
        instance: instanceOf(),
        status,
        registry: TaskRegistry.make(handlers),
        background,
        record: (_plan, durable) => Effect.sync(() => void records.push(durable))
      })
      status = result.status
      if (result.delay === undefined) return { status, waits, records }
      waits.push(result.delay)
      yield* TestClock.adjust(Duration.millis(result.delay))
    }
    return yield* Effect.dieMessage("the plan never ended")
  })

const fails = (type: PlanTask.TaskType, terminal = false) => new PlanError.TaskFailed({ task: type, reason: "Broken", detail: "broken", terminal })

const immediate = (type: PlanTask.TaskType, journal: Array<string> = []) =>
  TaskHandler.make({
    type,
    execute: () => Effect.sync(() => void journal.push(type)),
    status: () => Effect.succeed(TaskHandler.complete)
  })

describe("executor", () => {
  it.effect("goes through synchronous tasks in one pass and stamps what the plan aimed at", () =>
    Effect.gen(function*() {
      const journal: Array<string> = []
      const types = ["set-caps-live", "persist-zonecfg", "observe-caps"] as const
      const { records, status, waits } = yield* run(types.map((type) => immediate(type, journal)), planOf(types.map((type) => task(type))))
      assert.deepStrictEqual(journal, [...types])
      assert.deepStrictEqual(waits, [])
      assert.strictEqual(status.plan?.phase, "Complete")
      assert.deepStrictEqual(status.current?.caps, { cpuCap: 7 })
      assert.strictEqual(status.current?.containers, undefined)
      // Reading leaves no record, and what follows at once is recorded together with what was before.
      assert.deepStrictEqual(records, [false, false])
    }))

  it.effect("repeats a failed task after 10, 20, 30, 30 s, with its attempt forgotten, until the budget is used up", () =>
    Effect.gen(function*() {
      let attempts = 0
      const handler = TaskHandler.make({
        type: "pull-image",
        execute: () => Effect.sync(() => void (attempts += 1)),
        status: () => Effect.succeed(TaskHandler.failed(fails("pull-image")))
      })
      const { status, waits } = yield* run([handler], planOf([task("pull-image", { maxRetries: 4 })]))
      assert.deepStrictEqual(waits, [10_000, 20_000, 30_000, 30_000])
      assert.strictEqual(attempts, 5)
      assert.deepInclude(status.plan?.failedTaskDetail, { type: "pull-image", error: "broken", reason: "Broken", retryCount: 4, maxRetries: 4 })
      assert.strictEqual(status.plan?.failedTaskIndex, 0)
      assert.strictEqual(status.phase, "Running")
    }))

  it.effect("resets a task that is repeated", () =>
    Effect.gen(function*() {
      const handler = TaskHandler.make({
        type: "pull-image",
        execute: () => Effect.void,
        status: () => Effect.succeed(TaskHandler.failed(fails("pull-image")))
      })
      const { status } = yield* Executor.execute({
        instance: instanceOf(),
        status: { plan: planOf([task("pull-image")]) },
        registry: TaskRegistry.make([handler]),
        background,
        record: () => Effect.void
      })
      const repeated = status.plan?.tasks[0]
      assert.deepInclude(repeated, { status: "Pending", retryCount: 1 })
      for (const field of ["submittedAt", "error", "deadline"]) assert.notProperty(repeated, field)
    }))

  it.effect("asks again every 5 s after a passing error, until the deadline of the task, then counts it as a failure", () =>
    Effect.gen(function*() {
      const handler = TaskHandler.make({
        type: "persist-zonecfg",
        execute: () => Effect.fail(fails("persist-zonecfg")),
        status: () => Effect.succeed(TaskHandler.complete)
      })
      const { status, waits } = yield* run([handler], planOf([task("persist-zonecfg", { maxRetries: 1 })]))
      assert.deepStrictEqual(waits, [5000, 5000, 5000, 5000, 5000, 5000, 1, 10_000, 5000, 5000, 5000, 5000, 5000, 5000, 1])
      assert.deepInclude(status.plan?.failedTaskDetail, { reason: "DeadlineExceeded", retryCount: 1 })
    }))

  it.effect("fails at once on a terminal error and on a task that it does not know", () =>
    Effect.gen(function*() {
      const terminal = TaskHandler.make({
        type: "boot-zone",
        execute: () => Effect.fail(fails("boot-zone", true)),
        status: () => Effect.succeed(TaskHandler.complete)
      })
      const first = yield* run([terminal], planOf([task("boot-zone")]))
      assert.deepStrictEqual(first.waits, [])
      assert.deepInclude(first.status.plan?.failedTaskDetail, { terminal: true, retryCount: 0 })
      const second = yield* run([], planOf([task("boot-zone")]))
      assert.deepInclude(second.status.plan?.failedTaskDetail, { reason: "UnknownTask" })
      assert.strictEqual(second.status.plan?.phase, "Failed")
    }))

  it.effect("leaves an ended plan as it is, and refuses to run without one", () =>
    Effect.gen(function*() {
      const journal: Array<string> = []
      for (const phase of ["Complete", "Failed", "Superseded"] as const) {
        const plan = planOf([task("boot-zone")], { phase })
        const { status } = yield* run([immediate("boot-zone", journal)], plan)
        assert.strictEqual(status.plan, plan)
      }
      assert.deepStrictEqual(journal, [])
      const error = yield* Effect.flip(run([], undefined))
      assert.strictEqual(error._tag, "NoPlan")
    }))

  it.effect("uses up a retry at once, or ends its plan, for a failure after which trying the same again is of no use", () =>
    Effect.gen(function*() {
      const failing = (ends: "attempt" | "plan") =>
        TaskHandler.make({
          type: "boot-zone",
          execute: () => new PlanError.TaskFailed({ task: "boot-zone", reason: "ZoneWentDown", detail: "down", ends }),
          status: () => Effect.succeed(TaskHandler.complete)
        })
      const attempts = yield* run([failing("attempt")], planOf([task("boot-zone")]))
      assert.deepStrictEqual(attempts.waits, [10_000, 20_000])
      assert.deepStrictEqual([attempts.status.plan?.phase, attempts.status.plan?.failedTaskDetail?.retryCount], ["Failed", 2])
      // Another plan may follow: the zone is not given up, though it never ran.
      const ended = yield* run([failing("plan")], planOf([task("boot-zone")], { type: "init", failedPhase: "Failed" }))
      assert.deepStrictEqual(ended.waits, [])
      assert.deepStrictEqual([ended.status.plan?.phase, ended.status.plan?.failedTaskDetail?.reason, ended.status.phase], ["Failed", "ZoneWentDown", "Running"])
    }))

  it.effect("executes nothing that is done already", () =>
    Effect.gen(function*() {
      const journal: Array<string> = []
      const handler = { ...immediate("boot-zone", journal), done: () => Effect.succeed(true) }
      const { records, status } = yield* run([handler], planOf([task("boot-zone")]))
      assert.deepStrictEqual(journal, [])
      assert.deepStrictEqual(records, [])
      assert.strictEqual(status.plan?.phase, "Complete")
    }))

  it.effect("never begins what may not be cut off without a durable trace", () =>
    Effect.gen(function*() {
      const { records } = yield* run([immediate("halt-zone"), immediate("boot-zone")], planOf([task("halt-zone"), task("boot-zone")]))
      assert.deepStrictEqual(records, [true, true])
    }))

  it.effect("asks a running task until its host event or 5 s", () =>
    Effect.gen(function*() {
      let looks = 0
      const handler = TaskHandler.make({
        type: "boot-zone",
        execute: () => Effect.void,
        status: () => Effect.sync(() => (++looks < 3 ? TaskHandler.running : TaskHandler.complete))
      })
      const { status, waits } = yield* run([handler], planOf([task("boot-zone")]))
      assert.deepStrictEqual(waits, [5000, 5000])
      assert.strictEqual(status.plan?.tasks[0]?.submittedAt, "1970-01-01T00:00:00.000000Z")
    }))
})
