/** Sets of field paths, comparison, merging and pruning: pure functions. */
import { Kinds } from "@reddwarf/api-types"
import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck } from "effect"
import * as AppliedFields from "../src/fields/AppliedFields.js"
import * as Comparison from "../src/fields/Comparison.js"
import * as FieldManager from "../src/fields/FieldManager.js"
import * as FieldSet from "../src/fields/FieldSet.js"
import * as Merge from "../src/fields/Merge.js"
import * as PathElement from "../src/fields/PathElement.js"
import * as TableSchema from "../src/fields/TableSchema.js"
import * as TypedSchema from "../src/fields/TypedSchema.js"
import type { Writer } from "../src/fields/Writer.js"

const elements = FastCheck.oneof(
  FastCheck.constantFrom("f:a", "f:b", "f:c", "f:__proto__"),
  FastCheck.constantFrom("a", "b").map((name) => `k:{"name":"${name}"}`),
  FastCheck.integer({ min: 0, max: 2 }).map((value) => `v:${value}`)
)
const paths = FastCheck.array(FastCheck.array(elements, { minLength: 1, maxLength: 4 }), { maxLength: 8 })
const sets = paths.map(FieldSet.fromPaths)

const texts = (set: FieldSet.FieldSet) => new Set(FieldSet.paths(set).map((path) => path.join("/")))
const sameAs = (set: FieldSet.FieldSet, expected: Iterable<string>) =>
  assert.deepStrictEqual([...texts(set)].sort(), [...new Set(expected)].sort())

