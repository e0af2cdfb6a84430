/** The table columns of a custom resource. */
import { type ApiextensionsV1, type Kind, Tables, Timestamp } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import * as JsonPath from "./JsonPath.js"
import { isArray, isObject, sorted } from "./JsonSchema.js"

type Definition = ApiextensionsV1.CustomResourceColumnDefinition

/** A column with the function that reads its cell. @category models */
export interface PrinterColumn {
  readonly column: Kind.Column
  /** `now` is milliseconds since the epoch, for ages. */
  readonly cell: (object: unknown, now: number) => Kind.Cell
}

const nameDescription = "Name of the object, unique in its namespace."

/** The first column. @category constructors */
export const nameColumn: Kind.Column = { name: "Name", type: "string", format: "name", description: nameDescription, priority: 0 }

const types: ReadonlySet<string> = new Set(["string", "integer", "number", "boolean", "date"])

const isType = (type: string): type is Kind.Column["type"] => types.has(type)

// Compound values are printed as Go prints them in a template: JSON.
const printed = (value: unknown): string => {
  if (typeof value === "string") return value
  return isArray(value) || isObject(value) ? JSON.stringify(sorted(value)) : String(value)
}

const ageOf = (value: unknown, now: number): Kind.Cell => {
  if (typeof value !== "string") return null
  return Timestamp.parse(value) === undefined ? "<invalid>" : Tables.formatAge(value, now)
}

const cellOf = (type: string, value: unknown, now: number): Kind.Cell => {
  if (type === "string") return value === null ? null : printed(value)
  switch (type) {
    case "integer":
      return typeof value === "number" ? Math.trunc(value) : null
    case "number":
      return typeof value === "number" ? value : null
    case "boolean":
      return typeof value === "boolean" ? value : null
    default:
      return ageOf(value, now)
  }
}

const make = ({ description, format, jsonPath, name, priority, type }: Definition): PrinterColumn => {
  const parsed = JsonPath.parse(jsonPath)
  const path = Either.isRight(parsed) ? parsed.right : undefined
  return {
    column: {
      name,
      type: isType(type) ? type : "string",
      ...(format === undefined || format === "" ? {} : { format }),
      description: description === undefined || description === ""
        ? `Custom resource definition column (in JSONPath format): ${jsonPath}`
        : description,
      priority: priority ?? 0
    },
    cell: (object, now) => {
      const [value] = path === undefined ? [] : JsonPath.find(path, object)
      return value === undefined ? null : cellOf(type, value, now)
    }
  }
}

const age: Definition = {
  name: "Age",
  type: "date",
  jsonPath: ".metadata.creationTimestamp",
  description: "Time since the server stored the object first."
}

/** The columns after the name; the age alone when none are defined, or one of them has a path that cannot be read. @category constructors */
export const of = (definitions: ReadonlyArray<Definition>): ReadonlyArray<PrinterColumn> => {
  const areReadable = definitions.every(({ jsonPath }) => Either.isRight(JsonPath.parse(jsonPath)))
  return (definitions.length === 0 || !areReadable ? [age] : definitions).map(make)
}
