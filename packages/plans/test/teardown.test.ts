import { assert, describe, it } from "@effect/vitest"
import { PlanError, type PlanTask } from "@reddwarf/plans"
import { Effect, Logger, LogLevel, Option } from "effect"
import { instanceOf, key, type Ledger, make, memoryLedger, stop, typesOf } from "./support/simCluster.js"

const brought = Effect.gen(function*() {
  const sim = yield* make()
  const ledger = yield* memoryLedger
  const agent = yield* sim.start(ledger)
  yield* sim.settleWith(agent)
  return { ...sim, agent, ledger }
})

/** A ledger on a disk that may be full. */
const onDisk = (ledger: Ledger) => {
  const disk = { isFull: false, synced: 0 }
  const written = <A>(write: Effect.Effect<A, PlanError.LedgerFailed>, isDurable = true) =>
    Effect.suspend(() => {
      if (disk.isFull) return Effect.fail(new PlanError.LedgerFailed({ operation: "append to", path: "/ledger/uid-1.log", detail: "ENOSPC: no space left on device" }))
      disk.synced += isDurable ? 1 : 0
      return write
    })
  const kept: Ledger = {
    ...ledger,
    save: (instance) => written(ledger.save(instance)),
    intent: (instance) => written(ledger.intent(instance)),
    accepted: (uid, id) => written(ledger.accepted(uid, id), false),
    tasks: (uid, id, tasks, durable) => written(ledger.tasks(uid, id, tasks, durable), durable),
    ended: (instance) => written(ledger.ended(instance)),
    remove: (uid) => written(ledger.remove(uid), false)
  }
  return { disk, ledger: kept }
}

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

  it.scoped("does not wait for a ledger that cannot be written, and says so; everything else does", () =>
    Effect.gen(function*() {
      const { cluster, elapse, host, settleWith, start } = yield* make()
      const memory = yield* memoryLedger
      const { disk, ledger } = onDisk(memory)
      const agent = yield* start(ledger)
      yield* settleWith(agent)
      disk.isFull = true
      host.networkFaults = ["no link"]
      assert.strictEqual((yield* Effect.flip(agent.reconciler.pass(key)))._tag, "LedgerFailed")
      const blocked = () => cluster.status().conditions?.find(({ type }) => type === "PlanBlocked")
      assert.deepInclude(blocked(), { status: "True", reason: "LedgerUnavailable" })
      yield* Effect.flip(agent.reconciler.pass(key))
      assert.strictEqual(cluster.events.filter((reason) => reason === "LedgerUnavailable").length, 1)
      assert.deepStrictEqual([cluster.status().plan, host.networkFaults], [undefined, ["no link"]], "nothing begins without a record of it")
      disk.isFull = false
      yield* settleWith(agent)
      assert.deepStrictEqual([blocked()?.status, host.networkFaults], ["False", []])
      disk.isFull = true
      const before = yield* ledger.load("uid-1")
      yield* agent.reconciler.terminate(key, instanceOf())
      let passes = 0
      let requeue = yield* agent.reconciler.pass(key)
      for (; requeue._tag !== "Gone" && passes++ < 10; requeue = yield* agent.reconciler.pass(key)) yield* elapse(requeue)
      assert.deepStrictEqual([requeue._tag, host.state, host.datasets, cluster.finalizerRemoved], ["Gone", "absent", false, true])
      assert.strictEqual(cluster.events.filter((reason) => reason === "LedgerUnavailable").length, 2)
      assert.deepStrictEqual(yield* ledger.load("uid-1"), before, "what is on disk is what was there")
      // Who finds the record later has nothing to do but to remove it.
      disk.isFull = false
      yield* agent.reconciler.terminate(key, instanceOf())
      for (requeue = yield* agent.reconciler.pass(key); requeue._tag !== "Gone" && passes++ < 20; requeue = yield* agent.reconciler.pass(key)) yield* elapse(requeue)
      assert.isTrue(Option.isNone(yield* memory.load("uid-1")))
    }).pipe(Logger.withMinimumLogLevel(LogLevel.None)))

  it.scoped("is on disk when it is decided and planned, and waits for the disk at no step after that", () =>
    Effect.gen(function*() {
      const { elapse, host, settleWith, start } = yield* make()
      const { disk, ledger } = onDisk(yield* memoryLedger)
      const agent = yield* start(ledger)
      yield* settleWith(agent)
      disk.synced = 0
      yield* agent.reconciler.terminate(key, instanceOf())
      let requeue = yield* agent.reconciler.pass(key)
      for (let passes = 0; requeue._tag !== "Gone" && passes < 10; passes++) {
        yield* elapse(requeue)
        requeue = yield* agent.reconciler.pass(key)
      }
      assert.deepStrictEqual([requeue._tag, host.state, disk.synced], ["Gone", "absent", 2])
    }))
})
