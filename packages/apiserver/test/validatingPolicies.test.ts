import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { call, configMap, configMaps, layerApi, merge } from "./support/api.js"

const group = "/apis/admissionregistration.k8s.io/v1"
const meta = { apiVersion: "admissionregistration.k8s.io/v1" }

const rules = [{ operations: ["CREATE", "UPDATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] }]

const policy = (name: string, validations: ReadonlyArray<object>, more: object = {}) =>
  call("POST", `${group}/validatingadmissionpolicies`, {
    body: { ...meta, kind: "ValidatingAdmissionPolicy", metadata: { name }, spec: { matchConstraints: { resourceRules: rules }, validations, ...more } }
  }).pipe(Effect.tap(({ status, text }) => Effect.sync(() => assert.strictEqual(status, 201, text))))

const binding = (name: string, policyName: string, more: object = {}) =>
  call("POST", `${group}/validatingadmissionpolicybindings`, {
    body: { ...meta, kind: "ValidatingAdmissionPolicyBinding", metadata: { name }, spec: { policyName, validationActions: ["Deny"], ...more } }
  }).pipe(Effect.tap(({ status, text }) => Effect.sync(() => assert.strictEqual(status, 201, text))))

const post = (data: Record<string, string> = {}, name = "c") =>
  Effect.map(call("POST", `${configMaps}?dryRun=All`, { body: configMap(name, data) }), ({ headers, json, status }) => ({
    status,
    message: json.message ?? "",
    reason: json.reason ?? "",
    warning: headers["warning"] ?? []
  }))

const withApi = <A, E>(test: Effect.Effect<A, E, Effect.Effect.Context<ReturnType<typeof call>>>) => Effect.provide(test, layerApi)

describe("ValidatingAdmissionPolicies", () => {
  it.effect("act once they are bound", () =>
    withApi(Effect.gen(function*() {
      yield* policy("p", [
        { expression: "!has(object.data) || !('bad' in object.data)" },
        { expression: "variables.size < 3", messageExpression: "'has ' + string(variables.size) + ' entries'", reason: "Forbidden" }
      ], { variables: [{ name: "size", expression: "has(object.data) ? object.data.size() : 0" }] })
      assert.strictEqual((yield* post({ bad: "1" })).status, 201)
      yield* binding("b", "p")
      assert.deepStrictEqual(yield* post({ bad: "1" }), {
        status: 422,
        reason: "Invalid",
        message: "configmaps \"c\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: failed expression: !has(object.data) || !('bad' in object.data)",
        warning: []
      })
      const many = yield* post({ a: "1", b: "2", c: "3" })
      assert.deepStrictEqual([many.status, many.reason], [403, "Forbidden"])
      assert.include(many.message, "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: has 3 entries")
      assert.strictEqual((yield* post({ a: "1" })).status, 201)
      yield* call("POST", configMaps, { body: configMap("kept") })
      const update = yield* call("PATCH", `${configMaps}/kept`, { type: merge, body: { data: { bad: "x" } } })
      assert.strictEqual(update.status, 422)
      yield* call("DELETE", `${group}/validatingadmissionpolicybindings/b`)
      assert.strictEqual((yield* post({ bad: "1" })).status, 201)
    })))

  it.effect("only warn when they are told so", () =>
    withApi(Effect.gen(function*() {
      yield* policy("p", [{ expression: "false", message: "never" }])
      yield* binding("b", "p", { validationActions: ["Warn", "Audit"] })
      assert.deepStrictEqual(yield* post(), {
        status: 201,
        message: "",
        reason: "",
        warning: ["299 - \"Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': never\""]
      })
    })))

  it.effect("take parameters", () =>
    withApi(Effect.gen(function*() {
      yield* policy("p", [{ expression: "int(params.data.most) >= object.data.size()", message: "too many" }], {
        paramKind: { apiVersion: "v1", kind: "ConfigMap" },
        matchConditions: [{ name: "not-itself", expression: "object.metadata.name != 'limits'" }]
      })
      yield* binding("b", "p", { paramRef: { name: "limits", namespace: "default", parameterNotFoundAction: "Deny" } })
      assert.include((yield* post({ a: "1" })).message, "no params found for policy binding with `Deny` parameterNotFoundAction")
      yield* call("POST", `/api/v1/namespaces/kube-system/configmaps`, { body: configMap("limits") })
      const limits = { ...configMap("limits", { most: "1" }) }
      yield* call("PATCH", `${group}/validatingadmissionpolicybindings/b`, {
        type: merge,
        body: { spec: { paramRef: { parameterNotFoundAction: "Allow" } } }
      })
      assert.strictEqual((yield* call("POST", configMaps, { body: limits })).status, 201)
      assert.strictEqual((yield* post({ a: "1" })).status, 201)
      assert.include((yield* post({ a: "1", b: "2" })).message, "denied request: too many")
    })))

  it.effect("fail closed or open, and never take too long", () =>
    withApi(Effect.gen(function*() {
      yield* policy("p", [{ expression: "object.spec.x == 1" }])
      yield* binding("b", "p")
      assert.include((yield* post()).message, "denied request: expression 'object.spec.x == 1' resulted in error: no such key: spec")
      yield* call("PATCH", `${group}/validatingadmissionpolicies/p`, { type: merge, body: { spec: { failurePolicy: "Ignore" } } })
      assert.strictEqual((yield* post()).status, 201)
      yield* policy("q", [{ expression: "lists.range(1000).all(a, lists.range(1000).all(b, lists.range(1000).all(c, a + b + c >= 0)))" }])
      yield* binding("c", "q")
      assert.include((yield* post()).message, "operation cancelled: actual cost limit exceeded")
      yield* call("DELETE", `${group}/validatingadmissionpolicies/q`)
      yield* policy("r", [{ expression: "authorizer.group('').resource('secrets').namespace('default').check('delete').allowed() && namespaceObject.metadata.name == 'default' && request.userInfo.username == 'kubernetes-admin' && oldObject == null" }])
      yield* binding("d", "r", { matchResources: { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "default" } } } })
      assert.deepStrictEqual((yield* post()).message, "")
    })))
})
