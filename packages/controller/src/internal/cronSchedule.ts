/**
 * The times of a cron schedule in a time zone. Pure.
 *
 * Times are instants whose local reading matches: what falls into the hour that a clock skips does not happen, and what falls into the hour
 * that it repeats happens twice.
 */

export interface Schedule {
  /** The first time after `after`, both in milliseconds since the epoch; undefined when there is none within five years. */
  readonly next: (after: number) => number | undefined
}

interface Field {
  readonly minimum: number
  readonly maximum: number
  readonly names: ReadonlyArray<string>
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

const fields: ReadonlyArray<Field> = [
  { minimum: 0, maximum: 59, names: [] },
  { minimum: 0, maximum: 23, names: [] },
  { minimum: 1, maximum: 31, names: [] },
  { minimum: 1, maximum: 12, names: months },
  { minimum: 0, maximum: 6, names: weekdays }
]

const descriptors: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *"
}

/** `any`: the field does not restrict, which matters for the two kinds of days. */
interface Values {
  readonly values: ReadonlySet<number>
  readonly any: boolean
}

const number = (text: string, { minimum, names }: Field): number | undefined => {
  const index = names.indexOf(text.toLowerCase())
  return index >= 0 ? index + minimum : /^\d+$/.test(text) ? Number(text) : undefined
}

const rangeOf = (expression: string, field: Field): { readonly from: number; readonly to: number; readonly step: number; readonly any: boolean } | undefined => {
  const [range = "", stepText, ...rest] = expression.split("/")
  const [low = "", high, ...more] = range.split("-")
  const step = stepText === undefined ? 1 : /^\d+$/.test(stepText) ? Number(stepText) : 0
  if (step === 0 || rest.length > 0 || more.length > 0) return undefined
  if (low === "*" || low === "?") return { from: field.minimum, to: field.maximum, step, any: step === 1 }
  const from = number(low, field)
  const to = high === undefined ? (stepText === undefined ? from : field.maximum) : number(high, field)
  if (from === undefined || to === undefined || from < field.minimum || to > field.maximum || from > to) return undefined
  return { from, to, step, any: false }
}

const valuesOf = (text: string, field: Field): Values | undefined => {
  const values = new Set<number>()
  let any = false
  for (const expression of text.split(",").filter((part) => part !== "")) {
    const range = rangeOf(expression, field)
    if (range === undefined) return undefined
    any ||= range.any
    for (let value = range.from; value <= range.to; value += range.step) values.add(value)
  }
  return { values, any }
}

const units: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, "µs": 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** The length of `@every`, in whole seconds and at least one, as milliseconds. */
const every = (text: string): Schedule | undefined => {
  if (!/^((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined
  let millis = 0
  for (const [, amount = "", unit = ""] of text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g)) millis += Number(amount) * (units[unit] ?? 0)
  const delay = Math.max(1000, Math.floor(millis / 1000) * 1000)
  return { next: (after) => Math.floor(after / 1000) * 1000 + delay }
}

const minuteMillis = 60_000
const hourMillis = 60 * minuteMillis
const horizon = 5 * 366 * 24 * hourMillis

interface Local {
  readonly month: number
  readonly day: number
  readonly weekday: number
  readonly hour: number
  readonly minute: number
}

/** Reads instants on the clock of a zone; undefined when the zone is unknown. */
const clockOf = (timeZone: string): ((at: number) => Local) | undefined => {
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat("en-US", { timeZone, hourCycle: "h23", weekday: "short", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" })
  } catch {
    return undefined
  }
  return (at) => {
    const local = { month: 0, day: 0, weekday: 0, hour: 0, minute: 0 }
    for (const { type, value } of format.formatToParts(at)) {
      if (type === "weekday") local.weekday = weekdays.indexOf(value.toLowerCase())
      else if (type === "month" || type === "day" || type === "hour" || type === "minute") local[type] = Number(value)
    }
    return local
  }
}

/** Whether there is such a time zone. */
export const isTimeZone = (timeZone: string): boolean => clockOf(timeZone) !== undefined

/** Reads a schedule of five fields, a macro such as `@daily`, or `@every 90m`; undefined when it, or the zone, is not valid. */
export const parse = (text: string, timeZone = "UTC"): Schedule | undefined => {
  const schedule = text.trim()
  if (schedule.startsWith("@every ")) return every(schedule.slice("@every ".length).trim())
  const parts = (schedule.startsWith("@") ? descriptors[schedule] ?? "" : schedule).split(/\s+/)
  if (parts.length !== fields.length) return undefined
  const [minutes, hours, days, monthsOf, daysOfWeek] = fields.map((field, index) => valuesOf(parts[index] ?? "", field))
  const read = clockOf(timeZone)
  if (minutes === undefined || hours === undefined || days === undefined || monthsOf === undefined || daysOfWeek === undefined || read === undefined) {
    return undefined
  }
  const isDay = ({ day, month, weekday }: Local): boolean => {
    if (!monthsOf.values.has(month)) return false
    const [byDate, byWeekday] = [days.values.has(day), daysOfWeek.values.has(weekday)]
    // Two kinds of days that both restrict are alternatives.
    return days.any || daysOfWeek.any ? byDate && byWeekday : byDate || byWeekday
  }
  /** The first instant of the next local day. */
  const nextDay = (at: number, local: Local): number => {
    const midnight = at + (24 * 60 - local.hour * 60 - local.minute) * minuteMillis
    const there = read(midnight)
    // A clock that was put forward meanwhile shows more than midnight.
    if (there.hour === 0 || there.hour >= 12) return midnight
    const earlier = midnight - (there.hour * 60 + there.minute) * minuteMillis
    return earlier > at && read(earlier).day === there.day ? earlier : midnight
  }
  return {
    next: (after) => {
      let at = (Math.floor(after / minuteMillis) + 1) * minuteMillis
      while (at <= after + horizon) {
        const local = read(at)
        if (!isDay(local)) at = nextDay(at, local)
        else if (!hours.values.has(local.hour)) at += (60 - local.minute) * minuteMillis
        else if (!minutes.values.has(local.minute)) at += minuteMillis
        else return at
      }
      return undefined
    }
  }
}

const parsed = new Map<string, Schedule | undefined>()

/** `parse`, which remembers: making the clock of a zone is slow. */
export const cached = (text: string, timeZone = "UTC"): Schedule | undefined => {
  const key = `${timeZone} ${text}`
  if (!parsed.has(key)) {
    if (parsed.size >= 1000) parsed.clear()
    parsed.set(key, parse(text, timeZone))
  }
  return parsed.get(key)
}

/** A time that was due, and how many were missed before it. */
export interface Due {
  readonly at: number
  readonly missed: "none" | "few" | "many"
}

const manyMissed = 100

/** The latest time after `earliest` up to `now`; undefined if none is due. */
export const latestDue = ({ next }: Schedule, earliest: number, now: number): Due | undefined => {
  const first = next(earliest)
  if (first === undefined || first > now) return undefined
  const second = next(first)
  if (second === undefined || second > now) return { at: first, missed: "none" }
  // After a long absence there may be very many: those that do not matter are not visited one by one.
  const interval = second - first
  const count = Math.floor((now - first) / interval) + 1
  const from = Math.max(first, first + (count - 2) * interval)
  let latest = first
  for (let at = next(from); at !== undefined && at <= now; at = next(at)) latest = at
  if (latest === first) for (let at = next(first); at !== undefined && at <= now; at = next(at)) latest = at
  return { at: latest, missed: count > manyMissed ? "many" : "few" }
}
