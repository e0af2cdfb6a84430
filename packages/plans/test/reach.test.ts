import { Conditions, Observation, Plan, Planner, PlanTask, Precedence, type ZoneInstance } from "@reddwarf/plans"
import { assert, describe, it } from "@effect/vitest"
import { randomUUID } from "node:crypto"
import { gate, instanceOf } from "./support/simCluster.js"

const now = Date.UTC(2026, 0, 1)

const healthy: Observation.Observation = {
  zone: Observation.known({ state: "running", name: "z1", shouldRun: true }),
  digests: Observation.known({ app: "sha256:1" }),
  resolved: Observation.known({ app: "sha256:1" }),
  network: Observation.known({ vnic: "net0", ip: "10.0.0.2", faults: [] }),
  config: Observation.known({ current: "c1", wanted: "c1", apply: true }),
  caps: Observation.known({ live: { cpuCap: 100 } }),
  companions: Observation.known([{ name: "logs" }])
}

const running: ZoneInstance.Status = {
  phase: "Running",
  zoneName: "z1",
  current: { specHash: "h1", containers: [{ name: "app", digest: "sha256:1" }], caps: { cpuCap: 100 } }
}

const resolve = (observation: Partial<Observation.Observation>, more: Partial<Planner.Input> = {}) =>
  Planner.resolve({
    instance: instanceOf({ caps: { cpuCap: 100 }, gates: [gate("ready")] }),
    status: Conditions.set(running, { type: "Gate.ready", status: "True", reason: "Ready", message: "" }, 1, now),
    observation: { ...healthy, ...observation },
    now,
    newId: randomUUID,
    jitter: 0,
    rulesOf: () => ({ interruptible: true, maxRetries: 3 }),
    graceSeconds: 30,
    deadlineOf: () => "30 minutes",
    ...more
  })

const planOf = (...args: Parameters<typeof resolve>): Plan.Plan => {
  const { decision } = resolve(...args)
  if (decision._tag !== "Created") throw new Error(`no plan: ${decision._tag}`)
  return decision.plan
}

const typesOf = ({ tasks }: Plan.Plan) => tasks.map(({ type }) => type)

const config = (fact: Partial<Observation.ConfigFact>) => ({ config: Observation.known({ current: "c1", wanted: "c1", apply: false, ...fact }) })
const changed = ["autoboot", "net rd_web_0"]

const closed = Conditions.set(running, { type: "Gate.ready", status: "False", reason: "NotReady", message: "" }, 1, now)
const rolledBack: ZoneInstance.Status = {
  ...running,
  previousDigests: { app: "sha256:0" },
  failedDigests: { specHash: "h1", digests: { app: "sha256:1" } },
  lastPlan: { ...planRecord("image-update"), failedTask: { type: "boot-zone", id: "1", error: "init exited", retryCount: 2, maxRetries: 2 } }
}

function planRecord(type: Plan.PlanType): Plan.PlanRecord {
  return { id: "1", type, outcome: "Failed", createdAt: "2025-12-31T00:00:00Z", endedAt: "2025-12-31T00:01:00Z", tasks: [{ type: "boot-zone", status: "Failed", retryCount: 2 }] }
}

/** What is seen, or wanted, before a plan of each type is made. */
const made: Readonly<Record<Plan.PlanType, () => Plan.Plan>> = {
  "init": () => planOf({ zone: Observation.known({ state: "absent", shouldRun: true }) }, { status: {} }),
  "restart": () => planOf({ zone: Observation.known({ state: "installed", name: "z1", shouldRun: true }) }),
  "image-update": () => planOf({ digests: Observation.known({ app: "sha256:0" }) }),
  "config-update": () => planOf(config({ apply: true, wanted: "c2", changed })),
  "network-repair": () => planOf({ network: Observation.known({ faults: ["no link"] }) }),
  "caps-update": () => planOf({ caps: Observation.known({ live: { cpuCap: 50 } }) }),
  "gate-reapproval": () => planOf({}, { status: closed }),
  "companion-repair": () => planOf({ companions: Observation.known([{ name: "logs", fault: "it is in maintenance" }]) }),
  "rollback": () => planOf({ previous: { app: "sha256:0" } }, { status: rolledBack }),
  "stop": () => planOf({}, { instance: instanceOf({ powerState: "Stopped" }) }),
  "teardown": () => planOf({}, { deleting: true })
}

