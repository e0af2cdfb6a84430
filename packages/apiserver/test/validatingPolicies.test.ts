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

  it.effect("warn although another one denies, and deny when they cannot be applied", () =>
    withApi(Effect.gen(function*() {
      yield* policy("p", [{ expression: "false", message: "denied" }])
      yield* policy("q", [{ expression: "false", message: "warned", messageExpression: "'x'.replace('x', object.data.long)" }])
      yield* binding("a", "p")
      yield* binding("b", "q", { validationActions: ["Warn"] })
      const long = "y".repeat(6000)
      const both = yield* post({ long })
      assert.include(both.message, "ValidatingAdmissionPolicy 'p' with binding 'a' denied request: denied")
      assert.deepStrictEqual(both.warning, ["299 - \"Validation failed for ValidatingAdmissionPolicy 'q' with binding 'b': warned\""])
      yield* call("DELETE", `${group}/validatingadmissionpolicybindings/a`)
      yield* policy("r", [{ expression: "true" }], { paramKind: { apiVersion: "ex.io/v1", kind: "Limit" } })
      yield* binding("c", "r", { validationActions: ["Warn"], paramRef: { name: "x", parameterNotFoundAction: "Allow" } })
      const denied = "configmaps \"c\" is forbidden: ValidatingAdmissionPolicy 'r'"
      assert.strictEqual((yield* post({ long })).message, `${denied} denied request: failed to configure policy: failed to find resource referenced by paramKind: 'ex.io/v1, Kind=Limit'`)
      yield* call("PATCH", `${group}/validatingadmissionpolicies/r`, { type: merge, body: { spec: { paramKind: { apiVersion: "v1", kind: "Namespace" } } } })
      assert.strictEqual((yield* post({ long })).status, 201)
      yield* call("PATCH", `${group}/validatingadmissionpolicybindings/c`, { type: merge, body: { spec: { paramRef: { parameterNotFoundAction: "Deny" } } } })
      assert.strictEqual((yield* post({ long })).message, `${denied} with binding 'c' denied request: failed to configure binding: no params found for policy binding with \`Deny\` parameterNotFoundAction`)
      yield* call("PATCH", `${group}/validatingadmissionpolicybindings/c`, { type: merge, body: { spec: { paramRef: { namespace: "default" } } } })
      assert.include((yield* post({ long })).message, "paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
      yield* call("PATCH", `${group}/validatingadmissionpolicies/r`, { type: merge, body: { spec: { failurePolicy: "Ignore" } } })
      assert.strictEqual((yield* post({ long })).status, 201)
    })))

  it.effect("are refused when an expression does not compile", () =>
    withApi(Effect.gen(function*() {
      const answered = ({ json, status }: { readonly status: number; readonly json: { readonly message: string } }) => [status, json.message] as const
      const write = (spec: object) =>
        Effect.map(
          call("POST", `${group}/validatingadmissionpolicies`, {
            body: { ...meta, kind: "ValidatingAdmissionPolicy", metadata: { name: "p" }, spec: { matchConstraints: { resourceRules: rules }, ...spec } }
          }),
          answered
        )
      const change = (spec: object) => Effect.map(call("PATCH", `${group}/validatingadmissionpolicies/p`, { type: merge, body: { spec } }), answered)
      const [status, message] = yield* write({
        validations: [{ expression: "object.", messageExpression: "1" }, { expression: "'x'" }],
        variables: [{ name: "v", expression: "nobody.knows" }]
      })
      assert.strictEqual(status, 422)
      for (const part of [
        "spec.variables[0].expression: Invalid value: \"nobody.knows\": compilation failed: ",
        "spec.validations[0].expression: Invalid value: \"object.\": compilation failed: ",
        "spec.validations[1].expression: Invalid value: \"'x'\": must evaluate to bool",
        "spec.validations[0].messageExpression: Invalid value: \"1\": must evaluate to string"
      ]) assert.include(message, part)
      assert.strictEqual((yield* write({ validations: [{ expression: "true" }] }))[0], 201)
      assert.strictEqual((yield* change({ validations: [{ expression: "tru" }] }))[0], 422)
    })))
})
