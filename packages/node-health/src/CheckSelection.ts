/** Which checks a request asks for: the `check=` parameter, read and bounded. Pure. */
import * as Either from "effect/Either"

/** Most names in one request, after merging. @category models */
export const maxNames = 16

/** Longest name, in bytes. @category models */
export const maxNameBytes = 128

/**
 * The names a query string (without `?`) selects: in order, duplicates merged at their first place, empty items ignored, several parameters
 * joined. Undefined when it selects none, which means the default set; left is why the request is not acceptable.
 *
 * @category combinators
 */
export const parse = (query: string): Either.Either<ReadonlyArray<string> | undefined, string> => {
  const names = new Set<string>()
  for (const value of new URLSearchParams(query).getAll("check")) {
    for (const item of value.split(",")) {
      const name = item.trim()
      if (name === "") continue
      if (Buffer.byteLength(name) > maxNameBytes) return Either.left(`a check name is longer than ${maxNameBytes} bytes`)
      names.add(name)
      if (names.size > maxNames) return Either.left(`more than ${maxNames} checks`)
    }
  }
  return Either.right(names.size === 0 ? undefined : [...names])
}

/**
 * Whether a pattern of the allow-list covers the name: the name itself, or a prefix that ends in `*`.
 *
 * @category combinators
 */
export const allows = (patterns: ReadonlyArray<string>, name: string): boolean =>
  patterns.some((pattern) => pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern)
