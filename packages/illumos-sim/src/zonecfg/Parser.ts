/** The zonecfg grammar: one lexed command to one typed command, or the token at which it stops making sense. */
import type { LexedCommand, Token } from "./Lexer.js"

/** `name=value` inside a qualifier or a complex value. @category models */
export interface Pair {
  readonly name: string
  readonly value: string
}

/** The value of a property. @category models */
export type Value =
  | { readonly kind: "simple"; readonly text: string }
  | { readonly kind: "complex"; readonly pairs: ReadonlyArray<Pair> }
  | { readonly kind: "list"; readonly items: ReadonlyArray<Exclude<Value, { readonly kind: "list" }>> }

/** A command that satisfies the grammar; whether it makes sense is for the handlers to say. @category models */
export type Command =
  | { readonly name: "words"; readonly command: string; readonly words: ReadonlyArray<string> }
  | { readonly name: "addResource"; readonly resource: string }
  | { readonly name: "addProperty" | "removeProperty"; readonly property: string; readonly value: Value }
  | { readonly name: "set"; readonly property: string; readonly value: Value; readonly force: boolean }
  | { readonly name: "clear"; readonly property: string }
  | { readonly name: "select"; readonly resource: string; readonly where: ReadonlyArray<Pair> }
  | { readonly name: "removeResource"; readonly resource: string; readonly where: ReadonlyArray<Pair>; readonly force: boolean }
  | { readonly name: "info"; readonly subject: string; readonly where: ReadonlyArray<Pair> }

/** Where the grammar was violated. @category models */
export interface SyntaxError {
  readonly at: string
}

/** Resource types. @category models */
export const resourceNames: ReadonlyArray<string> = [
  "fs", "net", "device", "rctl", "attr", "dataset", "dedicated-cpu", "capped-cpu", "capped-memory", "admin", "security-flags"
]

const commonProperties: ReadonlyArray<string> = [
  "zonename", "zonepath", "brand", "autoboot", "bootargs", "pool", "limitpriv", "scheduling-class", "ip-type", "hostid", "fs-allowed",
  "cpu-shares", "max-lwps", "max-processes", "max-msg-ids", "max-sem-ids", "max-shm-ids", "max-shm-memory",
  "dir", "special", "type", "raw", "options", "physical", "address", "allowed-address", "defrouter", "match", "name", "value",
  "priv", "limit", "action", "ncpus", "importance", "swap", "locked", "user", "auths", "default", "lower", "upper"
]
const omniosProperties: ReadonlyArray<string> = ["mac-addr", "vlan-id", "global-nic", "property", "zfs-io-priority"]

/** Property names the grammar knows: a dialect without a name reports it as a syntax error. @category models */
export const propertyNames = (dialect: "gate" | "omnios"): ReadonlyArray<string> =>
  dialect === "gate" ? commonProperties : [...commonProperties, ...omniosProperties]

/** Thrown inside the parser only, caught in `parse`. */
class Unexpected {
  readonly at: string
  constructor(at: string) {
    this.at = at
  }
}

class Reader {
  private index = 0
  private readonly tokens: ReadonlyArray<Token>
  constructor(tokens: ReadonlyArray<Token>) {
    this.tokens = tokens
  }
  peek(): Token | undefined {
    return this.tokens[this.index]
  }
  fail(): never {
    // oxlint-disable-next-line typescript/only-throw-error -- control flow inside one module, never seen by a caller
    throw new Unexpected(this.peek()?.text ?? "\\n")
  }
  word(): string {
    const token = this.peek()
    if (token?.kind !== "word") return this.fail()
    this.index += 1
    return token.text
  }
  oneOf(names: ReadonlyArray<string>): string {
    const token = this.peek()
    if (token === undefined || token.quoted || !names.includes(token.text)) return this.fail()
    return this.word()
  }
  take(kind: Token["kind"]): boolean {
    if (this.peek()?.kind !== kind) return false
    this.index += 1
    return true
  }
  expect(kind: Token["kind"]): void {
    if (!this.take(kind)) this.fail()
  }
  flag(text: string): boolean {
    const token = this.peek()
    if (token?.kind !== "word" || token.quoted || token.text !== text) return false
    this.index += 1
    return true
  }
  end(): void {
    if (this.peek() !== undefined) this.fail()
  }
}

const pair = (reader: Reader, properties: ReadonlyArray<string>): Pair => {
  const name = reader.oneOf(properties)
  reader.expect("=")
  return { name, value: reader.word() }
}

const simpleOrComplex = (reader: Reader, properties: ReadonlyArray<string>): Exclude<Value, { readonly kind: "list" }> => {
  if (!reader.take("(")) return { kind: "simple", text: reader.word() }
  const pairs = [pair(reader, properties)]
  while (reader.take(",")) pairs.push(pair(reader, properties))
  reader.expect(")")
  return { kind: "complex", pairs }
}

const value = (reader: Reader, properties: ReadonlyArray<string>, emptyList: boolean): Value => {
  if (!reader.take("[")) return simpleOrComplex(reader, properties)
  if (emptyList && reader.take("]")) return { kind: "list", items: [] }
  const items = [simpleOrComplex(reader, properties)]
  while (reader.take(",")) items.push(simpleOrComplex(reader, properties))
  reader.expect("]")
  return { kind: "list", items }
}

const qualifiers = (reader: Reader, properties: ReadonlyArray<string>): ReadonlyArray<Pair> => {
  const where: Array<Pair> = []
  while (reader.peek() !== undefined && where.length < 3) where.push(pair(reader, properties))
  return where
}

const command = (reader: Reader, lexed: LexedCommand, properties: ReadonlyArray<string>): Command => {
  const startsResource = () => resourceNames.includes(reader.peek()?.text ?? "") && reader.peek()?.quoted === false
  switch (lexed.name) {
    case "add":
      return startsResource() && lexed.tokens.length === 1
        ? { name: "addResource", resource: reader.word() }
        : { name: "addProperty", property: reader.oneOf(properties), value: value(reader, properties, false) }
    case "set": {
      const force = reader.flag("-F")
      const property = reader.oneOf(properties)
      reader.expect("=")
      return { name: "set", property, value: value(reader, properties, true), force }
    }
    case "clear":
      return { name: "clear", property: reader.oneOf(properties) }
    case "select":
      return { name: "select", resource: reader.oneOf(resourceNames), where: qualifiers(reader, properties) }
    case "remove": {
      const force = reader.flag("-F")
      return startsResource()
        ? { name: "removeResource", resource: reader.word(), where: qualifiers(reader, properties), force }
        : { name: "removeProperty", property: reader.oneOf(properties), value: value(reader, properties, false) }
    }
    case "info":
      return reader.peek() === undefined
        ? { name: "info", subject: "", where: [] }
        : { name: "info", subject: reader.oneOf([...resourceNames, ...properties]), where: qualifiers(reader, properties) }
    default: {
      const words: Array<string> = []
      while (reader.peek() !== undefined) words.push(reader.word())
      return { name: "words", command: lexed.name, words }
    }
  }
}

/** Parses one command. @category constructors */
export const parse = (lexed: LexedCommand, dialect: "gate" | "omnios"): Command | SyntaxError => {
  if (lexed.unknown !== undefined) return { at: lexed.unknown }
  try {
    const reader = new Reader(lexed.tokens)
    const parsed = command(reader, lexed, propertyNames(dialect))
    reader.end()
    return parsed
  } catch (error) {
    if (error instanceof Unexpected) return { at: error.at }
    throw error
  }
}
