/**
 * Reads Kubernetes' protobuf bodies as the JSON values they stand for. Clients send them for several `kubectl create` commands and cannot
 * be told not to. Answers are never written in protobuf.
 */
import * as Either from "effect/Either"
import { encodeBytes } from "./internal/base64.js"
import { schemaDefinition, unions } from "./internal/schemaUnions.js"
import type { WireType } from "./internal/wire.js"
import { textOf, WireProblem, WireReader } from "./internal/wire.js"
import type { Field } from "./Schema.js"
import { tables } from "./Schema.js"
import * as Status from "./Status.js"
import * as Timestamp from "./Timestamp.js"

type Json = Record<string, unknown>

const magic = [0x6b, 0x38, 0x73, 0x00]

/** How deep messages may be nested; the types themselves need less than 20. */
const maximumDepth = 100

/** One field of a message by its number. An inlined message has no name: its fields go to the level above. */
interface WireField {
  readonly name: string | undefined
  readonly field: Field
}

const numbered = new Map<string, ReadonlyMap<number, WireField>>()

const fieldsByNumber = (definition: string): ReadonlyMap<number, WireField> => {
  const known = numbered.get(definition)
  if (known !== undefined) return known
  const message = tables[definition]
  const fields = new Map<number, WireField>()
  for (const [name, field] of Object.entries(message?.fields ?? {})) {
    if (field.number !== undefined) fields.set(field.number, { name, field })
  }
  for (const { number, type } of message?.inline ?? []) if (number !== undefined) fields.set(number, { name: undefined, field: { type } })
  numbered.set(definition, fields)
  return fields
}

const readTime = (bytes: Uint8Array): Timestamp.Instant | undefined => {
  const reader = new WireReader(bytes)
  let seconds = 0
  let nanos = 0
  let present = false
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    present = true
    if (next.field === 1 && next.wire === 0) seconds = Number(reader.varint())
    else if (next.field === 2 && next.wire === 0) nanos = Number(reader.varint())
    else reader.skip(next.wire)
  }
  // Go writes its zero time as no fields, or as both zero.
  return present && (seconds !== 0 || nanos !== 0) ? { seconds, nanos } : undefined
}

/** The single text or bytes field of a message such as Quantity or RawExtension. */
const readOnlyField = (bytes: Uint8Array): Uint8Array | undefined => {
  const reader = new WireReader(bytes)
  let found: Uint8Array | undefined
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    if (next.field === 1 && next.wire === 2) found = reader.delimited()
    else reader.skip(next.wire)
  }
  return found
}

const readIntOrString = (bytes: Uint8Array): number | string => {
  const reader = new WireReader(bytes)
  let isText = false
  let number = 0
  let text = ""
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    if (next.field === 1 && next.wire === 0) isText = reader.varint() === 1n
    else if (next.field === 2 && next.wire === 0) number = Number(BigInt.asIntN(32, reader.varint()))
    else if (next.field === 3 && next.wire === 2) text = textOf(reader.delimited())
    else reader.skip(next.wire)
  }
  return isText ? text : number
}

const readEmbeddedJson = (bytes: Uint8Array): unknown => {
  const content = readOnlyField(bytes)
  if (content === undefined || content.length === 0) return undefined
  try {
    const value: unknown = JSON.parse(textOf(content))
    return value
  } catch (problem) {
    if (problem instanceof WireProblem) throw problem
    throw new WireProblem("the embedded JSON is malformed")
  }
}

const expectWire = (type: string, wire: WireType, expected: WireType): void => {
  if (wire !== expected) throw new WireProblem(`proto: wrong wireType = ${wire} for field of type ${type}`)
}

/** A schema field of two forms: whichever of them the message holds. */
const readUnion = (type: string, bytes: Uint8Array, depth: number): unknown => {
  const union = unions[type]
  const reader = new WireReader(bytes)
  const item = union?.other.replace(/^\[\]/, "") ?? ""
  const others: Array<unknown> = []
  let schema: unknown
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    if (next.field === union?.schemaNumber) schema = readValue(schemaDefinition, next.wire, reader, depth)
    else if (next.field === union?.otherNumber) others.push(readValue(item, next.wire, reader, depth))
    else reader.skip(next.wire)
  }
  return schema ?? (union?.other === item ? others.at(-1) : others)
}

