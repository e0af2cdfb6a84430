/** The body of an apply: YAML, or JSON, which is YAML too but read faster. */
import { JsonText, Status } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import { isScalar, LineCounter, parseDocument, visit } from "yaml"
import * as body from "./body.js"

/** A configuration, with one text for each key that it sets twice. */
export interface AppliedBody {
  readonly value: unknown
  readonly duplicates: ReadonlyArray<string>
}

// As many are reported; a body could hold millions.
const maxReported = 100

const duplicateKeys = (text: string): ReadonlyArray<string> => {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { version: "1.1", uniqueKeys: false, logLevel: "silent", lineCounter })
  const found: Array<string> = []
  visit(document, {
    Map: (_, node) => {
      const seen = new Set<unknown>()
      for (const { key } of node.items) {
        if (!isScalar(key)) continue
        if (!seen.has(key.value)) {
          seen.add(key.value)
          continue
        }
        if (found.length === maxReported) return visit.BREAK
        const line = lineCounter.linePos(key.range?.[0] ?? 0).line
        found.push(`line ${line}: key ${JSON.stringify(key.value)} already set in map`)
      }
      return undefined
    }
  })
  return found
}

/** Reads the body of an apply. */
export const parse = (bytes: Uint8Array): Either.Either<AppliedBody, Status.Status> =>
  Either.flatMap(body.textOf(bytes), (text): Either.Either<AppliedBody, Status.Status> => {
    if (text.trimStart().startsWith("{")) {
      const json = JsonText.parse(text)
      if (Either.isRight(json)) return Either.right({ value: json.right, duplicates: JsonText.duplicateFields(text) })
    }
    return body.parseYaml(text).pipe(
      Either.mapBoth({
        onLeft: ({ message = "" }) =>
          Status.badRequest(`error decoding YAML: ${message.replace(/^error converting YAML to JSON: /, "yaml: ")}`),
        onRight: (value) => ({ value, duplicates: duplicateKeys(text) })
      })
    )
  })
