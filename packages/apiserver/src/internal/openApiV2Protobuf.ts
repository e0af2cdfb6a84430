/** An OpenAPI v2 document in the protobuf form that old clients ask for (package `openapi.v2`); only the parts that occur here. */
import { get, isArray, isObject } from "./jsonValue.js"

const encoder = new TextEncoder()

const varint = (value: number): ReadonlyArray<number> => {
  const bytes: Array<number> = []
  let rest = value
  while (rest > 0x7f) {
    bytes.push(rest & 0x7f | 0x80)
    rest >>>= 7
  }
  return [...bytes, rest]
}

/** A length-delimited field. */
const message = (field: number, ...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const content = Buffer.concat(parts)
  return Buffer.concat([Uint8Array.from([...varint(field << 3 | 2), ...varint(content.length)]), content])
}

const nothing = new Uint8Array(0)

const text = (field: number, value: unknown): Uint8Array =>
  typeof value === "string" && value !== "" ? message(field, encoder.encode(value)) : nothing

const texts = (field: number, values: unknown): ReadonlyArray<Uint8Array> =>
  isArray(values) ? values.map((value) => text(field, value)) : []

const flag = (field: number, value: unknown): Uint8Array =>
  value === true ? Uint8Array.from([...varint(field << 3), 1]) : nothing

const entries = (object: unknown): ReadonlyArray<readonly [string, unknown]> => Object.entries(isObject(object) ? object : {})

/** `NamedX`: a name and a value. */
const named = (field: number, name: string, value: Uint8Array): Uint8Array => message(field, text(1, name), message(2, value))

/** Extensions are `Any` with a YAML text; JSON is YAML. */
const extensions = (field: number, object: unknown): ReadonlyArray<Uint8Array> =>
  entries(object)
    .filter(([name]) => name.startsWith("x-"))
    .map(([name, value]) => named(field, name, text(2, `${JSON.stringify(value)}\n`)))

const schema = (value: unknown): Uint8Array => {
  const items = get(value, "items")
  const additional = get(value, "additionalProperties")
  const properties = get(value, "properties")
  const type = get(value, "type")
  return Buffer.concat([
    text(1, get(value, "$ref")),
    text(2, get(value, "format")),
    text(4, get(value, "description")),
    ...texts(19, get(value, "required")),
    ...(additional === undefined ? [] : [message(21, message(1, schema(additional)))]),
    ...(type === undefined ? [] : [message(22, text(1, type))]),
    ...(items === undefined ? [] : [message(23, message(1, schema(items)))]),
    ...(properties === undefined
      ? []
      : [message(25, ...entries(properties).map(([name, property]) => named(1, name, schema(property))))]),
    ...extensions(31, value)
  ])
}

const parameter = (value: unknown): Uint8Array => {
  const name = get(value, "name")
  const required = get(value, "required")
  switch (get(value, "in")) {
    case "body":
      return message(1, text(2, name), text(3, "body"), flag(4, required), message(5, schema(get(value, "schema"))))
    case "path":
      return message(2, message(4, flag(1, required), text(2, "path"), text(4, name), text(5, get(value, "type")), flag(19, get(value, "uniqueItems"))))
    default:
      return message(2, message(3, flag(1, required), text(2, "query"), text(4, name), text(6, get(value, "type")), flag(20, get(value, "uniqueItems"))))
  }
}

const parameters = (field: number, values: unknown): ReadonlyArray<Uint8Array> =>
  isArray(values) ? values.map((value) => message(field, message(1, parameter(value)))) : []

const response = (value: unknown): Uint8Array => {
  const shown = get(value, "schema")
  return message(
    1,
    text(1, get(value, "description")),
    ...(shown === undefined ? [] : [message(2, message(1, schema(shown)))])
  )
}

const operation = (field: number, value: unknown): Uint8Array =>
  value === undefined ? nothing : message(
    field,
    ...texts(1, get(value, "tags")),
    text(5, get(value, "operationId")),
    ...texts(6, get(value, "produces")),
    ...texts(7, get(value, "consumes")),
    ...parameters(8, get(value, "parameters")),
    message(9, ...entries(get(value, "responses")).map(([code, found]) => named(1, code, response(found)))),
    ...extensions(13, value)
  )

const pathItem = (value: unknown): Uint8Array =>
  Buffer.concat([
    operation(2, get(value, "get")),
    operation(3, get(value, "put")),
    operation(4, get(value, "post")),
    operation(5, get(value, "delete")),
    operation(8, get(value, "patch")),
    ...parameters(9, get(value, "parameters"))
  ])

/** Paths and definitions stay the same values from one document to the next, so each is encoded once. */
const once = (encode: (value: unknown) => Uint8Array) => {
  const known = new WeakMap<object, Uint8Array>()
  return (value: unknown): Uint8Array => {
    if (!isObject(value)) return encode(value)
    const found = known.get(value) ?? encode(value)
    known.set(value, found)
    return found
  }
}

const pathItemOnce = once(pathItem)
const definitionOnce = once(schema)

/** The bytes of a document. */
export const encode = (document: unknown): Uint8Array =>
  Buffer.concat([
    text(1, get(document, "swagger")),
    message(2, text(1, get(get(document, "info"), "title")), text(2, get(get(document, "info"), "version"))),
    message(8, ...entries(get(document, "paths")).map(([path, item]) => named(2, path, pathItemOnce(item)))),
    message(9, ...entries(get(document, "definitions")).map(([name, found]) => named(1, name, definitionOnce(found))))
  ])
