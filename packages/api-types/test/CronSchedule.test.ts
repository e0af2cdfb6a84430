import { CronSchedule } from "@reddwarf/api-types"
import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"

const fieldsOf = (text: string) => {
  const parsed = CronSchedule.parse(text)
  if (Either.isLeft(parsed)) return parsed.left
  if (parsed.right._tag === "Every") return parsed.right.millis
  const { days, hours, minutes, months, weekdays } = parsed.right
  return [minutes, hours, days, months, weekdays].map(({ any, values }) => (any ? "*" : [...values].join(",")))
}

describe("CronSchedule", () => {
  it("reads fields, names, ranges and steps", () => {
    assert.deepStrictEqual(fieldsOf("*/20 9-17/4 ? feb-Apr sun,5"), ["0,20,40", "9,13,17", "*", "2,3,4", "0,5"])
    assert.deepStrictEqual(fieldsOf("50/4 0 */1 * *"), ["50,54,58", "0", "*", "*", "*"])
    assert.deepStrictEqual(fieldsOf("  @weekly".trim()), ["0", "0", "*", "*", "0"])
    assert.deepStrictEqual(fieldsOf(", * * * *"), ["", "*", "*", "*", "*"])
  })

  it("reads lengths as whole seconds, one at least", () => {
    assert.deepStrictEqual(["@every 1h30m", "@every 2.9s", "@every 10ms", "@every -5m", "@every 0"].map(fieldsOf), [5_400_000, 2000, 1000, 1000, 1000])
  })

  it("says what is wrong in the words of the parser of Kubernetes", () => {
    const problems: Readonly<Record<string, string>> = {
      "* * * *": "expected exactly 5 fields, found 4: [* * * *]",
      "60 * * * *": "end of range (60) above maximum (59): 60",
      "* * 0 * *": "beginning of range (0) below minimum (1): 0",
      "5-2 * * * *": "beginning of range (5) beyond end of range (2): 5-2",
      "*/0 * * * *": "step of range should be a positive number: */0",
      "1/2/3 * * * *": "too many slashes: 1/2/3",
      "1-2-3 * * * *": "too many hyphens: 1-2-3",
      "a * * * *": "failed to parse int from a: strconv.Atoi: parsing \"a\": invalid syntax",
      "@often": "unrecognized descriptor: @often",
      "@every soon": "failed to parse duration @every soon: time: invalid duration \"soon\""
    }
    for (const [schedule, problem] of Object.entries(problems)) assert.strictEqual(fieldsOf(schedule), problem)
  })

  it("knows time zones", () => {
    assert.deepStrictEqual(["Europe/Berlin", "UTC", "Mars/Olympus"].map(CronSchedule.isTimeZone), [true, true, false])
  })
})
