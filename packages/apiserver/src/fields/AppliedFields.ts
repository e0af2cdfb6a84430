/** The fields that an applied configuration speaks about, and what is wrong with a configuration that cannot be applied. */
import { isObject } from "../internal/jsonValue.js"
import * as FieldSet from "./FieldSet.js"
import * as PathElement from "./PathElement.js"
import type * as TypedSchema from "./TypedSchema.js"
import * as TypedValue from "./TypedValue.js"

// `undefined`: nothing in the value is owned by itself.
const fieldsBelow = (schema: TypedSchema.TypedSchema, value: unknown): FieldSet.FieldSet | undefined => {
  const shape = TypedValue.shapeOf(schema, value)
  if (shape._tag === "Scalar") return FieldSet.empty
  const set: FieldSet.Builder = {}
  if (shape._tag === "List") {
    if (shape.list === "atomic") return FieldSet.empty
    for (const [element, item] of TypedValue.indexOf(shape, TypedValue.listOf(value))) {
      const below = item === TypedValue.several ? undefined : fieldsBelow(shape.item, item)
      set[element] = below === undefined || FieldSet.isEmpty(below) ? FieldSet.empty : { [FieldSet.self]: FieldSet.empty, ...below }
    }
    return FieldSet.isEmpty(set) ? undefined : set
  }
  if (shape.atomic) return FieldSet.empty
  if (!isObject(value)) return undefined
  for (const name of Object.keys(value)) {
    const declared = shape.field(name)
    const child = declared ?? shape.element
    const content = value[name]
    if (child === undefined || content === undefined) continue
    const below = fieldsBelow(child, content)
    // Values that hold nothing, and what stands under free names, are owned as such.
    const itself = declared === undefined || content === null || (isObject(content) && TypedValue.isNothing(content))
    if (below === undefined) {
      if (itself) set[PathElement.field(name)] = FieldSet.empty
    } else {
      set[PathElement.field(name)] = itself && !FieldSet.isEmpty(below) ? { [FieldSet.self]: FieldSet.empty, ...below } : below
    }
  }
  return FieldSet.isEmpty(set) ? undefined : set
}

/** The fields of a configuration, as its applier will own them. @category constructors */
export const ofConfiguration = (schema: TypedSchema.TypedSchema, configuration: unknown): FieldSet.FieldSet =>
  fieldsBelow(schema, configuration) ?? FieldSet.empty

const listProblems = (shape: TypedSchema.ListType, value: unknown, path: string): ReadonlyArray<string> => {
  const items = TypedValue.listOf(value)
  if (shape.list === "atomic") return items.flatMap((item, i) => problemsBelow(shape.item, item, `${path}[${i}]`))
  const seen = new Set<string>()
  return items.flatMap((item, i): ReadonlyArray<string> => {
    const element = PathElement.item(shape, item)
    if (element === undefined) return [`${path}: element ${i}: ${PathElement.itemProblem(shape, item)}`]
    const shown = PathElement.print(element)
    const repeated = seen.has(element) ? [`${path}: duplicate entries for key ${shown}`] : []
    seen.add(element)
    return [...repeated, ...problemsBelow(shape.item, item, `${path}${shown}`)]
  })
}

const mapProblems = (shape: TypedSchema.MapType, value: unknown, path: string): ReadonlyArray<string> =>
  Object.entries(TypedValue.mapOf(value) ?? {}).flatMap(([name, content]) => {
    const child = TypedValue.childSchema(shape, name)
    return child === undefined
      ? [`${path}.${name}: field not declared in schema`]
      : problemsBelow(child, content, `${path}.${name}`)
  })

const problemsBelow = (schema: TypedSchema.TypedSchema, value: unknown, path: string): ReadonlyArray<string> => {
  if (value === null || value === undefined) return []
  const shape = TypedValue.shapeOf(schema, value)
  const expected = (what: string) => [`${path}: expected ${what}, got ${JSON.stringify(value)}`]
  if (shape._tag === "Map") return isObject(value) ? mapProblems(shape, value, path) : expected("map")
  if (shape._tag === "List") return Array.isArray(value) ? listProblems(shape, value, path) : expected("list")
  return isObject(value) || Array.isArray(value) ? expected("scalar") : []
}

/** As many problems are reported; a body could hold millions. */
const maxProblems = 100

/** What is wrong with a configuration, in one text; undefined when it can be applied. @category combinators */
export const problemOf = (schema: TypedSchema.TypedSchema, configuration: unknown): string | undefined => {
  const problems = problemsBelow(schema, configuration, "").slice(0, maxProblems)
  return problems.length < 2 ? problems[0] : `errors:\n${problems.map((problem) => `  ${problem}`).join("\n")}`
}
