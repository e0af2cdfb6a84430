/**
 * Forms of a list. Each is produced item by item while it is sent, so that no list is ever whole in memory: as stored lines
 * joined with commas, as indented JSON, or as YAML.
 */
import { stringify } from "yaml"

/** A list without its items, the field in which these stand, and the items as values. */
export interface Listing {
  readonly head: object
  readonly field: "items" | "rows"
  readonly values: Iterable<unknown>
}

const encoder = new TextEncoder()

/** Options under which every YAML text is written. */
export const yamlOptions = { lineWidth: 0, aliasDuplicateObjects: false } as const

/** One line of JSON around items that are encoded already, with the commas between them. */
export const joined = function*(
  { field, head }: Omit<Listing, "values">,
  items: Iterable<Uint8Array>
): Generator<Uint8Array> {
  yield encoder.encode(`${JSON.stringify(head).slice(0, -1)},"${field}":[`)
  yield* items
  yield encoder.encode("]}\n")
}

const pad = " ".repeat(4)

/** JSON as `JSON.stringify` indents it by two. */
export const indented = function*({ field, head, values }: Listing): Generator<Uint8Array> {
  let before = `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "${field}": [`
  const start = before
  for (const value of values) {
    // A newline inside of a string is escaped, so every one of them begins a line.
    const text = JSON.stringify(value, null, 2).replaceAll("\n", `\n${pad}`)
    yield encoder.encode(`${before}\n${pad}${text}`)
    before = ","
  }
  yield encoder.encode(before === start ? `${start}]\n}\n` : "\n  ]\n}\n")
}

/** YAML whose items stand at the left margin below their field. */
export const yaml = function*({ field, head, values }: Listing): Generator<Uint8Array> {
  const start = `${stringify(head, yamlOptions)}${field}:`
  let before = `${start}\n`
  let empty = true
  for (const value of values) {
    yield encoder.encode(`${before}${stringify([value], yamlOptions)}`)
    before = ""
    empty = false
  }
  if (empty) yield encoder.encode(`${start} []\n`)
}