describe("what is seen", () => {
  for (const type of Plan.PlanType.literals) {
    it(`leads to ${type}, with all tasks that the table has for it`, () => {
      const plan = made[type]()
      assert.strictEqual(plan.type, type)
      assert.deepStrictEqual(typesOf(plan), Precedence.rules[type].tasks)
    })
  }

  it("leads to every type of task", () => {
    const reached = new Set(Plan.PlanType.literals.flatMap((type) => typesOf(made[type]())))
    assert.deepStrictEqual(PlanTask.TaskType.literals.filter((type) => !reached.has(type)), [])
  })

  it("leads to the removal of what an update that was cut short has left, with the next start of the zone", () => {
    const missing: Partial<Observation.Observation> = { zone: Observation.known({ state: "installed", name: "z1", shouldRun: true }) }
    const record = (type: Plan.PlanType, outcome: Plan.PlanRecord["outcome"]): Plan.PlanRecord => ({ ...planRecord(type), outcome })
    const after = (...planHistory: ReadonlyArray<Plan.PlanRecord>) => typesOf(planOf(missing, { status: { ...running, planHistory } }))
    const { tasks } = Precedence.rules.restart
    assert.deepStrictEqual(after(record("image-update", "Superseded"), record("init", "Complete")), [...tasks, "commit"])
    assert.deepStrictEqual(after(record("restart", "Failed"), record("image-update", "Superseded")), [...tasks, "commit"])
    assert.deepStrictEqual(after(record("restart", "Complete"), record("image-update", "Superseded")), tasks)
    assert.deepStrictEqual(after(record("image-update", "Complete")), tasks)
  })

  it("leads to nothing when all is well", () => {
    assert.strictEqual(resolve({}).decision._tag, "Steady")
  })
})

describe("a zone whose stored configuration was changed", () => {
  it("gets it back whatever the policy says, which takes nothing away", () => {
    for (const apply of [false, true]) {
      const plan = planOf(config({ apply, changed }))
      assert.deepStrictEqual([plan.type, typesOf(plan)], ["config-update", ["persist-zonecfg", "open-gates"]])
      assert.isFalse(Precedence.isDisruptive(plan))
      assert.strictEqual(plan.reason[0]?.detail, "the stored configuration of the zone differs: autoboot, net rd_web_0")
    }
  })

  it("is booted anew only where it runs with that, and the policy lets it", () => {
    assert.deepStrictEqual(typesOf(planOf(config({ booted: true, changed }))), ["persist-zonecfg", "open-gates"])
    const plan = planOf(config({ apply: true, booted: true, changed }))
    assert.deepStrictEqual([plan.type, typesOf(plan)], [
      "restart",
      ["persist-zonecfg", "pre-stop", "halt-zone", "ensure-network", "boot-zone", "wait-init", "open-gates"]
    ])
    assert.isTrue(Precedence.isDisruptive(plan))
  })

  it("is one thing with other processes: both are done, and that takes the workload away", () => {
    const plan = planOf(config({ apply: true, wanted: "c2", changed }))
    assert.deepStrictEqual(typesOf(plan), ["persist-zonecfg", "render-files", "reload-or-restart", "open-gates"])
    assert.isTrue(Precedence.isDisruptive(plan))
    assert.deepStrictEqual(typesOf(planOf(config({ apply: true, wanted: "c2" }))), ["render-files", "reload-or-restart", "open-gates"])
    assert.strictEqual(resolve(config({ wanted: "c2" })).decision._tag, "Steady")
  })
})
