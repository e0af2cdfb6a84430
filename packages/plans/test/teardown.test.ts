import { assert, describe, it } from "@effect/vitest"
import type { PlanTask } from "@reddwarf/plans"
import { Effect, Option } from "effect"
import { instanceOf, key, make, memoryLedger, stop, typesOf } from "./support/simCluster.js"

const brought = Effect.gen(function*() {
  const sim = yield* make()
  const ledger = yield* memoryLedger
  const agent = yield* sim.start(ledger)
  yield* sim.settleWith(agent)
  return { ...sim, agent, ledger }
})

const statusOf = (tasks: ReadonlyArray<PlanTask.PlanTask> = []) => Object.fromEntries(tasks.map(({ status, type }) => [type, status]))

describe("the end of a pod", () => {
  it.scoped("is a plan that is written down before its first effect, and goes on with another agent", () =>
    Effect.gen(function*() {
      const { agent, cluster, elapse, host, ledger, start } = yield* brought
      yield* agent.reconciler.terminate(key, instanceOf())
      yield* elapse(yield* agent.reconciler.pass(key))
      assert.strictEqual(cluster.status().phase, "Terminating")
      yield* elapse(yield* agent.reconciler.pass(key))
      assert.deepStrictEqual([cluster.status().plan?.type, host.state], ["teardown", "running"])
      assert.deepStrictEqual(typesOf(cluster.status().plan?.tasks), [
        "pre-stop", "halt-zone", "uninstall-zone", "delete-zonecfg", "remove-network", "destroy-datasets"
      ])
      yield* stop(agent)
      // Nobody has deleted the object: only the ledger tells that the pod ends.
      const kept = Option.getOrThrow(yield* ledger.load("uid-1"))
      assert.isDefined(kept.instance.metadata.deletionTimestamp)
      assert.isUndefined(cluster.object?.metadata.deletionTimestamp)
      const next = yield* start(ledger)
      yield* elapse(yield* next.reconciler.pass(key))
      assert.strictEqual(host.state, "absent")
      assert.strictEqual((yield* next.reconciler.pass(key))._tag, "Gone")
      assert.isTrue(cluster.finalizerRemoved)
      assert.isTrue(Option.isNone(yield* ledger.load("uid-1")))
    }))

  it.scoped("needs no record of the pod", () =>
    Effect.gen(function*() {
      const { agent, cluster, elapse, host, ledger, start } = yield* brought
      yield* stop(agent)
      yield* ledger.remove("uid-1")
      cluster.reachable = false
      const next = yield* start(ledger)
      yield* next.reconciler.terminate(key, instanceOf())
      for (let count = 0; count < 4; count++) yield* elapse(yield* next.reconciler.pass(key))
      assert.strictEqual(host.state, "absent")
      assert.isFalse(host.datasets)
    }))

  it.scoped("goes on past what fails, does the rest, and tells all of it", () =>
    Effect.gen(function*() {
      const { agent, cluster, elapse, host } = yield* brought
      for (const task of ["pre-stop", "remove-network"]) host.failures.set(task, Number.POSITIVE_INFINITY)
      yield* agent.reconciler.terminate(key, instanceOf())
      let passes = 0
      // The containers had their chance to end: the zone goes whatever became of that.
      while (host.state !== "absent" && passes++ < 10) yield* elapse(yield* agent.reconciler.pass(key))
      assert.deepInclude(statusOf(cluster.status().plan?.tasks), { "pre-stop": "Failed", "remove-network": "Pending", "destroy-datasets": "Complete" })
      assert.isFalse(host.datasets)
      while (cluster.status().plan !== undefined && passes++ < 30) yield* elapse(yield* agent.reconciler.pass(key))
      const last = cluster.status().lastPlan
      assert.deepStrictEqual([last?.type, last?.outcome], ["teardown", "Failed"])
      assert.strictEqual(last?.error, "pre-stop: it failed; remove-network: it failed")
      assert.include(cluster.events, "PlanFailed")
      assert.strictEqual(cluster.status().phase, "Terminating")
      host.failures.clear()
      let requeue = yield* agent.reconciler.pass(key)
      for (; requeue._tag !== "Gone" && passes++ < 60; requeue = yield* agent.reconciler.pass(key)) yield* elapse(requeue)
      assert.strictEqual(requeue._tag, "Gone")
      assert.isTrue(cluster.finalizerRemoved)
    }))

  it.scoped("keeps what a zone that cannot be halted stands on, and says so", () =>
    Effect.gen(function*() {
      const { agent, cluster, elapse, host } = yield* brought
      host.failures.set("halt-zone", Number.POSITIVE_INFINITY)
      yield* agent.reconciler.terminate(key, instanceOf())
      for (let passes = 0; cluster.status().lastPlan?.type !== "teardown" && passes < 20; passes++) yield* elapse(yield* agent.reconciler.pass(key))
      assert.strictEqual(
        cluster.status().lastPlan?.error,
        "halt-zone: it failed; not tried because of that: uninstall-zone, delete-zonecfg, remove-network, destroy-datasets"
      )
      assert.deepStrictEqual([host.state, host.datasets], ["running", true])
    }))

  it.scoped("does not wait for a boot that keeps failing", () =>
    Effect.gen(function*() {
      const { agent, cluster, elapse, host } = yield* brought
      host.failures.set("boot-zone", Number.POSITIVE_INFINITY)
      host.crash()
      for (let passes = 0; cluster.status().plan?.tasks.some(({ retryCount }) => retryCount > 0) !== true && passes < 20; passes++) {
        yield* elapse(yield* agent.reconciler.pass(key))
      }
      assert.strictEqual(cluster.status().plan?.currentTask, "boot-zone")
      yield* agent.reconciler.terminate(key, instanceOf())
      for (let passes = 0; passes < 5; passes++) yield* agent.reconciler.pass(key)
      assert.strictEqual(host.state, "absent")
    }))
})
