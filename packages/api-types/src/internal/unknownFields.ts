/** Names of fields that the tables do not know, in the order of the document. Runs only when decoding met one. */
import { fieldsOf, tables } from "../Schema.js"
import { branchOf } from "./schemaUnions.js"

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const fieldTypes = new Map<string, ReadonlyMap<string, string>>()

const typesOf = (definition: string): ReadonlyMap<string, string> => {
  const known = fieldTypes.get(definition)
  if (known !== undefined) return known
  const types = new Map([...fieldsOf(definition)].map(([name, field]) => [name, field.type]))
  fieldTypes.set(definition, types)
  return types
}

/** Paths such as `spec.containers[0].foo`, at most `limit` of them. */
export const unknownFields = (value: unknown, definition: string, limit: number): ReadonlyArray<string> => {
  const found: Array<string> = []
  const visit = (current: unknown, declared: string, path: string): void => {
    if (found.length >= limit) return
    const type = branchOf(declared, current)
    if (type.startsWith("[]")) {
      if (Array.isArray(current)) for (const [index, item] of current.entries()) visit(item, type.slice(2), `${path}[${index}]`)
    } else if (type.startsWith("{}")) {
      if (isObject(current)) for (const key of Object.keys(current)) visit(current[key], type.slice(2), `${path}.${key}`)
    } else if (tables[type] !== undefined && isObject(current)) {
      const types = typesOf(type)
      for (const key of Object.keys(current)) {
        const fieldPath = path === "" ? key : `${path}.${key}`
        const fieldType = types.get(key)
        if (fieldType !== undefined) visit(current[key], fieldType, fieldPath)
        else if (found.length < limit) found.push(fieldPath)
      }
    }
  }
  visit(value, definition, "")
  return found
}
