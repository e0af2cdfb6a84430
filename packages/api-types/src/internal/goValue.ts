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

/** What Go calls a JSON value. */
const describe = (value: unknown): string => {
  switch (typeof value) {
    case "string":
      return "string"
    case "number":
      return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? "number" : `number ${String(value)}`
    case "boolean":
      return "bool"
    default:
      return Array.isArray(value) ? "array" : "object"
  }
}

/** `json: cannot unmarshal number into Go struct field ConfigMap.data of type string`. */
export const mismatch = (value: unknown, goType: string, context: DecodeContext, plainNumber = true): DecodeProblem => {
  const described = typeof value === "number" && plainNumber ? "number" : describe(value)
  const struct = context.structs.at(-1)
  const target = struct === undefined ? "value" : `struct field ${struct}.${context.fields.join(".")}`
  return new DecodeProblem(`json: cannot unmarshal ${described} into Go ${target} of type ${goType}`)
}
