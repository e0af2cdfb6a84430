import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck } from "effect"
import * as JsonPatch from "../src/patch/JsonPatch.js"
import * as MergePatch from "../src/patch/MergePatch.js"
import * as StrategicMergePatch from "../src/patch/StrategicMergePatch.js"

const strategic = (current: unknown, patch: unknown, type = "io.k8s.api.core.v1.Pod") =>
  Either.getOrThrow(StrategicMergePatch.apply(current, patch, type))

describe("merge patch", () => {
  it("follows RFC 7386", () => {
    const cases: ReadonlyArray<readonly [unknown, unknown, unknown]> = [
      [{ a: "b" }, { a: "c" }, { a: "c" }],
      [{ a: "b" }, { a: null }, {}],
      [{ a: ["b"] }, { a: "c" }, { a: "c" }],
      [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
      [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
      [["a", "b"], ["c"], ["c"]],
      [{ e: null }, { a: 1 }, { e: null, a: 1 }],
      [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }]
    ]
    for (const [target, patch, expected] of cases) assert.deepStrictEqual(MergePatch.apply(target, patch), expected)
  })

  it("treats __proto__ as a key", () => {
    const result = MergePatch.apply({}, JSON.parse("{\"__proto__\":{\"x\":1}}"))
    assert.strictEqual(JSON.stringify(result), "{\"__proto__\":{\"x\":1}}")
    assert.isUndefined(({} as Record<string, unknown>)["x"])
  })

  it("is idempotent", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.jsonValue(), FastCheck.jsonValue(), (target, patch) => {
        const once = MergePatch.apply(target, patch)
        assert.deepStrictEqual(MergePatch.apply(once, patch), once)
      }),
      { numRuns: 200 }
    )
  })
})

describe("JSON patch", () => {
  const apply = (document: unknown, patch: unknown) =>
    Either.flatMap(JsonPatch.parse(patch), (operations) => JsonPatch.apply(document, operations))
  const right = (document: unknown, patch: unknown) => Either.getOrThrow(apply(document, patch))

  it("follows RFC 6902", () => {
    assert.deepStrictEqual(right({ a: [1, 2] }, [{ op: "add", path: "/a/1", value: 9 }]), { a: [1, 9, 2] })
    assert.deepStrictEqual(right({ a: [1] }, [{ op: "add", path: "/a/-", value: 2 }]), { a: [1, 2] })
    assert.deepStrictEqual(right({ a: 1 }, [{ op: "move", from: "/a", path: "/b" }]), { b: 1 })
    assert.deepStrictEqual(right({ a: { b: 1 } }, [{ op: "copy", from: "/a", path: "/c" }]), { a: { b: 1 }, c: { b: 1 } })
    assert.deepStrictEqual(right({ "a/b": 1, "m~n": 2 }, [{ op: "remove", path: "/a~1b" }, { op: "test", path: "/m~0n", value: 2 }]), { "m~n": 2 })
    assert.deepStrictEqual(right({ a: 1 }, [{ op: "replace", path: "", value: { b: 2 } }]), { b: 2 })
  })

  it("refuses what does not fit", () => {
    for (const operation of [
      { op: "remove", path: "/x" },
      { op: "replace", path: "/x", value: 1 },
      { op: "add", path: "/x/y", value: 1 },
      { op: "add", path: "/list/9", value: 1 },
      { op: "add", path: "/list/01", value: 1 },
      { op: "test", path: "/a", value: 2 },
      { op: "move", from: "/o", path: "/o/p" },
      { op: "hop", path: "/a" },
      { op: "add", path: "/a" }
    ]) assert.isTrue(Either.isLeft(apply({ a: 1, list: [], o: {} }, [operation])), JSON.stringify(operation))
    assert.isTrue(Either.isLeft(apply({}, {})))
  })

  it("does not let copies grow without bound", () => {
    const patch = Array.from({ length: 60 }, (_, i) => ({ op: "copy", from: "", path: `/c${i}` }))
    assert.isTrue(Either.isLeft(apply({ a: "x".repeat(100) }, patch)))
  })

  it("never throws, never changes its target", () => {
    const op = FastCheck.record({
      op: FastCheck.constantFrom("add", "remove", "replace", "move", "copy", "test"),
      path: FastCheck.constantFrom("", "/", "/a", "/a/0", "/a/-", "/b/c", "/__proto__/x", "/constructor/prototype/x"),
      from: FastCheck.constantFrom("", "/a", "/b", "/__proto__"),
      value: FastCheck.jsonValue()
    })
    FastCheck.assert(
      FastCheck.property(FastCheck.array(op, { maxLength: 8 }), (patch) => {
        const target = { a: [1, { x: 2 }], b: { c: null } }
        const before = JSON.stringify(target)
        apply(target, patch)
        assert.strictEqual(JSON.stringify(target), before)
        assert.isUndefined(({} as Record<string, unknown>)["x"])
      }),
      { numRuns: 500 }
    )
  })
})

