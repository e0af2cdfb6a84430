/**
 * The fields that the writer of a new object owns, remembered by the form of the object: pods of one template differ in values, not in
 * fields, and finding the fields of one costs ten times what it costs to see that it has the form of one before. Objects of one form then
 * share one set, in memory too. Plain functions: every create passes here.
 */
import { get, isArray, isObject } from "../internal/jsonValue.js"
import * as FieldSet from "./FieldSet.js"
import * as PathElement from "./PathElement.js"
import type * as TypedSchema from "./TypedSchema.js"
import * as TypedValue from "./TypedValue.js"

/** What of a value decides about the fields that it has. */
type Form =
  /** Any value: it is owned as a whole, or nobody can own it. */
  | { readonly _tag: "Whole" }
  /** Null, or a map or list without content. */
  | { readonly _tag: "Nothing" }
  /** Anything but an object. */
  | { readonly _tag: "Plain" }
  /** Exactly this text, number or truth value. */
  | { readonly _tag: "Same"; readonly value: unknown }
  /** An object with these names in this order. */
  | { readonly _tag: "Map"; readonly names: ReadonlyArray<string>; readonly below: ReadonlyArray<Form> }
  /** A list of items that are told apart by these values of their keys. */
  | { readonly _tag: "Items"; readonly keys: ReadonlyArray<string>; readonly items: ReadonlyArray<Item> }
  /** A list of exactly these texts, numbers or truth values. */
  | { readonly _tag: "Set"; readonly values: ReadonlyArray<unknown> }

interface Item {
  readonly values: ReadonlyArray<unknown>
  readonly form: Form
}

interface Known {
  readonly form: Form
  readonly hasStatus: boolean
  readonly fields: FieldSet.FieldSet
}

const whole: Form = { _tag: "Whole" }
const nothing: Form = { _tag: "Nothing" }
const plain: Form = { _tag: "Plain" }

/** So many forms are remembered for each kind, the ones that were seen last. */
const formsOfKind = 8

// Bounds of one form, in characters of names and keys, each of which counts as some more: what is larger is worked out each time.
const maxSize = 32 * 1024
const partSize = 16

/** Counts down while a form is made. */
interface Budget {
  left: number
}

/** Takes a part from what is left; false: the form is too large. */
const charge = (budget: Budget, characters: number): boolean => {
  budget.left -= partSize + characters
  return budget.left >= 0
}

const isKey = (value: unknown, budget: Budget): boolean =>
  (typeof value !== "object" || value === null) && charge(budget, typeof value === "string" ? value.length : 0)

const mapForm = (shape: TypedSchema.MapType, value: object, old: unknown, budget: Budget): Form | undefined => {
  if (!isObject(value)) return undefined
  const names: Array<string> = []
  const below: Array<Form> = []
  for (const name in value) {
    const child = TypedValue.childSchema(shape, name)
    const form = child === undefined ? whole : formOf(child, value[name], get(old, name), budget)
    if (form === undefined || !charge(budget, name.length)) return undefined
    names.push(name)
    below.push(form)
  }
  return { _tag: "Map", names, below }
}

const itemsForm = (shape: TypedSchema.ListType, list: ReadonlyArray<unknown>, budget: Budget): Form | undefined => {
  const items: Array<Item> = []
  for (const item of list) {
    if (!isObject(item) || PathElement.item(shape, item) === undefined) return undefined
    const values = shape.keys.map((key) => item[key])
    const form = values.every((key) => isKey(key, budget)) ? formOf(shape.item, item, undefined, budget) : undefined
    if (form === undefined) return undefined
    items.push({ values, form })
  }
  return { _tag: "Items", keys: shape.keys, items }
}

const listForm = (shape: TypedSchema.ListType, value: unknown, budget: Budget): Form | undefined => {
  if (!isArray(value)) return undefined
  if (shape.list === "map") return itemsForm(shape, value, budget)
  return value.every((item) => typeof item !== "object" && isKey(item, budget)) ? { _tag: "Set", values: [...value] } : undefined
}

const isAtomic = (shape: TypedSchema.MapType | TypedSchema.ListType): boolean => shape._tag === "Map" ? shape.atomic : shape.list === "atomic"

