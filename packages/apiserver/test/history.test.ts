import { assert, it } from "@effect/vitest"
import { ObjectStore } from "@reddwarf/store"
import { Effect } from "effect"
import * as UserInfo from "../src/authentication/UserInfo.js"
import { call, configMap, configMaps, layerApi, merge, table } from "./support/api.js"
import { bind, clusterRole, defaults, grant, subject } from "./support/policy.js"

const group = "/apis/history.reddwarf.io/v1alpha1"
const inDefault = `${group}/namespaces/default`
const bob = UserInfo.authenticated("bob", [])

const changeTwice = Effect.gen(function*() {
  yield* call("POST", `${configMaps}?fieldManager=editor`, { body: configMap("settings", { color: "red" }) })
  yield* call("PATCH", `${configMaps}/settings`, {
    type: merge,
    body: { data: { color: "blue", size: "2" } },
    headers: { "user-agent": "kubectl/v1.36.0 (linux)" }
  })
})

it.effect("a history tells who made which version, and what it changed", () =>
  Effect.gen(function*() {
    yield* changeTwice
    yield* call("DELETE", `${configMaps}/settings`)
    const store = yield* ObjectStore.ObjectStore
    for (let round = 0; round < 2; round++) {
      for (const url of [`${inDefault}/objecthistories/configmaps:settings`, `${inDefault}/configmaps/settings`]) {
        const { json, status } = yield* call("GET", url)
        assert.strictEqual(status, 200)
        assert.deepInclude(json, {
          kind: "ObjectHistory",
          apiVersion: "history.reddwarf.io/v1alpha1",
          object: { apiVersion: "v1", kind: "ConfigMap", resource: "configmaps", namespace: "default", name: "settings", exists: false }
        })
        assert.deepStrictEqual(
          json.versions.map(({ changed, manager, operation, user, verb }: Record<string, unknown>) => [operation, verb, user, manager, changed]),
          [
            ["create", "create", "kubernetes-admin", "editor", []],
            ["update", "patch", "kubernetes-admin", "kubectl", ["data.color", "data.size"]],
            ["delete", "delete", "kubernetes-admin", undefined, []]
          ]
        )
        assert.deepStrictEqual(json.versions.map((version: { object: { data: unknown } }) => version.object.data), [
          { color: "red" },
          { color: "blue", size: "2" },
          { color: "blue", size: "2" }
        ])
        assert.strictEqual(json.versions[0].revision, json.versions[0].object.metadata.resourceVersion)
      }
      // The same when it is no longer part of what watches can go back to.
      yield* store.compact(yield* store.revision)
    }
    assert.strictEqual((yield* call("GET", `${inDefault}/configmaps/other`)).status, 404)
    const wrong = yield* call("GET", `${inDefault}/objecthistories/nothing`)
    assert.strictEqual(wrong.status, 400)
    assert.include(wrong.json.message, "RESOURCE.GROUP:NAME")
    assert.strictEqual((yield* call("DELETE", `${inDefault}/configmaps/settings`)).status, 405)
    assert.strictEqual((yield* call("GET", `${inDefault}/objecthistories?watch=1`)).status, 405)
  }).pipe(Effect.provide(layerApi)))

