/** Regular expressions of schemas and rules, in linear time whatever the pattern: a hostile one cannot stop the server. */
import * as Either from "effect/Either"
import { RE2JS } from "re2js"

/** A compiled pattern. @category models */
export interface Pattern {
  /** Whether it occurs in the text. */
  readonly test: (text: string) => boolean
  /** The first places where it occurs, at most `limit`; negative: all. */
  readonly find: (text: string, limit: number) => ReadonlyArray<string>
}

const compiled = new Map<string, Either.Either<Pattern, string>>()
// Schemas hold a few hundred patterns; rules can make new ones from data, and compiled ones take memory by their length.
const limit = 1024
const maximumCharacters = 1_000_000
let characters = 0

const make = (source: string): Either.Either<Pattern, string> =>
  Either.try({
    try: () => {
      const expression = RE2JS.compile(source)
      return {
        test: (text: string) => expression.matcher(text).find(),
        find: (text: string, most: number) => {
          const found: Array<string> = []
          const matcher = expression.matcher(text)
          const bound = most < 0 ? Number.POSITIVE_INFINITY : most
          for (let more = matcher.find(); more && found.length < bound; more = matcher.find()) found.push(matcher.group() ?? "")
          return found
        }
      }
    },
    catch: (cause) => cause instanceof Error ? cause.message : String(cause)
  })

/** The compiled pattern, or what is wrong with it. @category constructors */
export const compile = (source: string): Either.Either<Pattern, string> => {
  const known = compiled.get(source)
  if (known !== undefined) return known
  if (compiled.size >= limit || characters + source.length > maximumCharacters) {
    compiled.clear()
    characters = 0
  }
  const made = make(source)
  compiled.set(source, made)
  characters += source.length
  return made
}
