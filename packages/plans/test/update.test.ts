import { assert, describe, it } from "@effect/vitest"
import { Gate, type ZoneInstance } from "@reddwarf/plans"
import { Effect, Option } from "effect"
import { gate, key, make, memoryLedger, stop } from "./support/simCluster.js"

const image = (digest: string) => (spec: ZoneInstance.Spec): ZoneInstance.Spec => ({
  ...spec,
  specHash: `h-${digest}`,
  containers: [{ name: "app", image: `app:${digest}`, digest }]
})

const brought = (settings: Parameters<typeof make>[0] = {}) =>
  Effect.gen(function*() {
    const sim = yield* make(settings)
    const agent = yield* sim.start(yield* memoryLedger)
    yield* sim.settleWith(agent)
    sim.host.journal.length = 0
    sim.cluster.events.length = 0
    return { ...sim, agent }
  })

const passes = (sim: Effect.Effect.Success<ReturnType<typeof brought>>, count: number) =>
  Effect.gen(function*() {
    for (let index = 0; index < count; index++) {
      const requeue = yield* Effect.orDie(sim.pass(sim.agent))
      if (Option.isSome(requeue)) yield* sim.elapse(requeue.value)
    }
  })

const condition = (status: ZoneInstance.Status, type: string) => status.conditions?.find((it) => it.type === type)