describe("FieldSet", () => {
  it("holds the paths that it is made of", () => {
    FastCheck.assert(FastCheck.property(paths, (given) => {
      sameAs(FieldSet.fromPaths(given), given.map((path) => path.join("/")))
      for (const path of given) assert.isTrue(FieldSet.has(FieldSet.fromPaths(given), path))
    }))
  })

  it("unites, subtracts and intersects as sets do", () => {
    FastCheck.assert(FastCheck.property(sets, sets, (a, b) => {
      const [left, right] = [texts(a), texts(b)]
      sameAs(FieldSet.union(a, b), [...left, ...right])
      sameAs(FieldSet.difference(a, b), [...left].filter((path) => !right.has(path)))
      sameAs(FieldSet.intersection(a, b), [...left].filter((path) => right.has(path)))
      sameAs(
        FieldSet.without(a, b),
        [...left].filter((path) => ![...right].some((other) => path === other || path.startsWith(`${other}/`)))
      )
    }))
  })

  it("obeys the laws of sets", () => {
    FastCheck.assert(FastCheck.property(sets, sets, sets, (a, b, c) => {
      assert.isTrue(FieldSet.equals(FieldSet.union(a, b), FieldSet.union(b, a)))
      assert.isTrue(FieldSet.equals(FieldSet.union(FieldSet.union(a, b), c), FieldSet.union(a, FieldSet.union(b, c))))
      assert.isTrue(FieldSet.equals(FieldSet.union(FieldSet.difference(a, b), FieldSet.intersection(a, b)), a))
      assert.isTrue(FieldSet.isEmpty(FieldSet.intersection(FieldSet.difference(a, b), b)))
      assert.strictEqual(FieldSet.union(a, a), a)
    }))
  })

  it("survives the wire", () => {
    FastCheck.assert(FastCheck.property(sets, (set) => {
      const read = FieldSet.fromFieldsV1(JSON.parse(JSON.stringify(FieldSet.sorted(set))))
      assert.isTrue(read !== undefined && FieldSet.equals(read, set))
    }))
  })

  it("has one spelling of each step, and an order", () => {
    const set = FieldSet.fromFieldsV1({
      "f:b": {},
      "f:a": { "k:{\"protocol\":\"TCP\", \"containerPort\":443}": {}, "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {}, ".": {} }
    })
    assert.strictEqual(
      JSON.stringify(FieldSet.sorted(set ?? {})),
      "{\"f:a\":{\".\":{},\"k:{\\\"containerPort\\\":80,\\\"protocol\\\":\\\"TCP\\\"}\":{},\"k:{\\\"containerPort\\\":443,\\\"protocol\\\":\\\"TCP\\\"}\":{}},\"f:b\":{}}"
    )
    for (const bad of [{ x: {} }, { "k:nothing": {} }, { "f:a": 1 }, []]) assert.isUndefined(FieldSet.fromFieldsV1(bad))
  })

  it("shows paths as messages do", () => {
    assert.strictEqual(
      PathElement.printPath(["f:spec", "f:containers", "k:{\"name\":\"c\"}", "f:ports", "k:{\"containerPort\":80,\"protocol\":\"TCP\"}"]),
      ".spec.containers[name=\"c\"].ports[containerPort=80,protocol=\"TCP\"]"
    )
    assert.strictEqual(PathElement.printPath(["f:metadata", "f:finalizers", "v:\"a/b\""]), ".metadata.finalizers[=\"a/b\"]")
  })
})

const pod = TableSchema.ofKind(Kinds.pod)

const container = (name: string, more: object = {}) => ({ name, image: "i", ...more })

describe("the fields of an object", () => {
  it("are owned by key, as a whole, or one by one", () => {
    const fields = AppliedFields.ofConfiguration(pod.root, {
      metadata: { labels: { a: "1" }, annotations: {}, finalizers: ["x/y"] },
      spec: {
        nodeSelector: { a: "b" },
        tolerations: [{ key: "t" }],
        containers: [container("c", { ports: [{ containerPort: 80 }] })],
        affinity: { podAffinity: {} }
      }
    })
    assert.deepStrictEqual(fields, {
      "f:metadata": { "f:labels": { "f:a": {} }, "f:annotations": {}, "f:finalizers": { "v:\"x/y\"": {} } },
      "f:spec": {
        "f:nodeSelector": {},
        "f:tolerations": {},
        "f:affinity": { "f:podAffinity": {} },
        "f:containers": {
          "k:{\"name\":\"c\"}": {
            ".": {},
            "f:name": {},
            "f:image": {},
            "f:ports": { "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": { ".": {}, "f:containerPort": {} } }
          }
        }
      }
    })
  })

  it("are refused where the type has none", () => {
    const problem = (value: unknown) => AppliedFields.problemOf(pod.root, value)
    assert.isUndefined(problem({ spec: { containers: [container("c")] } }))
    assert.strictEqual(problem({ spec: { foo: 1 } }), ".spec.foo: field not declared in schema")
    assert.strictEqual(
      problem({ spec: { containers: [container("c"), container("c")] } }),
      ".spec.containers: duplicate entries for key [name=\"c\"]"
    )
    assert.strictEqual(
      problem({ spec: { containers: [{ image: "i" }], foo: 1 } }),
      "errors:\n  .spec.containers: element 0: associative list with keys has an element that omits all key fields [\"name\"] (and doesn't have default values for any key fields)\n  .spec.foo: field not declared in schema"
    )
  })
})

describe("comparison", () => {
  it("names what changed and what is gone", () => {
    const { changed, removed } = Comparison.compare(
      pod.root,
      { metadata: { labels: { a: "1", b: "1" } }, spec: { containers: [container("x")], nodeName: "n" } },
      { metadata: { labels: { a: "2" } }, spec: { containers: [container("x", { image: "j" }), container("y")] } }
    )
    assert.deepStrictEqual(changed, {
      "f:metadata": { "f:labels": { "f:a": {} } },
      "f:spec": {
        "f:containers": { "k:{\"name\":\"x\"}": { "f:image": {} }, "k:{\"name\":\"y\"}": { ".": {}, "f:name": {}, "f:image": {} } }
      }
    })
    assert.deepStrictEqual(removed, { "f:metadata": { "f:labels": { "f:b": {} } }, "f:spec": { "f:nodeName": {} } })
  })

  it("takes labels for data, whatever their names", () => {
    const { changed, removed } = Comparison.compare(
      pod.root,
      { metadata: { labels: { constructor: "1" } } },
      { metadata: { labels: { toString: "1" } } }
    )
    assert.deepStrictEqual(changed, { "f:metadata": { "f:labels": { "f:toString": {} } } })
    assert.deepStrictEqual(removed, { "f:metadata": { "f:labels": { "f:constructor": {} } } })
  })
})

const names = FastCheck.uniqueArray(FastCheck.constantFrom("a", "b", "c", "d", "e"))
const pods = FastCheck.record({
  metadata: FastCheck.record({
    labels: FastCheck.dictionary(FastCheck.constantFrom("l", "m", "n"), FastCheck.constantFrom("1", "2"), { minKeys: 1 }),
    finalizers: names.map((all) => all.map((name) => `${name}/f`))
  }, { requiredKeys: [] }),
  spec: FastCheck.record({
    hostname: FastCheck.constantFrom("h", "i"),
    nodeSelector: FastCheck.dictionary(FastCheck.constantFrom("s", "t"), FastCheck.constant("1"), { minKeys: 1 }),
    tolerations: names.map((all) => all.map((key) => ({ key }))),
    containers: FastCheck.uniqueArray(
      FastCheck.record({ name: FastCheck.constantFrom("a", "b", "c"), image: FastCheck.constantFrom("1", "2") }),
      { selector: ({ name }) => name }
    )
  }, { requiredKeys: ["hostname"] })
})

const writer = (manager: string): Writer => ({ manager, apiVersion: "v1", subresource: undefined, hasStatus: true, now: 0 })

// Tests pass parts of objects; the manager looks at nothing else.
const asObject = (content: unknown, managedFields?: unknown) => {
  const { metadata, ...rest } = content as { metadata?: object }
  return {
    apiVersion: "v1",
    kind: "Pod",
    ...rest,
    metadata: { name: "p", ...metadata, ...(managedFields === undefined ? {} : { managedFields }) }
  } as Parameters<typeof FieldManager.afterCreate>[1]
}

const applied = (live: ReturnType<typeof asObject> | undefined, content: unknown, manager: string, force = true) =>
  Either.map(
    FieldManager.apply(pod, live, asObject(content), writer(manager), force),
    ({ managedFields, object }) => asObject(object, managedFields)
  )

describe("apply", () => {
  it("merges lists in the order of the configuration", () => {
    const order = (live: ReadonlyArray<string>, given: ReadonlyArray<string>) =>
      (Merge.merge(TypedSchema.setOf(TypedSchema.scalar), live, given) as ReadonlyArray<string>).join("")
    assert.strictEqual(order(["a", "b"], ["b", "a"]), "ba")
    assert.strictEqual(order(["a", "x", "b"], ["a", "b", "c"]), "axbc")
    assert.strictEqual(order(["a", "b"], ["x", "b"]), "axb")
    assert.strictEqual(order(["c", "a", "z"], ["a", "c", "n"]), "azcn")
  })

  it("is idempotent", () => {
    FastCheck.assert(FastCheck.property(pods, pods, (first, second) => {
      const live = Either.getOrThrow(applied(undefined, first, "one"))
      const once = Either.getOrThrow(applied(live, second, "two"))
      assert.deepStrictEqual(Either.getOrThrow(applied(once, second, "two")), once)
    }))
  })

  it("of the only manager leaves what its last configuration says", () => {
    FastCheck.assert(FastCheck.property(pods, pods, (first, second) => {
      const live = Either.getOrThrow(applied(undefined, first, "one"))
      const next = Either.getOrThrow(applied(live, second, "one"))
      const expected = AppliedFields.ofConfiguration(pod.root, asObject(second))
      assert.isTrue(FieldSet.isEmpty(FieldSet.difference(expected, AppliedFields.ofConfiguration(pod.root, next))))
      const values = (object: unknown) => {
        const { changed, removed } = Comparison.compare(pod.root, asObject(second), object)
        return FieldSet.paths(FieldSet.without(FieldSet.union(changed, removed), { "f:metadata": { "f:managedFields": {} } }))
          .filter((path) => path.length > 2 && !/f:(labels|finalizers|containers|tolerations|nodeSelector)$/.test(path.at(-1) ?? ""))
      }
      assert.deepStrictEqual(values(next), [])
    }))
  })

  it("never takes a field from another manager unless forced", () => {
    FastCheck.assert(FastCheck.property(pods, pods, (first, second) => {
      const live = Either.getOrThrow(applied(undefined, first, "one"))
      const result = applied(live, second, "two", false)
      if (Either.isLeft(result)) {
        assert.strictEqual(result.left.code, 409)
        return
      }
      const before = AppliedFields.ofConfiguration(pod.root, asObject(first))
      const { changed, removed } = Comparison.compare(pod.root, live, result.right)
      assert.isTrue(FieldSet.isEmpty(FieldSet.intersection(before, FieldSet.union(changed, removed))))
    }))
  })
})
