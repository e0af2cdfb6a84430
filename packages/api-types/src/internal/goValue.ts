/** Mismatches between JSON and the field tables, worded like Go's decoder. */

/** Where decoding stands: names are pushed and popped in place, since a path is needed only when something is wrong. */
export class DecodeContext {
  /** Some object held a field that its message does not have. */
  hasUnknown = false
  readonly fields: Array<string> = []
  readonly structs: Array<string> = []
}

/** A value that does not fit; thrown inside the decoder and caught at its edge. */
export class DecodeProblem {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

/** What Go calls a JSON value; `withNumber` shows a number itself, as Go does for one that is out of range. */
const describe = (value: unknown, withNumber: boolean): string => {
  if (typeof value === "string") return "string"
  if (typeof value === "number") return withNumber ? `number ${value}` : "number"
  if (typeof value === "boolean") return "bool"
  return Array.isArray(value) ? "array" : "object"
}

/** `json: cannot unmarshal number into Go struct field ConfigMap.data of type string`. */
export const mismatch = (value: unknown, goType: string, context: DecodeContext, withNumber = false): DecodeProblem => {
  const described = describe(value, withNumber)
  const struct = context.structs.at(-1)
  const target = struct === undefined ? "value" : `struct field ${struct}.${context.fields.join(".")}`
  return new DecodeProblem(`json: cannot unmarshal ${described} into Go ${target} of type ${goType}`)
}
