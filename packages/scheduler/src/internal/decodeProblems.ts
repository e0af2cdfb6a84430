/** What is wrong with a value, field by field, in words for whoever wrote it. */
import * as ParseResult from "effect/ParseResult"

export interface Problem {
  /** Such as `scoringStrategy.type`; empty for the whole. */
  readonly path: string
  readonly detail: string
}

const expectation = /^Expected (.+), actual (.+)$/s

/** Several expectations of one field are those of a choice: any of them would do. */
const merged = (details: ReadonlyArray<string>): string => {
  const [first = ""] = details
  if (details.length === 1) return first
  const parts = details.map((detail) => expectation.exec(detail))
  // An optional field would also do without a value; that is no advice.
  const expected = parts.flatMap((part) => part?.[1] === undefined || part[1] === "undefined" ? [] : [part[1]])
  const actual = parts.find((part) => part?.[2] !== undefined)?.[2] ?? ""
  return parts.includes(null) || expected.length === 0 ? details.join("; ") : `Expected ${expected.length > 1 ? "one of " : ""}${expected.join(", ")}, actual ${actual}`
}

/** The problems that a decoder found. Of a choice that fails as a whole because a field of it does, only the field is named. */
export const of = (error: ParseResult.ParseError): ReadonlyArray<Problem> => {
  const byPath = new Map<string, Array<string>>()
  for (const { message, path } of ParseResult.ArrayFormatter.formatErrorSync(error)) {
    const at = path.map(String).join(".")
    const known = byPath.get(at)
    if (known === undefined) byPath.set(at, [message])
    else if (!known.includes(message)) known.push(message)
  }
  const paths = [...byPath.keys()]
  return Array.from(byPath, ([path, details]) => ({ path, detail: merged(details) }))
    .filter(({ path }) => !paths.some((other) => other !== path && other.startsWith(path === "" ? "" : `${path}.`)))
}
