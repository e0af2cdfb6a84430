import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck as fc } from "effect"
import { ImageReference } from "../src/index.js"

const hex = "a".repeat(64)
const parsed = (text: string, options?: ImageReference.Options) =>
  Either.match(ImageReference.parse(text, options), { onLeft: (error) => error.message, onRight: ImageReference.format })

const component = fc.stringMatching(/^[a-z0-9]{1,6}(?:(?:\.|_|__|-{1,2})[a-z0-9]{1,4}){0,2}$/)
const registry = fc.constantFrom("docker.io", "registry.example.com", "localhost", "localhost:5000", "127.0.0.1:5000", "[::1]:5000", "Registry")
const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/)

describe("ImageReference", () => {
  it.each([
    ["nginx", "docker.io/library/nginx:latest"],
    ["nginx:1.27", "docker.io/library/nginx:1.27"],
    ["library/nginx", "docker.io/library/nginx:latest"],
    ["docker.io/nginx", "docker.io/library/nginx:latest"],
    ["index.docker.io/nginx", "docker.io/library/nginx:latest"],
    ["team/app", "docker.io/team/app:latest"],
    ["localhost/app", "localhost/app:latest"],
    ["localhost:5000/app", "localhost:5000/app:latest"],
    ["[::1]:5000/app:2", "[::1]:5000/app:2"],
    ["registry.example.com/a/b/c:v1", "registry.example.com/a/b/c:v1"],
    ["HOST/app", "HOST/app:latest"],
    [`app@sha256:${hex}`, `docker.io/library/app@sha256:${hex}`],
    [`app:1@sha256:${hex}`, `docker.io/library/app:1@sha256:${hex}`],
    [`app@sha512:${hex}${hex}`, `docker.io/library/app@sha512:${hex}${hex}`]
  ])("understands %s", (text, whole) => {
    assert.strictEqual(parsed(text), whole)
  })

  it.each([
    ["", "it is empty"],
    ["Nginx", "repository name must be lowercase"],
    ["registry.example.com/Team/app", "repository name must be lowercase"],
    ["nginx:", "is not a tag"],
    ["nginx:-1", "is not a tag"],
    ["nginx:a b", "is not a tag"],
    ["-nginx", "is not a repository"],
    ["a//b", "is not a repository"],
    ["../etc", "is not a host"],
    ["registry.example.com:70000/app", "is not a host"],
    ["http://registry.example.com/app", "is not a"],
    ["nginx@sha256:abc", "is not a sha256 or sha512 digest"],
    [hex, "a bare image id names no repository"],
    [`registry.example.com/${"a".repeat(250)}`, "longer than 255"]
  ])("refuses %s", (text, reason) => {
    const message = parsed(text)
    assert.include(message, reason)
    assert.include(message, `couldn't parse image name "${text}": invalid reference format`)
  })

  it("lets another registry be the default", () => {
    const options = { defaultRegistry: "registry.example.com", defaultNamespace: "" }
    assert.strictEqual(parsed("nginx", options), "registry.example.com/nginx:latest")
    assert.strictEqual(parsed("docker.io/library/nginx", options), "docker.io/library/nginx:latest")
    assert.strictEqual(ImageReference.familiar(Either.getOrThrow(ImageReference.parse("nginx", options)), options), "nginx:latest")
  })

  it.prop("is the same when its whole or its short form is read again", { registry, path: fc.array(component, { minLength: 1, maxLength: 3 }), tag }, ({ path, registry, tag }) => {
    const first = Either.getOrThrow(ImageReference.parse(`${registry}/${path.join("/")}:${tag}`))
    assert.deepStrictEqual(Either.getOrThrow(ImageReference.parse(ImageReference.format(first))), first)
    assert.deepStrictEqual(Either.getOrThrow(ImageReference.parse(ImageReference.familiar(first))), first)
  })

  it.prop("never gives a name that could leave a path or begin an option", { text: fc.string() }, ({ text }) => {
    const reference = ImageReference.parse(text)
    if (Either.isRight(reference)) {
      assert.match(reference.right.repository, /^[a-z0-9][a-z0-9._/-]*$/)
      assert.notInclude(reference.right.repository, "..")
      assert.notInclude(reference.right.repository, "//")
    }
  })
})
