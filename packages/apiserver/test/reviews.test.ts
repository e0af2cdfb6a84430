import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as UserInfo from "../src/authentication/UserInfo.js"
import { call, layerApi } from "./support/api.js"
import { bind, clusterRole, grant, subject } from "./support/policy.js"

const authorization = "/apis/authorization.k8s.io/v1"
const authentication = "/apis/authentication.k8s.io/v1"
const dev = UserInfo.authenticated("dev", ["devs"])
const listPods = { namespace: "default", verb: "list", resource: "pods" }

const withReader = Effect.zipRight(
  grant(clusterRole("reader", [{ apiGroups: [""], resources: ["pods"], verbs: ["list"] }])),
  bind("readers", "reader", [subject("Group", "devs")])
)

describe("reviews", () => {
  it.effect("tell callers what they may do, and why", () =>
    Effect.gen(function*() {
      yield* withReader
      const ask = (resourceAttributes: object) =>
        call("POST", `${authorization}/selfsubjectaccessreviews`, { body: { spec: { resourceAttributes } }, user: dev })
      const yes = yield* ask(listPods)
      assert.strictEqual(yes.status, 201)
      assert.deepStrictEqual(yes.json.status, {
        allowed: true,
        reason: "RBAC: allowed by ClusterRoleBinding \"readers\" of ClusterRole \"reader\" to Group \"devs\""
      })
      assert.deepStrictEqual((yield* ask({ ...listPods, verb: "delete" })).json.status, { allowed: false })
      const bad = yield* call("POST", `${authorization}/selfsubjectaccessreviews`, { body: { spec: {} }, user: dev })
      assert.strictEqual(bad.status, 422)
      assert.match(bad.json.message, /exactly one of nonResourceAttributes or resourceAttributes must be specified/)
      assert.strictEqual((yield* call("GET", `${authorization}/selfsubjectaccessreviews`)).status, 405)
    }).pipe(Effect.provide(layerApi)))

  it.effect("tell administrators what others may do, in one namespace or anywhere", () =>
    Effect.gen(function*() {
      yield* withReader
      const spec = { resourceAttributes: listPods, user: "dev", groups: ["devs"] }
      const anywhere = yield* call("POST", `${authorization}/subjectaccessreviews`, { body: { spec } })
      assert.isTrue(anywhere.json.status.allowed)
      assert.strictEqual((yield* call("POST", `${authorization}/subjectaccessreviews`, { body: { spec }, user: dev })).status, 403)
      const local = `${authorization}/namespaces/default/localsubjectaccessreviews`
      assert.isTrue((yield* call("POST", local, { body: { spec } })).json.status.allowed)
      const other = yield* call("POST", local, { body: { spec: { ...spec, resourceAttributes: { ...listPods, namespace: "x" } } } })
      assert.match(other.json.message, /spec.resourceAttributes.namespace: Invalid value: "x": must match metadata.namespace/)
    }).pipe(Effect.provide(layerApi)))

  it.effect("list the rules of the caller", () =>
    Effect.gen(function*() {
      yield* withReader
      const rules = (user: UserInfo.UserInfo, namespace?: string) =>
        call("POST", `${authorization}/selfsubjectrulesreviews`, { body: { spec: namespace === undefined ? {} : { namespace } }, user })
      assert.deepStrictEqual((yield* rules(dev, "default")).json.status, {
        resourceRules: [{ verbs: ["list"], apiGroups: [""], resources: ["pods"] }],
        nonResourceRules: [],
        incomplete: false
      })
      assert.strictEqual((yield* rules(dev)).status, 400)
      const master = yield* rules(UserInfo.authenticated("root", ["system:masters"]), "default")
      assert.deepStrictEqual(master.json.status.resourceRules, [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }])
    }).pipe(Effect.provide(layerApi)))

  it.effect("tell callers who they are, and whose a token is", () =>
    Effect.gen(function*() {
      const self = yield* call("POST", `${authentication}/selfsubjectreviews`, { body: {}, user: dev })
      assert.strictEqual(self.status, 201)
      assert.deepStrictEqual(self.json.status, { userInfo: { username: "dev", groups: ["devs", "system:authenticated"] } })
      const unknown = yield* call("POST", `${authentication}/tokenreviews`, { body: { spec: { token: "x" } } })
      assert.deepStrictEqual(unknown.json.status, { user: {}, error: "invalid bearer token" })
      assert.strictEqual((yield* call("POST", `${authentication}/tokenreviews`, { body: { spec: {} } })).status, 400)
      yield* call("POST", "/api/v1/namespaces/default/serviceaccounts", { body: { metadata: { name: "robot" } } })
      const issued = yield* call("POST", "/api/v1/namespaces/default/serviceaccounts/robot/token", { body: { spec: {} } })
      assert.strictEqual(issued.status, 201, issued.text)
      const known = yield* call("POST", `${authentication}/tokenreviews`, { body: { spec: { token: issued.json.status.token } } })
      assert.isTrue(known.json.status.authenticated)
      assert.strictEqual(known.json.status.user.username, "system:serviceaccount:default:robot")
    }).pipe(Effect.provide(layerApi)))
})
