/** The words of the agent-check, and how many looks it takes to say another one. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, TestClock } from "effect"
import { connect } from "node:net"
import { settle } from "vitest-config/waiting"
import { AgentCheck, AgentCheckServer } from "../src/index.js"

const calm: AgentCheck.Override = { shuttingDown: false, drained: false, weight: 100 }
const good: AgentCheck.Evaluation = { cordoned: false }
const bad: AgentCheck.Evaluation = { failure: "read-only: /", cordoned: false }
const after = (...evaluations: ReadonlyArray<AgentCheck.Evaluation>) => evaluations.reduce<AgentCheck.State | undefined>(AgentCheck.step, AgentCheck.initial)

/** What one connection is told. */
const told = (port: number) =>
  Effect.async<string>((resume) => {
    let text = ""
    const socket = connect(port, "127.0.0.1")
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk
    })
    socket.once("close", () => resume(Effect.succeed(text)))
    socket.on("error", (error) => resume(Effect.die(error)))
  })

describe("words", () => {
  it("of each state", () => {
    assert.strictEqual(AgentCheck.line(after(good), calm), "up ready 100%\n")
    assert.strictEqual(AgentCheck.line(after({ cordoned: true }), calm), "drain\n")
    assert.strictEqual(AgentCheck.line(after(good), { ...calm, drained: true }), "maint\n")
    assert.strictEqual(AgentCheck.line(after(bad), calm), "down #read-only: /\n")
    assert.strictEqual(AgentCheck.line(after(bad), { ...calm, shuttingDown: true, drained: true }), "drain\n")
    assert.strictEqual(AgentCheck.line(after(good), { ...calm, weight: 37.4 }), "up ready 37%\n")
    assert.strictEqual(AgentCheck.line(after(good), { ...calm, weight: 0 }), "up ready 1%\n")
  })
  it("the first evaluation decides alone; then three to go and two to come back", () => {
    assert.isTrue(after(good, bad, bad)?.up)
    assert.isFalse(after(good, bad, bad, bad)?.up)
    assert.isTrue(after(good, bad, bad, good, bad, bad)?.up)
    assert.isFalse(after(bad, good)?.up)
    assert.isFalse(after(bad, good, bad, good)?.up)
    assert.isTrue(after(bad, good, good)?.up)
  })
  it.prop("no reason makes a second line, a word, or more than 100 bytes", { reason: FastCheck.string({ unit: "binary", maxLength: 400 }) }, ({ reason }) => {
    const text = AgentCheck.line(after({ failure: `x${reason}`, cordoned: false }), calm)
    assert.strictEqual(text.indexOf("\n"), text.length - 1)
    assert.strictEqual(text.indexOf("\r"), -1)
    assert.isTrue(text.startsWith("down #"))
    assert.isAtMost(Buffer.byteLength(text), 100 + "down #\n".length)
  })
  it("a reason with line ends", () => {
    assert.strictEqual(AgentCheck.line(after({ failure: "a\nup ready 100%\r\n\u2028b", cordoned: false }), calm), "down #a up ready 100% b\n")
  })
  it("weights", () => {
    assert.deepStrictEqual([0, 0.5, 1.25, 2, 9].map(AgentCheck.weightOfLoad), [100, 100, 50, 1, 1])
    assert.deepStrictEqual([[0, 100], [50, 100], [100, 100], [200, 100]].map(([pods = 0, most = 0]) => AgentCheck.weightOfPods(pods, most)), [100, 50, 1, 1])
  })
})

describe("the socket", () => {
  it.scoped("looks every two seconds and tells one line", () =>
    Effect.gen(function*() {
      let evaluation = good
      let override = calm
      const server = yield* AgentCheckServer.make({ host: "127.0.0.1", port: 0, evaluation: Effect.sync(() => evaluation), override: () => override })
      yield* settle
      assert.strictEqual(yield* told(server.port), "up ready 100%\n")
      evaluation = bad
      for (const expected of ["up ready 100%\n", "up ready 100%\n", "down #read-only: /\n"]) {
        yield* TestClock.adjust("2 seconds")
        yield* settle
        assert.strictEqual(yield* told(server.port), expected)
      }
      evaluation = good
      for (const expected of ["down #read-only: /\n", "up ready 100%\n"]) {
        yield* TestClock.adjust("2 seconds")
        yield* settle
        assert.strictEqual(yield* told(server.port), expected)
      }
      override = { ...calm, drained: true }
      assert.strictEqual(yield* told(server.port), "maint\n")
    }))
})
