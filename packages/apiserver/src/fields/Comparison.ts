/** Which fields a write changed. Plain functions: every write passes here. */
import { equals, get, isObject } from "../internal/jsonValue.js"
import * as FieldSet from "./FieldSet.js"
import * as PathElement from "./PathElement.js"
import * as TypedSchema from "./TypedSchema.js"
import * as TypedValue from "./TypedValue.js"

/** @category models */
export interface Comparison {
  /** Fields that are new or have another value. */
  readonly changed: FieldSet.FieldSet
  /** Fields that are gone. */
  readonly removed: FieldSet.FieldSet
}

interface Difference {
  changed: FieldSet.FieldSet | undefined
  removed: FieldSet.FieldSet | undefined
}

/** Every path of a value that was not there before, the value itself included. */
const whole = (schema: TypedSchema.TypedSchema, value: unknown): FieldSet.FieldSet => {
  const shape = TypedValue.shapeOf(schema, value)
  if (shape._tag === "Scalar" || TypedValue.isNothing(value)) return FieldSet.empty
  const set: FieldSet.Builder = { [FieldSet.self]: FieldSet.empty }
  if (shape._tag === "Map") {
    if (shape.atomic || !isObject(value)) return FieldSet.empty
    const names = Object.keys(value)
    // In the order in which sets are written, so that they need not be made again.
    FieldSet.order(names)
    for (const name of names) {
      const child = value[name] === undefined ? undefined : TypedValue.childSchema(shape, name)
      if (child !== undefined) set[PathElement.field(name)] = whole(child, value[name])
    }
    return set
  }
  if (shape.list === "atomic") return FieldSet.empty
  for (const item of TypedValue.listOf(value)) {
    const element = PathElement.item(shape, item)
    // What several items share belongs to none of them.
    if (element !== undefined) set[element] = element in set ? FieldSet.empty : whole(shape.item, item)
  }
  return set
}

const nothing: Difference = { changed: undefined, removed: undefined }
const leafChanged: Difference = { changed: FieldSet.empty, removed: undefined }

/** Collects what the parts of a value have to say. */
class Parts {
  private changed: FieldSet.Builder | undefined
  private removed: FieldSet.Builder | undefined

  add(element: string, { changed, removed }: Difference): void {
    if (changed !== undefined) (this.changed ??= {})[element] = changed
    if (removed !== undefined) (this.removed ??= {})[element] = removed
  }

  get result(): Difference {
    return this.changed === undefined && this.removed === undefined ? nothing : { changed: this.changed, removed: this.removed }
  }
}

const compareMaps = (shape: TypedSchema.MapType, old: unknown, next: unknown): Difference => {
  const parts = new Parts()
  const before = TypedValue.mapOf(old) ?? {}
  const after = TypedValue.mapOf(next) ?? {}
  for (const name in after) {
    const left = get(before, name)
    const right = after[name]
    if (left === right) continue
    const child = TypedValue.childSchema(shape, name)
    if (child !== undefined) parts.add(`f:${name}`, compareValues(child, left, right))
  }
  for (const name in before) {
    if (get(after, name) !== undefined || before[name] === undefined) continue
    const child = TypedValue.childSchema(shape, name)
    if (child !== undefined) parts.add(`f:${name}`, compareValues(child, before[name], undefined))
  }
  return parts.result
}

// Items that share their keys are owned together, as one value.
const compareSeveral = (shape: TypedSchema.ListType, element: string, old: unknown, next: unknown): Difference => {
  const sharing = (items: unknown) => TypedValue.listOf(items).filter((item) => PathElement.item(shape, item) === element)
  const before = sharing(old)
  const after = sharing(next)
  const [first] = before
  const [only] = after
  if (before.length > 1 && after.length > 1) return equals(before, after) ? nothing : leafChanged
  if (before.length > 1) return { changed: after.length === 0 ? undefined : whole(shape.item, only), removed: FieldSet.empty }
  return { changed: FieldSet.empty, removed: before.length === 0 ? undefined : whole(shape.item, first) }
}

const compareLists = (shape: TypedSchema.ListType, old: unknown, next: unknown): Difference => {
  const parts = new Parts()
  const before = TypedValue.indexOf(shape, TypedValue.listOf(old))
  const after = TypedValue.indexOf(shape, TypedValue.listOf(next))
  const visit = (element: string, left: unknown, right: unknown) => {
    const isSeveral = left === TypedValue.several || right === TypedValue.several
    parts.add(element, isSeveral ? compareSeveral(shape, element, old, next) : compareValues(shape.item, left, right))
  }
  for (const [element, item] of after) visit(element, before.get(element), item)
  for (const [element, item] of before) if (!after.has(element)) visit(element, item, undefined)
  return parts.result
}

/** Differences below a part; `undefined` stands for a value that is not there. */
const compareValues = (schema: TypedSchema.TypedSchema, old: unknown, next: unknown): Difference => {
  if (old === next) return nothing
  if (old === undefined) return { changed: whole(schema, next), removed: undefined }
  if (next === undefined) return { changed: undefined, removed: whole(schema, old) }
  const shape = TypedValue.shapeOf(schema, next ?? old)
  const before = TypedValue.shapeOf(schema, old ?? next)
  if (before._tag !== shape._tag) {
    const gone = whole(schema, old)
    const { [FieldSet.self]: _, ...below } = gone
    return { changed: FieldSet.empty, removed: FieldSet.isEmpty(below) ? undefined : below }
  }
  const isLeaf = shape._tag === "Scalar" || (shape._tag === "Map" ? shape.atomic : shape.list === "atomic") ||
    (TypedValue.isNothing(old) && TypedValue.isNothing(next))
  if (isLeaf) return equals(old, next) ? nothing : leafChanged
  return shape._tag === "Map" ? compareMaps(shape, old, next) : compareLists(shape, old, next)
}

/** The fields in which two objects differ. @category constructors */
export const compare = (
  schema: TypedSchema.TypedSchema,
  old: unknown,
  next: unknown
): Comparison => {
  const { changed = FieldSet.empty, removed = FieldSet.empty } = schema._tag === "Map"
    ? compareMaps(schema, old, next)
    : compareValues(TypedSchema.deduced, old, next)
  return { changed, removed }
}
