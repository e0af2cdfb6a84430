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
    ["self.tags.sortBy(t) == self.tags", "compilation failed"],
    ["self.tags.all(1, t, true)", "the argument must be a simple name"],
    [`${"(".repeat(100)}true${")".repeat(100)}`, "compilation failed"]
  ])("are refused when they cannot run: %s", (rule, text) => {
    expect(problemsOf(compiled(schema([{ rule }], properties))).join()).toContain(text)
  })

  it("end when all of them together cost too much", () => {
    const rule = "self.tags.all(a, self.tags.exists(b, a == b))"
    const tree = compiled({
      type: "object",
      properties: {
        lists: { type: "array", items: { type: "object", properties, "x-kubernetes-validations": [{ rule }] } }
      }
    })
    const tags = Array.from({ length: 500 }, (_, index) => String(index))
    const errors = Rules.validate(tree, { lists: Array.from({ length: 100 }, () => ({ tags })) })
    expect(errors.map(({ message }) => message)).toEqual([
      "Invalid value: \"object\": validation failed due to running out of cost budget, no further validation rules will be run"
    ])
  })
})

describe("functions that Kubernetes adds to the language", () => {
  it.each([
    // lists
    "[3, 1, 2].sort() == [1, 2, 3] && ['b', 'a'].sort() == ['a', 'b']",
    "[{'n': 2}, {'n': 1}].sortBy(e, e.n).map(e, e.n) == [1, 2]",
    "[1, 2, 2, 1, 3].distinct() == [1, 2, 3] && [[1], [1]].distinct().size() == 1",
    "[1, 2, 3, 4].slice(1, 3) == [2, 3] && [1, 2].reverse() == [2, 1] && lists.range(3) == [0, 1, 2]",
    "[[1], [2, [3]]].flatten().size() == 3 && [[1], [2, [3]]].flatten(2) == [1, 2, 3]",
    "['a', 'b', 'a'].lastIndexOf('a') == 2 && [1].indexOf(2) == -1 && [1, 2].sum() == 3 && ['b', 'a'].min() == 'a'",
    // two variables
    "{'a': 1, 'b': 2}.all(k, v, k in ['a', 'b'] && v > 0) && [5, 6].exists(i, v, i == 1 && v == 6)",
    "['a', 'b'].existsOne(i, v, v == 'a') && [1, 2, 3].transformList(i, v, i > 0, v * 2) == [4, 6]",
    "{'a': 1}.transformMap(k, v, v + 1) == {'a': 2} && {'a': 'x'}.transformMapEntry(k, v, {v: k}) == {'x': 'a'}",
    // sets
    "sets.contains([1, 2, 3], [2]) && !sets.contains([1], [2]) && sets.equivalent([1, 1, 2], [2, 1]) && sets.intersects(['a'], ['b', 'a'])",
    // addresses
    "ip('192.168.0.1').family() == 4 && ip('::1').isLoopback() && isIP('fe80::1') && !isIP('1.2.3') && !isIP('::ffff:1.2.3.4')",
    "ip.isCanonical('2001:db8::abcd') && !ip.isCanonical('2001:DB8::ABCD') && ip('2001:db8::0:1') == ip('2001:db8:0::1')",
    "ip('169.254.1.1').isLinkLocalUnicast() && ip('224.0.0.1').isLinkLocalMulticast() && ip('8.8.8.8').isGlobalUnicast() && ip('0.0.0.0').isUnspecified()",
    "cidr('192.168.0.0/24').containsIP('192.168.0.7') && !cidr('192.168.0.0/24').containsIP(ip('192.168.1.7')) && isCIDR('::/0')",
    "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.1.0.0/16').containsCIDR(cidr('10.0.0.0/8'))",
    "string(cidr('10.1.2.3/8').masked()) == '10.0.0.0/8' && cidr('10.1.2.3/8').prefixLength() == 8 && string(cidr('fd00::1/64').ip()) == 'fd00::1'",
    "url('https://a.example:81/p?x=1&x=2').getQuery()['x'] == ['1', '2'] && url('/p').getEscapedPath() == '/p'",
    // formats
    "!format.dns1123Label().validate('my-name').hasValue() && format.dns1123Label().validate('My').value().size() == 1",
    "format.named('uuid').value().validate('x').value() == ['does not match the UUID format'] && !format.named('no').hasValue()",
    // versions
    "semver('1.2.3').minor() == 2 && semver('1.0.0-rc.1').isLessThan(semver('1.0.0')) && semver('1.10.0').isGreaterThan(semver('1.9.9'))",
    "isSemver('1.0.0') && !isSemver('v1.0') && isSemver('v1.0', true) && semver('v01.2', true) == semver('1.2.0') && semver('1.0.0-2').compareTo(semver('1.0.0-10')) == -1",
    // texts
    "'%s is %d, %.2f, %x, %b, %e%%'.format(['a', 7, 1.5, 255, 5, 1500.0]) == 'a is 7, 1.50, ff, 101, 1.500000e+03%'",
    "'%s %s'.format([[1, 'a'], {'b': true, 'a': 1.5}]) == '[1, a] {a: 1.5, b: true}' && '%X'.format(['hi']) == '6869'",
    "strings.quote('a\"b\\n') == '\"a\\\\\"b\\\\n\"' && 'aaa'.replace('a', '$&', 2) == '$&$&a'",
    "'x1y22'.findAll('[0-9]+') == ['1', '22'] && 'x1'.find('[0-9]') == '1' && 'abc'.charAt(1) == 'b'",
    // quantities and times
    "quantity('1Gi').add(1).isGreaterThan(quantity('1Gi')) && quantity('2').sub(1) == quantity('1') && quantity('1k').asInteger() == 1000",
    "string(timestamp('2024-01-02T03:04:05Z')) == '2024-01-02T03:04:05Z' && string(duration('90s')) == '90s' && int(timestamp('1970-01-01T00:00:10Z')) == 10",
    "cel.bind(x, [1, 2], x.size() == 2) && optional.of(1).orValue(2) == 1 && [1, 2][?5].orValue(3) == 3"
  ])("%s", (rule) => {
    expect(holds(rule, {})).toEqual([])
  })

  it.each([
    ["'%d'.format(['a']) == ''", "decimal clause can only be used on integers"],
    ["'%s'.format([]) == ''", "index 0 out of range"],
    ["ip('x').family() == 4", "IP Address \"x\" parse error during conversion from string"],
    ["cidr('1.2.3.4').prefixLength() == 4", "parse error"],
    ["semver('1').major() == 1", "cannot parse \"1\" as semver"],
    ["[1, 2].slice(1, 5) == []", "list is length 2"],
    ["[[1], [2]].sort() == []", "comparable"],
    ["{'a': 1, 'b': 1}.transformMapEntry(k, v, {v: k}).size() == 2", "already exists"]
  ])("fail with a reason: %s", (rule, text) => {
    expect(holds(rule, {})[0]).toContain(text)
  })

  const tags = Array.from({ length: 2000 }, (_, index) => String(index))
  it.each([
    "self.tags.all(a, self.tags.all(b, self.tags.all(c, a + b + c != '')))",
    "lists.range(1000).all(a, lists.range(1000).all(b, lists.range(1000).all(c, a + b + c >= 0)))",
    "lists.range(1000000000).size() > 0",
    "self.s.split('').all(a, self.s.split('').all(b, a == b))",
    "self.tags.all(a, a in self.tags && self.tags == self.tags.map(x, x + ''))",
    "self.tags.all(a, sets.contains(self.tags, self.tags.reverse()))",
    "self.tags.exists(a, self.tags.exists(b, self.tags.exists(c, false))) || true",
    "self.tags.map(a, self.s).join('').size() > 0 && self.tags.all(a, self.tags.map(b, self.s).join(a).matches('(x+x+)+y'))",
    "lists.range(100000).sortBy(a, lists.range(a).size()).size() > 0",
    "{'a': 1}.all(k, v, lists.range(3000).all(i, x, lists.range(3000).all(j, y, x + y >= 0)))",
    `${Array.from({ length: 18 }, (_, i) => `cel.bind(v${i + 1}, v${i} + v${i}, `).join("").replace("v0 + v0", "self.s + self.s")}v18.size() > 0${")".repeat(18)}`
  ])("end when they cost too much: %s", (rule) => {
    const start = performance.now()
    const [problem] = holds(rule, { tags, s: "x".repeat(5000) })
    expect(problem).toContain("operation cancelled: actual cost limit exceeded")
    expect(performance.now() - start).toBeLessThan(10_000)
  })
})

describe("fields", () => {
  it.each(["constructor", "toString", "valueOf", "hasOwnProperty", "__proto__"])("may be called %s", (name) => {
    const field = name.replaceAll("__", "__underscores__")
    const rule = name === "constructor" ? "has(self.a) && self.a == 'x'" : `has(self.${field}) && self.${field} == 'x'`
    const tree = compiled({
      type: "object",
      properties: Object.fromEntries([[name, { type: "string" }], ["a", { type: "string" }]]),
      "x-kubernetes-validations": [{ rule }]
    })
    expect(problemsOf(tree)).toEqual([])
    expect(Rules.validate(tree, JSON.parse(`{"${name}":"x","a":"x"}`))).toEqual([])
    expect(Rules.validate(tree, {}).map(({ message }) => message)).toEqual([`Invalid value: failed rule: ${rule}`])
  })

  it("are old where they can be told apart", () => {
    const source = (type: string): JsonSchema => ({
      type: "object",
      properties: { m: { type: "object", "x-kubernetes-map-type": type, properties: { a: { type: "integer", "x-kubernetes-validations": [{ rule: "self == oldSelf" }] }, b: { type: "integer" } } } }
    })
    const change = (type: string) => Rules.validateUpdate(compiled(source(type)), { m: { a: 2 } }, { m: { a: 1 } }).length
    expect([change("granular"), change("atomic")]).toEqual([1, 0])
  })

  it("are named by the path of a rule", () => {
    const at = (fieldPath: string) => {
      const tree = compiled({
        type: "object",
        properties: { a: { type: "object", properties: { "b.c": { type: "object", additionalProperties: { type: "string" } } } } },
        "x-kubernetes-validations": [{ rule: "false", fieldPath }]
      })
      return Rules.validate(tree, {}, "s").map(({ path }) => path)
    }
    expect([at(".a"), at(".a['b.c']"), at(".a['b.c']['k\\'']")]).toEqual([["s.a"], ["s.a.b.c"], ["s.a.b.c[k']"]])
  })

  it("cost nobody minutes", () => {
    const tree = compiled(schema([{ rule: "self.s.matches(self.s)" }], { s: { type: "string" } }))
    expect(Rules.validate(tree, { spec: { s: "(a|b)*".repeat(10_000) } })[0]?.message).toContain("the regular expression is longer than 10000 characters")
  })
})
