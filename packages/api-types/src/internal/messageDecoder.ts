/**
 * Decoders compiled from the field tables: one closure per message, made once, so that decoding an object walks prepared code instead of
 * the tables.
 */
import * as Schema from "../Schema.js"
import type { DecodeContext } from "./goValue.js"
import { mismatch } from "./goValue.js"
import type { Decoder } from "./scalarDecoders.js"
import { resourceAmount, scalars, string } from "./scalarDecoders.js"
import { branchOf, unions } from "./schemaUnions.js"

type JsonObject = Readonly<Record<string, unknown>>

/** What Go writes for a field that was not given: nothing, or the zero value of its type. */
type Zero = (() => unknown) | undefined

interface CompiledType {
  readonly decode: Decoder
  /** The value of a null element of a list or map. */
  readonly zero: () => unknown
  readonly go: string
  readonly isEmpty: (value: unknown) => boolean
}

interface CompiledField {
  readonly name: string
  readonly decode: Decoder
  readonly zero: Zero
  /** Set for fields that Go leaves out when they hold nothing. */
  readonly isEmpty: ((value: unknown) => boolean) | undefined
}

const isJsonObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value)

const goNameOf = (definition: string): string => Schema.tables[definition]?.go ?? definition

const never = (): boolean => false
const nothing: ReadonlyArray<unknown> = []

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0
const isEmptyMap = (value: unknown): boolean => {
  if (!isJsonObject(value)) return false
  for (const _ in value) return false
  return true
}

const put = (target: Record<string, unknown>, key: string, value: unknown): void => {
  // Assigning this key would change the prototype of the object instead of adding an entry.
  if (key === "__proto__") Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  else target[key] = value
}

/** Whether a value is the very same part of an object that has been decoded before, so that nothing in it needs another look. */
const isKnown = (value: unknown, known: unknown): boolean => value === known && typeof value === "object"

const listOf = (item: CompiledType): CompiledType => {
  const go = `[]${item.go}`
  return {
    go,
    zero: () => [],
    isEmpty: isEmptyList,
    decode: (value, context, known) => {
      if (!Array.isArray(value)) throw mismatch(value, go, context)
      const before: ReadonlyArray<unknown> = Array.isArray(known) ? known : nothing
      const decoded: Array<unknown> = []
      for (let i = 0; i < value.length; i++) {
        const element: unknown = value[i]
        const other = i < before.length ? before[i] : undefined
        decoded.push(element === null ? item.zero() : isKnown(element, other) ? element : item.decode(element, context, other))
      }
      return decoded
    }
  }
}

const mapOf = (element: CompiledType): CompiledType => {
  const isResourceList = element.go === "resource.Quantity"
  const item = isResourceList ? { ...element, decode: resourceAmount } : element
  const go = isResourceList ? "v1.ResourceList" : `map[string]${item.go}`
  return {
    go,
    zero: () => ({}),
    isEmpty: isEmptyMap,
    decode: (value, context, known) => {
      if (!isJsonObject(value)) throw mismatch(value, go, context)
      const before = isJsonObject(known) ? known : undefined
      const decoded: Record<string, unknown> = {}
      for (const key of Object.keys(value)) {
        const given = value[key]
        const other = before?.[key]
        put(decoded, key, given === null ? item.zero() : isKnown(given, other) ? given : item.decode(given, context, other))
      }
      return decoded
    }
  }
}

const scalarZeros: Readonly<Record<string, unknown>> = {
  string: "",
  int32: 0,
  int64: 0,
  double: 0,
  bool: false,
  bytes: "",
  duration: "0s",
  quantity: "0",
  intOrString: 0
}

const scalarOf = (type: string, enumeration: string | undefined): CompiledType | undefined => {
  const scalar = scalars[type]
  if (scalar === undefined) return undefined
  const zero = scalarZeros[type]
  const go = enumeration === undefined ? scalar.go : `v1.${enumeration.slice(enumeration.lastIndexOf(".") + 1)}`
  return {
    go,
    zero: () => zero ?? null,
    isEmpty: zero === undefined || type === "quantity" || type === "intOrString" ? never : (value) => value === zero,
    decode: enumeration === undefined ? scalar.decode : string(go)
  }
}

