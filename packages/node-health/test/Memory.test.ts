/** What checks and the cache remember, on a clock that stands still. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Ref, TestClock } from "effect"
import { settle } from "vitest-config/waiting"
import { CheckEvaluator, type HealthCheck, HealthMetrics, NodeChecks, type NodeSource, NodeWatch, Observation, Thresholds } from "../src/index.js"

const view = (conditions: ReadonlyArray<NodeSource.NodeCondition>): NodeSource.NodeAnswer => ({ _tag: "Found", node: { metadata: { name: "n1" }, status: { conditions } } })
const deadline = Duration.seconds(4)

const counting = (more: Partial<HealthCheck.HealthCheck> = {}) => {
  let looks = 0
  const check: HealthCheck.HealthCheck = {
    name: "c",
    timeout: Duration.seconds(2),
    cacheTtl: Duration.seconds(1),
    onUnknown: "pass",
    needsNodeName: false,
    observe: Effect.sync(() => {
      looks += 1
      return Observation.pass()
    }),
    ...more
  }
  return { check, looks: () => looks }
}

describe("the cache", () => {
  it.scoped("keeps an observation for its time, says how old it is, and keeps its duration", () =>
    Effect.gen(function*() {
      const evaluator = yield* CheckEvaluator.make(HealthMetrics.make())
      let looks = 0
      const { check } = counting({ observe: Effect.delay(Effect.sync(() => (looks += 1, Observation.pass())), "200 millis") })
      const first = yield* Effect.fork(evaluator.evaluate([check], deadline))
      yield* settle
      yield* TestClock.adjust("200 millis")
      assert.deepStrictEqual(yield* first, [{ name: "c", passed: true, duration_ms: 200, observed: "pass" }])
      yield* TestClock.adjust("999 millis")
      assert.deepStrictEqual(yield* evaluator.evaluate([check], deadline), [{ name: "c", passed: true, duration_ms: 200, observed: "pass", stale_ms: 999 }])
      assert.strictEqual(looks, 1)
      yield* TestClock.adjust("1 millis")
      const second = yield* Effect.fork(evaluator.evaluate([check], deadline))
      yield* settle
      yield* TestClock.adjust("200 millis")
      assert.strictEqual((yield* second)[0]?.stale_ms, undefined)
      assert.strictEqual(looks, 2)
    }))

  it.scoped("zero switches it off; a reset forgets", () =>
    Effect.gen(function*() {
      const evaluator = yield* CheckEvaluator.make(HealthMetrics.make())
      const uncached = counting({ cacheTtl: Duration.zero })
      yield* evaluator.evaluate([uncached.check], deadline)
      yield* evaluator.evaluate([uncached.check], deadline)
      assert.strictEqual(uncached.looks(), 2)
      const cached = counting({ name: "d" })
      yield* evaluator.evaluate([cached.check], deadline)
      yield* evaluator.reset
      yield* evaluator.evaluate([cached.check], deadline)
      assert.strictEqual(cached.looks(), 2)
    }))

  it.scoped("one look at a time, whoever asks; one that is late fills the cache", () =>
    Effect.gen(function*() {
      const evaluator = yield* CheckEvaluator.make(HealthMetrics.make())
      const answer = yield* Deferred.make<Observation.Observation>()
      const looks = yield* Ref.make(0)
      const { check } = counting({ timeout: Duration.seconds(10), observe: Effect.zipRight(Ref.update(looks, (n) => n + 1), Deferred.await(answer)) })
      const asked = yield* Effect.fork(Effect.forEach([1, 2, 3, 4], () => evaluator.evaluate([check], Duration.seconds(4)), { concurrency: "unbounded" }))
      yield* settle
      yield* TestClock.adjust("4 seconds")
      for (const [result] of yield* asked) assert.deepStrictEqual({ ...result }, { name: "c", passed: true, duration_ms: 4000, observed: "unknown", note: "timeout after 4000 ms" })
      assert.strictEqual(yield* Ref.get(looks), 1)
      yield* Deferred.succeed(answer, Observation.fail("late"))
      yield* settle
      const [cached] = yield* evaluator.evaluate([check], deadline)
      assert.deepStrictEqual([cached?.passed, cached?.reason], [false, "late"])
    }))

  it.scoped("a look that does not end, and one that breaks, are unknown by their policy", () =>
    Effect.gen(function*() {
      const evaluator = yield* CheckEvaluator.make(HealthMetrics.make())
      const hanging = counting({ name: "hanging", onUnknown: "fail", observe: Effect.never }).check
      const broken = counting({ name: "broken", observe: Effect.die("boom") }).check
      const asked = yield* Effect.fork(evaluator.evaluate([hanging, broken], deadline))
      yield* settle
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual((yield* asked).map(({ passed, reason }) => [passed, reason]), [[false, "timeout after 2000 ms"], [true, undefined]])
    }))
})

describe("custom_conditions", () => {
  it.effect("a known fault stays one for a minute without the API", () =>
    Effect.gen(function*() {
      const lost: NodeSource.NodeAnswer = { _tag: "Unavailable", detail: "ECONNREFUSED" }
      let answer = view([{ type: "KernelDeadlock", status: "True", reason: "Docker" }])
      const check = NodeChecks.customConditions({ read: Effect.sync(() => answer) })
      assert.deepStrictEqual(yield* check.observe, Observation.fail("type=KernelDeadlock status=True reason=Docker"))
      answer = lost
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual((yield* check.observe).observed, "fail")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* check.observe).observed, "unknown")
      answer = view([{ type: "KernelDeadlock", status: "False" }])
      assert.strictEqual((yield* check.observe).observed, "pass")
      answer = lost
      assert.strictEqual((yield* check.observe).observed, "unknown")
    }))

  it("absent passes, Unknown and old heartbeats are unknown, three are named", () => {
    const look = (conditions: ReadonlyArray<NodeSource.NodeCondition>, age?: Duration.Duration) => {
      const answer = view(conditions)
      return answer._tag === "Found" ? NodeChecks.conditions(answer.node, NodeChecks.defaultConditions, age, 1_000_000) : undefined
    }
    assert.strictEqual(look([])?.observed, "pass")
    assert.strictEqual(look([{ type: "MemoryPressure", status: "True" }])?.observed, "pass")
    assert.strictEqual(look([{ type: "XfsShutdown", status: "Unknown" }])?.observed, "unknown")
    const old = { type: "FmaFaulty", status: "True", lastHeartbeatTime: "1970-01-01T00:10:00Z" }
    assert.strictEqual(look([old])?.observed, "fail")
    assert.strictEqual(look([old], Duration.minutes(5))?.observed, "unknown")
    const four = ["KernelDeadlock", "XfsShutdown", "FmaFaulty", "ZpoolSuspended"].map((type) => ({ type, status: "True" }))
    assert.strictEqual(look(four)?.reason?.split(", ").length, 3)
  })
})

describe("disk pressure", () => {
  it("begins at once and ends two points above for a minute", () => {
    const level = (free: number): ReadonlyArray<Thresholds.Level> => [{ signal: "nodefs.available", free, total: 1000 }]
    const walk = (steps: ReadonlyArray<readonly [number, number]>) => {
      let state = Thresholds.noPressure
      return steps.map(([now, free]) => (state = Thresholds.step(state, Thresholds.defaults, level(free), now)).under)
    }
    assert.deepStrictEqual(walk([[0, 100], [1, 99], [2, 115], [70_000, 115]]), [false, true, true, true])
    assert.deepStrictEqual(walk([[0, 99], [1000, 120], [60_999, 120], [61_000, 120]]), [true, true, true, false])
    assert.deepStrictEqual(walk([[0, 99], [1000, 120], [30_000, 119], [61_000, 120], [120_999, 120], [121_000, 120]]), [true, true, true, true, true, false])
  })
})

describe("a watch", () => {
  it("answers for ten seconds after its connection was lost, then knows nothing", () => {
    const node = view([])
    let state = NodeWatch.step(NodeWatch.initial, { _tag: "Node", answer: node }, 1000)
    state = NodeWatch.step(state, { _tag: "Connected" }, 1000)
    assert.strictEqual(NodeWatch.current(state, 500_000), node)
    state = NodeWatch.step(state, { _tag: "Disconnected", detail: "gone" }, 500_000)
    assert.strictEqual(NodeWatch.current(state, 510_000), node)
    assert.deepStrictEqual(NodeWatch.current(state, 510_001), { _tag: "Unavailable", detail: "gone" })
    // Failing to connect again does not make it younger.
    state = NodeWatch.step(state, { _tag: "Disconnected", detail: "refused" }, 509_000)
    assert.strictEqual(NodeWatch.current(state, 510_001)._tag, "Unavailable")
  })
})
