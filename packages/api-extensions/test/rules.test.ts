import { describe, expect, it } from "@effect/vitest"
import type { JsonSchema } from "../src/JsonSchema.js"
import * as Rules from "../src/Rules.js"

const schema = (rules: ReadonlyArray<NonNullable<JsonSchema["x-kubernetes-validations"]>[number]>, properties: Record<string, JsonSchema>): JsonSchema => ({
  type: "object",
  properties: { spec: { type: "object", properties, "x-kubernetes-validations": rules } }
})

const compiled = (source: JsonSchema) => {
  const tree = Rules.compile(source)
  if (tree === undefined) throw new Error("no rules")
  return tree
}

const problemsOf = (tree: Rules.RuleTree): ReadonlyArray<string> => [
  ...tree.problems.map(({ detail }) => detail),
  ...[...tree.properties.values()].flatMap(problemsOf)
]

const properties: Record<string, JsonSchema> = {
  n: { type: "integer" },
  d: { type: "number" },
  s: { type: "string" },
  t: { type: "string", format: "date-time" },
  port: { "x-kubernetes-int-or-string": true },
  tags: { type: "array", items: { type: "string" } },
  labels: { type: "object", additionalProperties: { type: "string" } },
  list: { type: "array", items: { type: "object", properties: { name: { type: "string" }, if: { type: "boolean" }, "a-b": { type: "integer" } } } },
  other: { type: "object", properties: { x: { type: "integer" } } },
  free: { type: "object", "x-kubernetes-preserve-unknown-fields": true }
}

const holds = (rule: string, spec: object, old?: object): ReadonlyArray<string> => {
  const tree = compiled(schema([{ rule }], properties))
  expect(problemsOf(tree)).toEqual([])
  const errors = old === undefined ? Rules.validate(tree, { spec }) : Rules.validateUpdate(tree, { spec }, { spec: old })
  return errors.map(({ message, path }) => `${path}: ${message}`)
}

