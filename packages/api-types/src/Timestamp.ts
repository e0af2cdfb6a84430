/**
 * Points in time as the API writes them: RFC 3339 in UTC, whole seconds (`metav1.Time`) or six fraction digits (`metav1.MicroTime`).
 *
 * Plain functions: ages and times are computed for every object of a list.
 */

/** @category models */
export interface Instant {
  /** Seconds since the epoch, also negative. */
  readonly seconds: number
  /** 0 to 999 999 999. */
  readonly nanos: number
}

const pattern = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,18}))?(?:Z|([+-])(\d{2}):(\d{2}))$/

const monthLengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)

const monthLength = (year: number, month: number): number => (month === 2 && isLeap(year) ? 29 : (monthLengths[month - 1] ?? 0))

// Days since the epoch of a proleptic Gregorian date, with years that start in March so that the leap day comes last.
const daysFromCivil = (year: number, month: number, day: number): number => {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
}

const civilFromDays = (days: number): readonly [year: number, month: number, day: number] => {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthIndex = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * monthIndex + 2) / 5) + 1
  const month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day]
}

/** Reads RFC 3339 with any offset and fraction; undefined when the text is not a time. @category combinators */
export const parse = (text: string): Instant | undefined => {
  const match = pattern.exec(text)
  if (match === null) return undefined
  const [, yearText, monthText, dayText, hourText, minuteText, secondText, fraction, sign, offsetHours, offsetMinutes] = match
  const year = Number(yearText)
  const month = Number(monthText)
  const day = Number(dayText)
  const hour = Number(hourText)
  const minute = Number(minuteText)
  const second = Number(secondText)
  if (month < 1 || month > 12 || day < 1 || day > monthLength(year, month) || hour > 23 || minute > 59 || second > 59) return undefined
  const zoneHours = Number(offsetHours ?? 0)
  const zoneMinutes = Number(offsetMinutes ?? 0)
  if (zoneHours > 23 || zoneMinutes > 59) return undefined
  const offset = (sign === "-" ? -1 : 1) * (zoneHours * 3600 + zoneMinutes * 60)
  return {
    seconds: daysFromCivil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset,
    nanos: fraction === undefined ? 0 : Number(fraction.slice(0, 9).padEnd(9, "0"))
  }
}

/** Milliseconds since the epoch, or undefined when the text is absent or not a time. @category combinators */
export const toMillis = (text: string | undefined): number | undefined => {
  const instant = text === undefined ? undefined : parse(text)
  return instant === undefined ? undefined : instant.seconds * 1000 + Math.floor(instant.nanos / 1_000_000)
}

const pad = (value: number, width: number): string => String(value).padStart(width, "0")

const formatted = { seconds: Number.NaN, text: "" }

/** Most texts are those of now, and thousands of them of the same second: the latest one is kept. */
const formatDateTime = (seconds: number): string => {
  if (formatted.seconds === seconds) return formatted.text
  formatted.text = dateTimeText(seconds)
  formatted.seconds = seconds
  return formatted.text
}

const dateTimeText = (seconds: number): string => {
  const days = Math.floor(seconds / 86_400)
  const rest = seconds - days * 86_400
  const [year, month, day] = civilFromDays(days)
  const hour = Math.floor(rest / 3600)
  const minute = Math.floor((rest % 3600) / 60)
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}T${pad(hour, 2)}:${pad(minute, 2)}:${pad(rest % 60, 2)}`
}

/** `2026-11-20T21:56:20Z`: the fraction is cut off, as Kubernetes does. @category combinators */
export const formatSeconds = (instant: Instant): string => `${formatDateTime(instant.seconds)}Z`

/** `2026-11-20T22:05:35.443014Z`. @category combinators */
export const formatMicros = (instant: Instant): string =>
  `${formatDateTime(instant.seconds)}.${pad(Math.floor(instant.nanos / 1000), 6)}Z`

/** The instant `millis` milliseconds after the epoch. @category constructors */
export const fromMillis = (millis: number): Instant => {
  const seconds = Math.floor(millis / 1000)
  return { seconds, nanos: Math.floor(millis - seconds * 1000) * 1_000_000 }
}

/** `metav1.Time` text of a clock reading in milliseconds. @category constructors */
export const secondsFromMillis = (millis: number): string => formatSeconds(fromMillis(millis))

/** `metav1.MicroTime` text of a clock reading in milliseconds. @category constructors */
export const microsFromMillis = (millis: number): string => formatMicros(fromMillis(millis))
