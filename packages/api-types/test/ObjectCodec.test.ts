import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { Arbitrary } from "effect"
import { EffectSchema, type Kind, Kinds, JsonText, type KubeObject, ObjectCodec } from "../src/index.js"
import * as Schema from "effect/Schema"

const decoded = <A extends KubeObject.KubeObject>(kind: Kind.Kind<A>, json: unknown, known?: KubeObject.KubeObject) =>
  Either.getOrThrow(ObjectCodec.decode(kind, json, known))
const refused = (kind: Kind.Kind, json: unknown): string => Either.getOrThrow(Either.flip(ObjectCodec.decode(kind, json))).message ?? ""
const pod = (container: unknown) => ({ metadata: { name: "p" }, spec: { containers: [container] } })

describe("decode", () => {
  it("gives the canonical form: quantities, times, empty values", () => {
    const { object } = Either.getOrThrow(
      ObjectCodec.decode(Kinds.pod, {
        metadata: { name: "p", labels: {}, creationTimestamp: "2026-11-20T23:56:20.5+02:00", generation: 0, deletionGracePeriodSeconds: 0 },
        spec: {
          hostNetwork: false,
          hostUsers: false,
          containers: [{ name: "c", args: [], resources: { limits: { cpu: 0.5, memory: "1024Ki" } }, securityContext: null }]
        }
      })
    )
    assert.deepStrictEqual<unknown>(object, {
      kind: "Pod",
      apiVersion: "v1",
      metadata: { name: "p", creationTimestamp: "2026-11-20T21:56:20Z", deletionGracePeriodSeconds: 0 },
      spec: { containers: [{ name: "c", resources: { limits: { cpu: "500m", memory: "1Mi" } } }], hostUsers: false },
      status: {}
    })
  })

  it("counts resources in thousandths, rounded up, and other amounts exactly", () => {
    const { object } = Either.getOrThrow(
      ObjectCodec.decode(Kinds.pod, {
        metadata: { name: "p" },
        spec: { containers: [{ name: "c", resources: { limits: { cpu: "1n", memory: "1500u" } } }], volumes: [{ name: "v", emptyDir: { sizeLimit: "1n" } }] }
      })
    )
    assert.deepStrictEqual(object.spec?.containers[0]?.resources?.limits, { cpu: "1m", memory: "2m" })
    assert.strictEqual(object.spec?.volumes?.[0]?.emptyDir?.sizeLimit, "1n")
  })

  it("writes micro times with six digits", () => {
    const { object } = Either.getOrThrow(ObjectCodec.decode(Kinds.lease, { metadata: { name: "l" }, spec: { renewTime: "2026-11-20T22:05:35.44Z" } }))
    assert.strictEqual(object.spec?.renewTime, "2026-11-20T22:05:35.440000Z")
  })

  it("drops unknown fields and reports them in the order of the document", () => {
    const { object, unknownFields } = decoded(Kinds.pod, {
      bar: 1,
      metadata: { foo: 1, name: "p" },
      spec: { containers: [{ name: "c", nope: {} }], zzz: null }
    })
    assert.deepStrictEqual(unknownFields, [
      'unknown field "bar"',
      'unknown field "metadata.foo"',
      'unknown field "spec.containers[0].nope"',
      'unknown field "spec.zzz"'
    ])
    assert.notProperty(object, "bar")
  })

  it("reports no more unknown fields than the bound", () => {
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`f${index}`, index]))
    assert.lengthOf(decoded(Kinds.configMap, many).unknownFields, ObjectCodec.maximumReported)
  })

  it("keeps map keys that are names of the prototype", () => {
    const json: unknown = JSON.parse('{"metadata":{"name":"c"},"data":{"__proto__":"a","constructor":"b"}}')
    const { object } = Either.getOrThrow(ObjectCodec.decode(Kinds.configMap, json))
    assert.deepStrictEqual(Object.entries(object.data ?? {}), [["__proto__", "a"], ["constructor", "b"]])
  })

  it.each([
    [Kinds.configMap, { data: { a: 1 } }, "ConfigMap", "json: cannot unmarshal number into Go struct field ConfigMap.data of type string"],
    [Kinds.configMap, { data: [] }, "ConfigMap", "json: cannot unmarshal array into Go struct field ConfigMap.data of type map[string]string"],
    [Kinds.configMap, { metadata: "x" }, "ConfigMap", "json: cannot unmarshal string into Go struct field ConfigMap.metadata of type v1.ObjectMeta"],
    [Kinds.configMap, { immutable: "x" }, "ConfigMap", "json: cannot unmarshal string into Go struct field ConfigMap.immutable of type bool"],
    [Kinds.configMap, [], "ConfigMap", "json: cannot unmarshal array into Go value of type v1.ConfigMap"],
    [Kinds.pod, { spec: { containers: {} } }, "Pod", "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container"],
    [Kinds.pod, pod({ name: 7 }), "Pod", "json: cannot unmarshal number into Go struct field Container.spec.containers.name of type string"],
    [Kinds.pod, pod({ env: [{ value: true }] }), "Pod", "json: cannot unmarshal bool into Go struct field EnvVar.spec.containers.env.value of type string"],
    [Kinds.pod, pod({ ports: [{ containerPort: 1.5 }] }), "Pod", "json: cannot unmarshal number 1.5 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32"],
    [Kinds.pod, pod({ ports: [{ containerPort: 3e9 }] }), "Pod", "json: cannot unmarshal number 3000000000 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32"],
    [Kinds.pod, { spec: { restartPolicy: 1 } }, "Pod", "json: cannot unmarshal number into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy"],
    [Kinds.pod, pod({ resources: { limits: { cpu: "abc" } } }), "Pod", "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
    [Kinds.pod, { metadata: { creationTimestamp: "x" } }, "Pod", 'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"'],
    [Kinds.secret, { data: { a: "####" } }, "Secret", "illegal base64 data at input byte 0"],
    [Kinds.secret, { data: { a: "YWI" } }, "Secret", "illegal base64 data at input byte 0"]
  ] as const)("refuses the wrong type like Go does: %#", (kind: Kind.Kind, json: unknown, name: string, why: string) => {
    assert.strictEqual(refused(kind, json), `${name} in version "v1" cannot be handled as a ${name}: ${why}`)
  })

  it("refuses other kinds and versions", () => {
    assert.strictEqual(
      refused(Kinds.configMap, { apiVersion: "v1", kind: "Secret" }),
      'Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion'
    )
    assert.strictEqual(
      refused(Kinds.configMap, { apiVersion: "v2", kind: "ConfigMap" }),
      'ConfigMap in version "v2" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version "v2" in scheme "pkg/api/legacyscheme/scheme.go:30"'
    )
  })

  it.prop("is its own canonical form, for any pod of the schema", [Arbitrary.make(Schema.suspend(() => EffectSchema.of("io.k8s.api.core.v1.PodSpec")))], ([spec]) => {
    const first = ObjectCodec.decode(Kinds.pod, { metadata: { name: "p" }, spec })
    if (Either.isRight(first)) {
      const again = Either.getOrThrow(ObjectCodec.decode(Kinds.pod, JSON.parse(JSON.stringify(first.right.object))))
      assert.deepStrictEqual(again.object, first.right.object)
    }
  }, { fastCheck: { numRuns: 30 } })

  it.prop("gives the same beside a known object, for any pod of the schema and any part of it that changed", [
    Arbitrary.make(Schema.suspend(() => EffectSchema.of("io.k8s.api.core.v1.PodSpec"))),
    Arbitrary.make(Schema.suspend(() => EffectSchema.of("io.k8s.api.core.v1.PodSpec")))
  ], ([spec, other]) => {
    const first = ObjectCodec.decode(Kinds.pod, { metadata: { name: "p", labels: { a: "b" } }, spec })
    if (Either.isLeft(first)) return
    const known = first.right.object
    const changes = [{ metadata: { ...known.metadata, labels: { a: "c" } } }, { spec: other }, { spec: { ...known.spec, ...other } }]
    for (const change of changes) {
      const json = { ...known, ...change }
      assert.deepStrictEqual(ObjectCodec.decode(Kinds.pod, json, known), ObjectCodec.decode(Kinds.pod, json))
    }
  }, { fastCheck: { numRuns: 20 } })

  it("takes over what is the very same as in a known object, and looks at everything else", () => {
    const known = decoded(Kinds.pod, { metadata: { name: "p" }, spec: { containers: [{ name: "a", image: "a:1" }, { name: "b", image: "b:1" }] } }).object
    const { spec } = known
    const patched = decoded(Kinds.pod, { ...known, metadata: { ...known.metadata, annotations: { a: "1" } } }, known).object
    assert.strictEqual(patched.spec, spec)
    const [first] = spec?.containers ?? []
    const other = decoded(Kinds.pod, { ...known, spec: { ...spec, containers: [first, { name: "b", image: "b:2" }] } }, known).object
    assert.strictEqual(other.spec?.containers[0], first)
    assert.strictEqual(other.spec?.containers[1]?.image, "b:2")
    assert.isTrue(Either.isLeft(ObjectCodec.decode(Kinds.pod, { ...known, spec: { ...spec, containers: [first, { name: 1 }] } }, known)))
    assert.deepStrictEqual(decoded(Kinds.pod, { ...known, spec: { ...spec, nonsense: 1 } }, known).unknownFields, ['unknown field "spec.nonsense"'])
  })

  it.prop("never throws, whatever the value", [FastCheck.constantFrom(...Kinds.all), FastCheck.jsonValue()], ([kind, json]) => {
    assert.isBoolean(Either.isRight(ObjectCodec.decode(kind, json)))
  })
})

