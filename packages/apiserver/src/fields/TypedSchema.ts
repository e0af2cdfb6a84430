/**
 * How the values of an object merge and who can own which part of them: the view of a schema that server-side apply and
 * managed fields need. Built-in kinds have theirs from the field tables, custom resources from their OpenAPI schemas.
 */
import type { Kind } from "@reddwarf/api-types"

/** A value that is replaced as a whole. @category models */
export interface Scalar {
  readonly _tag: "Scalar"
}

/** An object: one with declared fields, a map from names to values of one type, or both. @category models */
export interface MapType {
  readonly _tag: "Map"
  /** Replaced and owned as a whole. */
  readonly atomic: boolean
  /** The type of a declared field; undefined for a name that is not declared. */
  readonly field: (name: string) => TypedSchema | undefined
  /** The type of values under any other name; undefined when there may be none. */
  readonly element: TypedSchema | undefined
}

/** A list. @category models */
export interface ListType {
  readonly _tag: "List"
  /** `atomic`: replaced as a whole; `set`: scalars that occur once; `map`: objects told apart by `keys`. */
  readonly list: "atomic" | "set" | "map"
  readonly item: TypedSchema
  /** The fields that tell items of a `map` apart; empty for the others. */
  readonly keys: ReadonlyArray<string>
  /** What a key field that an item leaves out stands for. */
  readonly keyDefaults: Readonly<Record<string, unknown>>
}

/** Any JSON value; lists in it are atomic. @category models */
export interface Untyped {
  readonly _tag: "Untyped"
  /** Whether objects in it are owned as a whole too, or field by field. */
  readonly atomic: boolean
}

/** The type of a value. @category models */
export type TypedSchema = Scalar | MapType | ListType | Untyped

/** The root type of a kind, with the object that a writer of a new one starts from. @category models */
export interface KindSchema {
  readonly root: TypedSchema
  /** An object of the kind in which nothing has been set. Fields that are there without anyone having set them are part of it. */
  readonly empty: Readonly<Record<string, unknown>>
}

/** @category constructors */
export const scalar: TypedSchema = { _tag: "Scalar" }

/** Any value, owned as a whole. @category constructors */
export const atomic: TypedSchema = { _tag: "Untyped", atomic: true }

/** Any value, owned field by field: what `x-kubernetes-preserve-unknown-fields` stands for. @category constructors */
export const deduced: TypedSchema = { _tag: "Untyped", atomic: false }

/** An object with declared fields. @category constructors */
export const struct = (
  fields: ReadonlyMap<string, TypedSchema>,
  options: { readonly atomic?: boolean; readonly element?: TypedSchema } = {}
): TypedSchema => ({
  _tag: "Map",
  atomic: options.atomic ?? false,
  field: (name) => fields.get(name),
  element: options.element
})

const noField = (): undefined => undefined

/** An object whose values are all of one type. @category constructors */
export const mapOf = (element: TypedSchema, isAtomic = false): TypedSchema => ({
  _tag: "Map",
  atomic: isAtomic,
  field: noField,
  element
})

/** @category constructors */
export const atomicList = (item: TypedSchema): TypedSchema => ({
  _tag: "List",
  list: "atomic",
  item,
  keys: [],
  keyDefaults: {}
})

/** @category constructors */
export const setOf = (item: TypedSchema): TypedSchema => ({ _tag: "List", list: "set", item, keys: [], keyDefaults: {} })

/** A list of objects told apart by `keys`. @category constructors */
export const keyedList = (
  item: TypedSchema,
  keys: ReadonlyArray<string>,
  keyDefaults: Readonly<Record<string, unknown>> = {}
): TypedSchema => ({ _tag: "List", list: "map", item, keys: [...keys].sort(), keyDefaults })

const provided = new WeakMap<Kind.Kind, KindSchema>()

/** Says how the objects of a kind are typed that has no field tables. @category combinators */
export const provide = (kind: Kind.Kind, schema: KindSchema): void => {
  provided.set(kind, schema)
}

/** What was provided for a kind. @category combinators */
export const providedFor = (kind: Kind.Kind): KindSchema | undefined => provided.get(kind)
