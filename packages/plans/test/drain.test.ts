import { assert, describe, it } from "@effect/vitest"
import type { PlanTask } from "@reddwarf/plans"
import { Effect, Fiber, Option, TestClock } from "effect"
import { make, memoryLedger, stop } from "./support/simCluster.js"

/** An agent that ends while a task of the plan that brings a zone up hangs. */
const hangingAt = (task: PlanTask.TaskType) =>
  Effect.gen(function*() {
    const sim = yield* make()
    const agent = yield* sim.start(yield* memoryLedger)
    sim.host.hanging.add(task)
    yield* sim.pass(agent)
    yield* sim.pass(agent)
    return { ...sim, agent }
  })

describe("the end of an agent", () => {
  it.scoped("waits for nothing where nothing is in flight", () =>
    Effect.gen(function*() {
      const sim = yield* make()
      const agent = yield* sim.start(yield* memoryLedger)
      yield* sim.settleWith(agent)
      assert.isTrue(yield* agent.reconciler.drain("10 seconds"))
      assert.isFalse(yield* agent.reconciler.isBetweenSteps)
      yield* stop(agent)
    }))

  it.scoped("waits for what may be cut off as long as it is told, and is orderly", () =>
    Effect.gen(function*() {
      const { agent } = yield* hangingAt("pull-image")
      const drained = yield* Effect.fork(agent.reconciler.drain("10 seconds"))
      yield* TestClock.adjust("9 seconds")
      assert.isNull(drained.unsafePoll())
      yield* TestClock.adjust("1 second")
      assert.isFalse(yield* Fiber.join(drained))
      assert.isFalse(yield* agent.reconciler.isBetweenSteps)
      yield* stop(agent)
    }))

  it.scoped("waits twice as long for what must not be cut off, and is not orderly when that did not end", () =>
    Effect.gen(function*() {
      const { agent } = yield* hangingAt("boot-zone")
      const drained = yield* Effect.fork(agent.reconciler.drain("10 seconds"))
      yield* TestClock.adjust("19 seconds")
      assert.isNull(drained.unsafePoll())
      yield* TestClock.adjust("1 second")
      assert.isFalse(yield* Fiber.join(drained))
      assert.isTrue(yield* agent.reconciler.isBetweenSteps)
      yield* stop(agent)
    }))

  it.scoped("is not orderly where a zone was halted and not booted again", () =>
    Effect.gen(function*() {
      const sim = yield* make()
      const agent = yield* sim.start(yield* memoryLedger)
      yield* sim.settleWith(agent)
      sim.cluster.edit((spec) => ({ ...spec, containers: spec.containers.map((one) => ({ ...one, digest: "sha256:2" })), specHash: "h2" }))
      // What the zone needs to boot cannot be had.
      sim.host.hanging.add("ensure-network")
      sim.host.networkFaults = ["no link"]
      for (let passes = 0; passes < 50 && sim.host.state !== "installed"; passes++) {
        const requeue = yield* sim.pass(agent)
        if (Option.isSome(requeue)) yield* sim.elapse(requeue.value)
      }
      assert.strictEqual(sim.host.state, "installed")
      assert.isTrue(yield* agent.reconciler.isBetweenSteps)
      yield* stop(agent)
    }))
})
