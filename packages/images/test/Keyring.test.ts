import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck as fc, Redacted } from "effect"
import { Keyring } from "../src/index.js"
import { globMatches } from "../src/internal/glob.js"

const base64 = (text: string) => Buffer.from(text).toString("base64")
const users = (keyring: Keyring.Keyring, registry: string, repository: string) => Keyring.lookup(keyring, registry, repository).map(({ username }) => username)
const config = (auths: Readonly<Record<string, unknown>>) => Keyring.fromConfig(JSON.stringify({ auths }), { source: "test" })
const of = (...keys: ReadonlyArray<string>) => Either.getOrThrow(config(Object.fromEntries(keys.map((key) => [key, { auth: base64(`${key}:secret`) }]))))

describe("Keyring", () => {
  it.each([
    ["registry.example.com", "registry.example.com", "team/app", true],
    ["https://registry.example.com/v2/", "registry.example.com", "team/app", true],
    ["https://registry.example.com/v1", "registry.example.com", "team/app", true],
    ["registry.example.com/team", "registry.example.com", "team/app", true],
    ["registry.example.com/team", "registry.example.com", "other/app", false],
    ["registry.example.com/v2/team", "registry.example.com", "team/app", true],
    ["registry.example.com:5000", "registry.example.com", "app", false],
    ["registry.example.com:5000", "registry.example.com:5000", "app", true],
    ["*.example.com", "registry.example.com", "app", true],
    ["*.example.com", "a.b.example.com", "app", false],
    ["*.*.example.com", "a.b.example.com", "app", true],
    ["*.example.com", "example.com", "app", false],
    ["reg*.example.com", "registry.example.com", "app", true],
    ["*.io", "docker.io", "library/app", true],
    ["https://index.docker.io/v1/", "docker.io", "library/app", true],
    ["https://index.docker.io/v1/", "registry.example.com", "library/app", false]
  ])("entry %s fits %s/%s: %s", (key, registry, repository, fits) => {
    assert.strictEqual(users(of(key), registry, repository).length === 1, fits)
  })

  it("tries the most specific entry first, then the others", () => {
    const keyring = of("*.example.com", "registry.example.com", "registry.example.com/team", "registry.example.com/team/app", "other.example.com")
    assert.deepStrictEqual(users(keyring, "registry.example.com", "team/app"), [
      "registry.example.com/team/app",
      "registry.example.com/team",
      "registry.example.com",
      "*.example.com"
    ])
  })

  it("reads secrets of both types, and leaves others alone", () => {
    const keyring = Either.getOrThrow(Keyring.fromSecrets([
      { name: "a", type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": base64(JSON.stringify({ auths: { "a.example.com": { username: "a", password: "x:y" } } })) } },
      { name: "b", type: "kubernetes.io/dockercfg", data: { ".dockercfg": base64(JSON.stringify({ "b.example.com": { auth: base64("b:x:y") } })) } },
      { name: "c", type: "Opaque", data: { ".dockerconfigjson": base64("{}") } }
    ]))
    for (const name of ["a", "b"]) {
      const [credential] = Keyring.lookup(keyring, `${name}.example.com`, "app")
      assert.strictEqual(credential?.username, name)
      assert.strictEqual(credential === undefined ? "" : Redacted.value(credential.password), "x:y")
    }
  })

  it.each([
    ["not json", "it is not a JSON object with auths"],
    ["{\"auths\": {\"a.example.com\": {\"auth\": \"c2VjcmV0\"}}}", "entry a.example.com: its auth is not the base64 of user:password"],
    ["{\"auths\": {\"a.example.com\": {\"username\": \"a\\nb\", \"password\": \"secret\"}}}", "line break"]
  ])("says what is wrong with %s, and keeps its content to itself", (text, reason) => {
    const error = Either.flip(Keyring.fromSecrets([{ name: "pull", namespace: "default", type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": base64(text) } }]))
    const message = Either.isRight(error) ? error.right.message : ""
    assert.include(message, `pull secret default/pull: `)
    assert.include(message, reason)
    assert.notInclude(message, "secret\"")
    assert.notInclude(message, "c2VjcmV0")
  })

  it("does not show credentials when it is printed", () => {
    assert.notInclude(JSON.stringify(Keyring.basic("a.example.com", "robot", Redacted.make("hunter2"))), "hunter2")
  })

  it.each([
    ["[a-c]x", "bx", true],
    ["[^a-c]x", "bx", false],
    ["[^a-c]x", "dx", true],
    ["[]a]", "]", false],
    ["\\*", "*", true],
    ["\\*", "a", false],
    ["[a", "a", false],
    ["a**b", "ab", true],
    ["", "", true]
  ])("wildcards: %s and %s: %s", (pattern, text, fits) => {
    assert.strictEqual(globMatches(pattern, text), fits)
  })

  it.prop("a star stands for any text, and for nothing else than its place", { a: fc.stringMatching(/^[a-z]{0,5}$/), b: fc.string(), c: fc.stringMatching(/^[a-z]{0,5}$/) }, ({ a, b, c }) => {
    assert.isTrue(globMatches(`${a}*${c}`, `${a}${b}${c}`))
    assert.isFalse(globMatches(`${a}x*${c}`, `${a}y${b}${c}`))
  })

  it("decides in bounded time", () => {
    assert.isFalse(globMatches("*a".repeat(500), "a".repeat(499)))
  })
})
