/** Defects of a design that this one learned from: none of them may come back. */
import { assert, describe, it } from "@effect/vitest"
import { Gate, PlanMetrics, PlanState } from "@reddwarf/plans"
import { Clock, Effect, Metric, TestClock } from "effect"
import { gate, key, make, memoryLedger } from "./support/simCluster.js"

const brought = (settings: Parameters<typeof make>[0] = {}) =>
  Effect.gen(function*() {
    const sim = yield* make(settings)
    const agent = yield* sim.start(yield* memoryLedger)
    yield* sim.settleWith(agent)
    sim.cluster.events.length = 0
    return { ...sim, agent }
  })

describe("defects that must not come back", () => {
  it.scoped("R1: active plans are counted when they are asked for", () =>
    Effect.gen(function*() {
      const { agent, elapse, host, cluster } = yield* brought()
      host.hanging.add("ensure-vnic")
      host.networkFaults = ["no link"]
      yield* agent.reconciler.pass(key)
      const active = Effect.map(agent.reconciler.series, (samples) => samples.filter(({ name }) => name === "reddwarf_plans_active").map(({ value }) => value))
      assert.deepStrictEqual(yield* active, [1])
      yield* agent.reconciler.pass(key).pipe(Effect.fork)
      assert.deepStrictEqual(yield* active, [1])
      cluster.object = undefined
      yield* elapse(yield* agent.reconciler.pass(key))
      assert.deepStrictEqual(yield* active, [])
    }))

  it.scoped("R2: how long a phase lasted is measured from its own beginning", () =>
    Effect.gen(function*() {
      const { agent, cluster } = yield* brought()
      yield* TestClock.adjust("100 seconds")
      const { object } = cluster
      assert.isDefined(object)
      const histogram = PlanMetrics.zonePhaseDurationSeconds.pipe(Metric.tagged("namespace", "default"), Metric.tagged("phase", "Running"))
      const before = yield* Metric.value(histogram)
      cluster.object = { ...object, metadata: { ...object.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } }
      yield* agent.reconciler.pass(key)
      const after = yield* Metric.value(histogram)
      assert.isAtLeast(after.sum - before.sum, 100)
    }))

  it("R3: the time of a phase changes only when the phase does", () => {
    const status = PlanState.setPhase({}, "Running", 1000)
    assert.strictEqual(PlanState.setPhase(status, "Running", 9000), status)
  })

  it.scoped("R4: series of an object end with it", () =>
    Effect.gen(function*() {
      const { agent, cluster } = yield* brought({ spec: { gates: [gate(Gate.sidecar)] } })
      assert.isAbove((yield* agent.reconciler.series).length, 0)
      cluster.object = undefined
      yield* agent.reconciler.pass(key)
      assert.deepStrictEqual(yield* agent.reconciler.series, [])
    }))

  it.scoped("R5, R14: lost and restored are told over Unknown, each once", () =>
    Effect.gen(function*() {
      const { agent, cluster, gates } = yield* brought({ spec: { gates: [gate(Gate.sidecar, "Manual")] } })
      const it = gates.get(Gate.sidecar)
      assert.isDefined(it)
      for (const code of [200, 503, 500, 503, 500, 200]) {
        it.code = code
        yield* TestClock.adjust("12 seconds")
        yield* agent.reconciler.pass(key)
      }
      assert.deepStrictEqual(cluster.events.filter((reason) => reason.startsWith("Sidecar")), ["SidecarReadinessLost", "SidecarReadinessRestored"])
    }))

  it.scoped("R7: a plan that cannot get on ends", () =>
    Effect.gen(function*() {
      const { agent, cluster, host, settleWith } = yield* brought()
      host.failures.set("ensure-vnic", Number.POSITIVE_INFINITY)
      host.networkFaults = ["no link"]
      yield* settleWith(agent, () => cluster.status().lastPlan?.outcome === "Failed")
      assert.strictEqual(cluster.status().lastPlan?.failedTask?.retryCount, 3)
    }))

  it.scoped("R9, R10, R11: what failed is kept, told, and repeated ever less often", () =>
    Effect.gen(function*() {
      const { agent, cluster, host, settleWith } = yield* brought()
      host.failures.set("ensure-vnic", Number.POSITIVE_INFINITY)
      host.networkFaults = ["no link"]
      const at: Array<number> = []
      for (let failures = 1; failures <= 4; failures++) {
        yield* settleWith(agent, () => cluster.status().consecutiveFailures?.["network-repair"] === failures)
        const { nextPlanNotBefore } = cluster.status()
        assert.isDefined(nextPlanNotBefore)
        at.push(Date.parse(nextPlanNotBefore) - Date.parse(cluster.status().lastPlan?.endedAt ?? ""))
      }
      for (const [index, wait] of at.entries()) {
        assert.isAtLeast(wait, 10_000 * 2 ** index)
        assert.isAtMost(wait, 11_000 * 2 ** index)
      }
      assert.strictEqual(cluster.events.filter((reason) => reason === "PlanFailed").length, 4)
      assert.strictEqual(cluster.status().planHistory?.length, 5)
      assert.strictEqual(cluster.status().lastPlan?.failedTask?.error, "it failed")
    }))

  it.scoped("R15: an ended plan is put away at once", () =>
    Effect.gen(function*() {
      const { agent, cluster, host } = yield* brought()
      host.networkFaults = ["no link"]
      yield* agent.reconciler.pass(key)
      const requeue = yield* agent.reconciler.pass(key)
      assert.strictEqual(cluster.status().plan, undefined)
      assert.strictEqual(cluster.status().conditions?.find(({ type }) => type === "PlanActive")?.status, "False")
      assert.isTrue(requeue._tag === "After" && requeue.reason === "the plan is complete")
    }))
})

