import { assert, describe, it } from "@effect/vitest"
import { SessionTickets } from "@reddwarf/node-agent"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"

const operation = (name: string) => ({ type: "portForward" as const, pod: { namespace: "default", name, uid: `uid-${name}` }, ports: [80] })

describe("a ticket", () => {
  it.effect("is good for its own operation, once", () =>
    Effect.gen(function*() {
      const tickets = SessionTickets.make()
      const [one, other] = yield* Effect.all([tickets.issue(operation("a"), "client"), tickets.issue(operation("b"), "client")])
      assert.deepStrictEqual(yield* tickets.redeem(one, "client"), Option.some(operation("a")))
      assert.deepStrictEqual(yield* tickets.redeem(one, "client"), Option.none())
      assert.strictEqual(yield* tickets.outstanding, 1)
      assert.deepStrictEqual(yield* tickets.redeem(other, "client"), Option.some(operation("b")))
    }))

  it.effect("is good for its holder alone, from whom nobody else can take it", () =>
    Effect.gen(function*() {
      const tickets = SessionTickets.make()
      const ticket = yield* tickets.issue(operation("a"), "client")
      assert.deepStrictEqual(yield* tickets.redeem(ticket, "another"), Option.none())
      assert.deepStrictEqual(yield* tickets.redeem("", "client"), Option.none())
      assert.isTrue(Option.isSome(yield* tickets.redeem(ticket, "client")))
    }))

  it.effect("expires", () =>
    Effect.gen(function*() {
      const tickets = SessionTickets.make()
      const old = yield* tickets.issue(operation("a"), "client")
      yield* TestClock.adjust(Duration.subtract(SessionTickets.lifetime, "1 millis"))
      const young = yield* tickets.issue(operation("b"), "client")
      assert.strictEqual(yield* tickets.outstanding, 2)
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* tickets.redeem(old, "client"), Option.none())
      assert.isTrue(Option.isSome(yield* tickets.redeem(young, "client")))
    }))

  it.effect("cannot be guessed", () =>
    Effect.gen(function*() {
      const tickets = SessionTickets.make()
      const all = yield* Effect.replicateEffect(tickets.issue(operation("a"), "client"), 100)
      assert.strictEqual(new Set(all).size, 100)
      for (const ticket of all) assert.match(ticket, /^[\w-]{43}$/)
    }))
})