/** The form of a value where an object in which nothing was set has one too. */
const formBeside = (old: unknown, schema: TypedSchema.TypedSchema, value: unknown, budget: Budget): Form | undefined => {
  const shape = TypedValue.shapeOf(schema, value)
  if (shape._tag === "Scalar") return typeof old !== "object" && typeof value !== "object" && isKey(value, budget) ? { _tag: "Same", value } : undefined
  if (isAtomic(shape)) return undefined
  if (shape._tag === "Map") return isObject(old) && isObject(value) ? mapForm(shape, value, old, budget) : undefined
  return isArray(old) && old.length === 0 ? listForm(shape, value, budget) : undefined
}

/** The form of a value beside `old`, what an object has there in which nothing was set; undefined for one that is not remembered. */
const formOf = (schema: TypedSchema.TypedSchema, value: unknown, old: unknown, budget: Budget): Form | undefined => {
  if (value === undefined || !charge(budget, 0)) return undefined
  if (old !== undefined) return formBeside(old, schema, value, budget)
  const isUntyped = schema._tag === "Untyped"
  if (isUntyped && !schema.atomic && !isObject(value)) return plain
  const shape = TypedValue.shapeOf(schema, value)
  if (shape._tag === "Scalar" || isAtomic(shape)) return whole
  // What an untyped value without content is, only its type tells.
  if (!isUntyped && TypedValue.isNothing(value)) return nothing
  if (shape._tag === "List") return listForm(shape, value, budget)
  return isObject(value) ? mapForm(shape, value, undefined, budget) : undefined
}

const fits = (form: Form, value: unknown): boolean => {
  switch (form._tag) {
    case "Whole":
      return value !== undefined
    case "Map":
      return fitsMap(form.names, form.below, value)
    case "Items":
      return fitsItems(form.keys, form.items, value)
    case "Nothing":
      return value !== undefined && TypedValue.isNothing(value)
    case "Plain":
      return value !== undefined && !isObject(value)
    case "Same":
      return value === form.value
    case "Set":
      break
  }
  return isArray(value) && value.length === form.values.length && form.values.every((known, i) => known === value[i])
}

const fitsMap = (names: ReadonlyArray<string>, below: ReadonlyArray<Form>, value: unknown): boolean => {
  if (!isObject(value)) return false
  let at = 0
  for (const name in value) {
    const form = below[at]
    if (form === undefined || names[at] !== name || !fits(form, value[name])) return false
    at++
  }
  return at === names.length
}

const fitsItem = (keys: ReadonlyArray<string>, { form, values }: Item, value: unknown): boolean => {
  if (!isObject(value)) return false
  for (let i = 0; i < keys.length; i++) if (value[keys[i] ?? ""] !== values[i]) return false
  return fits(form, value)
}

const fitsItems = (keys: ReadonlyArray<string>, items: ReadonlyArray<Item>, value: unknown): boolean => {
  if (!isArray(value) || value.length !== items.length) return false
  for (let i = 0; i < items.length; i++) {
    const item = items[i]
    if (item === undefined || !fitsItem(keys, item, value[i])) return false
  }
  return true
}

const memories = new WeakMap<TypedSchema.KindSchema, Array<Known>>()
const texts = new WeakMap<FieldSet.FieldSet, string>()

const memoryOf = (schema: TypedSchema.KindSchema): Array<Known> => {
  const known = memories.get(schema)
  if (known !== undefined) return known
  const made: Array<Known> = []
  memories.set(schema, made)
  return made
}

/**
 * The fields of a new object. `work` finds them out when no object of this form was seen lately; they must follow from the schema, the
 * object's form and `hasStatus` alone.
 *
 * @category constructors
 */
export const of = (
  schema: TypedSchema.KindSchema,
  object: unknown,
  hasStatus: boolean,
  work: () => FieldSet.FieldSet
): FieldSet.FieldSet => {
  const memory = memoryOf(schema)
  for (let i = 0; i < memory.length; i++) {
    const known = memory[i]
    if (known === undefined || known.hasStatus !== hasStatus || !fits(known.form, object)) continue
    if (i > 0) {
      memory.splice(i, 1)
      memory.unshift(known)
    }
    return known.fields
  }
  const fields = work()
  const form = schema.root._tag === "Map" ? formOf(schema.root, object, schema.empty, { left: maxSize }) : undefined
  if (form === undefined) return fields
  if (memory.length >= formsOfKind) memory.pop()
  memory.unshift({ form, hasStatus, fields })
  texts.set(fields, JSON.stringify(fields))
  return fields
}

/** The JSON of a set that several objects share; undefined for any other. @category combinators */
export const sharedText = (fields: unknown): string | undefined => isObject(fields) ? texts.get(FieldSet.trusted(fields)) : undefined
