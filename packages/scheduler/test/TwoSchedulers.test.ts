import { assert, describe, it } from "@effect/vitest"
import { Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { Effect, Exit, FastCheck as fc, Scope, TestClock } from "effect"
import { ElectedScheduler, type Profile, Scheduler } from "../src/index.js"
import * as fake from "./support/fakeCluster.js"
import { node, pod } from "./support/objects.js"
import * as Unreliable from "./support/unreliable.js"

/** What may befall a cluster with two schedulers of one name. */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant("pods" as const), count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("pass" as const), steps: fc.integer({ min: 1, max: 6 }) }) },
  fc.record({ type: fc.constantFrom("cut" as const, "mend" as const, "crash" as const), which: fc.nat(1) }),
  fc.record({ type: fc.constant("delete" as const), which: fc.nat(30) })
)

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

const scenario = fc.record({
  steps: fc.array(step, { minLength: 3, maxLength: 8, size: "max" }),
  /** What becomes of each binding, in turn. */
  faults: fc.array(fc.constantFrom("fail" as const, "lose" as const, "none" as const, "none" as const), { minLength: 1, maxLength: 6 })
})

const nodes = ["a", "b", "c"]
const room = 4

/** Moves time by steps of four seconds: shorter than what a leader has to renew its lease, longer than most back-offs. */
const pass = (steps: number) => Effect.repeatN(Effect.zipRight(fake.settle, TestClock.adjust("4 seconds")), steps - 1)

/** Where each pod is, and that it has not moved since this was last asked. */
const placements = (api: FakeApi.Service, before: ReadonlyMap<string, string>): ReadonlyMap<string, string> => {
  const now = new Map<string, string>()
  for (const { metadata, spec } of api.list(Kinds.pod)) {
    const uid = metadata.uid ?? ""
    const where = spec?.nodeName ?? ""
    if (before.has(uid)) assert.strictEqual(where, before.get(uid), `pod ${metadata.name} has moved`)
    if (where !== "") now.set(uid, where)
  }
  return now
}

const occupancy = (where: ReadonlyMap<string, string>): ReadonlyArray<number> =>
  nodes.map((name) => [...where.values()].filter((each) => each === name).length)

/** Runs the steps with two schedulers, each started by `start`, and gives what was there after each one. */
const run = (
  { faults, steps }: { readonly faults: ReadonlyArray<"fail" | "lose" | "none">; readonly steps: ReadonlyArray<Step> },
  start: (line: Unreliable.Line, name: string) => Effect.Effect<Scheduler.Service, Profile.InvalidProfile, Scope.Scope>,
  check: (where: ReadonlyMap<string, string>) => void
) =>
  Effect.gen(function*() {
    const api = yield* FakeApi.FakeApi
    const client = yield* ApiClient.ApiClient
    for (const name of nodes) yield* fake.createNode(node(name, { cpu: String(room) }))
    let bindings = 0
    api.injectFaults((request) => {
      if (!request.path.endsWith("/binding")) return undefined
      const fault = faults[bindings++ % faults.length]
      return fault === undefined || fault === "none" || bindings > 60 ? undefined : { type: fault }
    })
    const launch = (which: number, life: number) =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const line = yield* Scope.extend(Unreliable.make, scope)
        yield* Scope.extend(start(line, `${which}-${life}`), scope)
        return { line, scope }
      })
    const processes = [yield* launch(0, 0), yield* launch(1, 0)]
    let made = 0
    let where: ReadonlyMap<string, string> = new Map()
    const look = Effect.sync(() => {
      where = placements(api, where)
      check(where)
    })
    for (const [life, each] of steps.entries()) {
      if (each.type === "pods") {
        for (let i = 0; i < each.count; i++) yield* fake.createPod(pod(`p${made++}`, { cpu: "1" }))
        yield* fake.settle
      } else if (each.type === "pass") yield* pass(each.steps)
      else if (each.type === "delete") {
        yield* Effect.ignore(client.delete(Kinds.pod, { namespace: "default", name: `p${each.which}` }, { gracePeriodSeconds: 0 }))
      } else if (each.type === "crash") {
        // A process that is killed says no goodbye: its line is cut first, so that its lease stays.
        processes[each.which]?.line.cut()
        const old = processes[each.which]
        if (old !== undefined) yield* Scope.close(old.scope, Exit.void)
        processes[each.which] = yield* launch(each.which, life + 1)
      } else processes[each.which]?.line[each.type]()
      yield* look
    }
    for (const { line } of processes) line.mend()
    api.injectFaults(() => undefined)
    yield* pass(12)
    yield* look
    for (const { scope } of processes) yield* Scope.close(scope, Exit.void)
    return { where, pods: api.list(Kinds.pod).length }
  }).pipe(Effect.scoped, Effect.provide(FakeApi.layer()))

const election = { namespace: "kube-system", name: "kube-scheduler" }

describe("two schedulers of one name", () => {
  it.effect.prop("that take turns place every pod once and overfill no node, whatever breaks", { scenario }, ({ scenario }) =>
    Effect.gen(function*() {
      const { pods, where } = yield* run(
        scenario,
        (line, identity) => Effect.provideService(ElectedScheduler.make({ ...election, identity }), ApiClient.ApiClient, line.client),
        (now) => {
          for (const count of occupancy(now)) assert.isAtMost(count, room)
        }
      )
      // When all is well again, all that fits is placed.
      assert.strictEqual(where.size, Math.min(pods, nodes.length * room))
    }), { fastCheck: { numRuns: 6 }, timeout: 60_000 })

  it.effect.prop("that both run place every pod once all the same", { scenario }, ({ scenario }) =>
    Effect.asVoid(run(
      scenario,
      (line) => Effect.provideService(Scheduler.make(), ApiClient.ApiClient, line.client),
      () => undefined
    )), { fastCheck: { numRuns: 2 }, timeout: 60_000 })
})

describe("a scheduler that takes turns", () => {
  it.effect("stops placing when it loses its lease, and another goes on", () =>
    Effect.gen(function*() {
      yield* fake.createNode(node("n"))
      const lines = [yield* Unreliable.make, yield* Unreliable.make]
      const schedulers: Array<Scheduler.Service> = []
      for (const [i, line] of lines.entries()) {
        schedulers.push(yield* Effect.provideService(ElectedScheduler.make({ ...election, identity: String(i) }), ApiClient.ApiClient, line.client))
        yield* fake.settle
      }
      const leading = () => schedulers.map(({ explain }) => explain("default/nobody")._tag === "NoPod")
      yield* fake.until("the first leads", () => leading()[0])
      assert.deepStrictEqual(leading(), [true, false])
      lines[0]?.cut()
      // Its time to renew is over before the lease is: for a while nobody leads.
      yield* pass(3)
      yield* fake.settle
      assert.deepStrictEqual(leading(), [false, false])
      yield* fake.createPod(pod("p"))
      yield* pass(3)
      assert.strictEqual(yield* fake.nodeOf("p"), "n")
      assert.deepStrictEqual(leading(), [false, true])
      lines[0]?.mend()
      yield* pass(3)
      assert.deepStrictEqual(leading(), [false, true])
    }).pipe(Effect.scoped, Effect.provide(FakeApi.layer())))
})
