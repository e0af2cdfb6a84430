/** JSON as text: syntax errors in Go's words, and fields that occur twice in one object (which a parsed value no longer shows). */
import * as Data from "effect/Data"
import * as Either from "effect/Either"

/** The text is not JSON. @category errors */
export class JsonSyntaxError extends Data.TaggedError("JsonSyntaxError")<{ readonly message: string }> {}

const describeCharacter = (char: string): string =>
  char === "'" ? `'\\''` : char === `"` ? `'"'` : char < " " ? JSON.stringify(char).replaceAll(`"`, "'") : `'${char}'`

/** Go's message for a text that the engine's parser refused. */
const syntaxMessage = (text: string): string => {
  const scanner = new Scanner(text)
  scanner.scan()
  return scanner.problem ?? "invalid JSON"
}

/** How deep arrays and objects may be nested in each other: whoever walks a value does not run out of stack. @category models */
export const maximumDepth = 1000

/** Whether a JSON text is nested too deeply. One pass without building anything; texts that are too short for it cost nothing. */
const isTooDeep = (text: string): boolean => {
  if (text.length < 2 * maximumDepth) return false
  let depth = 0
  for (let position = 0; position < text.length; position++) {
    switch (text.charCodeAt(position)) {
      case 0x22:
        position = endOfString(text, position)
        break
      case 0x5b:
      case 0x7b:
        if (++depth > maximumDepth) return true
        break
      case 0x5d:
      case 0x7d:
        depth--
        break
      default:
        break
    }
  }
  return false
}

/** Position of the quote that ends a string, or the end of the text. */
const endOfString = (text: string, begin: number): number => {
  for (let end = text.indexOf(`"`, begin + 1); end >= 0; end = text.indexOf(`"`, end + 1)) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === 0x5c) slashes++
    if (slashes % 2 === 0) return end
  }
  return text.length
}

/**
 * Parses a text; the error has the wording of Go's decoder. Texts that are nested more deeply than `maximumDepth` are refused.
 *
 * @category combinators
 */
export const parse = (text: string): Either.Either<unknown, JsonSyntaxError> => {
  if (isTooDeep(text)) return Either.left(new JsonSyntaxError({ message: "exceeded max depth" }))
  try {
    const value: unknown = JSON.parse(text)
    return Either.right(value)
  } catch {
    return Either.left(new JsonSyntaxError({ message: syntaxMessage(text) }))
  }
}

/** As many duplicates are reported; a text could hold millions. @category models */
export const maximumReported = 100

/**
 * One text for each field that occurs more than once in its object: `duplicate field "data"`, with the path of the field. A malformed text
 * gives what was found before the mistake.
 *
 * @param parsed The value of the text, if it is at hand: most texts are then known at a glance to have none.
 * @category combinators
 */
