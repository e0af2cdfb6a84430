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
    [".a.none.x", []]
  ])("%s", (path, found) => {
    expect(at(path)).toEqual(Either.right(found))
  })

  it.each(["a", ".a[", ".a[(1)]", ".a..b"])("refuses %s", (path) => {
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
    expect(PrinterColumns.of([]).map(({ column }) => column.name)).toEqual(["Age"])
  })
})
