/** Dates as zfs and zpool print them, in UTC. */
import * as DateTime from "effect/DateTime"

const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
const two = (value: number, fill: string) => String(value).padStart(2, fill)

const parts = (seconds: number) => DateTime.toPartsUtc(DateTime.unsafeMake(seconds * 1000))

/** `Thu Nov 20 10:05 2025`. @category combinators */
export const shortDate = (seconds: number): string => {
  const at = parts(seconds)
  return `${weekdays[at.weekDay] ?? ""} ${months[at.month - 1] ?? ""} ${two(at.day, " ")} ${two(at.hours, " ")}:${two(at.minutes, "0")} ${at.year}`
}

/** `Thu Nov 20 10:05:07 2025`. @category combinators */
export const longDate = (seconds: number): string => {
  const at = parts(seconds)
  return `${weekdays[at.weekDay] ?? ""} ${months[at.month - 1] ?? ""} ${two(at.day, " ")} ${two(at.hours, "0")}:${two(at.minutes, "0")}:${two(at.seconds, "0")} ${at.year}`
}
