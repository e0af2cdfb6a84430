import type { JsonSchema } from "../src/JsonSchema.js"
import { FastCheck } from "effect"

/** Structural schemas of a few levels, with defaults that keep them. */
const leaf: FastCheck.Arbitrary<JsonSchema> = FastCheck.oneof(
  FastCheck.record({ type: FastCheck.constant("string"), default: FastCheck.constantFrom("x", "y") }, { requiredKeys: ["type"] }),
  FastCheck.record({ type: FastCheck.constant("integer"), default: FastCheck.integer({ min: 0, max: 9 }) }, { requiredKeys: ["type"] }),
  FastCheck.constant<JsonSchema>({ type: "object", "x-kubernetes-preserve-unknown-fields": true })
)

const names = FastCheck.constantFrom("a", "b", "c", "__proto__", "constructor")

export const schemas: FastCheck.Arbitrary<JsonSchema> = FastCheck.letrec<{ schema: JsonSchema }>((tie) => ({
  schema: FastCheck.oneof(
    { maxDepth: 3 },
    leaf,
    FastCheck.array(FastCheck.tuple(names, tie("schema")), { maxLength: 3 }).map((entries): JsonSchema => ({
      type: "object",
      properties: Object.fromEntries(entries)
    })),
    tie("schema").map((items): JsonSchema => ({ type: "array", items })),
    tie("schema").map((additionalProperties): JsonSchema => ({ type: "object", additionalProperties }))
  )
})).schema

/** JSON values that a schema may or may not fit. */
export const values: FastCheck.Arbitrary<unknown> = FastCheck.letrec<{ value: unknown }>((tie) => ({
  value: FastCheck.oneof(
    { maxDepth: 4 },
    FastCheck.constantFrom<unknown>(null, true, 1, 2.5, "x", ""),
    FastCheck.array(tie("value"), { maxLength: 3 }),
    FastCheck.array(FastCheck.tuple(names, tie("value")), { maxLength: 3 }).map((entries) => Object.fromEntries(entries))
  )
})).value