const messages = new Map<string, CompiledType>()

/** The decoder of a message; compiled at its first use, because messages refer to each other in circles. */
export const messageOf = (definition: string): CompiledType => {
  const known = messages.get(definition)
  if (known !== undefined) return known
  const struct = goNameOf(definition).replace(/^.*\./, "")
  let fields: ReadonlyArray<CompiledField> | undefined
  const prepared = (): ReadonlyArray<CompiledField> => (fields ??= Array.from(Schema.fieldsOf(definition), compileField))
  const compiled: CompiledType = {
    go: goNameOf(definition),
    isEmpty: never,
    zero: () => zeroMessage(prepared()),
    decode: (value, context, known) => decodeMessage(value, prepared(), compiled.go, struct, context, known)
  }
  messages.set(definition, compiled)
  return compiled
}

const unionOf = (type: string): CompiledType => ({
  go: `*v1.JSONSchemaProps${type.slice("schema".length)}`,
  zero: () => null,
  isEmpty: never,
  decode: (value, context, known) => typeOf(branchOf(type, value), undefined).decode(value, context, known)
})

const typeOf = (type: string, enumeration: string | undefined): CompiledType => {
  if (type.startsWith("[]")) return listOf(typeOf(type.slice(2), enumeration))
  if (type.startsWith("{}")) return mapOf(typeOf(type.slice(2), enumeration))
  if (Object.hasOwn(unions, type)) return unionOf(type)
  return scalarOf(type, enumeration) ?? messageOf(type)
}

const isMessage = (type: string): boolean => Schema.tables[type] !== undefined

const compileField = ([name, field]: readonly [string, Schema.Field]): CompiledField => {
  const compiled = typeOf(field.type, field.enum)
  const hasZero = field.type !== "time" && field.type !== "microTime" && field.type !== "raw"
  // Go's structs have no empty form, so `omitempty` leaves out neither messages nor quantities.
  const isStruct = isMessage(field.type) || field.type === "quantity" || field.type === "intOrString"
  const filled = field.pointer !== true && hasZero && (field.always === true || isStruct)
  return {
    name,
    decode: compiled.decode,
    zero: filled ? compiled.zero : undefined,
    isEmpty: field.pointer === true || field.always === true ? undefined : compiled.isEmpty === never ? undefined : compiled.isEmpty
  }
}

const zeroMessage = (fields: ReadonlyArray<CompiledField>): Record<string, unknown> => {
  const result: Record<string, unknown> = {}
  for (const { name, zero } of fields) if (zero !== undefined) result[name] = zero()
  return result
}

const decodeMessage = (
  value: unknown,
  fields: ReadonlyArray<CompiledField>,
  go: string,
  struct: string,
  context: DecodeContext,
  known: unknown
): Record<string, unknown> => {
  if (!isJsonObject(value)) throw mismatch(value, go, context)
  const before = isJsonObject(known) ? known : undefined
  const result: Record<string, unknown> = {}
  let remaining = 0
  for (const _ in value) remaining++
  context.structs.push(struct)
  for (const { decode, isEmpty, name, zero } of fields) {
    const given = value[name]
    if (given !== undefined) remaining--
    if (given === undefined || given === null) {
      if (zero !== undefined) result[name] = zero()
      continue
    }
    const other = before?.[name]
    let decoded: unknown = given
    if (!isKnown(given, other)) {
      context.fields.push(name)
      decoded = decode(given, context, other)
      context.fields.pop()
    }
    if (isEmpty === undefined || !isEmpty(decoded)) result[name] = decoded
  }
  context.structs.pop()
  if (remaining > 0) context.hasUnknown = true
  return result
}
