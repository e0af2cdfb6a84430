/**
 * Families of metrics as text that Prometheus reads, in its exposition format 0.0.4. Pure, and of no more than this file: what shows a
 * handful of numbers need not load a library for it.
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 */

/** Content type of the text. @category constants */
export const contentType = "text/plain; version=0.0.4; charset=utf-8"

/** Names with their values, in the order in which they are written. @category models */
export type Labels = Readonly<Record<string, string>>

/** One line. @category models */
export interface Sample {
  /** What follows the family's name. */
  readonly suffix?: "_bucket" | "_sum" | "_count"
  readonly labels?: Labels
  readonly value: number | bigint
  /** Milliseconds since the epoch; absent for values that are those of the moment in which they are asked for. */
  readonly time?: number
}

/** All samples of one name. @category models */
export interface Family {
  readonly name: string
  readonly type: "counter" | "gauge" | "histogram" | "summary"
  /** What is counted, in a sentence; nothing is written for an empty one. */
  readonly help?: string
  readonly samples: ReadonlyArray<Sample>
}

/**
 * A name as it is written: characters that no name may have become `_`.
 *
 * @category constructors
 */
export const nameOf = (name: string): string => name.replace(/[^a-zA-Z0-9_:]/g, "_").replace(/^(?=\d)/, "_")

const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\"": "\\\"" }
const escaped = (text: string, characters: RegExp): string => text.replace(characters, (character) => escapes[character] ?? character)

const labelsText = (labels: Labels): string => {
  const pairs = Object.entries(labels)
  return pairs.length === 0 ? "" : `{${pairs.map(([name, value]) => `${nameOf(name)}="${escaped(value, /[\\\n"]/g)}"`).join(",")}}`
}

/**
 * A number as the format writes it, also in the labels `le` and `quantile`.
 *
 * @category constructors
 */
export const numberText = (value: number | bigint): string => value === Infinity ? "+Inf" : value === -Infinity ? "-Inf" : String(value)

/**
 * The samples of a histogram. The counts of the buckets are cumulative, upper bounds rise; one up to everything is added where there is none.
 *
 * @category constructors
 */
export const histogram = (
  labels: Labels,
  buckets: ReadonlyArray<readonly [upperBound: number, count: number]>,
  sum: number,
  count: number
): ReadonlyArray<Sample> => {
  const complete = buckets.at(-1)?.[0] === Infinity ? buckets : [...buckets, [Infinity, count] as const]
  return [
    ...complete.map(([upperBound, value]): Sample => ({ suffix: "_bucket", labels: { ...labels, le: numberText(upperBound) }, value })),
    { suffix: "_sum", labels, value: sum },
    { suffix: "_count", labels, value: count }
  ]
}

/**
 * The text, with the families in their order; one without samples is left out. A name (`nameOf`) must not come twice:
 * Prometheus refuses the whole text then.
 *
 * @category constructors
 */
export const document = (families: ReadonlyArray<Family>): string => {
  let text = ""
  for (const { help = "", name, samples, type } of families) {
    if (samples.length === 0) continue
    const shown = nameOf(name)
    if (help !== "") text += `# HELP ${shown} ${escaped(help, /[\\\n]/g)}\n`
    text += `# TYPE ${shown} ${type}\n`
    for (const { labels = {}, suffix = "", time, value } of samples) {
      text += `${shown}${suffix}${labelsText(labels)} ${numberText(value)}${time === undefined ? "" : ` ${String(time)}`}\n`
    }
  }
  return text
}