export const duplicateFields = (text: string, parsed?: unknown): ReadonlyArray<string> => {
  // A value that is written as the text says everything that the text says, and that is much quicker to see than a walk.
  if (parsed !== undefined && JSON.stringify(parsed) === text) return []
  const scanner = new Scanner(text)
  scanner.scan()
  return scanner.duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`)
}

interface Frame {
  readonly kind: "object" | "array"
  /** Keys so far; undefined for arrays. */
  readonly keys: Set<string>
  key: string
  index: number
}

type Expected = "value" | "value or end" | "key" | "key or end" | "colon" | "comma or end" | "end"

const whitespace = /[ \t\r\n]*/y
// Unrolled, so that the engine does not keep a step to return to for every character of a long string.
// oxlint-disable-next-line eslint/no-control-regex -- JSON forbids exactly these characters in strings
const stringPattern = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y
const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

/** Walks a text without building values and without recursion, so that deep nesting cannot overflow the stack. */
class Scanner {
  readonly duplicates: Array<string> = []
  problem: string | undefined
  private position = 0
  private readonly frames: Array<Frame> = []
  private readonly text: string

  constructor(text: string) {
    this.text = text
  }

  scan(): void {
    let expected: Expected = "value"
    for (;;) {
      this.skip(whitespace)
      if (this.position >= this.text.length) {
        if (expected !== "end") this.problem = "unexpected end of JSON input"
        return
      }
      const next = this.step(expected, this.text.charAt(this.position))
      if (next === undefined) return
      expected = next
    }
  }

  private step(expected: Expected, char: string): Expected | undefined {
    switch (expected) {
      case "value":
        return this.value(char)
      case "value or end":
        return char === "]" ? this.close() : this.value(char)
      case "key or end":
        return char === "}" ? this.close() : this.key(char)
      case "key":
        return this.key(char)
      case "colon":
        if (char !== ":") return this.invalid(char, "after object key")
        this.position++
        return "value"
      case "comma or end":
        return this.separator(char)
      case "end":
        break
    }
    return this.invalid(char, "after top-level value")
  }

  private value(char: string): Expected | undefined {
    if (char === "{" || char === "[") {
      this.position++
      this.frames.push({ kind: char === "{" ? "object" : "array", keys: new Set(), key: "", index: 0 })
      return char === "{" ? "key or end" : "value or end"
    }
    if (char === `"`) return this.string() === undefined ? undefined : this.after()
    if (char === "-" || (char >= "0" && char <= "9")) {
      return this.skip(numberPattern) > 0 ? this.after() : this.invalid(this.text.charAt(this.position + 1), "in numeric literal")
    }
    for (const literal of ["true", "false", "null"]) {
      if (this.text.startsWith(literal, this.position)) {
        this.position += literal.length
        return this.after()
      }
    }
    return this.invalid(char, "looking for beginning of value")
  }

  private key(char: string): Expected | undefined {
    const frame = this.frames.at(-1)
    if (char !== `"` || frame === undefined) return this.invalid(char, "looking for beginning of object key string")
    const key = this.string()
    if (key === undefined) return undefined
    frame.key = key
    if (!frame.keys.has(key)) frame.keys.add(key)
    else if (this.duplicates.length < maximumReported) this.duplicates.push(this.path())
    return "colon"
  }

  private separator(char: string): Expected | undefined {
    const frame = this.frames.at(-1)
    const isObject = frame?.kind === "object"
    if (char === (isObject ? "}" : "]")) return this.close()
    if (char !== ",") return this.invalid(char, isObject ? "after object key:value pair" : "after array element")
    this.position++
    if (frame !== undefined) frame.index++
    return isObject ? "key" : "value"
  }

  private close(): Expected {
    this.position++
    this.frames.pop()
    return this.after()
  }

  private after(): Expected {
    return this.frames.length === 0 ? "end" : "comma or end"
  }

  /** The string that begins here, with its escapes resolved; undefined after reporting a problem. */
  private string(): string | undefined {
    const start = this.position
    if (this.skip(stringPattern) === 0) {
      // oxlint-disable-next-line eslint/no-control-regex -- JSON forbids exactly these characters in strings
      const end = /["\\\u0000-\u001f]/g
      end.lastIndex = start + 1
      const stop = end.exec(this.text)
      if (stop === null || stop[0] === `"`) this.problem = "unexpected end of JSON input"
      else if (stop[0] === "\\") this.invalid(this.text.charAt(stop.index + 1), "in string escape code")
      else this.invalid(stop[0], "in string literal")
      return undefined
    }
    const literal = this.text.slice(start, this.position)
    if (!literal.includes("\\")) return literal.slice(1, -1)
    const parsed: unknown = JSON.parse(literal)
    return typeof parsed === "string" ? parsed : ""
  }

  /** Path of the key that was just read, as in messages about fields. */
  private path(): string {
    let path = ""
    for (const { index, key, kind } of this.frames) path += kind === "array" ? `[${index}]` : path === "" ? key : `.${key}`
    return path
  }

  private skip(pattern: RegExp): number {
    pattern.lastIndex = this.position
    const match = pattern.exec(this.text)
    const length = match === null ? 0 : match[0].length
    this.position += length
    return length
  }

  private invalid(char: string, where: string): undefined {
    this.problem = char === "" ? "unexpected end of JSON input" : `invalid character ${describeCharacter(char)} ${where}`
    return undefined
  }
}
