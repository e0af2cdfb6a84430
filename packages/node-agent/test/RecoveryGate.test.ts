import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import { BootRecord, RecoveryGate } from "@reddwarf/node-agent"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as h from "./support/harness.js"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "reddwarf-gate-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

interface Gate {
  readonly ran: Array<string>
  readonly failing: Set<string>
}

/** A gate with the steps a, b and c, of which a is always done. */
const gate = (dataDir: string, bootId: string, { failing, ran }: Gate, timeout = "10 seconds" as const): Effect.Effect<h.Started<RecoveryGate.RecoveryGate>, Effect.Effect.Error<ReturnType<typeof RecoveryGate.make>>, Scope.Scope> =>
  h.startable(RecoveryGate.make({
    dataDir,
    bootId,
    prepared: Effect.void,
    steps: ["a", "b", "c"].map((name) => ({
      name,
      always: name === "a",
      timeout,
      run: Effect.suspend(() => {
        ran.push(name)
        return failing.has(name) ? Effect.fail({ message: `${name} is not ready` }) : Effect.void
      })
    }))
  })).pipe(Effect.provide(NodeContext.layer))

const complete = ({ value }: h.Started<RecoveryGate.RecoveryGate>) =>
  h.until("the recovery", Effect.map(value.isComplete, (done) => done ? true : undefined))
const fresh = (failing: ReadonlyArray<string> = []): Gate => ({ ran: [], failing: new Set(failing) })

describe("RecoveryGate", () => {
  it("does nothing after a restart of the agent, little after an orderly end, everything after a crash or for lack of a record", () => {
    const boot = (bootId: string, clean: boolean) => Option.some({ bootId, clean, steps: [] })
    assert.strictEqual(BootRecord.kindOf(boot("1", false), "1"), "none")
    assert.strictEqual(BootRecord.kindOf(boot("1", true), "1"), "none")
    assert.strictEqual(BootRecord.kindOf(boot("1", true), "2"), "short")
    assert.strictEqual(BootRecord.kindOf(boot("1", false), "2"), "full")
    assert.strictEqual(BootRecord.kindOf(Option.none(), "1"), "full")
  })

  it.live("runs its steps in order, and none of them again after a mere restart", () =>
    Effect.gen(function*() {
      const dataDir = yield* folder
      const first = fresh()
      const one = yield* gate(dataDir, "1", first)
      yield* complete(one)
      assert.deepStrictEqual(first.ran, ["a", "b", "c"])
      yield* one.stop
      const second = fresh()
      const two = yield* gate(dataDir, "1", second)
      yield* complete(two)
      assert.deepStrictEqual(second.ran, [])
      // Marked as an orderly end: the next boot does only what is always done.
      yield* two.value.markClean
      yield* two.stop
      const third = fresh()
      yield* complete(yield* gate(dataDir, "2", third))
      assert.deepStrictEqual(third.ran, ["a"])
    }).pipe(Effect.scoped))

  it.live.each(["a", "b", "c"])("begins anew after a crash in step %s", (name) =>
    Effect.gen(function*() {
      const dataDir = yield* folder
      const stuck = fresh([name])
      const one = yield* gate(dataDir, "1", stuck)
      yield* h.until("the step to be tried again", Effect.sync(() => stuck.ran.filter((ran) => ran === name).length >= 2 ? true : undefined))
      assert.isFalse(yield* one.value.isComplete)
      assert.include(one.value.unfinished(), name)
      // What comes after it has not begun.
      assert.deepStrictEqual(stuck.ran.filter((ran) => ran > name), [])
      yield* one.value.markClean
      yield* one.stop
      const again = fresh()
      const two = yield* gate(dataDir, "1", again)
      assert.strictEqual(two.value.kind, "full")
      yield* complete(two)
      assert.deepStrictEqual(again.ran, ["a", "b", "c"])
    }).pipe(Effect.scoped))

  it.live("goes on by itself when what a step waited for comes", () =>
    Effect.gen(function*() {
      const state = fresh(["b"])
      const one = yield* gate(yield* folder, "1", state)
      yield* h.until("the step to be tried", Effect.sync(() => state.ran.includes("b") ? true : undefined))
      yield* one.value.timedOut
      assert.isTrue(one.value.hasTimedOut())
      state.failing.clear()
      yield* complete(one)
      assert.isFalse(one.value.hasTimedOut())
      assert.deepStrictEqual(one.value.unfinished(), [])
    }).pipe(Effect.scoped))
})
