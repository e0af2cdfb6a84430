import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as FastCheck from "effect/FastCheck"
import { Tables, Timestamp } from "../src/index.js"

const dateOf = (text: string) => DateTime.toDateUtc(DateTime.unsafeMake(text))

describe("Timestamp", () => {
  it.each([
    ["2026-11-20T21:56:20Z", "2026-11-20T21:56:20Z"],
    ["2026-11-20T21:56:20.999999999Z", "2026-11-20T21:56:20Z"],
    ["2026-11-20T23:56:20+02:00", "2026-11-20T21:56:20Z"],
    ["2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00Z"],
    ["2024-02-29T00:00:00-00:30", "2024-02-29T00:30:00Z"],
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"]
  ])("%s is %s", (text, expected) => {
    const instant = Timestamp.parse(text)
    assert.isDefined(instant)
    if (instant !== undefined) assert.strictEqual(Timestamp.formatSeconds(instant), expected)
  })

  it.each(["", "now", "2026-13-01T00:00:00Z", "2025-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00"])(
    "%s is no time",
    (text) => {
      assert.isUndefined(Timestamp.parse(text))
    }
  )

  it.prop("agrees with the clock of the engine", [FastCheck.date({ min: dateOf("0001-01-01T00:00:00Z"), max: dateOf("9999-12-31T23:59:59Z"), noInvalidDate: true })], ([date]) => {
    const millis = date.getTime()
    assert.strictEqual(Timestamp.secondsFromMillis(millis), `${date.toISOString().slice(0, 19)}Z`)
    assert.strictEqual(Timestamp.microsFromMillis(millis), `${date.toISOString().slice(0, 23)}000Z`)
    assert.strictEqual(Timestamp.toMillis(date.toISOString()), millis)
  })
})

describe("humanDuration", () => {
  it.each([
    [-2000, "<invalid>"],
    [-1000, "0s"],
    [0, "0s"],
    [119_999, "119s"],
    [120_000, "2m"],
    [125_000, "2m5s"],
    [599_000, "9m59s"],
    [600_000, "10m"],
    [179 * 60_000, "179m"],
    [180 * 60_000, "3h"],
    [200 * 60_000, "3h20m"],
    [8 * 3_600_000, "8h"],
    [47 * 3_600_000, "47h"],
    [48 * 3_600_000, "2d"],
    [50 * 3_600_000, "2d2h"],
    [8 * 86_400_000, "8d"],
    [729 * 86_400_000, "729d"],
    [730 * 86_400_000, "2y"],
    [770 * 86_400_000, "2y40d"],
    [2920 * 86_400_000, "8y"],
    [4000 * 86_400_000, "10y"]
  ])("%i ms is %s", (millis, expected) => {
    assert.strictEqual(Tables.humanDuration(millis), expected)
  })

  it("is unknown without a timestamp", () => {
    assert.strictEqual(Tables.formatAge(undefined, 0), "<unknown>")
    assert.strictEqual(Tables.formatAge("1970-01-01T00:00:00Z", 3000), "3s")
  })
})
