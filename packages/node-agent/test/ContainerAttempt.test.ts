import { assert, describe, it } from "@effect/vitest"
import type { SupervisorFiles } from "@reddwarf/node-agent"
import * as FastCheck from "effect/FastCheck"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { CommandRunner, ZoneName } from "@reddwarf/runtime-illumos"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { execFileSync, spawnSync } from "node:child_process"
import { constants, existsSync, mkdirSync, mkdtempSync, openSync, closeSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { settle, until } from "vitest-config/waiting"
import * as attemptFifos from "../src/internal/attemptFifos.js"
import * as containerAttempt from "../src/internal/containerAttempt.js"
import * as pollTicks from "../src/internal/pollTicks.js"
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

describe("a start", () => {
  /** The folder of an attempt that the shim has laid out, without anybody in it. */
  const started = Effect.gen(function*() {
    const dataDir = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "attempt-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
    )
    const pod = { namespace: "default", name: "web", uid: "u1" }
    const place: containerAttempt.PodPlace = {
      dataDir,
      spec: {
        schema: 1,
        pod,
        zone: ZoneName.zoneNameOf(pod),
        restartPolicy: "Always",
        containers: [],
        backOff: { initialMillis: 1, maxMillis: 1, resetMillis: 1 },
        logs: { directory: dataDir, maxBytes: 1, maxFiles: 1 },
        desired: { state: "run" }
      },
      runner: yield* Effect.provide(CommandRunner.CommandRunner, CommandRunner.layerTest(() => Effect.succeed(CommandRunner.result({})))),
      startTimeout: Duration.hours(1),
      pollInterval: Duration.millis(20),
      ticks: yield* pollTicks.make("20 millis")
    }
    const folder = containerAttempt.onHost(place, "c.0.1")
    mkdirSync(folder, { recursive: true })
    spawnSync("mkfifo", [join(folder, "alive")])
    return { folder, place }
  })

  it.scopedLive("is given up at once when the zone went down under it", () =>
    Effect.gen(function*() {
      const { folder, place } = yield* started
      const outcome = yield* Effect.either(containerAttempt.awaitStarted(place, "c.0.1"))
      assert.isTrue(Either.isLeft(outcome))
      assert.isTrue(existsSync(join(folder, "claim")))
    }).pipe(Effect.provide(NodeContext.layer)))

  it.scopedLive("is given up at once when whoever made it was cut off before the shim began", () =>
    Effect.gen(function*() {
      const { folder, place } = yield* started
      rmSync(join(folder, "alive"))
      assert.isTrue(Either.isLeft(yield* Effect.either(containerAttempt.awaitStarted(place, "c.0.1"))))
      assert.isTrue(existsSync(join(folder, "claim")))
    }).pipe(Effect.provide(NodeContext.layer)))

  it.scoped("is waited for while its shim lives", () =>
    Effect.gen(function*() {
      const { folder, place } = yield* started
      const shim = openSync(join(folder, "alive"), constants.O_RDWR)
      const waiting = yield* Effect.fork(Effect.either(containerAttempt.awaitStarted(place, "c.0.1")))
      for (let looks = 0; looks < 5; looks++) {
        yield* settle
        yield* TestClock.adjust(place.pollInterval)
      }
      assert.isNull(waiting.unsafePoll())
      writeFileSync(join(folder, "pid"), "77 77\n")
      yield* settle
      yield* TestClock.adjust(place.pollInterval)
      assert.isTrue(Either.isRight(yield* Fiber.join(waiting)))
      closeSync(shim)
    }).pipe(Effect.provide(NodeContext.layer)))

  it.live("of the shim leaves no moment in which nobody holds the FIFO", () =>
    Effect.gen(function*() {
      const folder = mkdtempSync(join(tmpdir(), "shim-"))
      const attempt = join(folder, "a")
      mkdirSync(attempt)
      writeFileSync(join(folder, shim.fileName), shim.script)
      writeFileSync(join(attempt, "command.sh"), "exit 3\n")
      execFileSync("/bin/sh", [shim.fileName, "a", "none"], { cwd: folder })
      assert.isFalse(attemptFifos.isAbandoned(attempt))
      yield* until("the exit code", Effect.sync(() => existsSync(join(attempt, "exit")) ? true : undefined))
      attemptFifos.sendLine(join(attempt, "ack"))
      yield* until("the shim to be gone", Effect.sync(() => attemptFifos.isAbandoned(attempt) ? true : undefined))
      rmSync(folder, { recursive: true })
    }))
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