describe("several agents and zones", () => {
  it.scoped("stops for a plan that somebody else wrote, until the operator says", () =>
    Effect.gen(function*() {
      const { agent, cluster, host } = yield* brought()
      host.networkFaults = ["no link"]
      yield* agent.reconciler.pass(key)
      const { object } = cluster
      assert.isDefined(object?.status?.plan)
      cluster.object = { ...object, status: { ...object.status, plan: { ...object.status.plan, id: "somebody-else" } } }
      host.journal.length = 0
      for (let index = 0; index < 3; index++) yield* agent.reconciler.pass(key)
      assert.deepStrictEqual(host.journal, [])
      assert.deepInclude(cluster.status().conditions?.find(({ type }) => type === "WriterConflict"), { status: "True", reason: "DifferentPlans" })
      assert.deepStrictEqual(cluster.events.filter((reason) => reason === "WriterConflict"), ["WriterConflict"])
      cluster.edit((spec) => spec, { "reddwarf.io/retry-plan": "go" })
      for (let index = 0; index < 4; index++) yield* agent.reconciler.pass(key)
      assert.deepStrictEqual(host.networkFaults, [])
      assert.deepInclude(cluster.status().conditions?.find(({ type }) => type === "WriterConflict"), { status: "False" })
    }))

  it.scoped("lets no more plans go on than the node allows", () =>
    Effect.gen(function*() {
      const sim = yield* make({ options: { maxRepairPlans: 0 } })
      const agent = yield* sim.start(yield* memoryLedger)
      yield* sim.settleWith(agent)
      sim.host.networkFaults = ["no link"]
      for (let index = 0; index < 3; index++) yield* sim.elapse(yield* agent.reconciler.pass(key))
      assert.deepInclude(sim.cluster.status().conditions?.find(({ type }) => type === "PlanBlocked"), { status: "True", reason: "Concurrency" })
      assert.deepStrictEqual(sim.host.networkFaults, ["no link"])
    }))

  it.scoped("moves deadlines along when the wall clock is set, once", () =>
    Effect.gen(function*() {
      const { agent, cluster, host } = yield* brought()
      host.networkFaults = ["no link"]
      yield* agent.reconciler.pass(key)
      const deadline = Date.parse(cluster.status().plan?.deadline ?? "")
      host.failures.set("ensure-vnic", 1)
      const clock = yield* Effect.clock
      const hour = 3_600_000
      const moved: Clock.Clock = {
        ...clock,
        [Clock.ClockTypeId]: Clock.ClockTypeId,
        unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis() + hour,
        currentTimeMillis: Effect.map(clock.currentTimeMillis, (millis) => millis + hour),
        unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos(),
        currentTimeNanos: clock.currentTimeNanos,
        sleep: (duration) => clock.sleep(duration)
      }
      yield* Effect.withClock(agent.reconciler.pass(key), moved)
      assert.strictEqual(Date.parse(cluster.status().plan?.deadline ?? ""), deadline + hour)
      assert.strictEqual(cluster.status().plan?.phase, "Active")
      yield* Effect.withClock(agent.reconciler.pass(key), moved)
      assert.strictEqual(Date.parse(cluster.status().plan?.deadline ?? ""), deadline + hour)
    }))
})
