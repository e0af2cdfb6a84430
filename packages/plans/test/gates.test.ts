import { assert, describe, it } from "@effect/vitest"
import { Conditions, Gate, type GateClient, GateProbe, GateTasks, PlanMetrics, type ZoneInstance } from "@reddwarf/plans"
import { Effect, Either, Fiber, Metric, TestClock } from "effect"
import { gate, instanceOf, key, make, memoryLedger } from "./support/simCluster.js"

const sidecar = gate(Gate.sidecar)
const generic = gate("ready")

const client = (answer: GateClient.GateAnswer): GateClient.GateClient => ({
  probe: () => Effect.succeed(answer),
  approve: () => Effect.succeed(answer)
})

const status = (code: number): GateClient.GateAnswer => ({ _tag: "Status", code })

describe("three-way probe", () => {
  for (
    const [gate, answer, expected, reason] of [
      [sidecar, status(200), "True", "Ready"],
      [sidecar, status(204), "Unknown", "Unreachable"],
      [generic, status(204), "True", "Ready"],
      [generic, status(503), "False", "NotReady"],
      [generic, status(500), "Unknown", "Unreachable"],
      [generic, status(404), "Unknown", "Unreachable"],
      [generic, status(302), "Unknown", "Unreachable"],
      [generic, { _tag: "Unreachable", detail: "connection refused" }, "Unknown", "Unreachable"],
      [generic, { _tag: "Exit", code: 0 }, "True", "Ready"],
      [generic, { _tag: "Exit", code: 1 }, "False", "NotReady"],
      [generic, { _tag: "Exit", code: 2 }, "Unknown", "Unreachable"]
    ] as const
  ) {
    it(`${gate.name} ${JSON.stringify(answer)} is ${expected}`, () => {
      const verdict = GateProbe.judge(gate, answer)
      assert.deepStrictEqual([verdict.status, verdict.reason], [expected, reason])
    })
  }

  it.effect("gives up after two seconds", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.fork(GateProbe.ask({ probe: () => Effect.never, approve: () => Effect.never }, generic))
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(fiber)).reason, "Unreachable")
    }))

  it("tells one loss and one return, whatever was not known between", () => {
    const instance = instanceOf({ gates: [sidecar] })
    let now: ZoneInstance.Status = {}
    const events: Array<string> = []
    for (const answer of [status(200), status(503), status(500), status(503), status(500), status(200), status(200)]) {
      const result = GateProbe.apply(instance, now, [[sidecar, GateProbe.judge(sidecar, answer)]], 0)
      now = result.status
      events.push(...result.events.map(({ reason }) => reason))
    }
    assert.deepStrictEqual(events, ["SidecarReadinessLost", "SidecarReadinessRestored"])
  })

  it("sums the gates up", () => {
    const instance = instanceOf({ gates: [sidecar, generic] })
    const reasonOf = (...answers: ReadonlyArray<number>) => {
      const verdicts = answers.map((code, index) => {
        const gate = index === 0 ? sidecar : generic
        return [gate, GateProbe.judge(gate, status(code))] as const
      })
      const probed = GateProbe.apply(instance, {}, verdicts, 0).status
      return Conditions.get(GateProbe.summarise(instance, probed, 0), "GatesOpen")?.reason
    }
    assert.strictEqual(reasonOf(200, 200), "AllOpen")
    assert.strictEqual(reasonOf(200, 503), "GateClosed")
    assert.strictEqual(reasonOf(500, 503), "GateClosed")
    assert.strictEqual(reasonOf(500, 200), "GateUnknown")
    assert.strictEqual(reasonOf(200), "GateUnknown")
    assert.strictEqual(Conditions.get(GateProbe.summarise(instanceOf(), {}, 0), "GatesOpen")?.reason, "NoGates")
  })
})

