import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { Kind, Kinds, ObjectCodec, Protobuf } from "../src/index.js"
import { exists, missing, vector } from "./vectors.js"

const published = Kinds.all
  .map((kind) => [[kind.group === "" ? "core" : kind.group, kind.version, kind.kind].join("."), kind] as const)
  .filter(([name]) => exists(name))

describe.skipIf(missing !== undefined)(missing === undefined ? "published vectors" : `published vectors (skipped: ${missing})`, () => {
  it.each(published)("%s decodes to its JSON form", (name, kind) => {
    const { json, protobuf } = vector(name)
    assert.deepStrictEqual(Either.getOrThrow(Protobuf.decode(protobuf)), json)
    const { object, unknownFields } = Either.getOrThrow(ObjectCodec.decode(kind, json))
    assert.deepStrictEqual<unknown>(object, json)
    assert.deepStrictEqual(unknownFields, [])
  })

  it.each([
    "core.v1.Status",
    "core.v1.DeleteOptions",
    "core.v1.PodStatusResult",
    "core.v1.RangeAllocation",
    "autoscaling.v1.Scale",
    "policy.v1.Eviction",
    "authentication.k8s.io.v1.TokenRequest",
    "admission.k8s.io.v1.AdmissionReview",
    "resource.k8s.io.v1.ResourceClaim",
    "flowcontrol.apiserver.k8s.io.v1.FlowSchema"
  ])("%s decodes to its JSON form", (name) => {
    const { json, protobuf } = vector(name)
    assert.deepStrictEqual(Either.getOrThrow(Protobuf.decode(protobuf)), json)
  })
})

const varint = (value: number): ReadonlyArray<number> => (value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))])
const bytes = (field: number, content: ReadonlyArray<number>): ReadonlyArray<number> => [field * 8 + 2, ...varint(content.length), ...content]
const text = (field: number, value: string): ReadonlyArray<number> => bytes(field, [...new TextEncoder().encode(value)])
const body = (apiVersion: string, kind: string, raw: ReadonlyArray<number>): Uint8Array =>
  Uint8Array.from([0x6b, 0x38, 0x73, 0, ...bytes(1, [...text(1, apiVersion), ...text(2, kind)]), ...bytes(2, raw)])

describe("decode", () => {
  it("leaves out the empty scalars that Go writes for unset fields", () => {
    const meta = [...text(1, "cm"), ...text(2, ""), ...text(3, ""), 7 * 8, 0, ...bytes(8, [])]
    const raw = [...bytes(1, meta), ...bytes(2, [...text(1, "key"), ...text(2, "value")]), ...bytes(2, [...text(1, "empty"), ...text(2, "")])]
    assert.deepStrictEqual(Either.getOrThrow(Protobuf.decode(body("v1", "ConfigMap", raw))), {
      kind: "ConfigMap",
      apiVersion: "v1",
      metadata: { name: "cm" },
      data: { key: "value", empty: "" }
    })
  })

  it("keeps a key that is the name of the prototype", () => {
    const raw = bytes(2, [...text(1, "__proto__"), ...text(2, "value")])
    const decoded = Either.getOrThrow(Either.flatMap(Protobuf.decode(body("v1", "ConfigMap", raw)), (json) => ObjectCodec.decode(Kinds.configMap, json)))
    assert.deepStrictEqual(Object.keys(decoded.object.data ?? {}), ["__proto__"])
    assert.deepStrictEqual(Object.getPrototypeOf(decoded.object.data), Object.prototype)
  })

  it("refuses other bodies and kinds it does not know", () => {
    const prefix = Either.flip(Protobuf.decode(new TextEncoder().encode("{}")))
    assert.strictEqual(
      Either.getOrThrow(prefix).message,
      "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
    )
    const unknown = Either.getOrThrow(Either.flip(Protobuf.decode(body("example.com/v1", "Foo", []))))
    assert.strictEqual(unknown.code, 400)
    assert.include(unknown.message ?? "", `no kind "Foo" is registered for version "example.com/v1"`)
  })

  it("never throws, whatever the bytes", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.constantFrom(...Kinds.all), FastCheck.uint8Array({ maxLength: 200 }), (kind, raw) => {
        const decoded = Protobuf.decode(body(Kind.apiVersion(kind), kind.kind, [...raw]))
        if (Either.isRight(decoded)) ObjectCodec.decode(kind, decoded.right)
      }),
      { numRuns: 500 }
    )
  })
})
