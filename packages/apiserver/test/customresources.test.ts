import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as waiting from "vitest-config/waiting"
import { call, jsonPatch, layerApi, merge, strategic, table, watch } from "./support/api.js"

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

const schema = {
  type: "object",
  required: ["spec"],
  properties: {
    spec: {
      type: "object",
      required: ["s"],
      properties: {
        s: { type: "string", enum: ["a", "b"] },
        n: { type: "integer", minimum: 1, maximum: 100, default: 3 },
        replicas: { type: "integer", default: 1 },
        port: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
        list: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
          items: { type: "object", required: ["name"], properties: { name: { type: "string" }, value: { type: "string", default: "v" } } }
        },
        free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        labels: { type: "object", additionalProperties: { type: "string" } }
      },
      "x-kubernetes-validations": [
        { rule: "self.n < 50", message: "n too big" },
        { rule: "!has(oldSelf.labels) || has(self.labels)", message: "labels may not be taken away" },
        { rule: "!has(self.labels) || self.labels.all(k, k.startsWith('x'))", messageExpression: "'bad labels: ' + string(size(self.labels))" }
      ]
    },
    status: { type: "object", properties: { replicas: { type: "integer" }, phase: { type: "string" } } }
  }
}

const definition = (kind: string, rest: Record<string, unknown> = {}, spec: Record<string, unknown> = {}) => {
  const lower = kind.toLowerCase()
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${lower}s.ex.io` },
    spec: {
      group: "ex.io",
      scope: "Namespaced",
      names: { plural: `${lower}s`, kind, shortNames: [lower.slice(0, 2)], categories: ["all"] },
      versions: [{
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: schema },
        subresources: { status: {}, scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" } },
        additionalPrinterColumns: [
          { name: "N", type: "integer", jsonPath: ".spec.n" },
          { name: "Phase", type: "string", jsonPath: ".status.phase", priority: 1 },
          { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" }
        ],
        selectableFields: [{ jsonPath: ".spec.s" }],
        ...rest
      }],
      ...spec
    }
  }
}

const foos = "/apis/ex.io/v1/namespaces/default/foos"

const foo = (name: string, spec: Record<string, unknown> = { s: "a" }, rest: Record<string, unknown> = {}) => ({
  apiVersion: "ex.io/v1",
  kind: "Foo",
  metadata: { name },
  spec,
  ...rest
})

/** Waits until the server has settled the definition. */
const settled = (name: string, type = "Established", status = "True") =>
  waiting.until(
    `${name} is ${type}=${status}`,
    Effect.map(call("GET", `${definitions}/${name}`), (answer) =>
      answer.json?.status?.conditions?.some((one: { type: string; status: string }) => one.type === type && one.status === status) === true && answer)
  )

/** Waits until something is no longer there. */
const gone = (url: string) => waiting.until(`${url} is gone`, Effect.map(call("GET", url), ({ status }) => status === 404))

const install = (body: object = definition("Foo"), name = "foos.ex.io") =>
  Effect.gen(function*() {
    const created = yield* call("POST", definitions, { body })
    expect(created.json?.message ?? "").toBe("")
    return yield* settled(name)
  })

describe("definitions", () => {
  it.effect("are established, with their names and versions", () =>
    Effect.gen(function*() {
      const { json } = yield* install()
      expect(json.spec.names).toEqual({ plural: "foos", singular: "foo", kind: "Foo", listKind: "FooList", shortNames: ["fo"], categories: ["all"] })
      expect(json.spec.conversion).toEqual({ strategy: "None" })
      expect(json.status).toMatchObject({
        storedVersions: ["v1"],
        acceptedNames: { plural: "foos", singular: "foo" },
        conditions: [
          { type: "NamesAccepted", status: "True", reason: "NoConflicts", message: "no conflicts found" },
          { type: "Established", status: "True", reason: "InitialNamesAccepted", message: "the initial names have been accepted" }
        ]
      })
      expect(json.metadata.generation).toBe(1)
    }).pipe(Effect.provide(layerApi)))

  it.effect("show in discovery and OpenAPI at once, and go from there", () =>
    Effect.gen(function*() {
      expect((yield* call("GET", "/apis/ex.io/v1")).status).toBe(404)
      yield* install()
      const resources = (yield* call("GET", "/apis/ex.io/v1")).json.resources
      expect(resources.map((one: { name: string }) => one.name)).toEqual(["foos", "foos/status", "foos/scale"])
      expect(resources[0]).toMatchObject({ singularName: "foo", kind: "Foo", shortNames: ["fo"], categories: ["all"], namespaced: true })
      const v3 = (yield* call("GET", "/openapi/v3")).json
      expect(v3.paths["apis/ex.io/v1"]).toBeDefined()
      const document = (yield* call("GET", "/openapi/v3/apis/ex.io/v1")).json
      expect(document.components.schemas["io.ex.v1.Foo"]["x-kubernetes-group-version-kind"]).toEqual([{ group: "ex.io", kind: "Foo", version: "v1" }])
      expect(Object.keys(document.paths["/apis/ex.io/v1/namespaces/{namespace}/foos/{name}"].patch.requestBody.content)).not.toContain(
        "application/strategic-merge-patch+json"
      )
      expect((yield* call("GET", "/openapi/v2")).json.definitions["io.ex.v1.Foo"].properties.spec.properties.n.type).toBe("integer")
      yield* call("DELETE", `${definitions}/foos.ex.io`)
      yield* gone(`${definitions}/foos.ex.io`)
      expect((yield* call("GET", "/apis/ex.io/v1")).status).toBe(404)
      expect((yield* call("GET", "/openapi/v3")).json.paths["apis/ex.io/v1"]).toBeUndefined()
    }).pipe(Effect.provide(layerApi)))

  it.effect("that want a taken name wait until it is free", () =>
    Effect.gen(function*() {
      yield* install()
      const rival = definition("Fox", {}, { names: { plural: "foxs", kind: "Fox", shortNames: ["fo"] } })
      yield* call("POST", definitions, { body: rival })
      const { json } = yield* settled("foxs.ex.io", "NamesAccepted", "False")
      expect(json.status.conditions).toMatchObject([
        { type: "NamesAccepted", status: "False", reason: "ShortNamesConflict", message: "\"fo\" is already in use" },
        { type: "Established", status: "False", reason: "NotAccepted", message: "not all names are accepted" }
      ])
      yield* call("DELETE", `${definitions}/foos.ex.io`)
      yield* settled("foxs.ex.io")
    }).pipe(Effect.provide(layerApi)))

  it.effect("are refused when their schema is not structural or a rule does not compile", () =>
    Effect.gen(function*() {
      const at = (openAPIV3Schema: object) => call("POST", definitions, { body: definition("Foo", { schema: { openAPIV3Schema }, subresources: {}, selectableFields: [] }) })
      const untyped = yield* at({ type: "object", properties: { spec: { properties: { a: { type: "string" } } } } })
      expect(untyped.status).toBe(422)
      expect(untyped.json.message).toBe(
        `CustomResourceDefinition.apiextensions.k8s.io "foos.ex.io" is invalid: spec.validation.openAPIV3Schema.properties[spec].type: Required value: must not be empty for specified object fields`
      )
      const rule = yield* at({ type: "object", properties: { spec: { type: "object", properties: { a: { type: "string" } }, "x-kubernetes-validations": [{ rule: "self.b == 1" }] } } })
      expect(rule.json.details.causes).toMatchObject([{
        field: "spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule"
      }])
      expect(rule.json.message).toContain("compilation failed: No such key: b")
      const unsupported = yield* at({ type: "object", "x-kubernetes-validations": [{ rule: "authorizer.path('/x').check('get').allowed()" }] })
      expect(unsupported.json.message).toContain("compilation failed: Unknown variable: authorizer")
      const name = yield* call("POST", definitions, { body: { ...definition("Foo"), metadata: { name: "other.ex.io" } } })
      expect(name.json.message).toContain(`metadata.name: Invalid value: "other.ex.io": must be spec.names.plural+"."+spec.group`)
    }).pipe(Effect.provide(layerApi)))

  it.effect("take all their objects with them", () =>
    Effect.gen(function*() {
      yield* install()
      yield* call("POST", foos, { body: foo("one") })
      yield* call("POST", foos, { body: { ...foo("held"), metadata: { name: "held", finalizers: ["ex.io/hold"] } } })
      const deleted = yield* call("DELETE", `${definitions}/foos.ex.io`)
      expect(deleted.json.metadata.finalizers).toEqual(["customresourcecleanup.apiextensions.k8s.io"])
      yield* settled("foos.ex.io", "Terminating", "True")
      yield* gone(`${foos}/one`)
      expect((yield* call("GET", `${foos}/held`)).json.metadata.deletionTimestamp).toBeDefined()
      const late = yield* call("POST", foos, { body: foo("late") })
      expect(late.status).toBe(405)
      expect(late.json.message).toBe("create not allowed while custom resource definition is terminating")
    }).pipe(Effect.provide(layerApi)))

  it.effect("take them also when nobody is served them any more, and whoever would refuse", () =>
    Effect.gen(function*() {
      yield* install()
      yield* call("POST", foos, { body: foo("one") })
      const rule = { operations: ["DELETE"], apiGroups: ["ex.io"], apiVersions: ["*"], resources: ["foos"] }
      const group = "/apis/admissionregistration.k8s.io/v1"
      const meta = { apiVersion: "admissionregistration.k8s.io/v1", metadata: { name: "keep" } }
      yield* call("POST", `${group}/validatingadmissionpolicies`, {
        body: { ...meta, kind: "ValidatingAdmissionPolicy", spec: { matchConstraints: { resourceRules: [rule] }, validations: [{ expression: "false" }] } }
      })
      yield* call("POST", `${group}/validatingadmissionpolicybindings`, {
        body: { ...meta, kind: "ValidatingAdmissionPolicyBinding", spec: { policyName: "keep", validationActions: ["Deny"] } }
      })
      expect((yield* call("DELETE", `${foos}/one`)).status).toBe(422)
      const hidden = yield* call("PATCH", `${definitions}/foos.ex.io`, { type: "application/json-patch+json", body: [{ op: "replace", path: "/spec/versions/0/served", value: false }] })
      expect(hidden.json.message ?? "").toBe("")
      yield* call("DELETE", `${definitions}/foos.ex.io`)
      yield* gone(`${definitions}/foos.ex.io`)
      yield* install()
      expect((yield* call("GET", foos)).json.items).toEqual([])
    }).pipe(Effect.provide(layerApi)))
})

describe("custom resources", () => {
  it.effect("are defaulted, pruned and written in alphabetical order", () =>
    Effect.gen(function*() {
      yield* install()
      const created = yield* call("POST", `${foos}?fieldValidation=Warn`, {
        body: foo("a", { s: "a", zzz: 1, list: [{ name: "x", other: 1 }], free: { any: { thing: [1] } } }, { status: { phase: "no" } })
      })
      expect(created.status).toBe(201)
      expect(created.headers["warning"]).toEqual([
        `299 - "unknown field \\"spec.list[0].other\\""`,
        `299 - "unknown field \\"spec.zzz\\""`
      ])
      expect(created.json.spec).toEqual({ s: "a", n: 3, replicas: 1, list: [{ name: "x", value: "v" }], free: { any: { thing: [1] } } })
      expect(created.json.status).toBeUndefined()
      expect(Object.keys(created.json)).toEqual(["apiVersion", "kind", "metadata", "spec"])
      expect(Object.keys(created.json.spec)).toEqual(["free", "list", "n", "replicas", "s"])
      expect(created.json.metadata.generation).toBe(1)
      const strict = yield* call("POST", `${foos}?fieldValidation=Strict`, { body: foo("b", { s: "a", zzz: 1 }) })
      expect(strict.status).toBe(400)
      expect(strict.json.message).toContain(`strict decoding error: unknown field "spec.zzz"`)
      const list = yield* call("GET", foos)
      expect(list.json).toMatchObject({ kind: "FooList", apiVersion: "ex.io/v1", items: [{ kind: "Foo", apiVersion: "ex.io/v1" }] })
    }).pipe(Effect.provide(layerApi)))

  it.effect("have no fields that are null and may not be", () =>
    Effect.gen(function*() {
      yield* install()
      const { json, status } = yield* call("POST", foos, { body: foo("a", { s: "a", n: null, labels: null, list: [{ name: "x", value: null }] }) })
      expect(json.message ?? "").toBe("")
      expect(status).toBe(201)
      expect(json.spec).toEqual({ s: "a", n: 3, replicas: 1, list: [{ name: "x", value: "v" }] })
    }).pipe(Effect.provide(layerApi)))

  it.effect("have their status written although they are older than their schema", () =>
    Effect.gen(function*() {
      yield* install()
      yield* call("POST", foos, { body: foo("a") })
      yield* call("PATCH", `${definitions}/foos.ex.io`, {
        type: "application/json-patch+json",
        body: [{ op: "replace", path: "/spec/versions/0/schema/openAPIV3Schema/required", value: ["spec", "more"] }]
      })
      const refusal = "<nil>: Invalid value: null: some validation rules"
      const patched = call("PATCH", `${foos}/a`, { type: "application/merge-patch+json", body: { spec: { n: 4 } } })
      const main = yield* waiting.until("the changed schema refuses", Effect.map(patched, (answer) => answer.status === 422 && answer))
      expect(main.json.message).toContain("more: Required value")
      const status = (body: object) => call("PATCH", `${foos}/a/status`, { type: "application/merge-patch+json", body: { status: body } })
      expect((yield* status({ phase: "Ready" })).json.status).toEqual({ phase: "Ready" })
      const wrong = yield* status({ phase: 1 })
      expect(wrong.json.message).toContain("status.phase: Invalid value: \"integer\": status.phase in body must be of type string")
      expect(wrong.json.message).toContain(refusal)
    }).pipe(Effect.provide(layerApi)))

  it.effect("are refused with the messages of Kubernetes", () =>
    Effect.gen(function*() {
      yield* install()
      const both = yield* call("POST", foos, { body: foo("g", { n: 0, s: "z" }) })
      expect(both.status).toBe(422)
      expect(both.json.message).toBe(
        `Foo.ex.io "g" is invalid: [spec.n: Invalid value: 0: spec.n in body should be greater than or equal to 1, spec.s: Unsupported value: "z": supported values: "a", "b", <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]`
      )
      const message = (spec: Record<string, unknown>) => Effect.map(call("POST", foos, { body: foo("g", spec) }), ({ json }) => json.message)
      expect(yield* message({ s: "a", n: 60 })).toBe(`Foo.ex.io "g" is invalid: spec: Invalid value: n too big`)
      expect(yield* message({ s: "a", n: "x" })).toContain(`spec.n: Invalid value: "string": spec.n in body must be of type integer: "string"`)
      expect(yield* message({})).toContain("spec.s: Required value")
      expect(yield* message({ s: "a", labels: { y: "1" } })).toBe(`Foo.ex.io "g" is invalid: spec: Invalid value: bad labels: 1`)
      expect(yield* message({ s: "a", list: [{ name: "x" }, { name: "x" }] })).toContain(`spec.list[1]: Duplicate value: {"name":"x"}`)
      yield* call("POST", foos, { body: foo("g", { s: "a", labels: { x: "1" } }) })
      const taken = yield* call("PATCH", `${foos}/g`, { body: { spec: { labels: null } }, type: merge })
      expect(taken.json.message).toBe(`Foo.ex.io "g" is invalid: spec: Invalid value: labels may not be taken away`)
    }).pipe(Effect.provide(layerApi)))

  it.effect("take merge patches, JSON patches and applies, and no strategic ones", () =>
    Effect.gen(function*() {
      yield* install()
      yield* call("POST", foos, { body: foo("p") })
      const merged = yield* call("PATCH", `${foos}/p`, { body: { spec: { n: 7 } }, type: merge })
      expect(merged.json).toMatchObject({ spec: { n: 7 }, metadata: { generation: 2 } })
      const patched = yield* call("PATCH", `${foos}/p`, { body: [{ op: "replace", path: "/spec/n", value: 8 }], type: jsonPatch })
      expect(patched.json).toMatchObject({ spec: { n: 8 }, metadata: { generation: 3 } })
      const labelled = yield* call("PATCH", `${foos}/p`, { body: { metadata: { labels: { a: "b" } } }, type: merge })
      expect(labelled.json.metadata.generation).toBe(3)
      const refused = yield* call("PATCH", `${foos}/p`, { body: { spec: { n: 9 } }, type: strategic })
      expect(refused.status).toBe(415)
      expect(refused.json.message).toBe(
        "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
      )
      const apply = (manager: string, list: ReadonlyArray<object>) =>
        call("PATCH", `${foos}/ssa?fieldManager=${manager}`, {
          body: foo("ssa", { s: "a", list }),
          type: "application/apply-patch+yaml"
        })
      expect((yield* apply("one", [{ name: "x", value: "1" }])).status).toBe(201)
      const second = yield* apply("two", [{ name: "y", value: "2" }])
      expect(second.json.spec.list).toEqual([{ name: "x", value: "1" }, { name: "y", value: "2" }])
      expect((yield* apply("two", [{ name: "x", value: "3" }])).json.message).toContain(".spec.list[name=\"x\"].value")
      const put = yield* call("PUT", `${foos}/p`, { body: foo("p", { s: "b" }) })
      expect(put.json.message).toContain("metadata.resourceVersion: Invalid value: 0: must be specified for an update")
    }).pipe(Effect.provide(layerApi)))

  it.effect("have a status and a scale of their own", () =>
    Effect.gen(function*() {
      yield* install()
      yield* call("POST", foos, { body: foo("s") })
      const status = yield* call("PATCH", `${foos}/s/status`, { body: { spec: { n: 9 }, status: { replicas: 2, phase: "Up" }, metadata: { labels: { a: "b" } } }, type: merge })
      expect(status.json).toMatchObject({ spec: { n: 3 }, status: { replicas: 2, phase: "Up" }, metadata: { generation: 1 } })
      expect(status.json.metadata.labels).toBeUndefined()
      const main = yield* call("PATCH", `${foos}/s`, { body: { status: { phase: "Down" } }, type: merge })
      expect(main.json.status.phase).toBe("Up")
      const scale = yield* call("GET", `${foos}/s/scale`)
      expect(scale.json).toMatchObject({ kind: "Scale", apiVersion: "autoscaling/v1", spec: { replicas: 1 }, status: { replicas: 2 } })
      yield* call("PATCH", `${foos}/s/scale`, { body: { spec: { replicas: 5 } }, type: merge })
      expect((yield* call("GET", `${foos}/s`)).json.spec.replicas).toBe(5)
    }).pipe(Effect.provide(layerApi)))

  it.effect("have the columns and selectable fields of their definition", () =>
    Effect.gen(function*() {
      yield* install()
      yield* call("POST", foos, { body: foo("one", { s: "a", n: 4 }) })
      yield* call("POST", foos, { body: foo("two", { s: "b", n: 5 }) })
      const shown = (yield* call("GET", foos, { accept: table })).json
      expect(shown.columnDefinitions.map((one: { name: string; type: string; priority: number }) => [one.name, one.type, one.priority])).toEqual([
        ["Name", "string", 0],
        ["N", "integer", 0],
        ["Phase", "string", 1],
        ["Age", "date", 0]
      ])
      expect(shown.columnDefinitions[1].description).toBe("Custom resource definition column (in JSONPath format): .spec.n")
      expect(shown.rows.map((row: { cells: ReadonlyArray<unknown> }) => row.cells.slice(0, 3))).toEqual([["one", 4, null], ["two", 5, null]])
      const selected = (yield* call("GET", `${foos}?fieldSelector=spec.s%3Db`)).json.items
      expect(selected.map((one: { metadata: { name: string } }) => one.metadata.name)).toEqual(["two"])
      const wrong = yield* call("GET", `${foos}?fieldSelector=spec.n%3D4`)
      expect(wrong.json.message).toContain("field label not supported: spec.n")
    }).pipe(Effect.provide(layerApi)))

  it.effect("are watched like any other object", () =>
    Effect.gen(function*() {
      yield* install()
      const events = yield* watch(`${foos}?watch=true`)
      yield* call("POST", foos, { body: foo("w") })
      yield* call("PATCH", `${foos}/w`, { body: { spec: { n: 9 } }, type: merge })
      yield* call("DELETE", `${foos}/w`)
      expect((yield* events.until(3)).map(({ object, type }) => [type, object.apiVersion, object.kind, object.spec.n])).toEqual([
        ["ADDED", "ex.io/v1", "Foo", 3],
        ["MODIFIED", "ex.io/v1", "Foo", 9],
        ["DELETED", "ex.io/v1", "Foo", 9]
      ])
    }).pipe(Effect.scoped, Effect.provide(layerApi)))

  it.effect("are one object in all served versions", () =>
    Effect.gen(function*() {
      const version = (name: string, storage: boolean, extra: object) => ({
        name,
        served: true,
        storage,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: { spec: { type: "object", properties: { a: { type: "string" }, ...extra } } }
          }
        }
      })
      yield* install(definition("Foo", {}, {
        versions: [version("v1", true, { b: { type: "string", default: "one" } }), version("v1beta1", false, { c: { type: "string", default: "beta" } })]
      }))
      expect((yield* call("GET", "/apis/ex.io")).json).toMatchObject({
        preferredVersion: { version: "v1" },
        versions: [{ version: "v1" }, { version: "v1beta1" }]
      })
      yield* call("POST", foos.replace("/v1/", "/v1beta1/"), { body: { ...foo("x", { a: "1" }), apiVersion: "ex.io/v1beta1" } })
      expect((yield* call("GET", `${foos}/x`)).json).toMatchObject({ apiVersion: "ex.io/v1", spec: { a: "1", b: "one" } })
      expect((yield* call("GET", `${foos.replace("/v1/", "/v1beta1/")}/x`)).json).toMatchObject({ apiVersion: "ex.io/v1beta1", spec: { a: "1", c: "beta" } })
      expect((yield* call("GET", foos.replace("/v1/", "/v1beta1/"))).json.items[0].apiVersion).toBe("ex.io/v1beta1")
    }).pipe(Effect.provide(layerApi)))
})
