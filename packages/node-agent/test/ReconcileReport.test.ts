import { assert, describe, it } from "@effect/vitest"
import { ReconcileReport } from "@reddwarf/node-agent"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"

const report = (changes: Partial<ReconcileReport.Report>): ReconcileReport.Report => ({
  passId: 1,
  mode: "Full",
  startedAt: 0,
  durationMs: 5,
  actions: [],
  failures: [],
  companions: [],
  ...changes
})

/** The lines that a report gives, from debug on. */
const told = (reports: ReadonlyArray<ReconcileReport.Report>) =>
  Effect.gen(function*() {
    const lines: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => void lines.push(`${logLevel.label} ${String(message)}`))
    const damped = ReconcileReport.damping()
    yield* Effect.forEach(reports, (one) => ReconcileReport.tell(one, damped), { discard: true }).pipe(
      Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
      Logger.withMinimumLogLevel(LogLevel.Debug)
    )
    return lines
  })

const failing = (startedAt: number) => report({ startedAt, failures: [{ pod: "default/a", kind: "ZoneStuck", error: "stuck" }] })

describe("ReconcileReport", () => {
  it.effect("says nothing of a clean host above debug", () =>
    Effect.gen(function*() {
      const lines = yield* told([report({ actions: [{ pod: "default/a", action: { type: "NoOp" } }, { pod: "default/b", action: { type: "Skipped", reason: "notSynced" } }] })])
      assert.deepStrictEqual(lines, ["DEBUG reconciled all pods"])
    }))

  it.effect("tells each action at debug and each failure at warn, with a summary", () =>
    Effect.gen(function*() {
      const lines = yield* told([report({
        actions: [{ pod: "default/a", action: { type: "Restarted", reason: "halted" } }, { pod: "default/b", action: { type: "Failed", error: "no" } }],
        failures: [{ pod: "default/b", kind: "X", error: "no" }]
      })])
      assert.deepStrictEqual(lines, [
        "DEBUG reconciled a pod: Restarted(halted)",
        "DEBUG reconciled a pod: Failed(no)",
        "WARN a pod could not be reconciled; it is tried again",
        "WARN reconciled all pods, some in vain"
      ])
    }))

  it.effect("warns of the same failure after 1, 5 and 30 minutes, then every hour", () =>
    Effect.gen(function*() {
      const damped = ReconcileReport.damping()
      const minute = 60_000
      const due: Array<number> = []
      for (let now = 0; now <= 160 * minute; now += 30_000) if (damped.isDue("a", now)) due.push(now / minute)
      assert.deepStrictEqual(due, [0, 1, 5, 30, 90, 150])
      const lines = yield* told([failing(0), failing(30_000), failing(60_000)])
      assert.strictEqual(lines.filter((line) => line.startsWith("WARN a pod")).length, 2)
    }))

  it("warns at once of a failure that comes again after it was gone, and of another one", () => {
    const damped = ReconcileReport.damping()
    assert.isTrue(damped.isDue("a", 0))
    assert.isFalse(damped.isDue("a", 1_000))
    assert.isTrue(damped.isDue("b", 1_000))
    damped.keep(new Set(["b"]))
    assert.isTrue(damped.isDue("a", 2_000))
  })
})