describe("approval", () => {
  for (
    const [code, tag] of [[200, "Approved"], [202, "Approved"], [409, "Approved"], [429, "Again"], [500, "Again"], [503, "Again"], [404, "Refused"], [302, "Again"]] as const
  ) {
    it(`answered with ${code} is ${tag}`, () => assert.strictEqual(GateTasks.judgeApproval(status(code))._tag, tag))
  }

  it.effect("is not asked of a probe that has no client", () =>
    Effect.gen(function*() {
      const result = yield* GateProbe.probe(instanceOf(), {}, [generic], Either.right(client(status(200))), 0)
      assert.deepStrictEqual(result.outcomes, ["ready"])
    }))

  it.scoped("that does not help is repeated ever less often, and said once", () =>
    Effect.gen(function*() {
      const sim = yield* make({ spec: { gates: [sidecar] } })
      const agent = yield* sim.start(yield* memoryLedger)
      yield* sim.settleWith(agent)
      const it = sim.gates.get(Gate.sidecar)
      assert.isDefined(it)
      it.code = 503
      it.opensOnApproval = false
      it.approvals.length = 0
      const at: Array<number> = []
      let seen = 0
      for (let elapsed = 0; elapsed < 1200; elapsed++) {
        yield* agent.reconciler.pass(key)
        if (it.approvals.length > seen) at.push(elapsed)
        seen = it.approvals.length
        yield* TestClock.adjust("1 second")
      }
      const gaps = at.slice(1).map((time, index) => time - (at[index] ?? 0))
      assert.isAtLeast(gaps.length, 6)
      for (const [index, gap] of gaps.entries()) assert.isAtLeast(gap, Math.min(300, index < 2 ? 10 : 10 * 2 ** (index - 2)))
      assert.isAtMost(Math.max(...gaps), 330)
      assert.strictEqual(new Set(it.approvals).size, it.approvals.length)
      assert.strictEqual(sim.cluster.events.filter((reason) => reason === "GateStuck").length, 1)
    }), 60_000)

  it.scoped("of gates with approval Manual uses the annotation up before it is acted on", () =>
    Effect.gen(function*() {
      const sim = yield* make({ spec: { gates: [gate("ready", "Manual")] } })
      const it = sim.gates.get("ready")
      assert.isDefined(it)
      it.code = 503
      const agent = yield* sim.start(yield* memoryLedger)
      yield* sim.settleWith(agent)
      yield* sim.elapse(yield* agent.reconciler.pass(key))
      assert.deepStrictEqual(it.approvals, [])
      sim.cluster.edit((spec) => spec, { "reddwarf.io/approve-gate": "ready" })
      yield* agent.reconciler.pass(key)
      assert.isUndefined(sim.cluster.object?.metadata.annotations?.["reddwarf.io/approve-gate"])
      assert.deepStrictEqual(it.approvals, [])
      yield* agent.reconciler.pass(key)
      assert.strictEqual(it.approvals.length, 1)
      it.code = 503
      for (let index = 0; index < 20; index++) yield* sim.elapse(yield* agent.reconciler.pass(key))
      assert.strictEqual(it.approvals.length, 1)
    }))

  it.scoped("counts probes by outcome and shows gates as gauges that end with the object", () =>
    Effect.gen(function*() {
      const sim = yield* make({ spec: { gates: [sidecar, generic] }, options: { controller: "counted" } })
      const agent = yield* sim.start(yield* memoryLedger)
      yield* sim.settleWith(agent)
      yield* sim.elapse(yield* agent.reconciler.pass(key))
      const counter = PlanMetrics.sidecarHealthProbes.pipe(
        Metric.tagged("controller", "counted"),
        Metric.tagged("namespace", "default"),
        Metric.tagged("outcome", "ready")
      )
      assert.isAtLeast((yield* Metric.value(counter)).count, 2)
      const value = (name: string) =>
        Effect.map(agent.reconciler.series, (samples) => samples.find((sample) => sample.name === name && (sample.labels["phase"] ?? "Running") === "Running")?.value)
      assert.strictEqual(yield* value("reddwarf_sidecar_ready"), 1)
      assert.strictEqual(yield* value("reddwarf_gate_open"), 1)
      assert.strictEqual(yield* value("reddwarf_zone_phase"), 1)
      sim.cluster.object = undefined
      yield* agent.reconciler.pass(key)
      assert.deepStrictEqual(yield* agent.reconciler.series, [])
    }))

  it.scoped("shows that there is no client instead of what was known before", () =>
    Effect.gen(function*() {
      const sim = yield* make({ spec: { gates: [sidecar] } })
      const agent = yield* sim.start(yield* memoryLedger)
      yield* sim.settleWith(agent)
      sim.cluster.clientAvailable = false
      yield* TestClock.adjust("12 seconds")
      yield* agent.reconciler.pass(key)
      assert.deepInclude(sim.cluster.status().conditions?.find(({ type }) => type === "SidecarReady"), { status: "Unknown", reason: "ClientUnavailable" })
      assert.strictEqual(sim.cluster.status().plan, undefined)
    }))
})