it.effect("histories are listed, also of deleted objects, page by page, and shown as tables", () =>
  Effect.gen(function*() {
    for (const name of ["a", "b", "c"]) {
      yield* call("POST", configMaps, { body: configMap(name) })
      yield* call("PATCH", `${configMaps}/${name}`, { type: merge, body: { data: { x: "1" } } })
    }
    yield* call("DELETE", `${configMaps}/b`)
    yield* call("POST", "/api/v1/namespaces", { body: { apiVersion: "v1", kind: "Namespace", metadata: { name: "other" } } })
    yield* call("PATCH", "/api/v1/namespaces/other", { type: merge, body: { metadata: { labels: { a: "b" } } } })

    const all = yield* call("GET", `${group}/objecthistories`)
    assert.strictEqual(all.json.kind, "ObjectHistoryList")
    const shown = (items: ReadonlyArray<{ metadata: { name: string }; object: { exists: boolean }; versions: ReadonlyArray<unknown> }>) =>
      items.map(({ metadata, object, versions }) => [metadata.name, object.exists, versions.length])
    const expected = [["configmaps:a", true, 2], ["configmaps:b", false, 3], ["configmaps:c", true, 2]]
    assert.deepStrictEqual(shown(all.json.items), expected)
    assert.deepStrictEqual(shown((yield* call("GET", `${inDefault}/configmaps`)).json.items), expected)
    assert.deepStrictEqual(shown((yield* call("GET", `${inDefault}/objecthistories?fieldSelector=object.resource%3Dpods`)).json.items), [])

    const first = yield* call("GET", `${inDefault}/objecthistories?limit=2`)
    const second = yield* call("GET", `${inDefault}/objecthistories?limit=2&continue=${first.json.metadata.continue}`)
    assert.deepStrictEqual([...shown(first.json.items), ...shown(second.json.items)], expected)
    assert.isUndefined(second.json.metadata.continue)
    assert.strictEqual((yield* call("GET", `${inDefault}/objecthistories?continue=x`)).status, 400)

    const cluster = yield* call("GET", `${group}/clusterobjecthistories/namespaces:other`)
    assert.deepStrictEqual(cluster.json.versions[1].changed, ["metadata.labels.a"])

    const list = yield* call("GET", `${inDefault}/objecthistories`, { accept: table })
    assert.strictEqual(list.json.kind, "Table")
    assert.deepStrictEqual(list.json.rows[1].cells.slice(0, 4), ["configmaps:b", 3, "delete", "kubernetes-admin"])
    const one = yield* call("GET", `${inDefault}/configmaps/a`, { accept: table })
    assert.strictEqual(one.json.rows.length, 2)
    assert.deepStrictEqual(one.json.rows[1].cells.slice(1, 3), ["patch", "kubernetes-admin"])
    assert.strictEqual(one.json.rows[1].cells[5], "data")

    const resources = yield* call("GET", group)
    assert.deepStrictEqual(
      resources.json.resources.map(({ name, verbs }: { name: string; verbs: unknown }) => [name, verbs]),
      [["objecthistories", ["get", "list"]], ["clusterobjecthistories", ["get", "list"]]]
    )
  }).pipe(Effect.provide(layerApi)))

it.effect("whoever may get an object may read its history, and nobody else", () =>
  Effect.gen(function*() {
    yield* defaults
    yield* grant(clusterRole("config-reader", [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get"] }]))
    yield* bind("bob-reads", "config-reader", [subject("User", "bob")], "default")
    yield* changeTwice
    yield* call("POST", "/api/v1/namespaces/default/secrets", { body: { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, stringData: { a: "b" } } })
    yield* call("PATCH", "/api/v1/namespaces/default/secrets/s", { type: merge, body: { stringData: { a: "c" } } })

    assert.strictEqual((yield* call("GET", `${inDefault}/configmaps/settings`, { user: bob })).status, 200)
    const secret = yield* call("GET", `${inDefault}/secrets/s`, { user: bob })
    assert.strictEqual(secret.status, 403)
    assert.include(secret.json.message, `User "bob" cannot get resource "secrets" in API group "" in the namespace "default"`)
    assert.strictEqual((yield* call("GET", `${inDefault}/objecthistories/secrets:s`, { user: bob })).status, 403)
    const listed = yield* call("GET", `${inDefault}/objecthistories`, { user: bob })
    assert.deepStrictEqual(listed.json.items.map((item: { metadata: { name: string } }) => item.metadata.name), ["configmaps:settings"])
    const admin = yield* call("GET", `${inDefault}/objecthistories`)
    assert.deepStrictEqual(admin.json.items.map((item: { metadata: { name: string } }) => item.metadata.name), ["configmaps:settings", "secrets:s"])
    assert.strictEqual((yield* call("GET", `${inDefault}/configmaps/settings`, { user: undefined })).status, 401)
  }).pipe(Effect.provide(layerApi)))

it.effect("nothing is kept of heartbeats, leases and events", () =>
  Effect.gen(function*() {
    const leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
    yield* call("POST", leases, { body: { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "l" }, spec: { holderIdentity: "a" } } })
    yield* call("PATCH", `${leases}/l`, { type: merge, body: { spec: { holderIdentity: "b" } } })
    yield* call("POST", "/api/v1/nodes", { body: { apiVersion: "v1", kind: "Node", metadata: { name: "n" } } })
    for (const reason of ["a", "b", "c"]) {
      const { status } = yield* call("PATCH", "/api/v1/nodes/n/status", {
        type: merge,
        body: { status: { conditions: [{ type: "Ready", status: "True", reason }] } }
      })
      assert.strictEqual(status, 200)
    }
    assert.strictEqual((yield* call("GET", `${inDefault}/leases.coordination.k8s.io/l`)).status, 404)
    assert.strictEqual((yield* call("GET", `${group}/nodes/n`)).json.versions.length, 1)
  }).pipe(Effect.provide(layerApi)))
