/** Curves over time as an SVG picture, one below the other. */

export interface Curve {
  readonly title: string
  readonly values: ReadonlyArray<number>
}

const width = 720
const height = 110
const left = 70
const gap = 46

const label = (value: number): string => value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)

/** Days after which less should grow: the cluster is set up and at work, and the history of objects has its age. */
const marks = [1, 7]

const panel = ({ title, values }: Curve, days: ReadonlyArray<number>, top: number): string => {
  const most = Math.max(...values) * 1.1 || 1
  const last = days.at(-1) ?? 1
  const x = (day: number): string => (left + (width - left - 20) * day / last).toFixed(1)
  const y = (value: number): string => (top + height - height * value / most).toFixed(1)
  const points = values.map((value, i) => `${x(days[i] ?? 0)},${y(value)}`).join(" ")
  return [
    `<text x="${left}" y="${top - 8}" font-weight="bold">${title}</text>`,
    ...[0, 0.5, 1].map((part) =>
      `<line x1="${left}" x2="${width - 20}" y1="${y(most * part)}" y2="${y(most * part)}" stroke="#ddd"/>` +
      `<text x="${left - 8}" y="${Number(y(most * part)) + 4}" text-anchor="end">${label(most * part)}</text>`
    ),
    ...[0, 0.25, 0.5, 0.75, 1].map((part) =>
      `<text x="${x(last * part)}" y="${top + height + 16}" text-anchor="middle">${label(last * part).replace(/\.0+$/, "")}</text>`
    ),
    ...marks.filter((day) => day < last).map((day) =>
      `<line x1="${x(day)}" x2="${x(day)}" y1="${top}" y2="${top + height}" stroke="#888" stroke-dasharray="3 3"/>`
    ),
    `<polyline points="${points}" fill="none" stroke="#b03a2e" stroke-width="1.6"/>`
  ].join("\n")
}

/** `days` is when each value was taken; dashed lines mark the end of the first day and of the first week. */
export const draw = (heading: string, days: ReadonlyArray<number>, curves: ReadonlyArray<Curve>): string => {
  const total = 56 + curves.length * (height + gap)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${total}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${total}" fill="white"/>`,
    `<text x="${left}" y="22" font-size="15">${heading}</text>`,
    ...curves.map((curve, i) => panel(curve, days, 56 + i * (height + gap))),
    "</svg>",
    ""
  ].join("\n")
}
