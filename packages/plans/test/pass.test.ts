import { assert, describe, it } from "@effect/vitest"
import { Gate, PlanTask, ZoneInstance } from "@reddwarf/plans"
import { Effect, Option, TestClock } from "effect"
import { gate, instanceOf, key, make, memoryLedger, stop, typesOf } from "./support/simCluster.js"

const brought = (settings: Parameters<typeof make>[0] = {}) =>
  Effect.gen(function*() {
    const sim = yield* make(settings)
    const ledger = yield* memoryLedger
    const agent = yield* sim.start(ledger)
    yield* sim.settleWith(agent)
    sim.cluster.patches = 0
    sim.host.journal.length = 0
    sim.cluster.events.length = 0
    return { ...sim, agent, ledger }
  })

describe("one pass", () => {
  it.scoped("stores a new plan and executes nothing, then carries it out in the next", () =>
    Effect.gen(function*() {
      const sim = yield* make()
      const agent = yield* sim.start(yield* memoryLedger)
      const first = yield* agent.reconciler.pass(key)
      assert.deepStrictEqual(sim.host.journal, [])
      assert.strictEqual(sim.cluster.patches, 1)
      assert.strictEqual(sim.cluster.status().plan?.type, "init")
      assert.strictEqual(sim.cluster.status().phase, "Initializing")
      assert.isTrue(first._tag === "After" && first.reason === "a plan was made")
      yield* sim.elapse(first)
      yield* agent.reconciler.pass(key)
      assert.strictEqual(sim.cluster.patches, 2)
      assert.strictEqual(sim.cluster.status().phase, "Running")
      assert.strictEqual(sim.cluster.status().plan, undefined)
      assert.strictEqual(sim.cluster.status().lastPlan?.outcome, "Complete")
      assert.deepStrictEqual(sim.cluster.status().current?.containers, [{ name: "app", digest: "sha256:1" }])
      yield* stop(agent)
    }))

  it.scoped("writes nothing when nothing changed", () =>
    Effect.gen(function*() {
      const { agent, cluster, elapse } = yield* brought()
      for (let index = 0; index < 5; index++) yield* elapse(yield* agent.reconciler.pass(key))
      const before = cluster.patches
      for (let index = 0; index < 20; index++) yield* elapse(yield* agent.reconciler.pass(key))
      assert.strictEqual(cluster.patches, before)
      assert.isAtMost(before, 1)
    }))

  it.scoped("drops what it decided when the object changed meanwhile, and repeats no effect", () =>
    Effect.gen(function*() {
      const { agent, cluster, host } = yield* brought()
      host.networkFaults = ["filter is missing"]
      const before = agent.reconciler.pass(key)
      // Another writer between read and patch.
      const observe = host.observation.bind(host)
      host.observation = (instance) => {
        host.observation = observe
        cluster.edit((spec) => ({ ...spec, paused: false }))
        return observe(instance)
      }
      const requeue = yield* before
      assert.strictEqual(cluster.patches, 0)
      assert.isTrue(requeue._tag === "After" && requeue.reason.includes("changed"))
      yield* agent.reconciler.pass(key)
      yield* agent.reconciler.pass(key)
      yield* agent.reconciler.pass(key)
      assert.deepStrictEqual(host.journal, ["ensure-vnic"])
      assert.strictEqual(cluster.status().lastPlan?.type, "network-repair")
    }))

  it.scoped("of two agents with the same object one loses, and no side effect is done twice", () =>
    Effect.gen(function*() {
      const sim = yield* brought()
      const other = yield* sim.start(yield* memoryLedger)
      sim.host.crash()
      yield* sim.agent.reconciler.pass(key)
      const plan = sim.cluster.status().plan?.id
      yield* other.reconciler.pass(key)
      yield* sim.agent.reconciler.pass(key)
      yield* other.reconciler.pass(key)
      assert.strictEqual(sim.host.boots, 2)
      assert.strictEqual(sim.cluster.status().lastPlan?.id, plan)
    }))

  it.scoped("tells events only after the status is written", () =>
    Effect.gen(function*() {
      const { agent, cluster, host } = yield* brought({ spec: { gates: [gate(Gate.sidecar)] } })
      host.crash()
      cluster.reachable = false
      yield* agent.reconciler.pass(key)
      yield* agent.reconciler.pass(key)
      assert.deepStrictEqual(cluster.events, [])
      assert.strictEqual(host.state, "running")
      cluster.reachable = true
      yield* agent.reconciler.pass(key)
      assert.include(cluster.events, "PlanCompleted")
    }))

  it.scoped("goes through a closed gate: seen, planned, posted once, open", () =>
    Effect.gen(function*() {
      const { agent, cluster, elapse, gates, host } = yield* brought({ spec: { gates: [gate(Gate.sidecar)] } })
      const sidecar = gates.get(Gate.sidecar)
      assert.isDefined(sidecar)
      yield* elapse(yield* agent.reconciler.pass(key))
      cluster.events.length = 0
      sidecar.approvals.length = 0
      const { boots, pid } = host
      sidecar.code = 503
      yield* TestClock.adjust("12 seconds")
      yield* agent.reconciler.pass(key)
      const { plan } = cluster.status()
      assert.isDefined(plan)
      assert.strictEqual(plan.type, "gate-reapproval")
      assert.deepStrictEqual(sidecar.approvals, [])
      yield* agent.reconciler.pass(key)
      assert.deepStrictEqual(sidecar.approvals, [PlanTask.idOf(plan.id, "approve-gate", 0)])
      yield* elapse(yield* agent.reconciler.pass(key))
      const { conditions, current } = cluster.status()
      assert.strictEqual(conditions?.find(({ type }) => type === "SidecarReady")?.status, "True")
      assert.strictEqual(cluster.status().plan, undefined)
      assert.strictEqual(current?.ip, host.ip)
      assert.deepStrictEqual([host.boots, host.pid], [boots, pid])
      assert.deepStrictEqual(cluster.events, ["SidecarReadinessLost", "SidecarReadinessRestored"])
      assert.strictEqual(sidecar.approvals.length, 1)
    }))

  it.scoped("asks no gate before the zone is Running: the plan opens it", () =>
    Effect.gen(function*() {
      const sim = yield* make({ spec: { gates: [gate(Gate.sidecar)] } })
      const sidecar = sim.gates.get(Gate.sidecar)
      assert.isDefined(sidecar)
      sidecar.code = 503
      const agent = yield* sim.start(yield* memoryLedger)
      yield* agent.reconciler.pass(key)
      assert.strictEqual(sidecar.probes, 0)
      assert.notInclude(sim.cluster.status().conditions?.map(({ type }) => type) ?? [], "SidecarReady")
      yield* sim.settleWith(agent)
      assert.strictEqual(sidecar.approvals.length, 1)
      assert.strictEqual(sim.cluster.status().phase, "Running")
    }))

  it.scoped("does without gates where there is no client for them", () =>
    Effect.gen(function*() {
      const { cluster } = yield* brought({ spec: { gates: [gate(Gate.sidecar)] }, noGateClient: true })
      assert.notInclude(cluster.status().conditions?.map(({ type }) => type) ?? [], "SidecarReady")
    }))

  it.scoped("takes a zone that runs as it is", () =>
    Effect.gen(function*() {
      const sim = yield* make()
      sim.host.state = "running"
      sim.host.root = { digest: "sha256:1", tag: "old" }
      sim.host.networkFaults = []
      const agent = yield* sim.start(yield* memoryLedger)
      yield* sim.settleWith(agent)
      assert.deepStrictEqual(sim.host.journal, [])
      assert.strictEqual(sim.host.boots, 0)
    }))

  it.scoped("adds the finalizer, and removes it when the zone is gone", () =>
    Effect.gen(function*() {
      const { agent, cluster, elapse, host } = yield* brought()
      cluster.edit((spec) => spec)
      assert.isDefined(cluster.object)
      cluster.object = { ...cluster.object, metadata: { ...cluster.object.metadata, finalizers: [] } }
      yield* agent.reconciler.pass(key)
      assert.deepStrictEqual(cluster.object.metadata.finalizers, [ZoneInstance.finalizer])
      cluster.object = { ...cluster.object, metadata: { ...cluster.object.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } }
      yield* agent.reconciler.pass(key)
      assert.strictEqual(cluster.status().phase, "Terminating")
      for (let index = 0; index < 4; index++) yield* elapse(yield* agent.reconciler.pass(key))
      assert.isTrue(cluster.finalizerRemoved)
      assert.strictEqual(host.state, "absent")
      assert.isFalse(host.datasets)
      assert.isTrue(host.dataVolume)
      assert.deepStrictEqual(yield* agent.reconciler.series, [])
    }))

  it.scoped("ends a pod while the API is away, also by a new agent", () =>
    Effect.gen(function*() {
      const { agent, cluster, host, ledger, ...sim } = yield* brought()
      cluster.reachable = false
      yield* agent.reconciler.terminate(key, instanceOf())
      yield* stop(agent)
      const next = yield* sim.start(ledger)
      for (let index = 0; index < 5; index++) yield* sim.elapse(yield* next.reconciler.pass(key))
      assert.strictEqual(host.state, "absent")
      assert.isTrue(Option.isSome(Option.fromNullable(cluster.object)))
    }))

  it.scoped("waits with disruptive plans until the API has them, and starts a crashed zone without it", () =>
    Effect.gen(function*() {
      const { agent, cluster, elapse, host } = yield* brought()
      cluster.reachable = false
      host.crash()
      for (let index = 0; index < 3; index++) yield* elapse(yield* agent.reconciler.pass(key))
      assert.strictEqual(host.state, "running")
      host.configWanted = "c2"
      for (let index = 0; index < 3; index++) yield* elapse(yield* agent.reconciler.pass(key))
      assert.strictEqual(host.configCurrent, "c1")
      const blocked = (yield* agent.reconciler.current(key))?.status?.conditions?.find(({ type }) => type === "PlanBlocked")
      assert.deepInclude(blocked, { status: "True", reason: "APIUnavailable" })
      cluster.reachable = true
      for (let index = 0; index < 4; index++) yield* elapse(yield* agent.reconciler.pass(key))
      assert.strictEqual(host.configCurrent, "c2")
      assert.deepStrictEqual(typesOf(cluster.status().lastPlan?.tasks), ["render-files", "reload-or-restart", "open-gates"])
    }))

  it.scoped("does nothing while paused, but goes on to look", () =>
    Effect.gen(function*() {
      const { agent, cluster, elapse, host } = yield* brought()
      cluster.edit((spec) => ({ ...spec, paused: true }))
      host.crash()
      for (let index = 0; index < 3; index++) yield* elapse(yield* agent.reconciler.pass(key))
      assert.deepStrictEqual(host.journal, [])
      assert.deepInclude(cluster.status().conditions?.find(({ type }) => type === "PlanBlocked"), { status: "True", reason: "Paused" })
      cluster.edit((spec) => ({ ...spec, paused: false }))
      for (let index = 0; index < 3; index++) yield* elapse(yield* agent.reconciler.pass(key))
      assert.strictEqual(host.state, "running")
    }))

  it.scoped("stops a zone whose power state is Stopped, and starts it again", () =>
    Effect.gen(function*() {
      const { agent, cluster, elapse, host } = yield* brought()
      cluster.edit((spec) => ({ ...spec, powerState: "Stopped" }))
      for (let index = 0; index < 4; index++) yield* elapse(yield* agent.reconciler.pass(key))
      assert.strictEqual(host.state, "installed")
      assert.strictEqual(cluster.status().lastPlan?.type, "stop")
      cluster.edit((spec) => ({ ...spec, powerState: "Running" }))
      for (let index = 0; index < 4; index++) yield* elapse(yield* agent.reconciler.pass(key))
      assert.strictEqual(host.state, "running")
      assert.strictEqual(host.boots, 2)
    }))
})