describe("decodeText", () => {
  it("reports duplicate fields after unknown ones when asked", () => {
    const text = '{"metadata":{"name":"c","foo":1},"data":{"a":"1","a":"2"},"data":{}}'
    const { unknownFields } = Either.getOrThrow(ObjectCodec.decodeText(Kinds.configMap, text, { reportDuplicates: true }))
    assert.deepStrictEqual(unknownFields, ['unknown field "metadata.foo"', 'duplicate field "data.a"', 'duplicate field "data"'])
    const strict = ObjectCodec.strictError(Kinds.configMap, unknownFields)
    assert.strictEqual(
      strict.message,
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "metadata.foo", duplicate field "data.a", duplicate field "data"'
    )
    assert.deepStrictEqual(Either.getOrThrow(ObjectCodec.decodeText(Kinds.configMap, text)).unknownFields, ['unknown field "metadata.foo"'])
  })

  it("says where the JSON is broken", () => {
    const status = Either.getOrThrow(Either.flip(ObjectCodec.decodeText(Kinds.configMap, '{"metadata":')))
    assert.strictEqual(
      status.message,
      `the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: unexpected end of JSON input ({"metadata":)`
    )
    assert.strictEqual(status.code, 400)
  })
})

describe("JsonText", () => {
  it.each([
    ["", "unexpected end of JSON input"],
    ["{", "unexpected end of JSON input"],
    ['{"a"', "unexpected end of JSON input"],
    ['"abc', "unexpected end of JSON input"],
    ["{a:1}", "invalid character 'a' looking for beginning of object key string"],
    ["[1,]", "invalid character ']' looking for beginning of value"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', "invalid character '\"' after object key:value pair"],
    ["[1 2]", "invalid character '2' after array element"],
    ["1 2", "invalid character '2' after top-level value"],
    ["tru", "invalid character 't' looking for beginning of value"]
  ])("%s", (text, message) => {
    assert.strictEqual(Either.getOrThrow(Either.flip(JsonText.parse(text))).message, message)
  })

  it("finds duplicates with their paths, escapes resolved", () => {
    assert.deepStrictEqual(JsonText.duplicateFields('{"a":[{"b":1},{"b":1,"\\u0062":2}],"c":{"d":1,"e":{"d":1},"d":3}}'), [
      'duplicate field "a[1].b"',
      'duplicate field "c.d"'
    ])
  })

  it("bears deep nesting and long strings", () => {
    assert.deepStrictEqual(JsonText.duplicateFields("[".repeat(200_000)), [])
    assert.deepStrictEqual(JsonText.duplicateFields(`{"a":"${"x\\n".repeat(500_000)}"}`), [])
  })

  it.prop("the scanner finds nothing to complain about in what the engine wrote", [FastCheck.jsonValue()], ([value]) => {
    const text = JSON.stringify(value)
    assert.deepStrictEqual(JsonText.parse(text), Either.right(JSON.parse(text)))
    assert.deepStrictEqual(JsonText.duplicateFields(text), [])
  })
})
