/** The five fields of a cron schedule, checked with the messages of the parser that Kubernetes uses. */

interface Bounds {
  readonly minimum: number
  readonly maximum: number
  readonly names: ReadonlyArray<string>
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

const fields: ReadonlyArray<Bounds> = [
  { minimum: 0, maximum: 59, names: [] },
  { minimum: 0, maximum: 23, names: [] },
  { minimum: 1, maximum: 31, names: [] },
  { minimum: 1, maximum: 12, names: months },
  { minimum: 0, maximum: 6, names: weekdays }
]

const descriptors: ReadonlySet<string> = new Set(["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"])

/** A length such as 1h30m, as Go writes it. */
const duration = /^[+-]?((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))+$|^0$/

const numberOf = (text: string, expression: string): number | string => {
  if (!/^[+-]?\d+$/.test(text)) return `failed to parse int from ${expression}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`
  const value = Number(text)
  return value < 0 ? `negative number (${value}) not allowed: ${expression}` : value
}

const numberOrName = (text: string, { minimum, names }: Bounds): number | string => {
  const index = names.indexOf(text.toLowerCase())
  return index === -1 ? numberOf(text, text) : index + minimum
}

const rangeProblem = (expression: string, bounds: Bounds): string | undefined => {
  const [range = "", stepText, ...moreSteps] = expression.split("/")
  const [low = "", high, ...moreHyphens] = range.split("-")
  let start: number | string = bounds.minimum
  let end: number | string = bounds.maximum
  if (low !== "*" && low !== "?") {
    start = numberOrName(low, bounds)
    if (typeof start === "string") return start
    if (moreHyphens.length > 0) return `too many hyphens: ${expression}`
    end = high === undefined ? start : numberOrName(high, bounds)
    if (typeof end === "string") return end
  }
  if (moreSteps.length > 0) return `too many slashes: ${expression}`
  const step = stepText === undefined ? 1 : numberOf(stepText, stepText)
  if (typeof step === "string") return step
  // "5/10" means from 5 to the end.
  if (stepText !== undefined && high === undefined) end = bounds.maximum
  if (start < bounds.minimum) return `beginning of range (${start}) below minimum (${bounds.minimum}): ${expression}`
  if (end > bounds.maximum) return `end of range (${end}) above maximum (${bounds.maximum}): ${expression}`
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${expression}`
  return step === 0 ? `step of range should be a positive number: ${expression}` : undefined
}

const descriptorProblem = (text: string): string | undefined => {
  if (descriptors.has(text)) return undefined
  const every = "@every "
  if (!text.startsWith(every)) return `unrecognized descriptor: ${text}`
  const length = text.slice(every.length)
  return duration.test(length) ? undefined : `failed to parse duration ${text}: time: invalid duration ${JSON.stringify(length)}`
}

/** What is wrong with a schedule; undefined when it is valid. */
export const cronProblem = (schedule: string): string | undefined => {
  if (schedule.startsWith("@")) return descriptorProblem(schedule)
  const parts = schedule.split(/\s+/).filter((part) => part !== "")
  if (parts.length !== fields.length) return `expected exactly 5 fields, found ${parts.length}: [${parts.join(" ")}]`
  for (const [index, bounds] of fields.entries()) {
    for (const expression of (parts[index] ?? "").split(",")) {
      const problem = expression === "" ? undefined : rangeProblem(expression, bounds)
      if (problem !== undefined) return problem
    }
  }
  return undefined
}
