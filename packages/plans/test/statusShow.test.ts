import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, TestClock } from "effect"
import { key, make, memoryLedger, stop } from "./support/simCluster.js"

const showAfter = "250 millis"

/** Lets what was forked go on as far as it can. */
const settled = Effect.forEach(Array.from({ length: 20 }), () => Effect.yieldNow(), { discard: true })

describe("showing plans", () => {
  it.scoped("shows a plan that is soon over when it is, with one write, and tells what happened after it", () =>
    Effect.gen(function*() {
      const sim = yield* make({ options: { showAfter } })
      const agent = yield* sim.start(yield* memoryLedger)
      yield* sim.elapse(yield* agent.reconciler.pass(key))
      assert.strictEqual((yield* agent.reconciler.current(key))?.status?.plan?.type, "init")
      assert.deepStrictEqual([sim.cluster.patches, sim.cluster.events], [0, []])
      yield* sim.elapse(yield* agent.reconciler.pass(key))
      assert.strictEqual(sim.host.state, "running")
      assert.deepStrictEqual([sim.cluster.patches, sim.cluster.events], [0, []])
      // The last of them is written beside what follows the pass.
      const requeue = yield* agent.reconciler.pass(key)
      yield* settled
      assert.strictEqual(sim.cluster.patches, 1)
      assert.strictEqual(sim.cluster.status().phase, "Running")
      assert.strictEqual(sim.cluster.status().lastPlan?.outcome, "Complete")
      assert.deepStrictEqual(sim.cluster.events, ["PhaseTransition", "PhaseTransition"])
      yield* sim.elapse(requeue)
      yield* agent.reconciler.pass(key)
      yield* settled
      assert.strictEqual(sim.cluster.patches, 1)
      yield* stop(agent)
    }))

  it.scoped("shows a plan that goes on, while it does, and then how it ended", () =>
    Effect.gen(function*() {
      const sim = yield* make({ options: { showAfter } })
      const agent = yield* sim.start(yield* memoryLedger)
      yield* sim.elapse(yield* agent.reconciler.pass(key))
      sim.host.hanging.add("install-zone")
      const fiber = yield* Effect.fork(agent.reconciler.pass(key))
      yield* settled
      assert.strictEqual(sim.cluster.patches, 0)
      yield* TestClock.adjust(showAfter)
      yield* settled
      assert.strictEqual(sim.cluster.patches, 1)
      assert.strictEqual(sim.cluster.status().plan?.type, "init")
      assert.deepStrictEqual(sim.cluster.events, ["PhaseTransition"])
      // A pass waits a second for a task.
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "After")
      yield* settled
      sim.host.hanging.clear()
      yield* sim.settleWith(agent)
      yield* settled
      assert.strictEqual(sim.cluster.status().phase, "Running")
      assert.strictEqual(sim.cluster.events.filter((reason) => reason === "PhaseTransition").length, 2)
      yield* stop(agent)
    }))

  it.scoped("takes nothing from a zone before the API has the plan, however soon that would be over", () =>
    Effect.gen(function*() {
      const sim = yield* make({ options: { showAfter } })
      const agent = yield* sim.start(yield* memoryLedger)
      yield* sim.settleWith(agent)
      yield* settled
      const before = sim.cluster.patches
      sim.host.configWanted = "c2"
      sim.host.journal.length = 0
      yield* sim.elapse(yield* agent.reconciler.pass(key))
      assert.strictEqual(sim.cluster.patches, before + 1)
      assert.isDefined(sim.cluster.status().plan)
      assert.deepStrictEqual([sim.host.journal, sim.host.configCurrent], [[], "c1"])
      yield* sim.settleWith(agent)
      yield* settled
      assert.strictEqual(sim.host.configCurrent, "c2")
      yield* stop(agent)
    }))

  it.scoped("looks again where somebody else wrote meanwhile, and loses nothing", () =>
    Effect.gen(function*() {
      const wakes: Array<string> = []
      const sim = yield* make({ options: { showAfter, wake: (key) => Effect.sync(() => void wakes.push(key)) } })
      const agent = yield* sim.start(yield* memoryLedger)
      yield* sim.elapse(yield* agent.reconciler.pass(key))
      yield* sim.elapse(yield* agent.reconciler.pass(key))
      const observe = sim.host.observation.bind(sim.host)
      sim.host.observation = (instance) => {
        sim.host.observation = observe
        sim.cluster.edit((spec) => spec)
        return observe(instance)
      }
      yield* agent.reconciler.pass(key)
      yield* settled
      assert.strictEqual(sim.cluster.patches, 0)
      yield* TestClock.adjust("1 millis")
      yield* settled
      assert.deepStrictEqual(wakes, [key])
      yield* agent.reconciler.pass(key)
      yield* settled
      assert.strictEqual(sim.cluster.status().phase, "Running")
      assert.strictEqual(sim.cluster.status().lastPlan?.outcome, "Complete")
      assert.deepStrictEqual([sim.host.boots, sim.cluster.patches], [1, 1])
      yield* stop(agent)
    }))

  it.scoped("is waited for by the next pass, and by who drains", () =>
    Effect.gen(function*() {
      const sim = yield* make({ options: { showAfter } })
      const agent = yield* sim.start(yield* memoryLedger)
      yield* sim.elapse(yield* agent.reconciler.pass(key))
      yield* sim.elapse(yield* agent.reconciler.pass(key))
      const answer = yield* Deferred.make<void>()
      sim.cluster.answering = Deferred.await(answer)
      yield* agent.reconciler.pass(key)
      const drain = yield* Effect.fork(agent.reconciler.drain("5 seconds"))
      const next = yield* Effect.fork(agent.reconciler.pass(key))
      yield* settled
      assert.deepStrictEqual([next.unsafePoll(), drain.unsafePoll(), sim.cluster.patches], [null, null, 0])
      yield* Deferred.succeed(answer, undefined)
      yield* Fiber.join(next)
      assert.isTrue(yield* Fiber.join(drain))
      assert.strictEqual(sim.cluster.patches, 1)
      yield* stop(agent)
    }))
})