describe("rules", () => {
  it.each([
    ["self.n > 2 && self.d < 2.5", { n: 3, d: 2 }],
    ["self.tags.all(t, t.startsWith('a'))", { tags: ["a", "ab"] }],
    ["self.list.exists_one(i, i.name == 'x')", { list: [{ name: "x" }, { name: "y" }] }],
    ["self.list.map(i, i.name).filter(n, n != 'y') == ['x']", { list: [{ name: "x" }, { name: "y" }] }],
    ["self.list.all(x, self.list.exists_one(y, x.name == y.name))", { list: [{ name: "x" }, { name: "y" }] }],
    ["!has(self.list[0].__if__) && self.list[0].a__dash__b == 4", { list: [{ name: "x", "a-b": 4 }] }],
    ["self.s.contains('has(x).matches(y)') && self.list.all(i, has(i.name) && !has(self.labels))", { s: "has(x).matches(y)", list: [{ name: "" }] }],
    ["'k' in self.labels && self.labels['k'] == 'v' && self.labels.all(k, k.size() == 1)", { labels: { k: "v" } }],
    ["type(self.port) == int ? self.port > 0 : self.port.matches('^[0-9]+%$')", { port: "25%" }],
    ["self.s.matches('^(a+)+$') == false", { s: `${"a".repeat(40)}!` }],
    ["self.t > timestamp('2020-01-01T00:00:00Z')", { t: "2024-01-01T00:00:00Z" }],
    ["quantity(self.s).isLessThan(quantity('2Gi'))", { s: "1Gi" }],
    ["isURL(self.s) && url(self.s).getHost() == 'example.com'", { s: "https://example.com/x" }],
    ["self.tags.isSorted() && self.tags.indexOf('b') == 1", { tags: ["a", "b"] }],
    ["self.s.split('-').size() == 2 && self.s.replace('-', '').upperAscii() == 'AB'", { s: "a-b" }],
    ["self.?other.?x.orValue(7) == 7", {}],
    ["!has(self.other) || self.other.x > 1", {}],
    ["[has(self.n), has(self.d), has(self.s)].filter(x, x == true).size() == 1", { n: 1 }],
    ["(has(self.n) ? 1 : 0) + (has(self.d) ? 1 : 0) == 1", { d: 1.5 }],
    ["self.s in ['HTTP', 'TLS'] ? !has(self.n) : true", { s: "TLS" }],
    ["self.list.all(l1, self.list.exists_one(l2, l1.name == l2.name))", { list: [{ name: "x" }, { name: "y" }] }],
    ["self.list.filter(f, f.name == 'x').size() <= 1", { list: [{ name: "x" }] }],
    ["size(self.tags) == 0 || self.tags.exists(t, t in ['a', 'b'])", { tags: ["b"] }],
    ["duration(self.s) >= duration('1s')", { s: "1m30s" }],
    ["int(self.s.split('-')[0]) > 0 && string(self.n) == '4'", { s: "3-5", n: 4 }],
    ["quantity(self.s).compareTo(quantity('1')) <= 0", { s: "500m" }],
    ["self.port == 80", { port: 80 }],
    ["self.s.matches(r'^[a-z]([-a-z0-9]*[a-z0-9])?$')", { s: "a-b" }],
    ["self.tags.map(t, size(t)).sum() == 3", { tags: ["a", "bb"] }],
    ["!self.s.contains('//') && !self.s.endsWith('/.')", { s: "/a" }],
    ["has(self.labels) && self.labels.exists(k, k.startsWith('a/'))", { labels: { "a/b": "" } }],
    ["self.free.x == 1", { free: { x: 1 } }]
  ])("%s", (rule, spec) => {
    expect(holds(rule, spec)).toEqual([])
  })

  it("compare with the old value, when there is one", () => {
    const rule = "self.n >= oldSelf.n"
    expect(holds(rule, { n: 1 })).toEqual([])
    expect(holds(rule, { n: 2 }, { n: 1 })).toEqual([])
    expect(holds(rule, { n: 1 }, { n: 2 })).toEqual(["spec: Invalid value: failed rule: self.n >= oldSelf.n"])
    expect(holds("self.other == oldSelf.other", { other: { x: 1 } }, { other: { x: 1 } })).toEqual([])
  })

  it("see the name and the kind of the whole object", () => {
    const tree = compiled({
      type: "object",
      properties: { spec: { type: "object", properties: { n: { type: "integer" } } } },
      "x-kubernetes-validations": [{ rule: "self.metadata.name.size() < 5 && self.kind == 'Foo'", message: "a short name" }]
    })
    expect(problemsOf(tree)).toEqual([])
    expect(Rules.validate(tree, { apiVersion: "v1", kind: "Foo", metadata: { name: "abc" } })).toEqual([])
    expect(Rules.validate(tree, { apiVersion: "v1", kind: "Foo", metadata: { name: "abcdef" } })).toEqual([
      { path: "", reason: "FieldValueInvalid", message: "Invalid value: a short name" }
    ])
  })

  it("may see that there is none", () => {
    const tree = compiled(schema([{ rule: "oldSelf.hasValue() || self.n == 0", optionalOldSelf: true, message: "begin with 0" }], properties))
    expect(Rules.validate(tree, { spec: { n: 1 } }).map(({ message }) => message)).toEqual(["Invalid value: begin with 0"])
    expect(Rules.validateUpdate(tree, { spec: { n: 1 } }, { spec: { n: 0 } })).toEqual([])
  })

  it("say what their message, reason and field path say", () => {
    const tree = compiled(schema([
      { rule: "self.n < 5", messageExpression: "'n is ' + string(self.n)", fieldPath: ".n", reason: "FieldValueForbidden" },
      { rule: "self.d < 5.0", message: "d is too big", reason: "FieldValueRequired", fieldPath: ".d" }
    ], properties))
    expect(Rules.validate(tree, { spec: { n: 6, d: 6 } })).toEqual([
      { path: "spec.n", reason: "FieldValueForbidden", message: "Forbidden: n is 6" },
      { path: "spec.d", reason: "FieldValueRequired", message: "Required value: d is too big" }
    ])
  })

  it("report what fails while they run", () => {
    expect(holds("self.list[3].name == 'x'", { list: [] })[0]).toContain("evaluating rule: self.list[3].name == 'x'")
  })

  it.each([
    ["self.zz == 1", "No such key: zz"],
    ["self.n + self.s == 1", "no such overload: int + string"],
    ["self.n", "cel expression must evaluate to a bool"],
    ["self.n ==", "compilation failed"],
    ["authorizer.group('').resource('pods').check('get').allowed()", "Unknown variable: authorizer"],
    ["self.tags.sortBy(t, t) == self.tags", "compilation failed"],
    [`${"(".repeat(100)}true${")".repeat(100)}`, "compilation failed"]
  ])("are refused when they cannot run: %s", (rule, text) => {
    expect(problemsOf(compiled(schema([{ rule }], properties))).join()).toContain(text)
  })

  it("end when they cost too much", () => {
    const rule = "self.tags.all(a, self.tags.all(b, self.tags.all(c, a + b + c != '')))"
    const start = performance.now()
    const [problem] = holds(rule, { tags: Array.from({ length: 2000 }, (_, index) => String(index)) })
    expect(problem).toBe(`spec: Invalid value: "object": validation failed due to running out of cost budget, no further validation rules will be run`)
    expect(performance.now() - start).toBeLessThan(1000)
  })
})
