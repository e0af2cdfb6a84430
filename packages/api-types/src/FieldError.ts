/** One problem of a field, with the reasons and wording of Kubernetes' validation. */

/** Reason in `status.details.causes`. @category models */
export type FieldErrorReason =
  | "FieldValueRequired"
  | "FieldValueInvalid"
  | "FieldValueNotSupported"
  | "FieldValueDuplicate"
  | "FieldValueForbidden"
  | "FieldValueTooLong"
  | "FieldValueTooMany"
  | "FieldValueNotFound"
  | "FieldValueTypeInvalid"
  | "InternalError"

/** `message` is the text after the path, such as `Required value` or `Invalid value: "x": must be ...`. @category models */
export interface FieldError {
  readonly path: string
  readonly reason: FieldErrorReason
  readonly message: string
}

const withDetail = (head: string, detail: string): string => (detail === "" ? head : `${head}: ${detail}`)

/** A value as the messages show it: strings quoted, scalars bare, everything else as JSON. */
const shown = (value: unknown): string => (value === undefined ? "null" : JSON.stringify(value))

/** A value is missing or empty. @category constructors */
export const required = (path: string, detail = ""): FieldError => ({
  path,
  reason: "FieldValueRequired",
  message: withDetail("Required value", detail)
})

/** A value is malformed or out of bounds; `detail` says which rule it breaks. @category constructors */
export const invalid = (path: string, value: unknown, detail: string): FieldError => ({
  path,
  reason: "FieldValueInvalid",
  message: withDetail(`Invalid value: ${shown(value)}`, detail)
})

/** A value is not a member of an enumeration. @category constructors */
export const notSupported = (path: string, value: unknown, supported: ReadonlyArray<string>): FieldError => ({
  path,
  reason: "FieldValueNotSupported",
  message: withDetail(
    `Unsupported value: ${shown(value)}`,
    supported.length === 0 ? "" : `supported values: ${supported.map((each) => JSON.stringify(each)).join(", ")}`
  )
})

/** A value that must be unique occurs twice. @category constructors */
export const duplicate = (path: string, value: unknown): FieldError => ({
  path,
  reason: "FieldValueDuplicate",
  message: `Duplicate value: ${shown(value)}`
})

/** A well-formed value is not allowed here. @category constructors */
export const forbidden = (path: string, detail: string): FieldError => ({
  path,
  reason: "FieldValueForbidden",
  message: withDetail("Forbidden", detail)
})

/** A value has more than `maximum` bytes. @category constructors */
export const tooLong = (path: string, maximum: number): FieldError => ({
  path,
  reason: "FieldValueTooLong",
  message: `Too long: may not be more than ${maximum} ${maximum === 1 ? "byte" : "bytes"}`
})

/** A list has more than `maximum` items. @category constructors */
export const tooMany = (path: string, actual: number, maximum: number): FieldError => ({
  path,
  reason: "FieldValueTooMany",
  message: `Too many: ${actual}: must have at most ${maximum} ${maximum === 1 ? "item" : "items"}`
})

/** A value refers to something that does not exist. @category constructors */
export const notFound = (path: string, value: unknown): FieldError => ({
  path,
  reason: "FieldValueNotFound",
  message: `Not found: ${shown(value)}`
})

/**
 * No problems. Rules give this one list about everything valid and leave the paths to `at`, `each` and `among`, which build them only for
 * problems: so validating a valid object, which nearly all objects are, allocates next to nothing.
 *
 * @category constructors
 */
export const none: ReadonlyArray<FieldError> = []

/** One `Invalid value` for each text, as the rules of `Names` give them. @category constructors */
export const invalidEach = (path: string, value: unknown, details: ReadonlyArray<string>): ReadonlyArray<FieldError> =>
  details.length === 0 ? none : details.map((detail) => invalid(path, value, detail))

/** The problems that several rules found, in the order of the rules. @category combinators */
export const all = (...found: ReadonlyArray<ReadonlyArray<FieldError>>): ReadonlyArray<FieldError> => {
  let joined = none
  for (const errors of found) {
    if (errors.length > 0) joined = joined.length === 0 ? errors : [...joined, ...errors]
  }
  return joined
}

/**
 * Problems of a part, whose paths begin there, as problems of the whole. The part is a field with its dot (`.name`) or the index of an item.
 *
 * @category combinators
 */
export const at = (part: string | number, errors: ReadonlyArray<FieldError>): ReadonlyArray<FieldError> => {
  if (errors.length === 0) return none
  const prefix = typeof part === "number" ? `[${part}]` : part
  return errors.map((error) => ({ ...error, path: `${prefix}${error.path}` }))
}

/** Problems of the value under a key of a map. @category combinators */
export const atKey = (key: string, errors: ReadonlyArray<FieldError>): ReadonlyArray<FieldError> =>
  errors.length === 0 ? none : at(`[${key}]`, errors)

type ItemRule<A> = (item: A, index: number) => ReadonlyArray<FieldError>

const collect = <A>(items: ReadonlyArray<A> | undefined, check: ItemRule<A>, fromItem: boolean): ReadonlyArray<FieldError> => {
  if (items === undefined) return none
  let found: Array<FieldError> | undefined
  let index = 0
  for (const item of items) {
    const errors = check(item, index)
    if (errors.length > 0) {
      found ??= []
      for (const error of fromItem ? at(index, errors) : errors) found.push(error)
    }
    index++
  }
  return found ?? none
}

/** The problems of all items; `check` gives those of one item with paths that begin at the list. @category combinators */
export const among = <A>(items: ReadonlyArray<A> | undefined, check: ItemRule<A>): ReadonlyArray<FieldError> => collect(items, check, false)

/** The problems of all items; `check` gives those of one item with paths that begin at the item. @category combinators */
export const each = <A>(items: ReadonlyArray<A> | undefined, check: ItemRule<A>): ReadonlyArray<FieldError> => collect(items, check, true)

/** The problems of all entries of a map; `check` gives those of one entry with paths that begin at the map. @category combinators */
export const amongEntries = (
  map: Readonly<Record<string, string>> | undefined,
  check: (key: string, value: string) => ReadonlyArray<FieldError>
): ReadonlyArray<FieldError> => {
  let found: Array<FieldError> | undefined
  for (const key in map) {
    if (!Object.hasOwn(map, key)) continue
    const errors = check(key, map[key] ?? "")
    if (errors.length === 0) continue
    found ??= []
    for (const error of errors) found.push(error)
  }
  return found ?? none
}

/** The one-line form `path: message`. @category combinators */
export const format = (error: FieldError): string => `${error.path}: ${error.message}`

/** One line for several errors: alone as it is, otherwise `[a, b]`; repeated ones once. @category combinators */
export const formatAll = (errors: ReadonlyArray<FieldError>): string => {
  const lines = [...new Set(errors.map(format))]
  return lines.length === 1 ? (lines[0] ?? "") : `[${lines.join(", ")}]`
}
