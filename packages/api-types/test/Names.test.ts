import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { Names } from "../src/index.js"

describe("Names", () => {
  it("gives the texts of Kubernetes", () => {
    assert.deepStrictEqual(Names.isDns1123Subdomain("Bad_Name"), [
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
    ])
    assert.deepStrictEqual(Names.isDns1123Label("a.b"), ["must not contain dots"])
    assert.deepStrictEqual(Names.isDns1123Label("a".repeat(64)), ["must be no more than 63 characters"])
    assert.deepStrictEqual(Names.isDns1035Label("1a"), [
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
    ])
    assert.deepStrictEqual(Names.isQualifiedName("/a"), ["prefix part must be non-empty"])
    assert.deepStrictEqual(Names.isPortName("UPPER--"), [
      "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
      "must contain at least one letter (a-z)",
      "must not contain consecutive hyphens",
      "must not begin or end with a hyphen"
    ])
    assert.deepStrictEqual(Names.isConfigMapKey(".."), ["must not be '..'"])
    assert.deepStrictEqual(Names.isConfigMapKey("..a"), ["must not start with '..'"])
    assert.deepStrictEqual(Names.isPortNumber(0), ["must be between 1 and 65535, inclusive"])
  })

  it.each([
    [Names.isDns1123Subdomain, ["a", "a.b", "1-2.x"], ["", "A", "a..b", "-a", "a-", "a_b", "a\n"]],
    [Names.isDns1123Label, ["a", "0", "a-b"], ["", "a.b", "Ä", "a\n"]],
    [Names.isQualifiedName, ["a", "A.b_c", "x.y/Z"], ["", "a/", "a/b/c", "X/y", "a b"]],
    [Names.isLabelValue, ["", "a", "A.b_c"], ["-a", "a ", "a/b"]],
    [Names.isEnvVarName, ["A", "a.b-c", "1a", "with space"], ["", "a=b", "é"]],
    [Names.isCIdentifier, ["a", "_a1"], ["1a", "a-b"]],
    [Names.isHttpHeaderName, ["X-A"], ["", "a b"]]
  ] as const)("%o", (rule, good, bad) => {
    for (const name of good) assert.deepStrictEqual(rule(name), [], name)
    for (const name of bad) assert.isAbove(rule(name).length, 0, name)
  })

  it.prop("a generated name keeps the rule of its base", [FastCheck.stringMatching(/^[a-z0-9]([-a-z0-9]{0,70}[a-z0-9])?$/), FastCheck.infiniteStream(FastCheck.nat(999))], ([base, numbers]) => {
    const name = Names.generateName(`${base}-`, () => Number(numbers.next().value) / 1000)
    assert.deepStrictEqual(Names.isDns1123Label(name), [])
    assert.match(name, /[bcdfghjklmnpqrstvwxz2456789]{5}$/)
    assert.isTrue(`${base}-`.startsWith(name.slice(0, -5)))
  })

  it("a prefix may end in a dash", () => {
    assert.deepStrictEqual(Names.isPrefixOf(Names.isDns1123Label)("web-"), [])
    assert.isAbove(Names.isPrefixOf(Names.isDns1123Label)("Web-").length, 0)
  })

  const text = FastCheck.string({ unit: FastCheck.constantFrom("a", "A", "0", "-", "_", ".", "é"), maxLength: 70 })
  const count = (problems: Names.Problems): number => problems.length

  it.prop("a qualified name is a subdomain and a name of at most 63 characters", [text, text], ([prefix, name]) => {
    const ofName = count(Names.isQualifiedName(name))
    assert.strictEqual(ofName === 0, name !== "" && count(Names.isLabelValue(name)) === 0)
    if (prefix === "") return
    assert.strictEqual(count(Names.isQualifiedName(`${prefix}/${name}`)), count(Names.isDns1123Subdomain(prefix)) + ofName)
  })

  it.prop("limits are counted in bytes, whatever else is wrong", [text], ([name]) => {
    const tooLong = "must be no more than 63 characters"
    for (const rule of [Names.isDns1123Label, Names.isDns1035Label, Names.isLabelValue]) {
      assert.strictEqual(rule(name).includes(tooLong), new TextEncoder().encode(name).length > 63)
    }
  })

  it.prop("a port name is refused for each of its mistakes", [FastCheck.string({ unit: FastCheck.constantFrom("a", "0", "-", "A"), maxLength: 18 })], ([name]) => {
    const mistakes = [
      name.length > 15,
      !/^[-a-z0-9]+$/.test(name),
      !/[a-z]/.test(name),
      name.includes("--"),
      name.startsWith("-") || name.endsWith("-")
    ]
    assert.strictEqual(count(Names.isPortName(name)), mistakes.filter(Boolean).length)
  })
})
