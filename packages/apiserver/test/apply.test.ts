/** Server-side apply and managed fields, through the API. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { call, configMap, configMaps, jsonPatch, layerApi, merge, pod, pods } from "./support/api.js"

const type = "application/apply-patch+yaml"
const kubectl = { "user-agent": "kubectl/v1.36.0 (linux/amd64)" }

const apply = (url: string, manager: string, body: unknown, force = false) =>
  call("PATCH", `${url}?fieldManager=${manager}${force ? "&force=true" : ""}`, { type, body })

interface Entry {
  readonly manager: string
  readonly operation: string
  readonly subresource?: string
  readonly fieldsV1: unknown
}

const owners = (object: { metadata: { managedFields?: ReadonlyArray<Entry> } }) =>
  (object.metadata.managedFields ?? []).map(({ fieldsV1, manager, operation, subresource }) => [
    `${manager} ${operation}${subresource === undefined ? "" : ` ${subresource}`}`,
    fieldsV1
  ])

describe("managed fields", () => {
  it.effect("name the client, its fields and nothing that the server owns", () =>
    Effect.gen(function*() {
      const created = yield* call("POST", configMaps, { body: configMap("cm", { a: "1" }, { l: "1" }), headers: kubectl })
      const { time, ...entry } = created.json.metadata.managedFields[0]
      assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      assert.deepStrictEqual(entry, {
        manager: "kubectl",
        operation: "Update",
        apiVersion: "v1",
        fieldsType: "FieldsV1",
        fieldsV1: { "f:data": { ".": {}, "f:a": {} }, "f:metadata": { "f:labels": { ".": {}, "f:l": {} } } }
      })
    }).pipe(Effect.provide(layerApi)))

  it.effect("of a Pod are those of its template, defaults included", () =>
    Effect.gen(function*() {
      const spec = { containers: [{ name: "c", image: "nginx:1", ports: [{ containerPort: 80 }] }] }
      const created = yield* call("POST", `${pods}?fieldManager=me`, { body: pod("p", spec) })
      const [[who, fields] = []] = owners(created.json)
      assert.strictEqual(who, "me Update")
      const { "f:spec": own, ...others } = fields as Record<string, Record<string, unknown>>
      assert.deepStrictEqual(others, {})
      assert.deepStrictEqual(own?.["f:containers"], {
        "k:{\"name\":\"c\"}": {
          ".": {},
          "f:image": {},
          "f:imagePullPolicy": {},
          "f:name": {},
          "f:ports": {
            ".": {},
            "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": { ".": {}, "f:containerPort": {}, "f:protocol": {} }
          },
          "f:resources": {},
          "f:terminationMessagePath": {},
          "f:terminationMessagePolicy": {}
        }
      })
      assert.deepStrictEqual(own?.["f:restartPolicy"], {})
    }).pipe(Effect.provide(layerApi)))

  it.effect("move to whoever changes a value, and go with it", () =>
    Effect.gen(function*() {
      yield* call("POST", `${configMaps}?fieldManager=one`, { body: configMap("cm", { a: "1", b: "1" }) })
      const patch = (manager: string, data: object) =>
        call("PATCH", `${configMaps}/cm?fieldManager=${manager}`, { type: merge, body: { data } })
      assert.deepStrictEqual(owners((yield* patch("two", { a: "2" })).json), [
        ["one Update", { "f:data": { ".": {}, "f:b": {} } }],
        ["two Update", { "f:data": { "f:a": {} } }]
      ])
      assert.deepStrictEqual(owners((yield* patch("one", { a: null })).json), [["one Update", { "f:data": { ".": {}, "f:b": {} } }]])
    }).pipe(Effect.provide(layerApi)))

  it.effect("of the status stand in an entry of their own", () =>
    Effect.gen(function*() {
      yield* call("POST", `${pods}?fieldManager=me`, { body: { ...pod("p"), status: { phase: "Running" } } })
      const { json } = yield* call("PATCH", `${pods}/p/status?fieldManager=kubelet`, {
        type: merge,
        body: { status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] }, spec: { hostname: "x" } }
      })
      const kubelet = owners(json).find(([who]) => who !== "me Update")
      assert.deepStrictEqual(kubelet, ["kubelet Update status", {
        "f:status": {
          "f:conditions": { ".": {}, "k:{\"type\":\"Ready\"}": { ".": {}, "f:status": {}, "f:type": {} } },
          "f:phase": {}
        }
      }])
    }).pipe(Effect.provide(layerApi)))

  it.effect("are at most ten updates, the oldest joined", () =>
    Effect.gen(function*() {
      yield* call("POST", `${configMaps}?fieldManager=m00`, { body: configMap("cm", { k00: "1" }) })
      for (let i = 1; i < 13; i++) {
        const key = `m${String(i).padStart(2, "0")}`
        yield* call("PATCH", `${configMaps}/cm?fieldManager=${key}`, { type: merge, body: { data: { [key]: "1" } } })
      }
      const { json } = yield* call("GET", `${configMaps}/cm`)
      const entries = owners(json)
      assert.lengthOf(entries, 10)
      assert.deepStrictEqual(entries.find(([who]) => who === "ancient-changes Update")?.[1], {
        "f:data": { ".": {}, "f:k00": {}, "f:m01": {}, "f:m02": {}, "f:m03": {} }
      })
    }).pipe(Effect.provide(layerApi)))

  it.effect("are cleared by an empty entry, and stay as they are when a client leaves them out", () =>
    Effect.gen(function*() {
      const { json } = yield* call("POST", `${configMaps}?fieldManager=one`, { body: configMap("cm", { a: "1" }) })
      const { managedFields, ...metadata } = json.metadata
      const put = yield* call("PUT", `${configMaps}/cm?fieldManager=two`, { body: { ...json, metadata } })
      assert.strictEqual(put.json.metadata.resourceVersion, json.metadata.resourceVersion)
      assert.deepStrictEqual(put.json.metadata.managedFields, managedFields)
      const cleared = yield* call("PATCH", `${configMaps}/cm`, { type: merge, body: { metadata: { managedFields: [{}] } } })
      assert.notProperty(cleared.json.metadata, "managedFields")
      const rewritten = yield* call("PATCH", `${configMaps}/cm`, {
        type: jsonPatch,
        body: [{ op: "add", path: "/metadata/managedFields", value: [{ ...managedFields[0], manager: "three", operation: "Apply" }] }]
      })
      assert.deepStrictEqual(owners(rewritten.json), [["three Apply", { "f:data": { ".": {}, "f:a": {} } }]])
    }).pipe(Effect.provide(layerApi)))
})

describe("server-side apply", () => {
  it.effect("creates, changes, removes what it gives up, and writes nothing for nothing", () =>
    Effect.gen(function*() {
      const url = `${configMaps}/cm`
      const created = yield* apply(url, "m1", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: cm\ndata:\n  a: '1'\n  b: '1'\n")
      assert.strictEqual(created.status, 201)
      assert.deepStrictEqual(owners(created.json), [["m1 Apply", { "f:data": { "f:a": {}, "f:b": {} } }]])
      const same = yield* apply(url, "m1", configMap("cm", { a: "1", b: "1" }))
      assert.deepStrictEqual([same.status, same.json], [200, created.json])
      const less = yield* apply(url, "m1", configMap("cm", { a: "2" }))
      assert.deepStrictEqual(less.json.data, { a: "2" })
      assert.deepStrictEqual(owners(less.json), [["m1 Apply", { "f:data": { "f:a": {} } }]])
      const nothing = yield* apply(url, "m1", configMap("cm"))
      assert.notProperty(nothing.json, "data")
    }).pipe(Effect.provide(layerApi)))

  it.effect("refuses to take fields from others, and says which", () =>
    Effect.gen(function*() {
      const url = `${pods}/p`
      const body = (image: string, labels = {}) => pod("p", { containers: [{ name: "c", image }] }, { labels })
      yield* apply(url, "m1", body("nginx:1", { l: "1" }))
      const one = yield* apply(url, "m2", body("nginx:2", { l: "1" }))
      assert.deepStrictEqual([one.status, one.json.message, one.json.reason], [
        409,
        "Apply failed with 1 conflict: conflict with \"m1\": .spec.containers[name=\"c\"].image",
        "Conflict"
      ])
      const two = yield* apply(url, "m2", body("nginx:2", { l: "2" }))
      assert.strictEqual(
        two.json.message,
        "Apply failed with 2 conflicts: conflicts with \"m1\":\n- .metadata.labels.l\n- .spec.containers[name=\"c\"].image"
      )
      assert.deepStrictEqual(two.json.details, {
        causes: [
          { reason: "FieldManagerConflict", message: "conflict with \"m1\"", field: ".metadata.labels.l" },
          { reason: "FieldManagerConflict", message: "conflict with \"m1\"", field: ".spec.containers[name=\"c\"].image" }
        ]
      })
      const forced = yield* apply(url, "m2", body("nginx:2", { l: "2" }), true)
      assert.strictEqual(forced.json.spec.containers[0].image, "nginx:2")
      const [first, second] = owners(forced.json)
      assert.deepStrictEqual(first, ["m1 Apply", { "f:spec": { "f:containers": { "k:{\"name\":\"c\"}": { ".": {}, "f:name": {} } } } }])
      assert.deepStrictEqual(second?.[0], "m2 Apply")
    }).pipe(Effect.provide(layerApi)))

  it.effect("shares a field of the same value, and leaves it to the other owner", () =>
    Effect.gen(function*() {
      const url = `${configMaps}/cm`
      yield* apply(url, "m1", configMap("cm", { a: "1", b: "1" }))
      const shared = yield* apply(url, "m2", configMap("cm", { a: "1" }))
      assert.strictEqual(shared.status, 200)
      const left = yield* apply(url, "m1", { ...configMap("cm"), data: undefined })
      assert.deepStrictEqual(left.json.data, { a: "1" })
      assert.deepStrictEqual(owners(left.json), [["m2 Apply", { "f:data": { "f:a": {} } }]])
    }).pipe(Effect.provide(layerApi)))

  it.effect("meets the owners of ordinary writes, also of objects that were not tracked", () =>
    Effect.gen(function*() {
      yield* call("POST", configMaps, { body: configMap("cm", { a: "1" }), headers: kubectl })
      const refused = yield* apply(`${configMaps}/cm`, "m1", configMap("cm", { a: "2" }))
      assert.strictEqual(refused.json.message, "Apply failed with 1 conflict: conflict with \"kubectl\" using v1: .data.a")
      yield* call("PATCH", `${configMaps}/cm`, { type: merge, body: { metadata: { managedFields: [{}] } } })
      const untracked = yield* apply(`${configMaps}/cm`, "m1", configMap("cm", { a: "2" }))
      assert.strictEqual(untracked.json.message, "Apply failed with 1 conflict: conflict with \"before-first-apply\" using v1: .data.a")
    }).pipe(Effect.provide(layerApi)))

  it.effect("takes over from kubectl's annotation", () =>
    Effect.gen(function*() {
      const annotation = "kubectl.kubernetes.io/last-applied-configuration"
      const manifest = configMap("cm", { a: "1" })
      const last = { ...manifest, metadata: { ...manifest.metadata, annotations: { [annotation]: JSON.stringify(manifest) } } }
      yield* call("POST", `${configMaps}?fieldManager=kubectl-client-side-apply`, { body: last })
      const next = configMap("cm", { a: "2" })
      const other = yield* apply(`${configMaps}/cm`, "flux", next)
      assert.strictEqual(other.status, 409)
      const taken = yield* apply(`${configMaps}/cm`, "kubectl", next)
      assert.strictEqual(taken.status, 200)
      assert.strictEqual(
        taken.json.metadata.annotations[annotation],
        "{\"apiVersion\":\"v1\",\"data\":{\"a\":\"2\"},\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"cm\"}}\n"
      )
    }).pipe(Effect.provide(layerApi)))

  it.effect("of the status leaves the rest alone", () =>
    Effect.gen(function*() {
      yield* apply(`${pods}/p`, "m1", pod("p"))
      const { json, status } = yield* apply(`${pods}/p/status`, "m2", {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "p" },
        status: { message: "hello" }
      })
      assert.deepStrictEqual([status, json.status.message, json.metadata.generation], [200, "hello", 1])
      assert.deepStrictEqual(owners(json).map(([who]) => who), ["m1 Apply", "m2 Apply status"])
      const missing = yield* apply(`${pods}/q/status`, "m2", { apiVersion: "v1", kind: "Pod", metadata: { name: "q" } })
      assert.strictEqual(missing.status, 404)
    }).pipe(Effect.provide(layerApi)))

  it.effect("writes nothing in a dry run", () =>
    Effect.gen(function*() {
      const { json, status } = yield* call("PATCH", `${configMaps}/cm?fieldManager=m1&dryRun=All`, { type, body: configMap("cm", { a: "1" }) })
      assert.strictEqual(status, 201)
      assert.notProperty(json.metadata, "resourceVersion")
      assert.strictEqual((yield* call("GET", `${configMaps}/cm`)).status, 404)
    }).pipe(Effect.provide(layerApi)))

  it.effect("refuses what is no configuration", () =>
    Effect.gen(function*() {
      const url = `${configMaps}/cm`
      const body = configMap("cm", { a: "1" })
      const say = (path: string, sent: unknown) => Effect.map(call("PATCH", path, { type, body: sent }), ({ json, status }) => [status, json.message])
      assert.deepStrictEqual(yield* say(url, body), [
        422,
        "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch"
      ])
      const owned = `${url}?fieldManager=m`
      assert.deepStrictEqual(yield* say(owned, { ...body, metadata: { name: "cm", managedFields: [] } }), [400, "metadata.managedFields must be nil"])
      assert.deepStrictEqual(yield* say(owned, { apiVersion: "v1", metadata: { name: "cm" } }), [400, "invalid object type: /v1, Kind="])
      assert.deepStrictEqual(yield* say(owned, { apiVersion: "v1", kind: "ConfigMap", metadata: {} }), [
        400,
        "the name of the object (cm based on URL) was undeterminable: name must be provided"
      ])
      assert.deepStrictEqual(yield* say(owned, configMap("other")), [
        400,
        "the name of the object (other) does not match the name on the URL (cm)"
      ])
      assert.deepStrictEqual(yield* say(owned, { ...body, foo: 1 }), [
        500,
        "failed to create typed patch object (/cm; v1, Kind=ConfigMap): .foo: field not declared in schema"
      ])
      assert.deepStrictEqual(yield* say(`${url}?fieldManager=m&fieldValidation=Strict`, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\nkind: ConfigMap\n"), [
        400,
        "error strict decoding YAML: line 4: key \"kind\" already set in map"
      ])
      assert.strictEqual((yield* say(owned, "a: [b"))[0], 400)
      const versioned = yield* say(owned, { ...body, metadata: { name: "cm", resourceVersion: "1" } })
      assert.strictEqual(versioned[0], 404)
      const merged = yield* call("PATCH", `${url}?force=true`, { type: merge, body: {} })
      assert.strictEqual(merged.json.message, "PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be specified for non-apply patch")
    }).pipe(Effect.provide(layerApi)))

  it.effect("holds against others who write at the same time", () =>
    Effect.gen(function*() {
      yield* Effect.forEach(Array.from({ length: 20 }, (_, i) => `k${i}`), (key) => apply(`${configMaps}/cm`, key, configMap("cm", { [key]: "1" })), {
        concurrency: 20
      })
      const { json } = yield* call("GET", `${configMaps}/cm`)
      assert.lengthOf(Object.keys(json.data), 20)
      assert.lengthOf(json.metadata.managedFields, 20)
    }).pipe(Effect.provide(layerApi)))
})
