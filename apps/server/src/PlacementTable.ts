/** The scheduler's answer about a pod as lines for a terminal. */
import { Schema } from "effect"

const Objection = Schema.Struct({
  plugin: Schema.String,
  reasons: Schema.Array(Schema.String),
  remedies: Schema.Array(Schema.String)
})

const Placement = Schema.Struct({
  pod: Schema.String,
  schedulerName: Schema.String,
  placedOn: Schema.optional(Schema.String),
  refusals: Schema.Array(Objection),
  nodes: Schema.Array(Schema.Struct({
    name: Schema.String,
    objections: Schema.Array(Objection),
    scores: Schema.Array(Schema.Struct({ plugin: Schema.String, weighted: Schema.Number })),
    total: Schema.optional(Schema.Number)
  })),
  feasible: Schema.Number,
  best: Schema.Array(Schema.String),
  message: Schema.String,
  lastMessage: Schema.optional(Schema.String)
})

type Placement = typeof Placement.Type
type Row = ReadonlyArray<string>

export const decode = Schema.decodeUnknown(Placement)

/** How many of equally good nodes are named. */
const maxNamed = 5

const summary = ({ best, feasible, nodes, placedOn, pod, schedulerName }: Placement): string => {
  const named = best.slice(0, maxNamed).join(", ")
  const more = best.length > maxNamed ? ` and ${best.length - maxNamed} more` : ""
  const where = placedOn === undefined ? "" : `; it is on ${placedOn}`
  return `${pod} (${schedulerName}): ${feasible} of ${nodes.length} nodes can take it${feasible === 0 ? "" : `, best ${named}${more}`}${where}`
}

const rowsOf = (objections: Placement["refusals"]): ReadonlyArray<Row> =>
  objections.flatMap(({ plugin, reasons, remedies }) =>
    Array.from({ length: Math.max(1, remedies.length) }, (_, i) => i === 0 ? [plugin, reasons.join(", "), remedies[0] ?? ""] : ["", "", remedies[i] ?? ""])
  )

/** Plugins that score, in the order of the first node that has scores. */
const scoring = ({ nodes }: Placement): ReadonlyArray<string> => nodes.find(({ scores }) => scores.length > 0)?.scores.map(({ plugin }) => plugin) ?? []

const table = (placement: Placement, isWide: boolean): ReadonlyArray<Row> => {
  const plugins = isWide ? scoring(placement) : []
  const nodes = placement.nodes.toSorted((a, b) => (b.total ?? -1) - (a.total ?? -1) || (a.name < b.name ? -1 : 1))
  return [
    ["NODE", "FITS", "SCORE", ...plugins.map((plugin) => plugin.toUpperCase()), "PLUGIN", "REASON", "TO CHANGE"],
    ...nodes.flatMap(({ name, objections, scores, total }): ReadonlyArray<Row> => {
      const points = plugins.map((plugin) => String(scores.find((each) => each.plugin === plugin)?.weighted ?? ""))
      const fits = objections.length === 0 && total !== undefined
      const head = [name, fits ? "yes" : "no", total === undefined ? "" : String(total), ...points]
      const [first = ["", "", ""], ...others] = rowsOf(objections)
      return [[...head, ...first], ...others.map((row) => [...head.map(() => ""), ...row])]
    })
  ]
}

const aligned = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("   ").trimEnd())
}

/** The whole answer: what it comes to, the message that the pod gets, what is wrong with the pod itself, and a row or more for each node. */
export const lines = (placement: Placement, isWide: boolean): ReadonlyArray<string> => {
  const { lastMessage, message, refusals } = placement
  const refused = rowsOf(refusals)
  return [
    summary(placement),
    ...(lastMessage !== undefined ? [lastMessage] : message === "" ? [] : [message]),
    ...(refused.length === 0 ? [] : ["", ...aligned([["PLUGIN", "REASON", "TO CHANGE"], ...refused])]),
    "",
    ...aligned(table(placement, isWide))
  ]
}
