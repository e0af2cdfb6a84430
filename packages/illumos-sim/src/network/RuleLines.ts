/** What ipnat and ipf have in common: words of a rule file, addresses, and the texts of their parser's complaints. */
import { isIP } from "node:net"
import * as inet from "../internal/inet.js"

/** Why a rule cannot be read. @category models */
export class Unreadable {
  readonly reason: string
  readonly token: string
  constructor(reason: string, token: string) {
    this.reason = reason
    this.token = token
  }
}

/** The complaint as the tools print it. @category combinators */
export const complaint = (error: Unreadable, line: number): string => `${error.reason} error at "${error.token}", line ${line}`

/** @category constructors */
export const syntaxError = (token: string | undefined): Unreadable => new Unreadable("syntax error", token ?? "")

/** The words of a line; a comment is none of them, and a comma is a word of its own. @category combinators */
export const wordsOf = (line: string): ReadonlyArray<string> => line.replace(/#.*$/, "").match(/,|[^\s,]+/g) ?? []

/** A reader of words, one after the other. @category models */
export interface Words {
  readonly peek: () => string | undefined
  readonly next: () => string | undefined
  /** Takes the word when it is the next one. */
  readonly accept: (word: string) => boolean
  /** Takes the word, or complains. */
  readonly expect: (word: string) => void
}

/** @category constructors */
export const words = (all: ReadonlyArray<string>): Words => {
  let at = 0
  const accept = (word: string): boolean => {
    if (all[at] !== word) return false
    at += 1
    return true
  }
  return {
    peek: () => all[at],
    next: () => all[at++],
    accept,
    expect: (word) => {
      if (!accept(word)) throw syntaxError(all[at])
    }
  }
}

/** A network in canonical form; a missing length means one address, and names are looked up, which always fails here. @category combinators */
export const network = (word: string | undefined): string => {
  if (word === undefined) throw syntaxError(undefined)
  if (word === "any" || word === "0/0") return "0.0.0.0/0"
  if (word === "0/32") return "0.0.0.0/32"
  const net = inet.parse(word)
  if (net !== undefined) return inet.text(net)
  if (/^[A-Za-z][A-Za-z0-9.-]*$/.test(word)) throw new Unreadable("Unknown hostname", word)
  throw syntaxError(word)
}

/** One address without a length. @category combinators */
export const address = (word: string | undefined): string => {
  const [bare = "", length] = (word ?? "").split("/")
  if (isIP(bare) !== 0 && (length === undefined || length === "32" || length === "128")) return bare
  if (/^[A-Za-z][A-Za-z0-9.-]*$/.test(bare)) throw new Unreadable("Unknown hostname", bare)
  throw syntaxError(word)
}

/** A port number. @category combinators */
export const port = (word: string | undefined): number => {
  if (word === undefined || !/^\d+$/.test(word)) throw syntaxError(word)
  if (Number(word) > 65_535) throw new Unreadable("invalid port number", word)
  return Number(word)
}

/** Whether the word can be the name of an interface; whether there is one is not checked. @category combinators */
export const link = (word: string | undefined): string => {
  if (word === undefined || !/^[A-Za-z_.][A-Za-z0-9_.]*$/.test(word)) throw syntaxError(word)
  return word
}
