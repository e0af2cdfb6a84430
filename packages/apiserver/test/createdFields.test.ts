/** The remembered fields of new objects are those that would be worked out. */
import { assert, describe, it } from "@effect/vitest"
import { Kinds } from "@reddwarf/api-types"
import { FastCheck } from "effect"
import * as CreatedFields from "../src/fields/CreatedFields.js"
import * as FieldManager from "../src/fields/FieldManager.js"
import * as FieldSet from "../src/fields/FieldSet.js"
import * as TableSchema from "../src/fields/TableSchema.js"
import * as TypedSchema from "../src/fields/TypedSchema.js"
import type { Writer } from "../src/fields/Writer.js"
import { encoderOf } from "../src/internal/encode.js"

const writer: Writer = { manager: "kubectl", apiVersion: "v1", subresource: undefined, hasStatus: true, now: 0 }

// Values from a small choice, so that forms come again, with all that a form can trip over: nothing, empty, several of one key.
const oneOf = FastCheck.constantFrom
const name = oneOf("a", "b")
const record = <A>(model: { readonly [K in keyof A]: FastCheck.Arbitrary<A[K]> }) => FastCheck.record(model, { requiredKeys: [] })
const few = <A>(item: FastCheck.Arbitrary<A>) => FastCheck.array(item, { maxLength: 2 })
const labels = oneOf<unknown>(null, {}, { a: "1" }, { a: "2" }, { b: "1" }, { a: "1", b: "2" }, { b: "2", a: "1" }, { constructor: "1" })
const port = FastCheck.record({ containerPort: oneOf(80, 443), protocol: oneOf("TCP", "UDP"), name: oneOf("x", "y") }, { requiredKeys: ["containerPort"] })
const container = FastCheck.record({
  name,
  image: oneOf("i", "j"),
  command: oneOf<unknown>(null, [], ["a"], ["b"]),
  env: few(FastCheck.record({ name, value: oneOf("v", "") }, { requiredKeys: ["name"] })),
  ports: few(port),
  securityContext: oneOf<unknown>(null, {}, { runAsUser: 0 }),
  resources: oneOf<unknown>({}, { requests: { cpu: "1" } }, { requests: {} })
}, { requiredKeys: ["name"] })
const pod = FastCheck.record({
  apiVersion: oneOf("v1"),
  kind: oneOf("Pod"),
  metadata: record({
    name,
    labels,
    annotations: labels,
    finalizers: oneOf<unknown>(null, [], ["f"], ["g"], ["f", "g"], ["f", "f"]),
    ownerReferences: few(FastCheck.record({ uid: name, name, controller: oneOf(true) }, { requiredKeys: ["uid"] }))
  }),
  spec: record({
    containers: few(container),
    nodeSelector: labels,
    hostNetwork: oneOf(true, false),
    tolerations: oneOf<unknown>([], [{ key: "a" }], [{ key: "b" }]),
    unheardOf: oneOf<unknown>(1, {}, { a: 1 })
  }),
  status: oneOf<unknown>({}, { phase: "Pending" })
}, { requiredKeys: ["apiVersion", "kind", "metadata"] })

// Untyped parts, as custom resources have them.
const custom: TypedSchema.KindSchema = {
  root: TypedSchema.struct(new Map([
    ["spec", TypedSchema.deduced],
    ["atomic", TypedSchema.atomic],
    ["set", TypedSchema.setOf(TypedSchema.scalar)]
  ])),
  empty: {}
}
const anything = oneOf<unknown>(null, 0, "a", [], [1], {}, { a: null }, { a: {} }, { a: { b: 1 } }, { a: { b: [] } }, { b: 1, a: 1 })
const resource = record({ spec: anything, atomic: anything, set: oneOf<unknown>(null, [], ["a"], ["b"], ["a", "b"], [1]) })

const objectOf = (content: object) => ({ apiVersion: "v1", kind: "Thing", metadata: {}, ...content })

const entriesOf = (schema: TypedSchema.KindSchema, content: object) => FieldManager.afterCreate(schema, objectOf(content), writer)

const agrees = (schema: TypedSchema.KindSchema) => (contents: ReadonlyArray<object>) => {
  const remembering = { ...schema }
  // A schema that nobody has seen remembers nothing.
  for (const content of contents) assert.deepStrictEqual(entriesOf(remembering, content), entriesOf({ ...schema }, content))
}