describe("image update in place", () => {
  it.scoped("keeps what is the pod's and exchanges its root", () =>
    Effect.gen(function*() {
      const sim = yield* brought({ spec: { gates: [gate(Gate.sidecar)] } })
      sim.cluster.edit(image("sha256:2"))
      yield* sim.settleWith(sim.agent)
      assert.deepStrictEqual(sim.host.journal, [
        "pull-image",
        "snapshot-root",
        "stage-root",
        "pre-stop",
        "halt-zone",
        "swap-root",
        "boot-zone",
        "observe-image",
        "commit"
      ])
      const status = sim.cluster.status()
      assert.deepInclude(condition(status, "UpdateInProgress"), { status: "False", reason: "UpdateComplete" })
      assert.deepStrictEqual(status.current?.containers, [{ name: "app", digest: "sha256:2" }])
      assert.strictEqual(status.current?.ip, sim.host.ip)
      assert.isTrue(sim.host.dataVolume)
      assert.deepStrictEqual(sim.host.previous.map(({ digest }) => digest), ["sha256:1"])
      assert.includeMembers(sim.cluster.events, ["PlanCreated", "PlanCompleted"])
    }))

  it.scoped("leaves the zone running when the image cannot be pulled, and waits longer each time", () =>
    Effect.gen(function*() {
      const sim = yield* brought()
      sim.host.failures.set("pull-image", Number.POSITIVE_INFINITY)
      sim.cluster.edit(image("sha256:2"))
      yield* sim.settleWith(sim.agent, () => sim.cluster.status().lastPlan?.outcome === "Failed")
      assert.strictEqual(sim.host.state, "running")
      assert.strictEqual(sim.host.boots, 1)
      assert.strictEqual(sim.cluster.status().consecutiveFailures?.["image-update"], 1)
      yield* sim.settleWith(sim.agent, () => sim.cluster.status().consecutiveFailures?.["image-update"] === 2)
      sim.host.failures.clear()
      yield* sim.settleWith(sim.agent)
      assert.strictEqual(sim.host.root?.digest, "sha256:2")
      assert.isUndefined(sim.cluster.status().consecutiveFailures?.["image-update"])
    }))

  it.scoped("drops a staged root when the update fails before the zone is halted", () =>
    Effect.gen(function*() {
      const sim = yield* brought()
      sim.host.failures.set("pre-stop", 3)
      sim.cluster.edit(image("sha256:2"))
      yield* sim.settleWith(sim.agent, () => sim.cluster.status().lastPlan?.outcome === "Failed")
      assert.strictEqual(sim.host.staged, undefined)
      assert.strictEqual(sim.host.state, "running")
    }))

  it.scoped("goes back when the new image does not boot, and does not try it again by itself", () =>
    Effect.gen(function*() {
      const sim = yield* brought()
      sim.host.broken.add("sha256:2")
      sim.cluster.edit(image("sha256:2"))
      yield* sim.settleWith(sim.agent, () => sim.cluster.status().lastPlan?.type === "rollback")
      yield* passes(sim, 10)
      const status = sim.cluster.status()
      assert.strictEqual(sim.host.root?.digest, "sha256:1")
      assert.strictEqual(sim.host.state, "running")
      assert.strictEqual(status.phase, "Running")
      assert.deepInclude(condition(status, "ImageUpdateRolledBack"), { status: "True" })
      assert.include(sim.cluster.events, "ImageRolledBack")
      assert.strictEqual(status.planHistory?.filter(({ type }) => type === "image-update").length, 1)
      sim.host.broken.clear()
      sim.cluster.edit((spec) => spec, { "reddwarf.io/retry-plan": "1" })
      yield* sim.settleWith(sim.agent, () => sim.host.root?.digest === "sha256:2" && sim.cluster.status().plan === undefined)
      assert.deepInclude(condition(sim.cluster.status(), "ImageUpdateRolledBack"), { status: "False" })
    }))

  it.scoped("goes back when a container restarts in the soak", () =>
    Effect.gen(function*() {
      const sim = yield* brought()
      sim.cluster.edit(image("sha256:2"))
      yield* sim.settleWith(sim.agent, () => sim.cluster.status().plan?.tasks[10]?.params["restarts"] !== undefined)
      sim.host.restarts += 1
      yield* sim.settleWith(sim.agent, () => sim.cluster.status().lastPlan?.type === "rollback")
      assert.strictEqual(sim.host.root?.digest, "sha256:1")
    }))

  it.scoped("is Degraded instead where the policy says never to go back", () =>
    Effect.gen(function*() {
      const sim = yield* brought({ spec: { updatePolicy: { rollback: "Never" } } })
      sim.host.broken.add("sha256:2")
      sim.cluster.edit(image("sha256:2"))
      yield* sim.settleWith(sim.agent, () => sim.cluster.status().phase === "Degraded")
      sim.host.broken.clear()
      yield* sim.settleWith(sim.agent)
      assert.strictEqual(sim.host.root?.digest, "sha256:2")
      assert.strictEqual(sim.cluster.status().phase, "Running")
    }))

  for (const [where, task] of [["before the halt", "pull-image"], ["between halt and boot", "swap-root"], ["in the soak", "soak"]] as const) {
    it.scoped(`takes another image ${where}, and never leaves the zone down`, () =>
      Effect.gen(function*() {
        const sim = yield* brought()
        if (task !== "soak") sim.host.hanging.add(task)
        sim.cluster.edit(image("sha256:2"))
        yield* sim.settleWith(sim.agent, () => {
          const { plan } = sim.cluster.status()
          return plan?.currentTask === task && plan.tasks.some(({ submittedAt, type }) => type === task && submittedAt !== undefined)
        })
        sim.cluster.edit(image("sha256:3"))
        sim.host.hanging.clear()
        yield* sim.settleWith(sim.agent)
        assert.strictEqual(sim.host.root?.digest, "sha256:3")
        assert.strictEqual(sim.host.state, "running")
        assert.strictEqual(sim.host.staged, undefined)
      }))
  }

  it.scoped("stamps what the plan aimed at, not what is wanted by then", () =>
    Effect.gen(function*() {
      const sim = yield* brought({ spec: { updatePolicy: { soakSeconds: 5 } } })
      sim.cluster.edit(image("sha256:2"))
      sim.host.unknown.add("digests")
      yield* passes(sim, 1)
      // Changed in the very pass that completes: seen only by the next one.
      yield* sim.settleWith(sim.agent, () => sim.cluster.status().lastPlan?.type === "image-update")
      sim.cluster.edit(image("sha256:9"))
      assert.deepStrictEqual(sim.cluster.status().current?.containers, [{ name: "app", digest: "sha256:2" }])
    }))

  it.scoped("makes way from a gate plan that does not get on", () =>
    Effect.gen(function*() {
      const sim = yield* brought({ spec: { gates: [gate(Gate.sidecar)] } })
      const sidecar = sim.gates.get(Gate.sidecar)
      assert.isDefined(sidecar)
      sidecar.code = 503
      sidecar.approvalCode = 500
      sidecar.opensOnApproval = false
      yield* sim.settleWith(sim.agent, () => (sim.cluster.status().plan?.tasks[0]?.error ?? "") !== "")
      sim.host.resolved = { app: "sha256:2" }
      const { object } = sim.cluster
      assert.isDefined(object)
      // The same spec, whose tag now means another image.
      sim.cluster.object = { ...object, spec: { ...object.spec, containers: [{ name: "app", image: "app:latest" }] } }
      yield* passes(sim, 2)
      assert.strictEqual(sim.cluster.status().plan?.type, "image-update")
      assert.strictEqual(sim.cluster.status().lastPlan?.outcome, "Superseded")
      yield* stop(sim.agent)
    }))
})

