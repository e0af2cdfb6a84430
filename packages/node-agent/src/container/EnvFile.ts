/**
 * Files with variables, as containers write them for others of their pod: `NAME='value'`, a value between single quotes and literally what
 * stands there, line breaks as well. Lines that begin with `#` and empty ones say nothing; behind a value a comment may follow. A POSIX shell
 * that reads the file gets the same values. Pure.
 */
import * as Either from "effect/Either"

/** Largest file, in bytes. @category constants */
export const maximumBytes = 64 * 1024

const wrong = (line: number, why: string) => Either.left(`invalid environment variable format at line ${line}: ${why}`)

const lineBreaks = (text: string): number => text.split("\n").length - 1

/** What may stand before a declaration: blank lines, comments, blanks. */
const between = /(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*(?:#[^\n]*$)?/y

/**
 * The value of a key; undefined when the file does not have it. Left says which line is wrong: what stands behind the key is not looked at. Of
 * two declarations the first one counts.
 *
 * @category combinators
 */
export const valueOf = (text: string, key: string): Either.Either<string | undefined, string> => {
  let at = 0
  let line = 1
  const advance = (to: number): void => {
    line += lineBreaks(text.slice(at, to))
    at = to
  }
  for (;;) {
    between.lastIndex = at
    advance(at + (between.exec(text)?.[0].length ?? 0))
    if (at >= text.length) return Either.right(undefined)
    const lineEnd = text.indexOf("\n", at)
    const rest = text.slice(at, lineEnd < 0 ? text.length : lineEnd)
    const equals = rest.indexOf("=")
    if (equals < 0) return wrong(line, "missing '='")
    const name = rest.slice(0, equals)
    if (name.trim() === "") return wrong(line, "empty variable name")
    if (name !== name.trimEnd()) return wrong(line, "whitespace before '=' is not allowed")
    const value = rest.slice(equals + 1)
    // As in a shell, in which what follows the blank is a command of its own.
    if (/^[ \t]/.test(value)) {
      if (name === key) return Either.right("")
      advance(at + rest.length)
      continue
    }
    if (!value.startsWith("'")) return wrong(line, "value must be enclosed in single quotes")
    const start = at + equals + 2
    const end = text.indexOf("'", start)
    if (end < 0) return wrong(line, "unclosed single quote")
    const after = /[^\n]*/y
    after.lastIndex = end + 1
    const behind = after.exec(text)?.[0] ?? ""
    if (!/^[ \t]*(?:#.*)?\r?$/.test(behind)) {
      advance(end)
      return wrong(line, "unexpected content after closing quote")
    }
    if (name === key) return Either.right(text.slice(start, end))
    advance(end + 1 + behind.length)
  }
}