/** A list that is a message of its own, as the values of a map are: its items are field 1. */
const readList = (itemType: string, bytes: Uint8Array, depth: number): ReadonlyArray<unknown> => {
  const reader = new WireReader(bytes)
  const items: Array<unknown> = []
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    if (next.field === 1) items.push(readValue(itemType, next.wire, reader, depth))
    else reader.skip(next.wire)
  }
  return items
}

const readDelimited = (type: string, bytes: Uint8Array, depth: number): unknown => {
  switch (type) {
    case "string":
      return textOf(bytes)
    case "bytes":
      return encodeBytes(bytes)
    case "time":
    case "microTime": {
      const instant = readTime(bytes)
      if (instant === undefined) return undefined
      return type === "time" ? Timestamp.formatSeconds(instant) : Timestamp.formatMicros(instant)
    }
    case "quantity": {
      const content = readOnlyField(bytes)
      return content === undefined ? "0" : textOf(content)
    }
    case "intOrString":
      return readIntOrString(bytes)
    case "raw":
      return readEmbeddedJson(bytes)
    case "schemaOrArray":
    case "schemaOrBool":
    case "schemaOrStrings":
      return readUnion(type, bytes, depth + 1)
    default:
      if (type.startsWith("[]")) return readList(type.slice(2), bytes, depth + 1)
      if (tables[type] === undefined) throw new WireProblem(`the type ${type} has no protobuf form`)
      return readMessage(type, bytes, depth + 1)
  }
}

const readValue = (type: string, wire: WireType, reader: WireReader, depth: number): unknown => {
  switch (type) {
    case "int32":
      expectWire(type, wire, 0)
      return Number(BigInt.asIntN(32, reader.varint()))
    case "int64":
      expectWire(type, wire, 0)
      return Number(reader.varint())
    case "bool":
      expectWire(type, wire, 0)
      return reader.varint() !== 0n
    case "double":
      expectWire(type, wire, 1)
      return reader.double()
    default:
      expectWire(type, wire, 2)
      return readDelimited(type, reader.delimited(), depth)
  }
}

/** One entry of a map: key in field 1, value in field 2. */
const readEntry = (valueType: string, bytes: Uint8Array, depth: number): readonly [key: string, value: unknown] => {
  const reader = new WireReader(bytes)
  let key = ""
  let value: unknown = valueType === "string" || valueType === "bytes" ? "" : valueType === "quantity" ? "0" : {}
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    if (next.field === 1 && next.wire === 2) key = textOf(reader.delimited())
    else if (next.field === 2) value = readValue(valueType, next.wire, reader, depth)
    else reader.skip(next.wire)
  }
  return [key, value]
}

const put = (target: Json, key: string, value: unknown): void => {
  // Assigning "__proto__" would change the prototype of the object instead of adding an entry.
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
}

const objectAt = (target: Json, name: string): Json => {
  const existing = target[name]
  if (isJson(existing)) return existing
  const created: Json = {}
  target[name] = created
  return created
}

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

// Go writes empty scalars although they were not set; JSON leaves them out unless the field says otherwise.
const isUnset = (value: unknown, field: Field): boolean =>
  value === undefined || (field.pointer !== true && field.always !== true && (value === "" || value === 0 || value === false))

const readField = (target: Json, { field, name }: WireField, wire: WireType, reader: WireReader, depth: number): void => {
  const { type } = field
  if (name === undefined) {
    expectWire(type, wire, 2)
    Object.assign(target, readMessage(type, reader.delimited(), depth + 1))
  } else if (type.startsWith("[]")) {
    const list = target[name]
    const item = readValue(type.slice(2), wire, reader, depth)
    if (Array.isArray(list)) list.push(item)
    else target[name] = [item]
  } else if (type.startsWith("{}")) {
    expectWire(type, wire, 2)
    const [key, value] = readEntry(type.slice(2), reader.delimited(), depth)
    // Go's zero time is null in JSON; in a map its entry remains.
    put(objectAt(target, name), key, value ?? null)
  } else {
    const value = readValue(type, wire, reader, depth)
    if (!isUnset(value, field)) target[name] = value
  }
}

