import * as Schema from "effect/Schema"

/** What every host error carries. */
export const errorFields = {
  /** The operation that was asked for, as a verb phrase. */
  operation: Schema.String,
  /** Name of the object it was about. */
  object: Schema.String,
  /** What the host printed, or what was observed. */
  detail: Schema.String
}

interface Fields {
  readonly operation: string
  readonly object: string
  readonly detail: string
}

/** One line: what was tried on what, what is wrong, what the host said, what to do next. */
export const describe = (error: Fields, what: string, next: string): string =>
  `${error.operation} ${error.object}: ${what}${error.detail === "" ? "" : ` (${error.detail})`}; ${next}`
