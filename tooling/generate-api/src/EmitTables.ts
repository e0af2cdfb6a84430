import type { Model } from "./Model.ts"

const HEADER = `// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit.
import type { MessageTable } from "../Schema.js"
`

/** The module that holds the field tables, one line to a field. */
export const emitTables = (model: Model): string => {
  const lines = [HEADER, "/** Field tables of every generated type, by OpenAPI definition name. */", "export const tables: MessageTable = {"]
  for (const { messages } of model.packages) {
    for (const message of messages) {
      const inline = message.inline.length === 0 ? "" : ` inline: ${JSON.stringify(message.inline)},`
      const mapType = message.mapType === undefined ? "" : ` mapType: ${JSON.stringify(message.mapType)},`
      lines.push(`  ${JSON.stringify(message.name)}: { go: ${JSON.stringify(message.go)},${inline}${mapType} fields: {`)
      for (const [name, field] of message.fields) lines.push(`    ${JSON.stringify(name)}: ${JSON.stringify(field)},`)
      lines.push("  } },")
    }
  }
  lines.push("}", "", "/** Known values of each string type that Kubernetes marks as an enumeration. */")
  lines.push("export const enums: Readonly<Record<string, ReadonlyArray<string>>> = {")
  for (const [name, values] of [...model.enums].sort(([a], [b]) => (a < b ? -1 : 1))) {
    lines.push(`  ${JSON.stringify(name)}: ${JSON.stringify(values)},`)
  }
  lines.push("}", "")
  return lines.join("\n")
}
