/**
 * The zonecfg tokenizer. It has four states: before a command, among its arguments, inside `[ ]`, and inside `( )`.
 * A semicolon or a newline ends a command in every state. There are no escapes: a quoted token cannot hold a quote.
 */

/** One token. @category models */
export interface Token {
  readonly kind: "word" | "=" | "[" | "]" | "(" | ")" | ","
  readonly text: string
  readonly quoted: boolean
}

/** One command with its arguments, or the text at which no command could be recognised. @category models */
export interface LexedCommand {
  /** Line of the script on which the command starts, from 1. */
  readonly line: number
  /** Name of the command; empty when none was recognised. */
  readonly name: string
  readonly tokens: ReadonlyArray<Token>
  /** The offending character, when no command was recognised. */
  readonly unknown?: string
}

/** Commands of zonecfg. @category models */
export const commandNames = [
  "add", "cancel", "clear", "commit", "create", "delete", "end", "exit", "export", "help", "info", "remove", "revert", "select", "set", "verify"
] as const

type State = "arguments" | "list" | "complex"

interface Cursor {
  readonly text: string
  at: number
  line: number
}

const stops: Readonly<Record<State, string>> = {
  arguments: " \t\n\";=[]()",
  list: " \t\n\";=[](),",
  complex: " \t\n\",;=()"
}

const punctuation = (character: string): Token["kind"] | undefined =>
  character === "=" || character === "[" || character === "]" || character === "(" || character === ")" || character === ","
    ? character
    : undefined

const isStop = (character: string, state: State): boolean => stops[state].includes(character)

const quoted = (cursor: Cursor): Token => {
  const start = cursor.at + 1
  let end = start
  while (end < cursor.text.length && cursor.text[end] !== "\"" && cursor.text[end] !== "\n") end += 1
  // An unterminated quote ends at the newline, which still ends the command.
  cursor.at = cursor.text[end] === "\"" ? end + 1 : end
  return { kind: "word", text: cursor.text.slice(start, end), quoted: true }
}

const bare = (cursor: Cursor, state: State): Token => {
  const start = cursor.at
  while (cursor.at < cursor.text.length && !isStop(cursor.text.charAt(cursor.at), state)) cursor.at += 1
  // A character that may start no token stands for itself and becomes the syntax error.
  if (cursor.at === start) cursor.at += 1
  return { kind: "word", text: cursor.text.slice(start, cursor.at), quoted: false }
}

const after = (state: State, outer: State, kind: Token["kind"]): State => {
  if (kind === "[") return "list"
  if (kind === "]") return "arguments"
  if (kind === "(") return "complex"
  return kind === ")" ? outer : state
}

const argumentsOf = (cursor: Cursor, quotesInComplex: boolean): ReadonlyArray<Token> => {
  const tokens: Array<Token> = []
  let state: State = "arguments"
  let outer: State = "arguments"
  while (cursor.at < cursor.text.length) {
    const character = cursor.text.charAt(cursor.at)
    if (character === "\n" || character === ";") break
    if (character === " " || character === "\t") {
      cursor.at += 1
      continue
    }
    if (character === "\"" && (state !== "complex" || quotesInComplex)) {
      tokens.push(quoted(cursor))
      continue
    }
    const kind = isStop(character, state) ? punctuation(character) : undefined
    if (kind === undefined) {
      tokens.push(bare(cursor, state))
      continue
    }
    cursor.at += 1
    tokens.push({ kind, text: character, quoted: false })
    if (kind === "(") outer = state
    state = after(state, outer, kind)
  }
  return tokens
}

const skipToEnd = (cursor: Cursor): void => {
  while (cursor.at < cursor.text.length && cursor.text[cursor.at] !== "\n" && cursor.text[cursor.at] !== ";") cursor.at += 1
}

/** Splits a script into commands. `quotesInComplex` is true on OmniOS and SmartOS. @category constructors */
export const lex = (text: string, quotesInComplex: boolean): ReadonlyArray<LexedCommand> => {
  const commands: Array<LexedCommand> = []
  const cursor: Cursor = { text, at: 0, line: 1 }
  while (cursor.at < text.length) {
    const character = text.charAt(cursor.at)
    if (character === "\n") cursor.line += 1
    if (character === "\n" || character === ";" || character === " " || character === "\t") {
      cursor.at += 1
      continue
    }
    if (character === "#") {
      while (cursor.at < text.length && text[cursor.at] !== "\n") cursor.at += 1
      continue
    }
    const rest = text.slice(cursor.at, cursor.at + 8)
    const name = commandNames.find((candidate) => rest.startsWith(candidate))
    if (name === undefined) {
      commands.push({ line: cursor.line, name: "", tokens: [], unknown: character })
      skipToEnd(cursor)
      continue
    }
    cursor.at += name.length
    commands.push({ line: cursor.line, name, tokens: argumentsOf(cursor, quotesInComplex) })
  }
  return commands
}