describe("strategic merge patch", () => {
  const live = {
    spec: {
      containers: [{ name: "a", image: "1", env: [{ name: "x", value: "1" }] }, { name: "b", image: "1" }],
      tolerations: [{ key: "k" }]
    },
    metadata: { finalizers: ["one/x", "two/x"] }
  }

  it("merges lists by key, replaces atomic ones, unites sets", () => {
    const next = strategic(live, {
      spec: {
        containers: [{ name: "b", image: "2" }, { name: "c", image: "3" }],
        tolerations: [{ key: "other" }]
      },
      metadata: { finalizers: ["two/x", "three/x"] }
    })
    assert.deepStrictEqual(next, {
      spec: {
        containers: [live.spec.containers[0], { name: "b", image: "2" }, { name: "c", image: "3" }],
        tolerations: [{ key: "other" }]
      },
      metadata: { finalizers: ["one/x", "two/x", "three/x"] }
    })
  })

  it("understands the directives", () => {
    assert.deepStrictEqual(
      strategic(live, { spec: { containers: [{ name: "a", $patch: "delete" }] } }),
      { ...live, spec: { ...live.spec, containers: [live.spec.containers[1]] } }
    )
    assert.deepStrictEqual(
      strategic(live, { spec: { containers: [{ $patch: "replace" }, { name: "z" }] } }),
      { ...live, spec: { ...live.spec, containers: [{ name: "z" }] } }
    )
    assert.deepStrictEqual(
      strategic(live, { metadata: { "$deleteFromPrimitiveList/finalizers": ["one/x"] } }),
      { ...live, metadata: { finalizers: ["two/x"] } }
    )
    assert.deepStrictEqual(strategic(live, { spec: { $patch: "replace", hostname: "h" } }), { ...live, spec: { hostname: "h" } })
    const ordered = strategic(live, {
      spec: {
        "$setElementOrder/containers": [{ name: "c" }, { name: "a" }],
        containers: [{ name: "c", image: "3" }, { name: "a", image: "9" }]
      }
    })
    assert.deepStrictEqual(
      (ordered as typeof live).spec.containers.map(({ name }) => name),
      ["c", "a", "b"]
    )
    const volumes = { spec: { volumes: [{ name: "v", emptyDir: {}, hostPath: { path: "/x" } }] } }
    assert.deepStrictEqual(
      strategic(volumes, { spec: { volumes: [{ name: "v", $retainKeys: ["name", "configMap"], configMap: { name: "m" } }] } }),
      { spec: { volumes: [{ name: "v", configMap: { name: "m" } }] } }
    )
  })

  it("removes by null, also where nothing is", () => {
    assert.deepStrictEqual(strategic({ spec: { unschedulable: true } }, { spec: { unschedulable: null } }, "io.k8s.api.core.v1.Node"), { spec: {} })
    assert.deepStrictEqual(strategic({}, { metadata: { labels: { a: null, b: "1" } } }), { metadata: { labels: { b: "1" } } })
  })

  it("refuses an item without its key, and an unknown directive", () => {
    const problem = StrategicMergePatch.apply(live, { spec: { containers: [{ image: "x" }] } }, "io.k8s.api.core.v1.Pod")
    assert.isTrue(Either.isLeft(problem))
    assert.isTrue(Either.isLeft(StrategicMergePatch.apply(live, { spec: { $patch: "explode" } }, "io.k8s.api.core.v1.Pod")))
  })

  it("without lists and directives is a merge patch", () => {
    const dictionary = FastCheck.dictionary(FastCheck.constantFrom("a", "b", "c"), FastCheck.option(FastCheck.string()))
    FastCheck.assert(
      FastCheck.property(dictionary, dictionary, (labels, patch) => {
        const target = { metadata: { labels } }
        assert.deepStrictEqual(
          strategic(target, { metadata: { labels: patch } }),
          MergePatch.apply(target, { metadata: { labels: patch } })
        )
      })
    )
  })
})
