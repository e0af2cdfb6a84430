import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as UserInfo from "../src/authentication/UserInfo.js"
import { call, configMap, configMaps, layerApi } from "./support/api.js"
import { bind, clusterRole, defaults, grant, rbac, subject } from "./support/policy.js"

const dev = UserInfo.authenticated("dev", ["devs"])
const as = (user: UserInfo.UserInfo) => ({ user })

describe("roles", () => {
  it.effect("allow what a bound rule says, from the moment they are stored", () =>
    Effect.gen(function*() {
      const refused = yield* call("GET", configMaps, as(dev))
      assert.strictEqual(refused.status, 403)
      assert.strictEqual(
        refused.json.message,
        "configmaps is forbidden: User \"dev\" cannot list resource \"configmaps\" in API group \"\" in the namespace \"default\""
      )
      const role = yield* grant(clusterRole("reader", [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get", "list"] }]))
      assert.strictEqual(role.status, 201, role.text)
      const bound = yield* bind("readers", "reader", [subject("Group", "devs")], "default")
      assert.strictEqual(bound.status, 201, bound.text)
      assert.strictEqual((yield* call("GET", configMaps, as(dev))).status, 200)
      assert.strictEqual((yield* call("POST", configMaps, { body: configMap("a"), ...as(dev) })).status, 403)
      assert.strictEqual((yield* call("GET", "/api/v1/configmaps", as(dev))).status, 403)
      assert.strictEqual((yield* call("GET", "/api/v1/namespaces/kube-system/configmaps", as(dev))).status, 403)
      yield* call("DELETE", `${rbac}/namespaces/default/rolebindings/readers`)
      assert.strictEqual((yield* call("GET", configMaps, as(dev))).status, 403)
    }).pipe(Effect.provide(layerApi)))

  it.effect("say which role of a binding is missing", () =>
    Effect.gen(function*() {
      yield* bind("b", "nope", [subject("User", "dev")])
      assert.match(
        (yield* call("GET", configMaps, as(dev))).json.message,
        /in the namespace "default": RBAC: clusterrole.rbac.authorization.k8s.io "nope" not found$/
      )
    }).pipe(Effect.provide(layerApi)))

  it.effect("can be limited to names: for reads of one object, and for lists and watches of one name", () =>
    Effect.gen(function*() {
      yield* call("POST", configMaps, { body: configMap("mine") })
      yield* grant(clusterRole("one", [{ apiGroups: [""], resources: ["configmaps"], resourceNames: ["mine"], verbs: ["get", "list", "create"] }]))
      yield* bind("b", "one", [subject("User", "dev")])
      assert.strictEqual((yield* call("GET", `${configMaps}/mine`, as(dev))).status, 200)
      assert.strictEqual((yield* call("GET", `${configMaps}/other`, as(dev))).status, 403)
      assert.strictEqual((yield* call("GET", configMaps, as(dev))).status, 403)
      assert.strictEqual((yield* call("GET", `${configMaps}?fieldSelector=metadata.name%3Dmine`, as(dev))).status, 200)
      assert.strictEqual((yield* call("GET", `${configMaps}?fieldSelector=metadata.name!%3Dmine`, as(dev))).status, 403)
      assert.strictEqual((yield* call("POST", configMaps, { body: configMap("mine"), ...as(dev) })).status, 403)
    }).pipe(Effect.provide(layerApi)))

  it.effect("cover subresources, paths and service accounts", () =>
    Effect.gen(function*() {
      const robot = UserInfo.authenticated("system:serviceaccount:default:robot", ["system:serviceaccounts"])
      yield* grant(clusterRole("r", [
        { apiGroups: ["*"], resources: ["*/status"], verbs: ["*"] },
        { nonResourceURLs: ["/metrics", "/logs/*"], verbs: ["get"] }
      ]))
      yield* bind("b", "r", [{ kind: "ServiceAccount", name: "robot", namespace: "default" }])
      const may = (spec: object) =>
        Effect.map(
          call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", { body: { spec }, ...as(robot) }),
          ({ json }) => json.status.allowed
        )
      assert.isTrue(yield* may({ resourceAttributes: { verb: "patch", resource: "pods", subresource: "status" } }))
      assert.isFalse(yield* may({ resourceAttributes: { verb: "patch", resource: "pods" } }))
      assert.isTrue(yield* may({ nonResourceAttributes: { verb: "get", path: "/metrics" } }))
      assert.isTrue(yield* may({ nonResourceAttributes: { verb: "get", path: "/logs/a/b" } }))
      assert.isFalse(yield* may({ nonResourceAttributes: { verb: "get", path: "/metrics/x" } }))
    }).pipe(Effect.provide(layerApi)))

  it.effect("collect the rules of roles with a label", () =>
    Effect.gen(function*() {
      const created = yield* grant(clusterRole("all", [], {
        aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: "true" } }] }
      }))
      assert.strictEqual(created.status, 201, created.text)
      yield* bind("b", "all", [subject("User", "dev")])
      assert.strictEqual((yield* call("GET", configMaps, as(dev))).status, 403)
      yield* grant(clusterRole("p", [{ apiGroups: [""], resources: ["configmaps"], verbs: ["list"] }], {
        metadata: { name: "p", labels: { part: "true" } }
      }))
      assert.strictEqual((yield* call("GET", configMaps, as(dev))).status, 200)
    }).pipe(Effect.provide(layerApi)))
})

