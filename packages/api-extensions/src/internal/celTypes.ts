/** The types that a schema gives to the values of an expression, and the values themselves. */
import { Environment } from "@marcbachmann/cel-js"
import { Timestamp } from "@reddwarf/api-types"
import * as DateTime from "effect/DateTime"
import { additionalOf, isArray, isObject, itemsOf, type JsonSchema, preserves, propertiesOf } from "../JsonSchema.js"
import { make as makeEnvironment } from "./celEnvironment.js"
import { celEquals } from "./celFunctions.js"

/** A type of the language with the way from JSON to its values. */
export interface CelType {
  readonly name: string
  readonly toValue: (json: unknown) => unknown
}

/** A class for the objects of one schema. Each schema has its own, by which the library tells their types. */
const objectType = () => {
  class Value {
    /** No field of a schema is called so in an expression. */
    readonly "#object" = true
  }
  // A field that is not there must not be found because all objects have a method of its name.
  Object.setPrototypeOf(Value.prototype, null)
  return Value
}

/** By this property the library knows the type of an object, so no field can have it. */
const typeProperty = "constructor"

const keywords: ReadonlySet<string> = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(" ")
)

/** The name of a field in expressions; undefined for one that no expression can name. */
const escapeName = (name: string): string | undefined => {
  if (keywords.has(name)) return `__${name}__`
  if (name === typeProperty || !/^[a-zA-Z_][a-zA-Z0-9_.\-/]*$/.test(name)) return undefined
  return name.replaceAll("__", "__underscores__").replaceAll(".", "__dot__").replaceAll("-", "__dash__").replaceAll("/", "__slash__")
}

/** A JSON value without a schema. */
export const dynamic = (json: unknown): unknown => {
  if (typeof json === "number") return Number.isSafeInteger(json) ? BigInt(json) : json
  if (isArray(json)) return json.map(dynamic)
  return isObject(json) ? new Map(Object.entries(json).map(([key, value]) => [key, dynamic(value)])) : json
}

const dyn: CelType = { name: "dyn", toValue: dynamic }
const text: CelType = { name: "string", toValue: (json) => json }

const instant = (json: unknown): unknown => {
  const millis = typeof json === "string" ? Timestamp.parse(json.length === 10 ? `${json}T00:00:00Z` : json) : undefined
  return millis === undefined ? json : DateTime.toDateUtc(DateTime.unsafeMake(Timestamp.formatSeconds(millis)))
}

const makeDurations = () => new Environment().registerVariable("text", "string").parse("duration(text)")

let durations: ReturnType<typeof makeDurations> | undefined

const durationOf = (json: unknown): unknown => {
  try {
    return (durations ??= makeDurations())({ text: json })
  } catch {
    return json
  }
}

const bytesOf = (json: unknown): unknown => typeof json === "string" ? new Uint8Array(Buffer.from(json, "base64")) : json

const formats: Readonly<Record<string, CelType>> = {
  date: { name: "google.protobuf.Timestamp", toValue: instant },
  "date-time": { name: "google.protobuf.Timestamp", toValue: instant },
  datetime: { name: "google.protobuf.Timestamp", toValue: instant },
  duration: { name: "google.protobuf.Duration", toValue: durationOf },
  byte: { name: "bytes", toValue: bytesOf }
}

const scalars: Readonly<Record<string, CelType>> = {
  integer: { name: "int", toValue: (json) => typeof json === "number" && Number.isInteger(json) ? BigInt(json) : json },
  number: { name: "double", toValue: (json) => json },
  boolean: { name: "bool", toValue: (json) => json }
}

const typeFieldSchemas: Readonly<Record<string, JsonSchema>> = {
  apiVersion: { type: "string" },
  kind: { type: "string" },
  metadata: { type: "object", properties: { name: { type: "string" }, generateName: { type: "string" } } }
}

/** The declarations of one schema and all below it. */
export class Declarations {
  readonly env = makeEnvironment()
  readonly #known = new Map<JsonSchema, CelType>()
  #count = 0

  /** The type of a schema. `isResource`: type and metadata fields can be named although the schema does not declare them. */
  typeOf(schema: JsonSchema, isResource: boolean): CelType {
    const known = this.#known.get(schema)
    if (known !== undefined) return known
    const made = this.#make(schema, isResource)
    // The language has no type for "this or null".
    const typed = schema.nullable === true
      ? { name: dyn.name, toValue: (json: unknown) => json === null ? null : made.toValue(json) }
      : made
    this.#known.set(schema, typed)
    return typed
  }

  #make(schema: JsonSchema, isResource: boolean): CelType {
    if (schema["x-kubernetes-int-or-string"] === true) return dyn
    if (schema.type === "string") return formats[schema.format ?? ""] ?? text
    if (schema.type === "array") return this.#list(itemsOf(schema))
    return schema.type === "object" ? this.#object(schema, isResource) : scalars[schema.type ?? ""] ?? dyn
  }

  #list(items: JsonSchema | undefined): CelType {
    const item = items === undefined ? dyn : this.typeOf(items, items["x-kubernetes-embedded-resource"] === true)
    return { name: `list<${item.name}>`, toValue: (json) => isArray(json) ? json.map(item.toValue) : json }
  }

  #map(item: CelType): CelType {
    return {
      name: `map<string, ${item.name}>`,
      toValue: (json) => isObject(json) ? new Map(Object.entries(json).map(([key, value]) => [key, item.toValue(value)])) : json
    }
  }

  #object(schema: JsonSchema, isResource: boolean): CelType {
    const additional = additionalOf(schema)
    if (typeof additional === "object") return this.#map(this.typeOf(additional, additional["x-kubernetes-embedded-resource"] === true))
    if (additional) return this.#map(dyn)
    const declared = { ...(isResource || schema["x-kubernetes-embedded-resource"] === true ? typeFieldSchemas : {}), ...Object.fromEntries(propertiesOf(schema)) }
    if (isResource || schema["x-kubernetes-embedded-resource"] === true) declared["metadata"] = typeFieldSchemas["metadata"] ?? {}
    if (Object.keys(declared).length === 0 && preserves(schema)) return dyn
    return this.#struct(declared)
  }

  #struct(properties: Readonly<Record<string, JsonSchema>>): CelType {
    const fields = new Map<string, readonly [escaped: string, type: CelType]>()
    for (const [name, property] of Object.entries(properties)) {
      const escaped = escapeName(name)
      if (escaped !== undefined) fields.set(name, [escaped, this.typeOf(property, property["x-kubernetes-embedded-resource"] === true)])
    }
    this.#count++
    const name = `Object${this.#count}`
    const Type = objectType()
    this.env.registerType(name, {
      ctor: Type,
      fields: Object.fromEntries([...fields.values()].map(([escaped, type]) => [escaped, type.name]))
    })
    this.env.registerOperator(`${name} == ${name}`, celEquals)
    const toValue = (json: unknown): unknown => {
      if (!isObject(json)) return json
      const value = new Type()
      for (const [field, [escaped, type]] of fields) {
        if (Object.hasOwn(json, field)) Reflect.set(value, escaped, type.toValue(json[field]))
      }
      return value
    }
    return { name, toValue }
  }
}