describe("caps", () => {
  const caps = (more: Record<string, number>) => (spec: ZoneInstance.Spec): ZoneInstance.Spec => ({ ...spec, specHash: JSON.stringify(more), caps: more })

  it.scoped("change live, keep every process, and last over a reboot", () =>
    Effect.gen(function*() {
      const sim = yield* brought({ spec: { caps: { cpuCap: 100 } } })
      const { pid } = sim.host
      sim.cluster.edit(caps({ cpuCap: 300 }))
      yield* sim.settleWith(sim.agent)
      assert.strictEqual(sim.host.pid, pid)
      assert.deepStrictEqual(sim.host.liveCaps, { cpuCap: 300 })
      sim.host.crash()
      yield* sim.settleWith(sim.agent, () => sim.host.state === "running" && sim.cluster.status().plan === undefined)
      assert.deepStrictEqual(sim.host.liveCaps, { cpuCap: 300 })
    }))

  it.scoped("that the host cannot change are said to be infeasible", () =>
    Effect.gen(function*() {
      const sim = yield* brought({ spec: { caps: { cpuCap: 100 } } })
      sim.host.capsChange = "infeasible"
      sim.cluster.edit(caps({ cpuCap: 300 }))
      yield* passes(sim, 3)
      assert.deepInclude(condition(sim.cluster.status(), "PodResizePending"), { status: "True", reason: "Infeasible" })
      assert.deepStrictEqual(sim.host.journal, [])
      sim.host.capsChange = "deferred"
      yield* passes(sim, 1)
      assert.deepInclude(condition(sim.cluster.status(), "PodResizePending"), { status: "True", reason: "Deferred" })
      sim.host.capsChange = "possible"
      yield* sim.settleWith(sim.agent)
      assert.deepInclude(condition(sim.cluster.status(), "PodResizePending"), { status: "False" })
    }))

  it.scoped("of a container that asks for a restart are persisted first", () =>
    Effect.gen(function*() {
      const sim = yield* brought({ spec: { caps: { cpuCap: 100 } } })
      sim.host.capsRestart = true
      sim.cluster.edit(caps({ cpuCap: 300 }))
      yield* sim.settleWith(sim.agent, () => sim.host.liveCaps["cpuCap"] === 300 && sim.cluster.status().plan === undefined)
      assert.deepStrictEqual(sim.host.journal.slice(0, 4), ["persist-zonecfg", "pre-stop", "halt-zone", "boot-zone"])
      assert.strictEqual(sim.host.boots, 2)
    }))
})

describe("init", () => {
  it.scoped("is final where the error is terminal and the zone never ran", () =>
    Effect.gen(function*() {
      const sim = yield* make()
      sim.host.failures.set("write-zonecfg", Number.POSITIVE_INFINITY)
      sim.host.terminal.add("write-zonecfg")
      const agent = yield* sim.start(yield* memoryLedger)
      yield* sim.settleWith(agent, () => sim.cluster.status().phase === "Failed")
      const requeue = yield* agent.reconciler.pass(key)
      assert.strictEqual(requeue._tag, "OnEvent")
      assert.strictEqual(sim.cluster.events.filter((reason) => reason === "ZoneFailed").length, 1)
      sim.host.failures.clear()
      sim.cluster.edit((spec) => spec, { "reddwarf.io/retry-plan": "now" })
      yield* sim.settleWith(agent)
    }))

  it.scoped("is tried again when an image cannot be pulled", () =>
    Effect.gen(function*() {
      const sim = yield* make()
      sim.host.failures.set("pull-image", 8)
      const agent = yield* sim.start(yield* memoryLedger)
      yield* sim.settleWith(agent)
      assert.strictEqual(sim.cluster.status().planHistory?.length, 2)
    }))

  it.scoped("is final whatever happens where that is asked for", () =>
    Effect.gen(function*() {
      const sim = yield* make({ options: { strictInit: true } })
      sim.host.failures.set("pull-image", Number.POSITIVE_INFINITY)
      const agent = yield* sim.start(yield* memoryLedger)
      yield* sim.settleWith(agent, () => sim.cluster.status().phase === "Failed")
    }))
})

describe("a plan that makes way in a task that only looks", () => {
  it.scoped("does so once the task is done, though nothing of it was written", () =>
    Effect.gen(function*() {
      const sim = yield* make({ spec: { gates: [gate(Gate.sidecar)] } })
      sim.host.hanging.add("wait-init")
      const agent = yield* sim.start(yield* memoryLedger)
      yield* sim.settleWith(agent, () => sim.cluster.status().plan?.currentTask === "wait-init")
      sim.cluster.edit((spec) => ({ ...spec, specHash: "h2" }))
      sim.host.hanging.clear()
      yield* sim.settleWith(agent)
      assert.isAbove(sim.cluster.status().planHistory?.filter(({ outcome }) => outcome !== "Complete").length ?? 0, 0)
    }))
})