describe("default roles", () => {
  it.effect("are accepted by the server, and let people view, edit and administer a namespace", () =>
    Effect.gen(function*() {
      for (const { status, text } of yield* defaults) assert.strictEqual(status, 201, text)
      for (const role of ["view", "edit", "admin"]) yield* bind(role, role, [subject("User", role)], "default")
      const status = (user: string, method: string, url: string, body?: unknown) =>
        Effect.map(call(method, url, { user: UserInfo.authenticated(user, []), ...(body === undefined ? {} : { body }) }), (answer) => answer.status)
      assert.strictEqual(yield* status("view", "GET", "/api/v1/namespaces/default/pods"), 200)
      assert.strictEqual(yield* status("view", "GET", "/api/v1/namespaces/default/secrets"), 403)
      assert.strictEqual(yield* status("view", "POST", configMaps, configMap("a")), 403)
      assert.strictEqual(yield* status("edit", "GET", "/api/v1/namespaces/default/secrets"), 200)
      assert.strictEqual(yield* status("edit", "POST", configMaps, configMap("a")), 201)
      assert.strictEqual(yield* status("edit", "GET", `${rbac}/namespaces/default/roles`), 403)
      assert.strictEqual(yield* status("admin", "GET", `${rbac}/namespaces/default/roles`), 200)
      assert.strictEqual(yield* status("admin", "GET", "/api/v1/nodes"), 403)
      assert.strictEqual((yield* call("GET", "/readyz", { user: UserInfo.anonymous })).status, 200)
      assert.strictEqual((yield* call("GET", "/api", { user: UserInfo.anonymous })).status, 403)
    }).pipe(Effect.provide(layerApi)))
})

describe("escalation", () => {
  const wanted = (name: string) => ({
    kind: "Role",
    apiVersion: "rbac.authorization.k8s.io/v1",
    metadata: { name },
    rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] }]
  })
  const roles = `${rbac}/namespaces/default/roles`
  const bindings = `${rbac}/namespaces/default/rolebindings`
  const writer = grant(clusterRole("writer", [
    { apiGroups: ["rbac.authorization.k8s.io"], resources: ["roles", "rolebindings"], verbs: ["create", "update", "patch", "get"] }
  ]))

  it.effect("nobody grants rules that they do not hold", () =>
    Effect.gen(function*() {
      yield* writer
      yield* bind("w", "writer", [subject("User", "dev")], "default")
      const refused = yield* call("POST", roles, { body: wanted("esc"), ...as(dev) })
      assert.strictEqual(refused.status, 403)
      assert.strictEqual(
        refused.json.message,
        "roles.rbac.authorization.k8s.io \"esc\" is forbidden: user \"dev\" (groups=[\"devs\" \"system:authenticated\"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"get\" \"list\"]}"
      )
      yield* grant(clusterRole("pods", [{ apiGroups: [""], resources: ["*"], verbs: ["*"] }]))
      yield* bind("p", "pods", [subject("Group", "devs")], "default")
      const allowed = yield* call("POST", roles, { body: wanted("esc"), ...as(dev) })
      assert.strictEqual(allowed.status, 201, allowed.text)
    }).pipe(Effect.provide(layerApi)))

  it.effect("nobody binds a role that they do not hold, unless they have the verb bind", () =>
    Effect.gen(function*() {
      yield* writer
      yield* bind("w", "writer", [subject("User", "dev")], "default")
      yield* call("POST", roles, { body: wanted("esc") })
      const body = {
        metadata: { name: "self" },
        subjects: [subject("User", "dev")],
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "esc" }
      }
      assert.strictEqual((yield* call("POST", bindings, { body, ...as(dev) })).status, 403)
      yield* grant(clusterRole("binder", [{ apiGroups: ["rbac.authorization.k8s.io"], resources: ["roles"], resourceNames: ["esc"], verbs: ["bind"] }]))
      yield* bind("x", "binder", [subject("User", "dev")], "default")
      const allowed = yield* call("POST", bindings, { body, ...as(dev) })
      assert.strictEqual(allowed.status, 201, allowed.text)
      const changed = yield* call("PUT", `${bindings}/self`, { body: { ...body, roleRef: { ...body.roleRef, name: "other" } } })
      assert.strictEqual(changed.status, 422)
      assert.match(changed.json.message, /roleRef: Invalid value: .*: cannot change roleRef$/)
    }).pipe(Effect.provide(layerApi)))
})
