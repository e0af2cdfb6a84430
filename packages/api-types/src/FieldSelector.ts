/** Field selectors: the text of `?fieldSelector=`. Plain functions: lists and watches match every object. */
import * as Either from "effect/Either"
import { SelectorError } from "./SelectorError.js"

/** @category models */
export interface Term {
  readonly field: string
  readonly operator: "=" | "!="
  readonly value: string
}

/** All terms must hold. @category models */
export interface FieldSelector {
  readonly terms: ReadonlyArray<Term>
}

/** Matches every object. @category constructors */
export const everything: FieldSelector = { terms: [] }

/** Selects objects whose field has this value. @category constructors */
export const equal = (field: string, value: string): FieldSelector => ({ terms: [{ field, operator: "=", value }] })

/** Terms at commas that no backslash escapes; escapes stay in the terms. */
const splitTerms = (text: string): ReadonlyArray<string> => {
  const terms: Array<string> = []
  let start = 0
  for (let index = 0; index < text.length; index++) {
    const char = text.charAt(index)
    if (char === "\\") {
      index++
    } else if (char === ",") {
      terms.push(text.slice(start, index))
      start = index + 1
    }
  }
  terms.push(text.slice(start))
  return terms.filter((term) => term !== "")
}

const unescape = (text: string): Either.Either<string, SelectorError> => {
  let value = ""
  for (let index = 0; index < text.length; index++) {
    const char = text.charAt(index)
    if (char === "\\") {
      const next = text.charAt(++index)
      if (next !== "\\" && next !== "," && next !== "=") {
        return Either.left(new SelectorError({ message: `invalid field selector: invalid escape sequence: \\${next}` }))
      }
      value += next
    } else if (char === "," || char === "=") {
      return Either.left(new SelectorError({ message: `invalid field selector: unescaped character in value: ${char.charCodeAt(0)}` }))
    } else {
      value += char
    }
  }
  return Either.right(value)
}

const termPattern = /^(.*?)(!=|==|=)(.*)$/s

/** Reads `a=b,c!=d`, `==` being the same as `=`. The error carries the text of Kubernetes. @category constructors */
export const parse = (text: string): Either.Either<FieldSelector, SelectorError> => {
  const terms: Array<Term> = []
  for (const part of splitTerms(text)) {
    const match = termPattern.exec(part)
    if (match === null) return Either.left(new SelectorError({ message: `invalid selector: '${text}'; can't understand '${part}'` }))
    const [, field = "", operator, raw = ""] = match
    const value = unescape(raw)
    if (Either.isLeft(value)) return Either.left(value.left)
    terms.push({ field, operator: operator === "!=" ? "!=" : "=", value: value.right })
  }
  return Either.right({ terms })
}

/** The first field that `offered` does not contain, as an error. Call it before `matches`. @category combinators */
export const checkFields = (selector: FieldSelector, offered: ReadonlyArray<string>): Either.Either<void, SelectorError> => {
  const unknown = selector.terms.find((term) => !offered.includes(term.field))
  return unknown === undefined ? Either.void : Either.left(new SelectorError({ message: `field label not supported: ${unknown.field}` }))
}

/** Whether an object with these field values is selected; `fieldOf` gives undefined for a field the kind does not offer. @category combinators */
export const matches = (selector: FieldSelector, fieldOf: (field: string) => string | undefined): boolean =>
  selector.terms.every(({ field, operator, value }) => {
    const actual = fieldOf(field)
    return actual !== undefined && (operator === "=" ? actual === value : actual !== value)
  })

/** Whether the selector has no term, so that matching can be left out. @category combinators */
export const isEverything = (selector: FieldSelector): boolean => selector.terms.length === 0

/** The value a field must have exactly, if the selector says so: lets `metadata.name=x` become a get. @category combinators */
export const exactValue = (selector: FieldSelector, field: string): string | undefined =>
  selector.terms.find((term) => term.field === field && term.operator === "=")?.value

/** Protects a value for use in a selector text. @category combinators */
export const escapeValue = (value: string): string => value.replaceAll(/[\\,=]/g, (char) => `\\${char}`)

/** The text that `parse` reads back. @category combinators */
export const format = (selector: FieldSelector): string =>
  selector.terms.map(({ field, operator, value }) => `${field}${operator}${escapeValue(value)}`).join(",")
