import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { FieldSelector, LabelSelector } from "../src/index.js"

const labelSelector = (text: string) => Either.getOrThrow(LabelSelector.parse(text))
const labelError = (text: string) => Either.getOrThrow(Either.flip(LabelSelector.parse(text))).message

describe("LabelSelector", () => {
  const labels = { app: "web", tier: "front", size: "10", empty: "" }

  it.each([
    ["", true],
    ["app=web", true],
    ["app==web", true],
    ["app = web , tier=front", true],
    ["app!=web", false],
    ["other!=web", true],
    ["app in (db, web)", true],
    ["app in (db)", false],
    ["app notin (db)", true],
    ["other notin (db)", true],
    ["app", true],
    ["other", false],
    ["!other", true],
    ["!app", false],
    ["size>5", true],
    ["size<5", false],
    ["app>5", false],
    ["empty=", true],
    ["empty", true],
    ["empty in ()", true],
    ["app in (,web)", true],
    ["in in (in)", false],
    ["app=web,", undefined]
  ])("%s", (text, expected) => {
    const parsed = LabelSelector.parse(text)
    assert.strictEqual(Either.isRight(parsed) ? LabelSelector.matches(parsed.right, labels) : undefined, expected)
  })

  it.each([
    ["a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ["a=b,", "found '', expected: identifier after ','"],
    ["a in", "unable to parse requirement: found '' expected: '('"],
    ["a in (b", "unable to parse requirement: found '', expected: ',' or ')'"],
    ["a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'"],
    ["=a", "found '=', expected: !, identifier, or 'end of string'"],
    ["!", "unable to parse requirement: found '', expected: identifier"],
    ["a=b c", "found 'c', expected: ',' or 'end of string'"],
    ["a=(", "unable to parse requirement: found '(', expected: identifier"]
  ])("%s is refused", (text, message) => {
    assert.strictEqual(labelError(text), message)
  })

  it("refuses keys and values that no label can have", () => {
    assert.include(labelError("a/b/c=d"), "a valid label key must consist of alphanumeric characters")
    assert.include(labelError("a=b*c"), "a valid label must be an empty string or consist of")
    assert.include(labelError("a>b"), "for 'Gt', 'Lt' operators, the value must be an integer")
  })

  it("reads the selector of a spec: absent matches nothing, empty everything", () => {
    const of = (object: Parameters<typeof LabelSelector.fromObject>[0]) => Either.getOrThrow(LabelSelector.fromObject(object))
    assert.isFalse(LabelSelector.matches(of(undefined), labels))
    assert.isTrue(LabelSelector.matches(of({}), labels))
    const selector = of({ matchLabels: { app: "web" }, matchExpressions: [{ key: "tier", operator: "In", values: ["front", "back"] }] })
    assert.isTrue(LabelSelector.matches(selector, labels))
    assert.isFalse(LabelSelector.matches(selector, { app: "web" }))
    assert.isTrue(Either.isLeft(LabelSelector.fromObject({ matchExpressions: [{ key: "a", operator: "Near" }] })))
    assert.isTrue(Either.isLeft(LabelSelector.fromObject({ matchExpressions: [{ key: "a", operator: "In" }] })))
  })

  const word = FastCheck.stringMatching(/^[a-z]([a-z0-9]{0,5}[a-z0-9])?$/)
  const requirement = FastCheck.oneof(
    FastCheck.tuple(word, FastCheck.constantFrom("=", "!=", "=="), word).map((parts) => parts.join("")),
    FastCheck.tuple(word, FastCheck.constantFrom(" in ", " notin "), FastCheck.array(word, { minLength: 1, maxLength: 3 })).map(
      ([key, operator, values]) => `${key}${operator}(${values.join(",")})`
    ),
    word.filter((key) => key !== "in" && key !== "notin"),
    word.map((key) => `!${key}`)
  )

  it.prop("is written back as a text that selects the same", [FastCheck.array(requirement, { maxLength: 4 }), FastCheck.dictionary(word, word)], ([parts, some]) => {
    const selector = labelSelector(parts.join(","))
    const again = labelSelector(LabelSelector.format(selector))
    assert.strictEqual(LabelSelector.matches(again, some), LabelSelector.matches(selector, some))
    assert.strictEqual(LabelSelector.format(again), LabelSelector.format(selector))
  })

  it.prop("any text gives a selector or an error", [FastCheck.string()], ([text]) => {
    assert.isBoolean(Either.isRight(LabelSelector.parse(text)))
  })
})

describe("FieldSelector", () => {
  const fields: Readonly<Record<string, string>> = { "metadata.name": "p1", "status.phase": "Running", odd: "a,b=c\\d" }
  const get = (field: string): string | undefined => fields[field]

  it.each([
    ["", true],
    ["metadata.name=p1", true],
    ["metadata.name==p1", true],
    ["metadata.name!=p1", false],
    ["metadata.name=p1,status.phase!=Failed", true],
    ["odd=a\\,b\\=c\\\\d", true],
    ["metadata.name=", false],
    [",metadata.name=p1,", true]
  ])("%s", (text, expected) => {
    assert.strictEqual(FieldSelector.matches(Either.getOrThrow(FieldSelector.parse(text)), get), expected)
  })

  it.each([
    ["metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
    ["a=b\\x", "invalid field selector: invalid escape sequence: \\x"],
    ["a=b=c", "invalid field selector: unescaped character in value: 61"],
    ["a=b\\", "invalid field selector: invalid escape sequence: \\"]
  ])("%s is refused", (text, message) => {
    assert.strictEqual(Either.getOrThrow(Either.flip(FieldSelector.parse(text))).message, message)
  })

  it("says which field is not offered", () => {
    const selector = Either.getOrThrow(FieldSelector.parse("spec.foo=1"))
    const checked = FieldSelector.checkFields(selector, ["metadata.name"])
    assert.strictEqual(Either.getOrThrow(Either.flip(checked)).message, "field label not supported: spec.foo")
  })

  it.prop("escaping protects any value", [FastCheck.string()], ([value]) => {
    const selector = Either.getOrThrow(FieldSelector.parse(`f=${FieldSelector.escapeValue(value)}`))
    assert.strictEqual(FieldSelector.exactValue(selector, "f"), value)
    assert.deepStrictEqual(FieldSelector.parse(FieldSelector.format(selector)), Either.right(selector))
  })
})
