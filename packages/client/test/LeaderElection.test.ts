import { Kinds } from "@reddwarf/api-types"
import { FakeApi, LeaderElection } from "@reddwarf/client"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, TestClock } from "effect"

/** Work that writes down who is working, and never more than one at a time. */
const makeWork = () => {
  const working = new Set<string>()
  const journal: Array<string> = []
  const work = (identity: string) =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        working.add(identity)
        journal.push(identity)
        assert.isAtMost(working.size, 1)
      }),
      () => Effect.never,
      () => Effect.sync(() => void working.delete(identity))
    )
  return { working, journal, work }
}

const candidate = (identity: string) => LeaderElection.run({ namespace: "kube-system", name: "test", identity })

const leaseOf = Effect.map(FakeApi.FakeApi, (server) => server.get(Kinds.lease, { namespace: "kube-system", name: "test" }))

describe("LeaderElection", () => {
  it.scoped("lets one candidate work and hands over when it stops", () =>
    Effect.gen(function*() {
      const { journal, work, working } = makeWork()
      const first = yield* Effect.fork(candidate("one")(work("one")))
      yield* TestClock.adjust("1 second")
      yield* Effect.fork(candidate("two")(work("two")))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual([...working], ["one"])
      assert.strictEqual((yield* leaseOf)?.spec?.leaseTransitions, 0)
      yield* Fiber.interrupt(first)
      assert.strictEqual((yield* leaseOf)?.spec?.holderIdentity, "")
      yield* TestClock.adjust("6 seconds")
      assert.deepStrictEqual(journal, ["one", "two"])
      assert.strictEqual((yield* leaseOf)?.spec?.leaseTransitions, 1)
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("interrupts the leader that cannot renew before another takes over", () =>
    Effect.gen(function*() {
      const server = yield* FakeApi.FakeApi
      const { journal, work, working } = makeWork()
      const first = yield* Effect.fork(candidate("one")(work("one")))
      yield* TestClock.adjust("3 seconds")
      server.injectFaults((request) => (typeof request.body === "string" && !request.body.includes("\"two\"") ? { type: "fail" } : undefined))
      yield* Effect.fork(candidate("two")(work("two")))
      yield* TestClock.adjust("11 seconds")
      assert.deepStrictEqual([...working], [])
      const exit = yield* Fiber.await(first)
      const lost = Exit.isFailure(exit) ? Cause.failureOption(exit.cause) : undefined
      assert.strictEqual(lost?._tag === "Some" ? lost.value._tag : undefined, "LeadershipLost")
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(journal, ["one", "two"])
    }).pipe(Effect.provide(FakeApi.layer())))

  it.effect("gives back the lease and the result when the work is done", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* candidate("one")(Effect.succeed(42)), 42)
      assert.strictEqual((yield* leaseOf)?.spec?.holderIdentity, "")
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("does not trust the clock of the holder", () =>
    Effect.gen(function*() {
      const { journal, work } = makeWork()
      const server = yield* FakeApi.FakeApi
      yield* candidate("other")(Effect.void)
      const lease = yield* leaseOf
      const spec = { ...lease?.spec, holderIdentity: "other", leaseDurationSeconds: 15, renewTime: "1960-01-01T00:00:00.000000Z" }
      yield* server.transport.request({
        method: "PUT",
        path: "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/test",
        body: JSON.stringify({ ...lease, spec })
      })
      yield* Effect.fork(candidate("one")(work("one")))
      yield* TestClock.adjust("14 seconds")
      assert.deepStrictEqual(journal, [])
      yield* TestClock.adjust("6 seconds")
      assert.deepStrictEqual(journal, ["one"])
    }).pipe(Effect.provide(FakeApi.layer())))
})
