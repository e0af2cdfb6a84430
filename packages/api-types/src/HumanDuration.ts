/** Durations for people, with two or three significant figures, as `kubectl get` shows ages. */
import * as Timestamp from "./Timestamp.js"

const withRest = (whole: number, unit: string, rest: number, restUnit: string): string =>
  rest === 0 ? `${whole}${unit}` : `${whole}${unit}${rest}${restUnit}`

/**
 * `59s`, `2m5s`, `4h20m`, `3d4h`, `2y40d`. One second into the future still counts as now; more is `<invalid>`.
 *
 * @param millis length in milliseconds
 * @category combinators
 */
export const humanDuration = (millis: number): string => {
  const seconds = Math.trunc(millis / 1000)
  if (seconds < -1) return "<invalid>"
  if (seconds < 0) return "0s"
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 10) return withRest(minutes, "m", seconds % 60, "s")
  if (minutes < 180) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  if (hours < 8) return withRest(hours, "h", minutes % 60, "m")
  if (hours < 48) return `${hours}h`
  const days = Math.floor(hours / 24)
  if (days < 8) return withRest(days, "d", hours % 24, "h")
  if (days < 730) return `${days}d`
  const years = Math.floor(days / 365)
  return years < 8 ? withRest(years, "y", days % 365, "d") : `${years}y`
}

/** Time from a timestamp until `now` (milliseconds since the epoch); `<unknown>` when there is none. @category combinators */
export const formatAge = (timestamp: string | undefined, now: number): string => {
  const since = Timestamp.toMillis(timestamp)
  return since === undefined ? "<unknown>" : humanDuration(now - since)
}