const readMessage = (definition: string, bytes: Uint8Array, depth: number): Json => {
  if (depth > maximumDepth) throw new WireProblem(`messages are nested more than ${maximumDepth} levels deep`)
  const fields = fieldsByNumber(definition)
  const reader = new WireReader(bytes)
  const target: Json = {}
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    const known = fields.get(next.field)
    if (known === undefined) reader.skip(next.wire)
    else readField(target, known, next.wire, reader, depth)
  }
  return target
}

interface Envelope {
  readonly apiVersion: string
  readonly kind: string
  readonly raw: Uint8Array
}

const readTypeMeta = (bytes: Uint8Array): { readonly apiVersion: string; readonly kind: string } => {
  const reader = new WireReader(bytes)
  let apiVersion = ""
  let kind = ""
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    if (next.field === 1 && next.wire === 2) apiVersion = textOf(reader.delimited())
    else if (next.field === 2 && next.wire === 2) kind = textOf(reader.delimited())
    else reader.skip(next.wire)
  }
  return { apiVersion, kind }
}

const readEnvelope = (bytes: Uint8Array): Envelope => {
  const reader = new WireReader(bytes)
  let typeMeta = { apiVersion: "", kind: "" }
  let raw = new Uint8Array()
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    if (next.field === 1 && next.wire === 2) typeMeta = readTypeMeta(reader.delimited())
    else if (next.field === 2 && next.wire === 2) raw = Uint8Array.from(reader.delimited())
    else reader.skip(next.wire)
  }
  return { ...typeMeta, raw }
}

const metaDefinition = "io.k8s.apimachinery.pkg.apis.meta.v1"

/** Definition name of a kind, if the tables have it: `v1`/`Pod` is `io.k8s.api.core.v1.Pod`. */
const definitionOf = (apiVersion: string, kind: string): string | undefined => {
  const slash = apiVersion.indexOf("/")
  const group = slash === -1 ? "core" : apiVersion.slice(0, slash).replace(/\..*$/, "")
  const version = apiVersion.slice(slash + 1)
  const extensions = schemaDefinition.slice(0, schemaDefinition.lastIndexOf("."))
  return [apiVersion === "apiextensions.k8s.io/v1" ? `${extensions}.${kind}` : `io.k8s.api.${group}.${version}.${kind}`, `${metaDefinition}.${kind}`].find((name) => Object.hasOwn(tables, name))
}

/** Whether a body is Kubernetes' protobuf, by its first four bytes. @category combinators */
export const isProtobuf = (bytes: Uint8Array): boolean => magic.every((byte, index) => bytes[index] === byte)

/**
 * The JSON value of a body, with `apiVersion` and `kind`; `ObjectCodec.decode` makes the canonical object of it. Fails with 400 when the
 * bytes are malformed or the kind is not a built-in one.
 *
 * @category combinators
 */
export const decode = (bytes: Uint8Array): Either.Either<unknown, Status.Status> => {
  if (!isProtobuf(bytes)) {
    return Either.left(Status.badRequest("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"))
  }
  try {
    const { apiVersion, kind, raw } = readEnvelope(bytes.subarray(magic.length))
    const definition = definitionOf(apiVersion, kind)
    if (definition === undefined) {
      const why = `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/api/legacyscheme/scheme.go:30"`
      return Either.left(Status.badRequest(why))
    }
    return Either.right({ kind, apiVersion, ...readMessage(definition, raw, 0) })
  } catch (problem) {
    if (problem instanceof WireProblem) return Either.left(Status.badRequest(problem.message))
    throw problem
  }
}
