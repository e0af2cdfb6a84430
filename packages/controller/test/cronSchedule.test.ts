import { Timestamp } from "@reddwarf/api-types"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck } from "effect"
import * as cron from "../src/internal/cronSchedule.js"

const at = (text: string): number => Timestamp.toMillis(text) ?? Number.NaN
const text = (millis: number | undefined): string | undefined => (millis === undefined ? undefined : Timestamp.secondsFromMillis(millis))

const next = (schedule: string, after: string, zone?: string) => text(cron.parse(schedule, zone)?.next(at(after)))

describe("cronSchedule", () => {
  it("finds the next time", () => {
    const cases: ReadonlyArray<readonly [schedule: string, after: string, expected: string, zone?: string]> = [
      ["* * * * *", "2026-11-21T10:00:00Z", "2026-11-21T10:01:00Z"],
      ["*/15 * * * *", "2026-11-21T10:15:00Z", "2026-11-21T10:30:00Z"],
      ["0 9-17/4 * * *", "2026-11-21T09:30:00Z", "2026-11-21T13:00:00Z"],
      ["5/20 * * * *", "2026-11-21T10:30:00Z", "2026-11-21T10:45:00Z"],
      ["30 3 * * sun", "2026-11-21T10:00:00Z", "2026-11-22T03:30:00Z"],
      ["0 0 29 feb *", "2026-11-21T10:00:00Z", "2028-02-29T00:00:00Z"],
      ["0 0 13 * 5", "2026-11-21T10:00:00Z", "2026-11-27T00:00:00Z"],
      ["0 0 */2 * 5", "2026-11-21T10:00:00Z", "2026-11-23T00:00:00Z"],
      ["0 0 ? * 5", "2026-11-21T10:00:00Z", "2026-11-27T00:00:00Z"],
      ["@hourly", "2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z"],
      ["@weekly", "2026-11-21T10:00:00Z", "2026-11-22T00:00:00Z"],
      ["@yearly", "2026-11-21T10:00:00Z", "2027-01-01T00:00:00Z"],
      ["@every 90m", "2026-11-21T10:00:00Z", "2026-11-21T11:30:00Z"],
      ["0 8 * * *", "2026-07-01T00:00:00Z", "2026-07-01T06:00:00Z", "Europe/Berlin"],
      ["0 8 * * *", "2026-11-21T10:00:00Z", "2026-11-22T07:00:00Z", "Europe/Berlin"],
      // The clock goes from 2:00 to 3:00, so 2:30 does not happen that day.
      ["30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z", "Europe/Berlin"],
      // It goes back from 3:00 to 2:00, so 2:30 happens twice.
      ["30 2 * * *", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "Europe/Berlin"],
      // Midnight does not exist: the day begins at 1:00.
      ["0 1 * * *", "2026-09-05T12:00:00Z", "2026-09-06T04:00:00Z", "America/Santiago"],
      ["15 0 * * *", "2026-11-21T10:00:00Z", "2026-11-21T18:30:00Z", "Asia/Kathmandu"]
    ]
    for (const [schedule, after, expected, zone] of cases) assert.strictEqual(next(schedule, after, zone), expected, `${schedule} after ${after}`)
  })

  it("refuses what is not a schedule or a zone", () => {
    for (const bad of ["", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 7", "*/0 * * * *", "1-0 * * * *", "@often", "@every soon"]) {
      assert.isUndefined(cron.parse(bad), bad)
    }
    assert.isUndefined(cron.parse("* * * * *", "Mars/Olympus"))
    assert.isUndefined(cron.parse("0 0 31 2 *")?.next(0))
    assert.isUndefined(cron.parse(", * * * *")?.next(0))
  })

  it("finds the latest time that is due, and how many were missed", () => {
    const hourly = cron.parse("0 * * * *")
    if (hourly === undefined) throw new Error("not parsed")
    const due = (from: string, to: string) => cron.latestDue(hourly, at(from), at(to))
    assert.isUndefined(due("2026-11-21T10:00:00Z", "2026-11-21T10:59:59Z"))
    assert.deepStrictEqual(due("2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z"), { at: at("2026-11-21T11:00:00Z"), missed: "none" })
    assert.deepStrictEqual(due("2026-11-21T10:00:00Z", "2026-11-21T14:10:00Z"), { at: at("2026-11-21T14:00:00Z"), missed: "few" })
    assert.deepStrictEqual(due("2026-01-01T00:00:00Z", "2026-11-21T14:10:00Z"), { at: at("2026-11-21T14:00:00Z"), missed: "many" })
  })

  it.effect.prop(
    "is the first minute that matches",
    { minute: FastCheck.integer({ min: 0, max: 59 }), hour: FastCheck.integer({ min: 0, max: 23 }), days: FastCheck.nat(4000), zone: FastCheck.constantFrom("UTC", "Europe/London", "Australia/Lord_Howe", "America/New_York") },
    ({ days, hour, minute, zone }) =>
      Effect.sync(() => {
        const from = at("2020-01-01T00:00:00Z") + days * 86_400_000
        const clock = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" })
        const wanted = `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`
        let expected = from + 60_000
        while (clock.format(expected) !== wanted) expected += 60_000
        assert.strictEqual(text(cron.parse(`${minute} ${hour} * * *`, zone)?.next(from)), text(expected))
      }),
    { fastCheck: { numRuns: 40 } }
  )
})
