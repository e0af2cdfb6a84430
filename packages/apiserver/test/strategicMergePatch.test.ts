/** Every directive of a strategic merge patch, on the lists and maps of every type in the field tables. */
import { Schema, Kinds } from "@reddwarf/api-types"
import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck } from "effect"
import * as StrategicMergePatch from "../src/patch/StrategicMergePatch.js"

type Json = Record<string, unknown>

const attempt = (current: unknown, patch: unknown, type: string) => StrategicMergePatch.apply(current, patch, type)
const apply = (current: unknown, patch: unknown, type: string) => Either.getOrThrow(attempt(current, patch, type)) as Json

/** Every list that is merged, as type, field and merge key; sets have no key. */
const merged = Object.entries(Schema.tables).flatMap(([type, { fields }]) =>
  Object.entries(fields).flatMap(([name, { mergeKey, patch, type: fieldType }]) =>
    patch?.split(",").includes("merge") === true && fieldType.startsWith("[]") ? [{ type, name, mergeKey }] : []
  )
)

const keyed = merged.flatMap(({ mergeKey, ...rest }) => mergeKey === undefined ? [] : [{ ...rest, mergeKey }])
const sets = merged.filter(({ mergeKey }) => mergeKey === undefined)
const replaced = Object.entries(Schema.tables).flatMap(([type, { fields }]) =>
  Object.entries(fields).flatMap(([name, field]) => field.type.startsWith("[]") && field.patch === undefined ? [{ type, name }] : [])
)

describe("lists merged by a key", () => {
  it("are those of Kubernetes", () => {
    const has = (type: string, name: string, mergeKey: string) =>
      assert.isTrue(keyed.some((list) => list.type.endsWith(type) && list.name === name && list.mergeKey === mergeKey), `${type}.${name}`)
    has("v1.PodSpec", "containers", "name")
    has("v1.PodSpec", "hostAliases", "ip")
    has("v1.Container", "ports", "containerPort")
    has("v1.Container", "volumeMounts", "mountPath")
    has("v1.ServiceSpec", "ports", "port")
    has("v1.ObjectMeta", "ownerReferences", "uid")
    assert.isTrue(sets.some(({ name }) => name === "finalizers"))
    assert.isAbove(replaced.length, 50)
    assert.isAbove([...Kinds.all].length, 10)
  })

  for (const { mergeKey, name, type } of keyed) {
    it(`${type.replace(/^.*\.(?=.*\..*$)/, "")}.${name}`, () => {
      const item = (key: string, more: Json = {}) => ({ [mergeKey]: key, ...more })
      const live = { [name]: [item("a", { x: 1 }), item("b", { x: 2 }), item("c", { x: 3 })] }
      const keys = (patch: Json) => (apply(live, patch, type)[name] as ReadonlyArray<Json>).map((one) => one[mergeKey])
      assert.deepStrictEqual(apply(live, { [name]: [item("b", { y: 1 }), item("d")] }, type), {
        [name]: [item("a", { x: 1 }), item("b", { x: 2, y: 1 }), item("d"), item("c", { x: 3 })]
      })
      assert.deepStrictEqual(keys({ [name]: [{ ...item("b"), $patch: "delete" }] }), ["a", "c"])
      assert.deepStrictEqual(keys({ [name]: [{ $patch: "replace" }, item("z")] }), ["z"])
      assert.deepStrictEqual(keys({ [name]: [item("c"), item("a")] }), ["b", "c", "a"])
      assert.deepStrictEqual(keys({ [`$setElementOrder/${name}`]: [item("c"), item("b"), item("a")] }), ["c", "b", "a"])
      assert.deepStrictEqual(
        keys({ [`$setElementOrder/${name}`]: [item("d"), item("a")], [name]: [item("d")] }),
        ["d", "a", "b", "c"]
      )
      assert.notProperty(apply(live, { [name]: null }, type), name)
      assert.isTrue(Either.isLeft(attempt(live, { [name]: [{ x: 1 }] }, type)))
    })
  }
})

