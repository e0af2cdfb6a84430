import { assert, describe, it } from "@effect/vitest"
import type { SupervisorFiles } from "@reddwarf/node-agent"
import * as FastCheck from "effect/FastCheck"
import { execFileSync } from "node:child_process"
import * as restartDecision from "../src/internal/restartDecision.js"
import * as shim from "../src/internal/shim.js"

const now = 1_795_000_000_000

const exit = (attempt: number, exitCode: number): SupervisorFiles.ExitRecord => ({
  schema: 1,
  id: `z/c/${attempt}`,
  attempt,
  startedAt: now - 2_000,
  finishedAt: now - 1_000,
  exitCode,
  reason: exitCode === 0 ? "Completed" : "Error"
})

describe("restarts", () => {
  it.each([
    ["main", "Always", 0, true], ["main", "OnFailure", 0, false], ["main", "OnFailure", 1, true], ["main", "Never", 1, false],
    ["init", "Always", 0, false], ["init", "Always", 1, true], ["init", "Never", 1, false], ["sidecar", "Never", 0, true]
  ] as const)("%s %s %i -> %s", (kind, policy, exitCode, expected) => {
    assert.strictEqual(restartDecision.restarts(kind, policy, exitCode), expected)
  })

  it("wait longer and longer, up to a limit, and forget after a long run", () => {
    const options = { initialMillis: 10_000, maxMillis: 300_000, resetMillis: 600_000 }
    const delays: Array<number> = []
    let remembered = 0
    for (let i = 0; i < 8; i++) {
      const { delay, next } = restartDecision.backOff(remembered, exit(i, 1), options)
      delays.push(delay / 1000)
      remembered = next
    }
    assert.deepStrictEqual(delays, [0, 10, 20, 40, 80, 160, 300, 300])
    assert.strictEqual(restartDecision.backOff(remembered, { ...exit(9, 1), startedAt: 0, finishedAt: 600_000 }, options).delay, 0)
  })
})

describe("commandScript", () => {
  const run = (argv: readonly [string, ...Array<string>], env: ReadonlyArray<{ readonly name: string; readonly value: string }>) =>
    execFileSync("/bin/sh", ["-c", shim.commandScript({ name: "c", kind: "main", argv, env, workingDirectory: "/" })], { cwd: "/", encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })

  it("hands over words and variables exactly", () => {
    const word = FastCheck.string({ unit: "grapheme", maxLength: 20 }).map((value) => value.replaceAll("\0", ""))
    FastCheck.assert(FastCheck.property(FastCheck.array(word, { maxLength: 4 }), word, (words, value) => {
      const printed = run(["printf", "%s\\001", ...words], [])
      assert.strictEqual(printed, words.length === 0 ? "\u0001" : words.map((word) => `${word}\u0001`).join(""))
      assert.include(run(["env"], [{ name: "X.y-z", value }]), `X.y-z=${value}\n`)
    }), { numRuns: 25 })
  })

  it("runs a program whose name looks like a variable", () => {
    assert.throws(() => run(["a=b"], []), /not found/)
  })
})
