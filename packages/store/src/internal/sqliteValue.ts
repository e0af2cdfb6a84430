/** Values and errors of node:sqlite, checked: what the schema promises is still data from a file. */

/** The primary result codes that are told apart here. */
export const SqliteCode = { busy: 5, locked: 6, corrupt: 11, full: 13, notADatabase: 26 } as const

/** The primary result code of an exception of node:sqlite, or undefined for another exception. */
export const primaryCode = (cause: unknown): number | undefined =>
  cause instanceof Error && "errcode" in cause && typeof cause.errcode === "number" ? cause.errcode & 0xff : undefined

const unexpected = (wanted: string, value: unknown): Error =>
  // Reported like the damage that it is.
  Object.assign(new Error(`a column holds ${value === null ? "null" : typeof value} instead of ${wanted}`), {
    errcode: SqliteCode.corrupt
  })

export const integer = (value: unknown): number => {
  if (typeof value === "number") return value
  throw unexpected("an integer", value)
}

export const text = (value: unknown): string => {
  if (typeof value === "string") return value
  throw unexpected("a text", value)
}

export const blob = (value: unknown): Uint8Array => {
  if (value instanceof Uint8Array) return value
  throw unexpected("a blob", value)
}
