import type { ApiPackage, Field, Message, Model } from "./Model.ts"

const SCALARS: Readonly<Record<string, string>> = {
  string: "string",
  bool: "boolean",
  int32: "number",
  int64: "number",
  double: "number",
  bytes: "string",
  time: "string",
  microTime: "string",
  duration: "string",
  quantity: "string",
  intOrString: "number | string",
  raw: "unknown",
  schemaOrArray: "JSONSchemaProps | ReadonlyArray<JSONSchemaProps>",
  schemaOrBool: "JSONSchemaProps | boolean",
  schemaOrStrings: "JSONSchemaProps | ReadonlyArray<string>"
}

/** The module of TypeScript interfaces for one Go package. */
export const emitTypes = (model: Model, api: ApiPackage, messages: ReadonlyArray<Message>): string => {
  const used = new Set<string>()
  const local = (definition: string): string => {
    const home = model.packages.find((entry) => definition.startsWith(`${entry.api.openapi}.`) && !definition.slice(entry.api.openapi.length + 1).includes("."))
    if (home === undefined) throw new Error(`no module for ${definition}`)
    const name = definition.slice(home.api.openapi.length + 1)
    if (home.api.module === api.module) return name
    used.add(home.api.module)
    return `${home.api.module}.${name}`
  }
  const typescript = (type: string): string => {
    if (type.startsWith("[]")) {
      const element = typescript(type.slice(2))
      return `ReadonlyArray<${element}>`
    }
    if (type.startsWith("{}")) return `Readonly<Record<string, ${typescript(type.slice(2))}>>`
    return SCALARS[type] ?? local(type)
  }
  const isKind = (message: Message): boolean => message.inline.some((entry) => entry.type.endsWith(".meta.v1.TypeMeta"))
  const optional = (message: Message, name: string, field: Field): boolean =>
    !(field.required === true || (name === "metadata" && isKind(message)))
  const body: Array<string> = []
  for (const [name, values] of [...model.enums].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!name.startsWith(`${api.openapi}.`) || name.slice(api.openapi.length + 1).includes(".")) continue
    const short = name.slice(api.openapi.length + 1)
    body.push(`/** Known values of ${short}; a newer peer may send others. */`)
    body.push(`export type ${short} = ${values.map((value) => JSON.stringify(value)).join(" | ")} | (string & Record<never, never>)`, "")
  }
  for (const message of messages) {
    const short = message.name.slice(api.openapi.length + 1)
    const parents = message.inline.filter((entry) => !entry.type.endsWith(".meta.v1.TypeMeta")).map((entry) => local(entry.type))
    body.push(`/** \`${message.name}\` */`)
    if (message.fields.length === 0 && message.inline.length === 0) {
      body.push(`export type ${short} = Readonly<Record<string, never>>`, "")
      continue
    }
    body.push(`export interface ${short}${parents.length === 0 ? "" : ` extends ${parents.join(", ")}`} {`)
    if (isKind(message)) body.push("  readonly apiVersion: string", "  readonly kind: string")
    for (const [name, field] of message.fields) {
      const type = field.enum === undefined ? typescript(field.type) : local(field.enum)
      body.push(`  readonly ${/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name)}${optional(message, name, field) ? "?" : ""}: ${type}`)
    }
    body.push("}", "")
  }
  const header = ["// Written by tooling/generate-api from the Kubernetes Go API sources; do not edit."]
  for (const module of [...used].sort()) header.push(`import type * as ${module} from "./${module}.js"`)
  return [...header, "", ...body].join("\n")
}
