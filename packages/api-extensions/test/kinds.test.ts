import type { ApiextensionsV1 } from "@reddwarf/api-types"
import { describe, expect, it } from "@effect/vitest"
import { Either } from "effect"
import { customResourceDefinition } from "../src/CustomResourceDefinitionKind.js"
import * as CustomResourceKind from "../src/CustomResourceKind.js"
import * as JsonPath from "../src/JsonPath.js"
import * as Naming from "../src/Naming.js"
import * as PrinterColumns from "../src/PrinterColumns.js"

const definition = (kind: string, shortNames: ReadonlyArray<string> = []): ApiextensionsV1.CustomResourceDefinition => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${kind.toLowerCase()}s.ex.io`, uid: kind },
  spec: {
    group: "ex.io",
    scope: "Namespaced",
    names: { plural: `${kind.toLowerCase()}s`, singular: kind.toLowerCase(), kind, listKind: `${kind}List`, shortNames },
    versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }]
  },
  status: { storedVersions: ["v1"] }
})

const now = Date.UTC(2026, 0, 1)

describe("names", () => {
  it("are given to who comes first, and settle once", () => {
    const first = Naming.settle(definition("Foo", ["f"]), [], now)
    expect(Naming.settle(first, [], now + 1000)).toBe(first)
    const second = Naming.settle(definition("Fox", ["f"]), [first], now)
    expect(second.status?.conditions?.map(({ reason, status, type }) => [type, status, reason])).toEqual([
      ["NamesAccepted", "False", "ShortNamesConflict"],
      ["Established", "False", "NotAccepted"]
    ])
    expect(Naming.settle(second, [], now).status?.acceptedNames?.shortNames).toEqual(["f"])
  })

  it("stay with an established definition that asks for taken ones", () => {
    const first = Naming.settle(definition("Foo", ["f"]), [], now)
    const second = Naming.settle(definition("Fox"), [first], now)
    const asking = { ...second, spec: { ...second.spec, names: { ...second.spec.names, shortNames: ["f"] } } }
    const settled = Naming.settle(asking, [first], now)
    expect(settled.status?.conditions?.find(({ type }) => type === "Established")?.status).toBe("True")
    expect(settled.status?.acceptedNames?.shortNames).toBeUndefined()
  })
})

describe("definitions", () => {
  const problems = (change: (object: ApiextensionsV1.CustomResourceDefinition) => ApiextensionsV1.CustomResourceDefinition) =>
    customResourceDefinition.validate(change(definition("Foo"))).map(({ message, path }) => `${path}: ${message}`)

  it("are checked", () => {
    expect(problems((object) => object)).toEqual([])
    expect(problems((object) => ({ ...object, spec: { ...object.spec, scope: "Everywhere" } }))).toEqual([
      `spec.scope: Unsupported value: "Everywhere": supported values: "Cluster", "Namespaced"`
    ])
    expect(problems((object) => ({ ...object, spec: { ...object.spec, versions: object.spec.versions.map((version) => ({ ...version, storage: false })) } }))[0])
      .toContain("must have exactly one version marked as storage version")
    expect(problems((object) => ({ ...object, spec: { ...object.spec, conversion: { strategy: "Webhook" } } }))[0]).toContain(
      "spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook"
    )
  })

  it("are checked version by version, or as a whole where versions are alike", () => {
    const withVersions = (...versions: ReadonlyArray<object>) =>
      problems((object) => ({
        ...object,
        spec: {
          ...object.spec,
          versions: versions.map((change, index) => ({
            name: `v${index + 1}`,
            served: true,
            storage: index === 0,
            schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties: { color: { type: "string" }, list: { type: "array", items: { type: "string" } } } } } } },
            ...change
          }))
        }
      }))
    const untyped = { schema: { openAPIV3Schema: { type: "object", properties: { spec: {} } } } }
    const text = "openAPIV3Schema.properties[spec].type: Required value: must not be empty for specified object fields"
    expect(withVersions(untyped)).toEqual([`spec.validation.${text}`])
    expect(withVersions(untyped, untyped)).toEqual([`spec.validation.${text}`])
    expect(withVersions({}, untyped)).toEqual([`spec.versions[1].schema.${text}`])
    expect(withVersions({ schema: undefined })).toEqual(["spec.versions[0].schema.openAPIV3Schema: Required value"])
    const scale = { subresources: { scale: { specReplicasPath: ".specs", statusReplicasPath: "status.n", labelSelectorPath: ".other" } } }
    expect(withVersions(scale)).toEqual([
      "spec.subresources.scale.specReplicasPath: Invalid value: \".specs\": should be a json path under .spec",
      "spec.subresources.scale.statusReplicasPath: Invalid value: \"status.n\": must be a simple json path starting with .",
      "spec.subresources.scale.labelSelectorPath: Invalid value: \".other\": should be a json path under either .spec or .status"
    ])
    const column = (jsonPath: string) => ({ additionalPrinterColumns: [{ name: "A", type: "string", jsonPath }] })
    expect(withVersions(column(".status.conditions[-1:].type"))).toEqual([])
    expect(withVersions(column(".spec[(@.length-1)]"))).toEqual([])
    expect(withVersions(column("spec.x"))).toEqual(["spec.additionalPrinterColumns[0].JSONPath: Invalid value: \"spec.x\": must be a simple json path starting with ."])
    const select = (...paths: ReadonlyArray<string>) => ({ selectableFields: paths.map((jsonPath) => ({ jsonPath })) })
    expect(withVersions(select(".spec.color"))).toEqual([])
    expect(withVersions(select("spec.color", ".spec.list", ".spec.list[0]", ".metadata.name", ".spec.none", ".spec.color", ".spec.color"))).toEqual([
      "spec.selectableFields[0].jsonPath: Invalid value: \"spec.color\": is an invalid path: expected [ or . but got: spec",
      "spec.selectableFields[1].jsonPath: Invalid value: \".spec.list\": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.",
      "spec.selectableFields[2].jsonPath: Invalid value: \".spec.list[0]\": is an invalid path: array notation is not allowed",
      "spec.selectableFields[3].jsonPath: Invalid value: \".metadata.name\": is an invalid path: does not refer to a valid field",
      "spec.selectableFields[4].jsonPath: Invalid value: \".spec.none\": is an invalid path: does not refer to a valid field",
      "spec.selectableFields[6].jsonPath: Duplicate value: \".spec.color\""
    ])
    expect(withVersions({ deprecated: true, deprecationWarning: "ab\u0007" })).toEqual([
      "spec.versions[0].deprecationWarning: Invalid value: \"ab\\u0007\": must only contain printable UTF-8 characters; non-printable character found at index 2"
    ])
    const root = { subresources: { status: {} }, schema: { openAPIV3Schema: { type: "object", anyOf: [{ required: ["a"] }] } } }
    expect(withVersions(root)[0]).toContain("fields are allowed at the root of the schema if the status subresource is enabled")
    expect(withVersions({ ...root, subresources: {} })).toEqual([])
  })

  it("say how they convert, and who has approved them", () => {
    const withSpec = (spec: object, annotations?: Record<string, string>) =>
      problems((object) => ({ ...object, metadata: { ...object.metadata, ...(annotations === undefined ? {} : { annotations }) }, spec: { ...object.spec, ...spec } }))
    const webhook = { clientConfig: { url: "https://127.0.0.1/x" }, conversionReviewVersions: ["v1", "v1", "V2"] }
    expect(withSpec({ conversion: { strategy: "Webhook", webhook } })[0]).toBe("spec.conversion.conversionReviewVersions[1]: Invalid value: \"v1\": duplicate version")
    expect(withSpec({ conversion: { strategy: "Webhook", webhook } })[1]).toContain("spec.conversion.conversionReviewVersions[2]: Invalid value: \"V2\": a DNS-1035 label must")
    expect(withSpec({ conversion: { strategy: "None", webhook } })).toEqual([
      "spec.conversion.webhookClientConfig: Forbidden: should not be set when strategy is not set to Webhook",
      "spec.conversion.conversionReviewVersions: Forbidden: should not be set when strategy is not set to Webhook"
    ])
    expect(withSpec({ preserveUnknownFields: true })).toEqual([
      "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
    ])
    const guarded = definition("Foo")
    const old = { ...guarded, metadata: { name: "foos.x.k8s.io", uid: "Foo", resourceVersion: "1" }, spec: { ...guarded.spec, group: "x.k8s.io" } }
    const asked = customResourceDefinition.validate(old).map(({ path }) => path)
    expect(asked).toEqual(["metadata.annotations[api-approved.kubernetes.io]"])
    // What was stored without an approval may be changed otherwise.
    const longer = { ...old, spec: { ...old.spec, names: { ...old.spec.names, shortNames: ["fo"] } } }
    expect(customResourceDefinition.validateUpdate(longer, old)).toEqual([])
    const conforms = (value: string) =>
      Naming.settle({ ...old, metadata: { ...old.metadata, annotations: { "api-approved.kubernetes.io": value } } }, [], now)
        .status?.conditions?.find(({ type }) => type === "KubernetesAPIApprovalPolicyConformant")
    expect(conforms("https://example.com/1")).toMatchObject({ status: "True", reason: "ApprovedAnnotation", message: "approved in https://example.com/1" })
    expect(conforms("unapproved, a test")).toMatchObject({ status: "False", reason: "UnapprovedAnnotation" })
    expect(conforms("no")).toMatchObject({ status: "False", reason: "InvalidAnnotation" })
    expect(Naming.settle(definition("Foo"), [], now).status?.conditions?.map(({ type }) => type)).toEqual(["NamesAccepted", "Established"])
  })

  it("keep what would lose objects", () => {
    const old = Naming.settle(definition("Foo"), [], now)
    const next = { ...old, spec: { ...old.spec, scope: "Cluster", versions: old.spec.versions.map((version) => ({ ...version, name: "v2" })) } }
    const texts = customResourceDefinition.validateUpdate(next, old).map(({ message, path }) => `${path}: ${message}`)
    expect(texts).toContain(`spec.scope: Invalid value: "Cluster": field is immutable`)
    expect(texts.join()).toContain("v1 was previously a storage version")
  })
})

describe("versions", () => {
  it("are preferred stable, then beta, then alpha, the newest first", () => {
    const names = ["foo1", "v1alpha1", "v10", "v1", "v2beta1", "v11beta2", "foo10", "v12alpha1", "v3beta1"]
    expect(names.toSorted(CustomResourceKind.compareVersions)).toEqual([
      "v10",
      "v1",
      "v11beta2",
      "v3beta1",
      "v2beta1",
      "v12alpha1",
      "v1alpha1",
      "foo1",
      "foo10"
    ])
  })
})

describe("JSON paths", () => {
  const object = {
    a: { "b.c": [1, 2, 3], list: [{ type: "Ready", status: "True" }, { type: "Other", status: "False" }] }
  }
  const at = (path: string) => Either.map(JsonPath.parse(path), (steps) => JsonPath.find(steps, object))

  it.each([
    [".a.b\\.c[1]", [2]],
    [".a['b.c'][-1]", [3]],
    [".a['b.c'][*]", [1, 2, 3]],
    [".a.list[?(@.type==\"Ready\")].status", ["True"]],
    [".a.list[*].type", ["Ready", "Other"]],
    [".a.none.x", []],
    [".a['b.c'][-1:]", [3]],
    [".a['b.c'][0:2]", [1, 2]],
    [".a['b.c'][::2]", [1, 3]],
    [".a['b.c'][5:]", []],
    [".a['b.c'][0,2]", [1, 3]],
    [".a.list[?(@.status!='True')].type", ["Other"]],
    [".a.list[?(@.type>\"P\")].type", ["Ready"]],
    [".a.list[?(@.type == @.type)].type", ["Ready", "Other"]],
    [".a.list[?(@.none)].type", []],
    [".a.list[?(@['type']=='Other')].status", ["False"]],
    ["..status", ["True", "False"]]
  ])("%s", (path, found) => {
    expect(at(path)).toEqual(Either.right(found))
  })

  it.each(["a", ".a[", ".a[(1)]", ".a...b", ".a[?(1==1)]", ".a[1,]", ".a[0:1:0]"])("refuses %s", (path) => {
    expect(Either.isLeft(at(path))).toBe(true)
  })
})

describe("printer columns", () => {
  it("show what the path finds, by their type", () => {
    const columns = PrinterColumns.of([
      { name: "A", type: "integer", jsonPath: ".n" },
      { name: "B", type: "string", jsonPath: ".o" },
      { name: "C", type: "date", jsonPath: ".t" },
      { name: "D", type: "boolean", jsonPath: ".none" },
      { name: "E", type: "date", jsonPath: ".n" }
    ])
    const object = { n: 4, o: { b: 1, a: [2] }, t: "2025-12-31T23:58:00Z" }
    expect(columns.map(({ cell }) => cell(object, now))).toEqual([4, `{"a":[2],"b":1}`, "2m", null, null])
    // One that cannot be read takes the others with it, as everywhere else.
    expect(PrinterColumns.of([{ name: "A", type: "string", jsonPath: ".a" }, { name: "B", type: "string", jsonPath: ".a[(" }]).map(({ column }) => column.name))
      .toEqual(["Age"])
    expect(PrinterColumns.of([]).map(({ column }) => column.name)).toEqual(["Age"])
  })
})
