/**
 * Cron schedules as CronJobs write them: five fields, a descriptor such as `@daily`, or `@every 90m`. Pure; what is wrong with one is said in
 * the words of the parser that Kubernetes uses.
 */
import * as Either from "effect/Either"

/**
 * The values that a field allows. `any`: it does not restrict, which matters for the two kinds of days.
 *
 * @category models
 */
export interface Values {
  readonly values: ReadonlySet<number>
  readonly any: boolean
}

/**
 * The fields of a schedule: months count from 1, days of the week from 0 for Sunday.
 *
 * @category models
 */
export interface Fields {
  readonly _tag: "Fields"
  readonly minutes: Values
  readonly hours: Values
  readonly days: Values
  readonly months: Values
  readonly weekdays: Values
}

/**
 * A time between two runs, in milliseconds: whole seconds, at least one.
 *
 * @category models
 */
export interface Every {
  readonly _tag: "Every"
  readonly millis: number
}

/**
 * A schedule that was read.
 *
 * @category models
 */
export type CronSchedule = Fields | Every

interface Bounds {
  readonly minimum: number
  readonly maximum: number
  readonly names: ReadonlyArray<string>
}

const minuteBounds: Bounds = { minimum: 0, maximum: 59, names: [] }
const hourBounds: Bounds = { minimum: 0, maximum: 23, names: [] }
const dayBounds: Bounds = { minimum: 1, maximum: 31, names: [] }
const monthBounds: Bounds = { minimum: 1, maximum: 12, names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"] }
const weekdayBounds: Bounds = { minimum: 0, maximum: 6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] }

const descriptors: ReadonlyMap<string, string> = new Map([
  ["@yearly", "0 0 1 1 *"],
  ["@annually", "0 0 1 1 *"],
  ["@monthly", "0 0 1 * *"],
  ["@weekly", "0 0 * * 0"],
  ["@daily", "0 0 * * *"],
  ["@midnight", "0 0 * * *"],
  ["@hourly", "0 * * * *"]
])

/** Millis of the units of a length such as 1h30m, as Go writes it. */
const units: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, "µs": 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const duration = /^[+-]?((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))+$|^0$/

const numberOf = (text: string, expression: string): Either.Either<number, string> => {
  if (!/^[+-]?\d+$/.test(text)) return Either.left(`failed to parse int from ${expression}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  const value = Number(text)
  return value < 0 ? Either.left(`negative number (${value}) not allowed: ${expression}`) : Either.right(value)
}

const numberOrName = (text: string, { minimum, names }: Bounds): Either.Either<number, string> => {
  const index = names.indexOf(text.toLowerCase())
  return index === -1 ? numberOf(text, text) : Either.right(index + minimum)
}

interface Range {
  readonly from: number
  readonly to: number
  readonly step: number
  readonly any: boolean
}

const rangeOf = (expression: string, bounds: Bounds): Either.Either<Range, string> =>
  Either.gen(function*() {
    const [range = "", stepText, ...moreSteps] = expression.split("/")
    const [low = "", high, ...moreHyphens] = range.split("-")
    const isStar = low === "*" || low === "?"
    const from = isStar ? bounds.minimum : yield* numberOrName(low, bounds)
    if (!isStar && moreHyphens.length > 0) return yield* Either.left(`too many hyphens: ${expression}`)
    const last = isStar ? bounds.maximum : high === undefined ? from : yield* numberOrName(high, bounds)
    if (moreSteps.length > 0) return yield* Either.left(`too many slashes: ${expression}`)
    const step = stepText === undefined ? 1 : yield* numberOf(stepText, stepText)
    // "5/10" means from 5 to the end.
    const to = stepText !== undefined && high === undefined ? bounds.maximum : last
    if (from < bounds.minimum) return yield* Either.left(`beginning of range (${from}) below minimum (${bounds.minimum}): ${expression}`)
    if (to > bounds.maximum) return yield* Either.left(`end of range (${to}) above maximum (${bounds.maximum}): ${expression}`)
    if (from > to) return yield* Either.left(`beginning of range (${from}) beyond end of range (${to}): ${expression}`)
    if (step === 0) return yield* Either.left(`step of range should be a positive number: ${expression}`)
    return { from, to, step, any: isStar && step === 1 }
  })

const valuesOf = (text: string, bounds: Bounds): Either.Either<Values, string> =>
  Either.gen(function*() {
    const values = new Set<number>()
    let any = false
    for (const expression of text.split(",").filter((part) => part !== "")) {
      const range = yield* rangeOf(expression, bounds)
      any ||= range.any
      for (let value = range.from; value <= range.to; value += range.step) values.add(value)
    }
    return { values, any }
  })

const everyOf = (text: string): Either.Either<Every, string> => {
  const length = text.slice("@every ".length)
  if (!duration.test(length)) return Either.left(`failed to parse duration ${text}: time: invalid duration ${JSON.stringify(length)}`)
  let millis = 0
  for (const [, amount = "", unit = ""] of length.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g)) millis += Number(amount) * (units[unit] ?? 0)
  const positive = length.startsWith("-") ? 0 : millis
  return Either.right({ _tag: "Every", millis: Math.max(1000, Math.floor(positive / 1000) * 1000) })
}

const fieldsOf = (text: string): Either.Either<Fields, string> =>
  Either.gen(function*() {
    const parts = text.split(/\s+/).filter((part) => part !== "")
    const [minutes = "", hours = "", days = "", months = "", weekdays = ""] = parts
    if (parts.length !== 5) return yield* Either.left(`expected exactly 5 fields, found ${parts.length}: [${parts.join(" ")}]`)
    return {
      _tag: "Fields" as const,
      minutes: yield* valuesOf(minutes, minuteBounds),
      hours: yield* valuesOf(hours, hourBounds),
      days: yield* valuesOf(days, dayBounds),
      months: yield* valuesOf(months, monthBounds),
      weekdays: yield* valuesOf(weekdays, weekdayBounds)
    }
  })

/**
 * Reads a schedule; the left side says what is wrong with it.
 *
 * @category constructors
 */
export const parse = (schedule: string): Either.Either<CronSchedule, string> => {
  if (!schedule.startsWith("@")) return fieldsOf(schedule)
  if (schedule.startsWith("@every ")) return everyOf(schedule)
  const described = descriptors.get(schedule)
  return described === undefined ? Either.left(`unrecognized descriptor: ${schedule}`) : fieldsOf(described)
}

/**
 * Whether there is a time zone of this name.
 *
 * @category combinators
 */
export const isTimeZone = (name: string): boolean => {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).format(0) !== ""
  } catch {
    return false
  }
}