describe("the fields of a new object", () => {
  it("are the same whether an object of its form came before or not", () => {
    FastCheck.assert(FastCheck.property(FastCheck.array(pod, { minLength: 2, maxLength: 24 }), agrees(TableSchema.ofKind(Kinds.pod))))
    FastCheck.assert(FastCheck.property(FastCheck.array(resource, { minLength: 2, maxLength: 24 }), agrees(custom)))
  })

  it("are worked out once for objects that differ in values, and shared by them", () => {
    const schema = { ...TableSchema.ofKind(Kinds.pod) }
    let worked = 0
    const fieldsOf = (of: string, port: number) =>
      CreatedFields.of(schema, { metadata: { name: of, labels: { app: of } }, spec: { containers: [{ name: "c", image: of, ports: [{ containerPort: port }] }] } }, true, () => {
        worked++
        return { "f:spec": FieldSet.empty }
      })
    const first = fieldsOf("a", 80)
    assert.strictEqual(fieldsOf("b", 80), first)
    assert.strictEqual(worked, 1)
    assert.strictEqual(CreatedFields.sharedText(first), JSON.stringify(first))
    // The port tells items apart, so it is a step of their paths.
    assert.notStrictEqual(fieldsOf("a", 81), first)
    assert.strictEqual(worked, 2)
  })

  it("stand in the stored line as they stand in the object", () => {
    FastCheck.assert(FastCheck.property(FastCheck.array(pod, { minLength: 2, maxLength: 8 }), (contents) => {
      const schema = { ...TableSchema.ofKind(Kinds.pod) }
      for (const content of contents) {
        const sent = objectOf(content)
        const managedFields = FieldManager.afterCreate(schema, sent, writer)
        const { bytes, object } = encoderOf(managedFields === undefined ? sent : { ...sent, metadata: { ...sent.metadata, managedFields } })(7)
        assert.strictEqual(new TextDecoder().decode(bytes), `${JSON.stringify(object)}\n`)
      }
    }))
  })

  it("stay the very same set while their owner writes them again", () => {
    const schema = TableSchema.ofKind(Kinds.pod)
    const podOf = (image: string, color: string) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "a", labels: { color } },
      spec: { containers: [{ name: "c", image }] }
    })
    const stored = (content: ReturnType<typeof podOf>, managedFields: ReturnType<typeof FieldManager.afterCreate>) =>
      managedFields === undefined ? content : { ...content, metadata: { ...content.metadata, managedFields } }
    const created = stored(podOf("i", "red"), FieldManager.afterCreate(schema, podOf("i", "red"), writer))
    const again = FieldManager.afterUpdate(schema, created, podOf("j", "blue"), { ...writer, now: 60_000 })
    assert.strictEqual(again?.[0]?.fieldsV1, FieldManager.afterCreate(schema, podOf("i", "red"), writer)?.[0]?.fieldsV1)
    assert.strictEqual(again?.[0]?.time, "1970-01-01T00:01:00Z")
    // Who takes a field from it leaves it the others.
    const other = FieldManager.afterUpdate(schema, stored(podOf("j", "blue"), again), podOf("j", "green"), { ...writer, manager: "other" })
    assert.deepStrictEqual(other?.map(({ fieldsV1, manager }) => [manager, FieldSet.has(FieldSet.trusted(fieldsV1), ["f:metadata", "f:labels", "f:color"])]), [
      ["other", true],
      ["kubectl", false]
    ])
  })

  it("are remembered of the latest forms only", () => {
    const schema = { ...TableSchema.ofKind(Kinds.configMap) }
    let worked = 0
    const create = (key: string) => CreatedFields.of(schema, { metadata: {}, data: { [key]: "x" } }, false, () => (worked++, { "f:data": { [`f:${key}`]: FieldSet.empty } }))
    for (let n = 0; n < 100; n++) create(`key-${String(n)}`)
    create("key-99")
    assert.strictEqual(worked, 100)
    create("key-0")
    assert.strictEqual(worked, 101)
    // What is too large is worked out each time.
    const long = "k".repeat(40_000)
    create(long)
    create(long)
    assert.strictEqual(worked, 103)
  })
})
