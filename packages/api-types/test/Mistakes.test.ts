/** What is said about each single mistake in a pod that is valid otherwise. */
import { assert, describe, it } from "@effect/vitest"
import { FieldError, Kinds } from "../src/index.js"
import { containerMistakes } from "./containerMistakes.js"
import { podMistakes } from "./podMistakes.js"
import { created, lines } from "./pods.js"
import { volumeMistakes } from "./volumeMistakes.js"
import { wholePod } from "./wholePod.js"

/** A copy of a JSON value with another one in this place of it. */
const put = (target: unknown, [key = "", ...rest]: ReadonlyArray<string>, value: unknown): unknown => {
  if (Array.isArray(target)) {
    const at = Number(key)
    if (rest.length === 0 && value === undefined) return target.toSpliced(at, 1)
    return target.with(at, rest.length === 0 ? value : put(target[at], rest, value))
  }
  const fields: Record<string, unknown> = { ...Object(target) }
  return { ...fields, [key]: rest.length === 0 ? value : put(fields[key], rest, value) }
}

const withoutExample = (line: string): string => line.replace(/ \(e\.g\. '.*$/, "")

describe("a pod that uses everything", () => {
  it("has no problems, and not even a list of its own for them", () => {
    assert.strictEqual(Kinds.pod.validate(created(wholePod)), FieldError.none)
  })

  it.each([...podMistakes, ...containerMistakes, ...volumeMistakes])("with another %s: %j", (path, value, expected) => {
    const pod = created(JSON.parse(JSON.stringify(put(wholePod, path.split("."), value))))
    assert.deepStrictEqual(lines(Kinds.pod.validate(pod)).map(withoutExample), expected)
  })
})
