import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Gate, PlanLedger } from "@reddwarf/plans"
import { Context, Effect, Layer, type Scope } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Cluster, gate, hostState, isQuiet, type Ledger, make, memoryLedger, specOf, stop } from "./support/simCluster.js"

/** What is done to a zone that runs, and how many boots that takes. */
const scenarios: ReadonlyArray<{
  readonly name: string
  readonly boots: number
  readonly begin: (cluster: Cluster) => void
  readonly isDone?: (cluster: Cluster) => boolean
}> = [
  {
    name: "image-update",
    boots: 1,
    begin: ({ edit }) => edit((spec) => ({ ...spec, specHash: "h2", containers: [{ name: "app", image: "app:2", digest: "sha256:2" }] }))
  },
  { name: "restart", boots: 1, begin: ({ host }) => host.crash() },
  {
    name: "caps-update",
    boots: 0,
    begin: ({ edit }) => edit((spec) => ({ ...spec, specHash: "h3", caps: { cpuCap: 200, physicalMemory: 1024 } }))
  },
  {
    name: "teardown",
    boots: 0,
    begin: (cluster) => {
      if (cluster.object === undefined) throw new Error("the object is gone")
      cluster.object = { ...cluster.object, metadata: { ...cluster.object.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } }
    },
    isDone: ({ object }) => object === undefined
  }
]

/** A whole run, with the agent killed at the `at`-th effect and started again. */
const run = (scenario: typeof scenarios[number], at: number, open: Effect.Effect<Ledger, never, Scope.Scope>) =>
  Effect.gen(function*() {
    const { begin, isDone = isQuiet } = scenario
    const sim = yield* make({ spec: { ...specOf(), caps: { cpuCap: 100 }, gates: [gate(Gate.sidecar)], updatePolicy: { soakSeconds: 5 } } })
    let agent = yield* sim.start(yield* open)
    yield* sim.settleWith(agent)
    const { boots } = sim.host
    begin(sim.cluster)
    sim.kill.count = 0
    sim.kill.at = at
    const passes = yield* sim.settleWith(agent, () => isDone(sim.cluster))
    const { labels } = sim.kill
    const where = labels.at(-1)
    yield* stop(agent)
    if (passes < 0) {
      sim.kill.at = Number.POSITIVE_INFINITY
      yield* sim.revive
      agent = yield* sim.start(yield* open)
      yield* sim.settleWith(agent, () => isDone(sim.cluster))
      yield* stop(agent)
    }
    return { state: hostState(sim.host), boots: sim.host.boots - boots, count: sim.kill.count, where, object: sim.cluster.object }
  })

const fileLedger = (folder: string) =>
  Effect.orDie(Effect.map(
    Layer.build(PlanLedger.layer({ folder }).pipe(Layer.provide(NodeFileSystem.layer))),
    Context.get(PlanLedger.PlanLedger)
  ))

/** Ledgers of the disk for one scenario; for the others one that a kill does not touch, which is quicker. */
const ledgers = (name: string) =>
  name === "restart"
    ? Effect.map(
      Effect.acquireRelease(Effect.sync(() => mkdtempSync(join(tmpdir(), "plans-"))), (folder) =>
        Effect.sync(() => rmSync(folder, { recursive: true }))),
      fileLedger
    )
    : Effect.map(memoryLedger, (ledger): Effect.Effect<Ledger, never, Scope.Scope> => Effect.succeed(ledger))

describe("killed at every effect and every write", () => {
  for (const scenario of scenarios) {
    it.scoped(`${scenario.name} ends as without the kill, with one boot per intended boot`, () =>
      Effect.gen(function*() {
        const plain = yield* run(scenario, Number.POSITIVE_INFINITY, memoryLedger)
        assert.strictEqual(plain.boots, scenario.boots)
        for (let at = 1; at <= plain.count; at++) {
          const killed = yield* run(scenario, at, yield* ledgers(scenario.name))
          assert.deepStrictEqual(killed.state, plain.state, `killed at ${at}: ${killed.where}`)
          assert.strictEqual(killed.boots, scenario.boots, `killed at ${at}: ${killed.where}`)
          assert.strictEqual(killed.object?.status?.current?.specHash, plain.object?.status?.current?.specHash)
        }
      }), 60_000)
  }
})
