/**
 * The times of a cron schedule in a time zone. Pure.
 *
 * Times are instants whose local reading matches: what falls into the hour that a clock skips does not happen, and what falls into the hour
 * that it repeats happens twice.
 */
import { CronSchedule } from "@reddwarf/api-types"
import * as Either from "effect/Either"

export interface Schedule {
  /** The first time after `after`, both in milliseconds since the epoch; undefined when there is none within five years. */
  readonly next: (after: number) => number | undefined
}

const weekdayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

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
      if (type === "weekday") local.weekday = weekdayNames.indexOf(value.toLowerCase())
      else if (type === "month" || type === "day" || type === "hour" || type === "minute") local[type] = Number(value)
    }
    return local
  }
}

const timesOf = ({ days, hours, minutes, months, weekdays }: CronSchedule.Fields, read: (at: number) => Local): Schedule => {
  const isDay = ({ day, month, weekday }: Local): boolean => {
    if (!months.values.has(month)) return false
    const [byDate, byWeekday] = [days.values.has(day), weekdays.values.has(weekday)]
    // Two kinds of days that both restrict are alternatives.
    return days.any || weekdays.any ? byDate && byWeekday : byDate || byWeekday
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
  // A list of nothing, such as ",", is valid and never matches.
  const isEmpty = [days, hours, minutes, months, weekdays].some(({ values }) => values.size === 0)
  return {
    next: (after) => {
      if (isEmpty) return undefined
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

/** The times of a schedule on the clock of a zone; undefined when the schedule, or the zone, is not valid. */
export const parse = (text: string, timeZone = "UTC"): Schedule | undefined => {
  const read = clockOf(timeZone)
  const parsed = CronSchedule.parse(text.trim())
  if (read === undefined || Either.isLeft(parsed)) return undefined
  const schedule = parsed.right
  return schedule._tag === "Every"
    ? { next: (after) => Math.floor(after / 1000) * 1000 + schedule.millis }
    : timesOf(schedule, read)
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
