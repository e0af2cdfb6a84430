/**
 * The fields of a JSON schema that are one of two things: `items` is a schema or a list of them, `additionalProperties` a schema or a
 * boolean, an entry of `dependencies` a schema or a list of names.
 */

/** Definition name of a JSON schema as CustomResourceDefinitions hold it. */
export const schemaDefinition = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"

interface Union {
  /** Type of a value that is not an object. */
  readonly other: string
  /** Protobuf field numbers of the two forms. */
  readonly schemaNumber: number
  readonly otherNumber: number
}

/** The unions by their name in the field tables. */
export const unions: Readonly<Record<string, Union>> = {
  schemaOrArray: { other: `[]${schemaDefinition}`, schemaNumber: 1, otherNumber: 2 },
  schemaOrBool: { other: "bool", schemaNumber: 2, otherNumber: 1 },
  schemaOrStrings: { other: "[]string", schemaNumber: 1, otherNumber: 2 }
}

/** The type that a value of a union has; any other type is given back as it is. */
export const branchOf = (type: string, value: unknown): string => {
  const union = unions[type]
  if (union === undefined) return type
  return typeof value === "object" && value !== null && !Array.isArray(value) ? schemaDefinition : union.other
}
