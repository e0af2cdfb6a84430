import { assert, describe, it } from "@effect/vitest"
import { Gate } from "@reddwarf/plans"
import { Effect, FastCheck, Option } from "effect"
import { gate, isQuiet, make, memoryLedger, stop } from "./support/simCluster.js"

/** What may happen to a zone and its agent. */
const happening = FastCheck.oneof(
  FastCheck.record({ kind: FastCheck.constant("image" as const), digest: FastCheck.integer({ min: 1, max: 4 }) }),
  FastCheck.record({ kind: FastCheck.constant("caps" as const), cap: FastCheck.integer({ min: 1, max: 3 }) }),
  FastCheck.record({ kind: FastCheck.constant("gate" as const), code: FastCheck.constantFrom(200, 503, 500) }),
  FastCheck.record({
    kind: FastCheck.constant("fail" as const),
    task: FastCheck.constantFrom("pull-image", "stage-root", "pre-stop", "halt-zone", "swap-root", "boot-zone", "observe-image", "set-caps-live"),
    times: FastCheck.integer({ min: 1, max: 4 })
  }),
  FastCheck.record({ kind: FastCheck.constantFrom("zone-crash" as const, "network" as const, "config" as const, "api" as const) }),
  FastCheck.record({ kind: FastCheck.constant("kill" as const), after: FastCheck.integer({ min: 1, max: 20 }) }),
  FastCheck.record({ kind: FastCheck.constant("passes" as const), count: FastCheck.integer({ min: 1, max: 6 }) })
)

describe("whatever happens", () => {
  it.scoped("the zone ends as wanted, with one root, one boot at a time and a status within bounds", () =>
    Effect.gen(function*() {
      const { numRuns = 40, seed } = FastCheck.readConfigureGlobal() ?? {}
      const cases = FastCheck.sample(FastCheck.array(happening, { minLength: 1, maxLength: 14 }), {
        numRuns,
        ...(seed === undefined ? {} : { seed })
      })
      for (const happenings of cases) {
        const sim = yield* make({ spec: { gates: [gate(Gate.sidecar)], caps: { cpuCap: 1 }, updatePolicy: { soakSeconds: 1 } } })
        const { cluster, host, kill } = sim
        const ledger = yield* memoryLedger
        let agent = yield* sim.start(ledger)
        const sidecar = sim.gates.get(Gate.sidecar)
        assert.isDefined(sidecar)
        const look = Effect.gen(function*() {
          const requeue = yield* Effect.orDie(sim.pass(agent))
          if (Option.isNone(requeue)) {
            yield* stop(agent)
            kill.at = Number.POSITIVE_INFINITY
            yield* sim.revive
            agent = yield* sim.start(ledger)
          } else yield* sim.elapse(requeue.value)
        })
        for (const it of happenings) {
          if (it.kind === "image") {
            const digest = `sha256:${it.digest}`
            cluster.edit((spec) => ({ ...spec, specHash: `${digest} ${spec.caps?.["cpuCap"]}`, containers: [{ name: "app", image: "app", digest }] }))
          } else if (it.kind === "caps") {
            cluster.edit((spec) => ({ ...spec, specHash: `${spec.containers[0]?.digest} ${it.cap}`, caps: { cpuCap: it.cap } }))
          } else if (it.kind === "gate") sidecar.code = it.code
          else if (it.kind === "fail") host.failures.set(it.task, it.times)
          else if (it.kind === "zone-crash") host.crash()
          else if (it.kind === "network") host.networkFaults = ["no filter"]
          else if (it.kind === "config") host.configWanted = `${host.configWanted}+`
          else if (it.kind === "api") cluster.reachable = !cluster.reachable
          else if (it.kind === "kill") {
            kill.at = kill.count + it.after
            yield* look
          } else if (it.kind === "passes") for (let count = 0; count < it.count; count++) yield* look
        }
        // From now on nothing goes wrong.
        kill.at = Number.POSITIVE_INFINITY
        cluster.reachable = true
        host.failures.clear()
        if (sidecar.code === 500) sidecar.code = 503
        const wanted = cluster.object?.spec.containers[0]?.digest
        // An update that failed by chance was rolled back: only an operator has it tried again.
        const isDone = () =>
          isQuiet(cluster) && host.root?.digest === wanted && host.networkFaults.length === 0 && host.configCurrent === host.configWanted &&
          sidecar.code === 200
        let passes = 0
        let retries = 0
        while (!isDone()) {
          yield* look
          passes += 1
          if (cluster.status().failedDigests !== undefined && cluster.status().plan === undefined) {
            cluster.edit((spec) => spec, { "reddwarf.io/retry-plan": String(++retries) })
          }
          assert.isAtMost(passes, 150, JSON.stringify({ happenings, status: cluster.status(), state: host.state, journal: host.journal.slice(-20) }))
        }
        assert.strictEqual(host.staged, undefined)
        assert.isAtMost(host.previous.length, 1)
        assert.isAtMost(JSON.stringify(cluster.status()).length, 65_536)
        assert.isAtMost(cluster.status().planHistory?.length ?? 0, 5)
        yield* stop(agent)
      }
    }), 60_000)
})
