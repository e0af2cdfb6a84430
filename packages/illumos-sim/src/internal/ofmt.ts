/** The output format shared by dladm and ipadm: parsable fields with escapes, or a table for people. */
import { fail, ok, type Result } from "./result.js"

/** One row: lower-case field name to value; an empty value is absent. */
export type Row = Readonly<Record<string, string>>

const escaped = (value: string): string => value.replaceAll(/[\\:]/g, (character) => `\\${character}`)

/** How a command wants its rows. */
export interface Layout {
  /** Name of the program, for messages. */
  readonly program: string
  readonly parsable: boolean
  /** Fields asked for with `-o`; absent means the default ones. */
  readonly output: string | undefined
  readonly fields: ReadonlyArray<string>
  readonly defaults: ReadonlyArray<string>
  /** What `-o all` says in parsable mode. */
  readonly allRefused: string
}

/** The fields to print, or why there are none. */
const chosen = (layout: Layout): ReadonlyArray<string> | Result => {
  if (layout.output === undefined) return layout.defaults
  if (layout.output.toLowerCase() === "all") return layout.parsable ? fail(`${layout.program}: ${layout.allRefused}`) : layout.fields
  const wanted = layout.output.toLowerCase().split(",")
  const unknown = wanted.find((name) => !layout.fields.includes(name))
  return unknown === undefined ? wanted : fail(`${layout.program}: unknown output field: \`${unknown}'`)
}

/** Prints the rows in the layout. */
export const print = (layout: Layout, rows: ReadonlyArray<Row>): Result => {
  const fields = chosen(layout)
  if ("exitCode" in fields) return fields
  if (layout.parsable) {
    // A single field needs no separator, so nothing in it is escaped.
    const cell = fields.length === 1 ? (value: string) => value : escaped
    return ok(rows.map((row) => fields.map((name) => cell(row[name] ?? "")).join(":")).join("\n"))
  }
  const table = [fields.map((name) => name.toUpperCase()), ...rows.map((row) => fields.map((name) => row[name] === undefined || row[name] === "" ? "--" : row[name]))]
  const widths = fields.map((_, column) => Math.max(11, ...table.map((line) => (line[column] ?? "").length)))
  return ok(table.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" ").trimEnd()).join("\n"))
}