describe("sets", () => {
  for (const { name, type } of sets) {
    it(`${type.replace(/^.*\.(?=.*\..*$)/, "")}.${name}`, () => {
      const live = { [name]: ["a", "b", "c"] }
      const result = (patch: Json) => apply(live, patch, type)[name]
      assert.deepStrictEqual(result({ [name]: ["d", "b"] }), ["d", "a", "b", "c"])
      assert.deepStrictEqual(result({ [`$deleteFromPrimitiveList/${name}`]: ["a", "z"] }), ["b", "c"])
      assert.deepStrictEqual(
        result({ [`$setElementOrder/${name}`]: ["c", "d"], [name]: ["d"], [`$deleteFromPrimitiveList/${name}`]: ["a"] }),
        ["b", "c", "d"]
      )
      assert.isTrue(Either.isLeft(attempt(live, { [`$setElementOrder/${name}`]: ["a"], [name]: ["d"] }, type)))
    })
  }
})

describe("everything else", () => {
  it("lists without a strategy are replaced", () => {
    for (const { name, type } of replaced) {
      assert.deepStrictEqual(apply({ [name]: [1, 2] }, { [name]: [3] }, type), { [name]: [3] }, `${type}.${name}`)
    }
  })

  it("lists of scalars lose what a directive names, whatever their strategy", () => {
    assert.deepStrictEqual(apply({ command: ["a", "b"] }, { "$deleteFromPrimitiveList/command": ["a"] }, "io.k8s.api.core.v1.Container"), {
      command: ["b"]
    })
  })

  it("maps are merged, replaced, emptied or kept in part", () => {
    const pod = "io.k8s.api.core.v1.Pod"
    const live = { metadata: { labels: { a: "1", b: "2" } } }
    const labels = (patch: Json) => apply(live, { metadata: { labels: patch } }, pod)["metadata"]
    assert.deepStrictEqual(labels({ c: "3", a: null }), { labels: { b: "2", c: "3" } })
    assert.deepStrictEqual(labels({ $patch: "replace", c: "3" }), { labels: { c: "3" } })
    assert.deepStrictEqual(labels({ $patch: "delete" }), { labels: {} })
    assert.deepStrictEqual(labels({ $retainKeys: ["a", "c"], c: "3" }), { labels: { a: "1", c: "3" } })
    assert.deepStrictEqual(apply({ metadata: {} }, { metadata: { labels: { $patch: "delete" } } }, pod), { metadata: {} })
    assert.isTrue(Either.isLeft(attempt(live, { metadata: { $patch: "explode" } }, pod)))
    assert.isTrue(Either.isLeft(attempt(live, { metadata: { labels: { $retainKeys: ["a"], c: "3" } } }, pod)))
  })

  it("a deployment changes its strategy as kubectl sends it", () => {
    const type = "io.k8s.api.apps.v1.Deployment"
    if (Schema.tables[type] === undefined) return
    const live = { spec: { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } } } }
    assert.deepStrictEqual(apply(live, { spec: { strategy: { $retainKeys: ["type"], type: "Recreate", rollingUpdate: null } } }, type), {
      spec: { strategy: { type: "Recreate" } }
    })
  })

  it("takes time in proportion to its size", () => {
    const items = (image: string) => Array.from({ length: 50_000 }, (_, i) => ({ name: `c${i}`, image }))
    const next = apply({ spec: { containers: items("1") } }, { spec: { containers: items("2").toReversed() } }, "io.k8s.api.core.v1.Pod")
    assert.lengthOf((next as { spec: { containers: ReadonlyArray<unknown> } }).spec.containers, 50_000)
  })

  it("is idempotent, and never throws", () => {
    const name = FastCheck.constantFrom("a", "b", "c")
    const container = FastCheck.record({ name, image: name }, { requiredKeys: ["name"] })
    const containers = FastCheck.uniqueArray(container, { selector: (one) => one.name })
    FastCheck.assert(FastCheck.property(containers, containers, (live, patch) => {
      const once = apply({ spec: { containers: live } }, { spec: { containers: patch } }, "io.k8s.api.core.v1.Pod")
      assert.deepStrictEqual(apply(once, { spec: { containers: patch } }, "io.k8s.api.core.v1.Pod"), once)
    }))
    FastCheck.assert(FastCheck.property(FastCheck.object(), FastCheck.object(), (live, patch) => {
      attempt({ spec: { containers: live } }, { spec: { containers: [patch] } }, "io.k8s.api.core.v1.Pod")
    }))
  })
})
