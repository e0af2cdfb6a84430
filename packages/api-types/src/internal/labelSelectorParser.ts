/** Grammar of `?labelSelector=`: a lexer and a recursive descent parser with the error texts of Kubernetes. */
import * as Either from "effect/Either"
import * as Names from "../Names.js"
import { SelectorError } from "../SelectorError.js"
import type { Operator, Requirement } from "../LabelSelector.js"

interface Token {
  readonly type: "symbol" | "word" | "end" | "error"
  readonly text: string
}

const symbols: ReadonlySet<string> = new Set([")", ",", "!", "==", "=", ">", "<", "!=", "("])
const binaryOperators = "in, notin, =, ==, !=, gt, lt"

const isSpace = (char: string): boolean => char === " " || char === "\t" || char === "\r" || char === "\n"
const isSymbolStart = (char: string): boolean => char !== "" && "=!(),><".includes(char)

/** The longest symbol at `start`, or an error token with the run of symbol characters that is none. */
const scanSymbol = (text: string, start: number): Token => {
  let run = ""
  let found = ""
  for (let index = start; index < text.length && isSymbolStart(text.charAt(index)); index++) {
    run += text.charAt(index)
    if (symbols.has(run)) found = run
    else if (found !== "") break
  }
  return found === "" ? { type: "error", text: `error expected: keyword found '${run}'` } : { type: "symbol", text: found }
}

const scan = (text: string): ReadonlyArray<Token> => {
  const tokens: Array<Token> = []
  let position = 0
  while (position < text.length) {
    const char = text.charAt(position)
    if (isSpace(char)) {
      position++
    } else if (isSymbolStart(char)) {
      const token = scanSymbol(text, position)
      tokens.push(token)
      if (token.type === "error") break
      position += token.text.length
    } else {
      let end = position
      while (end < text.length && !isSpace(text.charAt(end)) && !isSymbolStart(text.charAt(end))) end++
      tokens.push({ type: "word", text: text.slice(position, end) })
      position = end
    }
  }
  tokens.push({ type: "end", text: "" })
  return tokens
}

const endToken: Token = { type: "end", text: "" }

const is = (token: Token, symbol: string): boolean => token.type === "symbol" && token.text === symbol

const operatorOf = (token: Token): Operator | undefined => {
  if (token.type === "word") return token.text === "in" ? "In" : token.text === "notin" ? "NotIn" : undefined
  if (token.type !== "symbol") return undefined
  switch (token.text) {
    case "=":
    case "==":
      return "In"
    case "!=":
      return "NotIn"
    case ">":
      return "Gt"
    case "<":
      return "Lt"
    default:
      return undefined
  }
}

const integer = /^[+-]?\d{1,19}$/

// Inside the parser a problem is thrown and caught once at its edge: the grammar stays readable and the edge returns an Either.
class Problem {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

class Parser {
  private position = 0
  private readonly tokens: ReadonlyArray<Token>

  constructor(tokens: ReadonlyArray<Token>) {
    this.tokens = tokens
  }

  private peek(): Token {
    return this.tokens[this.position] ?? endToken
  }

  private take(): Token {
    const token = this.peek()
    this.position++
    return token
  }

  requirements(): ReadonlyArray<Requirement> {
    const found: Array<Requirement> = []
    for (;;) {
      const token = this.peek()
      if (token.type === "end") return found
      if (token.type !== "word" && !is(token, "!")) {
        throw new Problem(`found '${token.text}', expected: !, identifier, or 'end of string'`)
      }
      found.push(this.requirement())
      const separator = this.take()
      if (separator.type === "end") return found
      if (!is(separator, ",")) throw new Problem(`found '${separator.text}', expected: ',' or 'end of string'`)
      const next = this.peek()
      if (next.type !== "word" && !is(next, "!")) throw new Problem(`found '${next.text}', expected: identifier after ','`)
    }
  }

  private requirement(): Requirement {
    const absent = is(this.peek(), "!")
    if (absent) this.position++
    const key = this.take()
    if (key.type !== "word") throw unable(`found '${key.text}', expected: identifier`)
    const problems = Names.isQualifiedName(key.text)
    if (problems.length > 0) throw unable(`<nil>: Invalid value: ${JSON.stringify(key.text)}: ${problems.join("; ")}`)
    if (absent) return { key: key.text, operator: "DoesNotExist", values: [] }
    const next = this.peek()
    if (next.type === "end" || is(next, ",")) return { key: key.text, operator: "Exists", values: [] }
    const sign = this.take()
    const operator = operatorOf(sign)
    if (operator === undefined) throw unable(`found '${sign.text}', expected: ${binaryOperators}`)
    const values = sign.type === "word" ? this.valueSet() : this.exactValue()
    if ((operator === "Gt" || operator === "Lt") && !integer.test(values[0] ?? "")) {
      throw unable(`values[0]: Invalid value: ${JSON.stringify(values[0] ?? "")}: for 'Gt', 'Lt' operators, the value must be an integer`)
    }
    for (const [index, value] of values.entries()) {
      const invalid = Names.isLabelValue(value)
      if (invalid.length > 0) throw unable(`values[${index}][${key.text}]: Invalid value: ${JSON.stringify(value)}: ${invalid.join("; ")}`)
    }
    return { key: key.text, operator, values }
  }

  private exactValue(): ReadonlyArray<string> {
    const next = this.peek()
    if (next.type === "end" || is(next, ",")) return [""]
    const value = this.take()
    if (value.type !== "word") throw unable(`found '${value.text}', expected: identifier`)
    return [value.text]
  }

  private valueSet(): ReadonlyArray<string> {
    const open = this.take()
    if (!is(open, "(")) throw unable(`found '${open.text}' expected: '('`)
    const values = new Set<string>()
    let pending = true
    for (;;) {
      const token = this.take()
      if (token.type === "word") {
        values.add(token.text)
        pending = false
        const after = this.peek()
        if (!is(after, ",") && !is(after, ")")) throw unable(`found '${after.text}', expected: ',' or ')'`)
      } else if (is(token, ",")) {
        if (pending) values.add("")
        pending = true
      } else if (is(token, ")")) {
        if (pending) values.add("")
        return [...values].toSorted()
      } else {
        throw unable(`found '${token.text}', expected: ',', or identifier`)
      }
    }
  }
}

const unable = (message: string): Problem => new Problem(`unable to parse requirement: ${message}`)

/** The requirements in order of their keys, or the first problem. */
export const parseRequirements = (text: string): Either.Either<ReadonlyArray<Requirement>, SelectorError> => {
  try {
    const requirements = new Parser(scan(text)).requirements()
    return Either.right(requirements.toSorted((left, right) => (left.key < right.key ? -1 : left.key > right.key ? 1 : 0)))
  } catch (problem) {
    if (problem instanceof Problem) return Either.left(new SelectorError({ message: problem.message }))
    throw problem
  }
}
