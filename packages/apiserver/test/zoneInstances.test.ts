import { assert, describe, layer } from "@effect/vitest"
import { Kind } from "@reddwarf/api-types"
import { Effect, Either } from "effect"
import * as UserInfo from "../src/authentication/UserInfo.js"
import * as ZoneInstances from "../src/admission/ZoneInstances.js"
import { authorizeStatic } from "../src/authorization/Authorizer.js"
import { call, layerApi, pod, pods } from "./support/api.js"

const n1 = UserInfo.authenticated("system:node:n1", ["system:nodes"])
const person = UserInfo.authenticated("ann", [])

const kind = Kind.make({ group: "reddwarf.io", version: "v1alpha1", kind: "ZoneInstance", plural: "zoneinstances", namespaced: true, schema: "none" })
const instance = (nodeName: string) => ({ apiVersion: "reddwarf.io/v1alpha1", kind: "ZoneInstance", metadata: { name: "p", namespace: "default" }, spec: { nodeName } })

const view = { get: () => undefined, list: () => [] }
const judged = (user: UserInfo.UserInfo, object: string | undefined, old?: string) =>
  Effect.either(ZoneInstances.plugin.validate?.(object === undefined ? undefined : instance(object), {
    operation: old === undefined ? "CREATE" : object === undefined ? "DELETE" : "UPDATE",
    kind,
    subresource: undefined,
    namespace: "default",
    name: "p",
    user,
    dryRun: false,
    old: old === undefined ? undefined : instance(old)
  }, view) ?? Effect.void)

describe("zone instances", () => {
  layer(layerApi)((it) => {
    it.effect("are written by agents for their own node alone", () =>
      Effect.gen(function*() {
        const allowed = (user: UserInfo.UserInfo, object: string | undefined, old?: string) => Effect.map(judged(user, object, old), Either.isRight)
        assert.isTrue(yield* allowed(n1, "n1"))
        assert.isTrue(yield* allowed(n1, "n1", "n1"))
        assert.isTrue(yield* allowed(n1, undefined, "n1"))
        assert.isFalse(yield* allowed(n1, "n2"))
        assert.isFalse(yield* allowed(n1, "n1", "n2"))
        assert.isFalse(yield* allowed(n1, "n2", "n1"))
        assert.isFalse(yield* allowed(n1, undefined, "n2"))
        assert.isTrue(yield* allowed(person, "n2", "n2"))
        const attributes = { isResource: true, group: "reddwarf.io", version: "v1alpha1", resource: "zoneinstances", namespace: "default", name: "p", path: "", user: n1 }
        for (const verb of ["get", "list", "watch", "create", "update", "patch", "delete"]) {
          assert.isTrue(authorizeStatic({ ...attributes, verb, subresource: undefined }).allowed, verb)
        }
        assert.isTrue(authorizeStatic({ ...attributes, verb: "patch", subresource: "status" }).allowed)
        assert.isFalse(authorizeStatic({ ...attributes, verb: "deletecollection", subresource: undefined }).allowed)
        assert.isFalse(authorizeStatic({ ...attributes, verb: "patch", subresource: "status", user: person }).allowed)
      }))

    it.effect("pods with gates get a readiness gate, once, and others none", () =>
      Effect.gen(function*() {
        const made = (name: string, annotations: Record<string, string>, more: object = {}) =>
          Effect.map(
            call("POST", pods, { body: pod(name, { containers: [{ name: "c", image: "i:1" }], ...more }, { annotations }) }),
            ({ json, status, text }) => {
              assert.strictEqual(status, 201, text)
              return json.spec.readinessGates
            }
          )
        const gate = [{ conditionType: "reddwarf.io/GatesOpen" }]
        assert.deepStrictEqual(yield* made("plain", {}), undefined)
        assert.deepStrictEqual(yield* made("sidecar", { "reddwarf.io/sidecar-gate": "agent" }), gate)
        assert.deepStrictEqual(yield* made("generic", { "reddwarf.io/gates": "[]" }, { readinessGates: gate }), gate)
      }))
  })
})
