import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { call, configMap, configMaps, jsonPatch, layerApi, merge, pod, pods, strategic } from "./support/api.js"

describe("objects", () => {
  layer(layerApi)((it) => {
    it.effect("creates with server-owned metadata and answers with the stored bytes", () =>
      Effect.gen(function*() {
        const created = yield* call("POST", configMaps, {
          body: { ...configMap("a", { k: "v" }), metadata: { name: "a", uid: "mine", generation: 9, selfLink: "/x" } }
        })
        assert.strictEqual(created.status, 201)
        const { metadata } = created.json
        assert.match(metadata.uid, /^[0-9a-f-]{36}$/)
        assert.strictEqual(metadata.namespace, "default")
        assert.isUndefined(metadata.generation)
        assert.isUndefined(metadata.selfLink)
        const read = yield* call("GET", `${configMaps}/a`)
        assert.strictEqual(read.text, created.text)
        assert.isTrue(read.text.endsWith("}\n"))
        const again = yield* call("POST", configMaps, { body: configMap("a") })
        assert.strictEqual(again.status, 409)
        assert.strictEqual(again.json.message, "configmaps \"a\" already exists")
        assert.deepStrictEqual(again.json.details, { name: "a", kind: "configmaps" })
      }))

    it.effect("generates names", () =>
      Effect.gen(function*() {
        const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "gen-" } }
        const one = yield* call("POST", configMaps, { body })
        const two = yield* call("POST", configMaps, { body })
        assert.match(one.json.metadata.name, /^gen-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
        assert.notStrictEqual(one.json.metadata.name, two.json.metadata.name)
      }))

    it.effect("checks namespace and name against the URL", () =>
      Effect.gen(function*() {
        const other = { ...configMap("b"), metadata: { name: "b", namespace: "kube-system" } }
        const wrong = yield* call("POST", configMaps, { body: other })
        assert.strictEqual(wrong.json.message, "the namespace of the provided object does not match the namespace sent on the request")
        const missing = yield* call("POST", "/api/v1/namespaces/nope/configmaps", { body: configMap("b") })
        assert.strictEqual(missing.status, 404)
        assert.strictEqual(missing.json.message, "namespaces \"nope\" not found")
        yield* call("POST", configMaps, { body: configMap("c") })
        const put = yield* call("PUT", `${configMaps}/c`, { body: configMap("d") })
        assert.strictEqual(put.json.message, "the name of the object (d) does not match the name on the URL (c)")
      }))

    it.effect("updates by compare-and-set, and writes nothing when nothing changes", () =>
      Effect.gen(function*() {
        const created = yield* call("POST", configMaps, { body: configMap("u", { a: "1" }) })
        const same = yield* call("PUT", `${configMaps}/u`, { body: created.json })
        assert.strictEqual(same.json.metadata.resourceVersion, created.json.metadata.resourceVersion)
        const changed = yield* call("PUT", `${configMaps}/u`, { body: { ...created.json, data: { a: "2" } } })
        assert.strictEqual(changed.status, 200)
        assert.isTrue(Number(changed.json.metadata.resourceVersion) > Number(created.json.metadata.resourceVersion))
        const stale = yield* call("PUT", `${configMaps}/u`, { body: { ...created.json, data: { a: "3" } } })
        assert.strictEqual(stale.status, 409)
        assert.include(stale.json.message, "the object has been modified")
        const unconditional = yield* call("PUT", `${configMaps}/u`, { body: configMap("u", { a: "4" }) })
        assert.strictEqual(unconditional.json.data.a, "4")
        const uid = yield* call("PUT", `${configMaps}/u`, {
          body: { ...configMap("u"), metadata: { name: "u", uid: "other" } }
        })
        assert.include(uid.json.message, "Precondition failed: UID in precondition: other, UID in object meta:")
      }))

    it.effect("leases need a resource version, and are created by PUT", () =>
      Effect.gen(function*() {
        const leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
        const body = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "l" }, spec: { holderIdentity: "a" } }
        const created = yield* call("PUT", `${leases}/l`, { body })
        assert.strictEqual(created.status, 201)
        const blind = yield* call("PUT", `${leases}/l`, { body })
        assert.strictEqual(blind.status, 422)
        assert.strictEqual(
          blind.json.message,
          "leases.coordination.k8s.io \"l\" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update"
        )
      }))

    it.effect("keeps status and spec apart and counts generations", () =>
      Effect.gen(function*() {
        const created = yield* call("POST", pods, { body: pod("g", {}, {}) })
        assert.strictEqual(created.json.metadata.generation, 1)
        assert.strictEqual(created.json.status.phase, "Pending")
        const main = yield* call("PATCH", `${pods}/g`, { type: merge, body: { status: { phase: "Running" } } })
        assert.strictEqual(main.json.status.phase, "Pending")
        assert.strictEqual(main.json.metadata.resourceVersion, created.json.metadata.resourceVersion)
        const status = yield* call("PATCH", `${pods}/g/status`, {
          type: merge,
          body: { status: { phase: "Running" }, spec: { nodeName: "x" } }
        })
        assert.strictEqual(status.json.status.phase, "Running")
        assert.isUndefined(status.json.spec.nodeName)
        assert.strictEqual(status.json.metadata.generation, 1)
        const image = yield* call("PATCH", `${pods}/g`, {
          type: strategic,
          body: { spec: { containers: [{ name: "c", image: "nginx:2" }] } }
        })
        assert.strictEqual(image.json.spec.containers[0].image, "nginx:2")
        assert.strictEqual(image.json.metadata.generation, 2)
        const immutable = yield* call("PATCH", `${pods}/g`, { type: merge, body: { spec: { hostname: "h" } } })
        assert.strictEqual(immutable.status, 422)
        assert.include(immutable.json.message, "pod updates may not change fields other than")
      }))

    it.effect("a pod can be replaced by the manifest it was made from", () =>
      Effect.gen(function*() {
        const created = yield* call("POST", pods, { body: pod("again") })
        const replaced = yield* call("PUT", `${pods}/again`, { body: pod("again") })
        assert.strictEqual(replaced.status, 200, replaced.text)
        assert.strictEqual(replaced.json.metadata.resourceVersion, created.json.metadata.resourceVersion)
        const unknown = yield* call("PATCH", `${pods}/again`, { type: "application/x-patch", body: pod("again") })
        assert.strictEqual(unknown.status, 415)
      }))

    it.effect("patches: precondition, failed operation, wrong type, wrong document", () =>
      Effect.gen(function*() {
        yield* call("POST", configMaps, { body: configMap("p", { a: "1" }) })
        const stale = yield* call("PATCH", `${configMaps}/p`, {
          type: merge,
          body: { metadata: { resourceVersion: "1" }, data: { a: "2" } }
        })
        assert.strictEqual(stale.status, 409)
        const failed = yield* call("PATCH", `${configMaps}/p`, { type: jsonPatch, body: [{ op: "remove", path: "/data/zz" }] })
        assert.strictEqual(failed.status, 422)
        assert.strictEqual(failed.json.message, "the server rejected our request due to an error in our request")
        const document = yield* call("PATCH", `${configMaps}/p`, { type: jsonPatch, body: {} })
        assert.strictEqual(
          document.json.message,
          "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
        )
        const type = yield* call("PATCH", `${configMaps}/p`, { type: "text/plain", body: "x" })
        assert.strictEqual(type.status, 415)
        const missing = yield* call("PATCH", `${configMaps}/zz`, { type: merge, body: {} })
        assert.strictEqual(missing.status, 404)
        const renamed = yield* call("PATCH", `${configMaps}/p`, { type: merge, body: { metadata: { name: "q" } } })
        assert.strictEqual(renamed.status, 400)
      }))

    it.effect("a dry run checks everything and stores nothing", () =>
      Effect.gen(function*() {
        const dry = yield* call("POST", `${configMaps}?dryRun=All`, { body: configMap("dry") })
        assert.strictEqual(dry.status, 201)
        assert.isDefined(dry.json.metadata.uid)
        assert.isUndefined(dry.json.metadata.resourceVersion)
        assert.strictEqual((yield* call("GET", `${configMaps}/dry`)).status, 404)
        const bad = yield* call("POST", `${configMaps}?dryRun=Some`, { body: configMap("dry") })
        assert.strictEqual(bad.status, 422)
        assert.include(bad.json.message, "dryRun: Unsupported value: [\"Some\"]: supported values: \"All\"")
      }))

    it.effect("unknown and duplicate fields: Warn, Strict, Ignore", () =>
      Effect.gen(function*() {
        const body = "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"f\",\"foo\":1},\"data\":{},\"data\":{\"a\":\"b\"}}"
        const strict = yield* call("POST", `${configMaps}?fieldValidation=Strict`, { body })
        assert.strictEqual(strict.status, 400)
        assert.include(strict.json.message, "strict decoding error: unknown field \"metadata.foo\", duplicate field \"data\"")
        const warned = yield* call("POST", configMaps, { body })
        assert.strictEqual(warned.status, 201)
        assert.deepStrictEqual(warned.headers["warning"], [
          "299 - \"unknown field \\\"metadata.foo\\\"\"",
          "299 - \"duplicate field \\\"data\\\"\""
        ])
        const ignored = yield* call("PUT", `${configMaps}/f?fieldValidation=Ignore`, { body })
        assert.isUndefined(ignored.headers["warning"])
        const wrong = yield* call("POST", `${configMaps}?fieldValidation=Maybe`, { body })
        assert.strictEqual(wrong.status, 422)
      }))

    it.effect("YAML bodies and answers", () =>
      Effect.gen(function*() {
        const created = yield* call("POST", configMaps, {
          type: "application/yaml",
          accept: "application/yaml",
          body: "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml\ndata:\n  a: \"1\"\n"
        })
        assert.strictEqual(created.status, 201)
        assert.strictEqual(created.headers["content-type"], "application/yaml")
        assert.include(created.text, "  name: yaml\n")
      }))
  })
})

describe("deletion", () => {
  layer(layerApi)((it) => {
    it.effect("answers with a Status when the object is gone", () =>
      Effect.gen(function*() {
        const created = yield* call("POST", configMaps, { body: configMap("a") })
        const deleted = yield* call("DELETE", `${configMaps}/a`)
        assert.strictEqual(deleted.json.status, "Success")
        assert.deepStrictEqual(deleted.json.details, { name: "a", kind: "configmaps", uid: created.json.metadata.uid })
        assert.strictEqual((yield* call("DELETE", `${configMaps}/a`)).status, 404)
      }))

    it.effect("waits for finalizers and goes with the last one", () =>
      Effect.gen(function*() {
        yield* call("POST", configMaps, { body: { ...configMap("f"), metadata: { name: "f", finalizers: ["a/b"] } } })
        const first = yield* call("DELETE", `${configMaps}/f`)
        assert.strictEqual(first.json.kind, "ConfigMap")
        assert.strictEqual(first.json.metadata.deletionGracePeriodSeconds, 0)
        const second = yield* call("DELETE", `${configMaps}/f`)
        assert.strictEqual(second.json.metadata.resourceVersion, first.json.metadata.resourceVersion)
        const more = yield* call("PATCH", `${configMaps}/f`, { type: merge, body: { metadata: { finalizers: ["a/b", "c/d"] } } })
        assert.strictEqual(more.status, 422)
        const last = yield* call("PATCH", `${configMaps}/f`, { type: merge, body: { metadata: { finalizers: null } } })
        assert.strictEqual(last.status, 200)
        assert.strictEqual((yield* call("GET", `${configMaps}/f`)).status, 404)
      }))

    it.effect("gives a running pod its grace, shortens it, and ends with grace 0", () =>
      Effect.gen(function*() {
        const created = yield* call("POST", pods, { body: pod("p", { nodeName: "n1" }) })
        const first = yield* call("DELETE", `${pods}/p`)
        assert.strictEqual(first.json.metadata.deletionGracePeriodSeconds, 30)
        assert.strictEqual(first.json.metadata.generation, 2)
        const longer = yield* call("DELETE", `${pods}/p`, { body: { gracePeriodSeconds: 60 } })
        assert.strictEqual(longer.json.metadata.resourceVersion, first.json.metadata.resourceVersion)
        const shorter = yield* call("DELETE", `${pods}/p`, { body: { gracePeriodSeconds: 5 } })
        assert.strictEqual(shorter.json.metadata.deletionGracePeriodSeconds, 5)
        const other = yield* call("DELETE", `${pods}/p`, { body: { gracePeriodSeconds: 0, preconditions: { uid: "x" } } })
        assert.strictEqual(other.status, 409)
        const end = yield* call("DELETE", `${pods}/p`, {
          body: { gracePeriodSeconds: 0, preconditions: { uid: created.json.metadata.uid } }
        })
        assert.strictEqual(end.status, 200)
        assert.strictEqual((yield* call("GET", `${pods}/p`)).status, 404)
        yield* call("POST", pods, { body: pod("unbound") })
        assert.strictEqual((yield* call("DELETE", `${pods}/unbound`)).json.kind, "Pod")
        assert.strictEqual((yield* call("GET", `${pods}/unbound`)).status, 404)
      }))

    it.effect("deletes collections by selector and lists what went", () =>
      Effect.gen(function*() {
        for (const [name, app] of [["x1", "x"], ["x2", "x"], ["y1", "y"]] as const) {
          yield* call("POST", configMaps, { body: configMap(name, {}, { app }) })
        }
        const deleted = yield* call("DELETE", `${configMaps}?labelSelector=app%3Dx`)
        assert.deepStrictEqual(deleted.json.items.map((item: { metadata: { name: string } }) => item.metadata.name), ["x1", "x2"])
        assert.strictEqual((yield* call("GET", configMaps)).json.items.length, 1)
      }))

    it.effect("namespaces: protected, terminating, finalized", () =>
      Effect.gen(function*() {
        const kept = yield* call("DELETE", "/api/v1/namespaces/default")
        assert.strictEqual(kept.json.message, "namespaces \"default\" is forbidden: this namespace may not be deleted")
        yield* call("POST", "/api/v1/namespaces", { body: { apiVersion: "v1", kind: "Namespace", metadata: { name: "n" } } })
        const leaving = yield* call("DELETE", "/api/v1/namespaces/n")
        assert.strictEqual(leaving.json.status.phase, "Terminating")
        const refused = yield* call("POST", "/api/v1/namespaces/n/configmaps", { body: configMap("z") })
        assert.strictEqual(refused.status, 403)
        assert.strictEqual(
          refused.json.message,
          "configmaps \"z\" is forbidden: unable to create new content in namespace n because it is being terminated"
        )
        const final = yield* call("PUT", "/api/v1/namespaces/n/finalize", { body: { ...leaving.json, spec: { finalizers: [] } } })
        assert.strictEqual(final.status, 200)
        assert.strictEqual((yield* call("GET", "/api/v1/namespaces/n")).status, 404)
      }))
  })
})

describe("binding and eviction", () => {
  layer(layerApi)((it) => {
    it.effect("binds a pod once", () =>
      Effect.gen(function*() {
        yield* call("POST", pods, { body: pod("p") })
        const nominated = yield* call("PATCH", `${pods}/p/status`, { type: merge, body: { status: { nominatedNodeName: "n2" } } })
        assert.strictEqual(nominated.json.status.nominatedNodeName, "n2")
        const body = { apiVersion: "v1", kind: "Binding", metadata: { name: "p" }, target: { kind: "Node", name: "n1" } }
        const bound = yield* call("POST", `${pods}/p/binding`, { body })
        assert.strictEqual(bound.status, 201)
        assert.strictEqual(bound.json.status, "Success")
        const read = yield* call("GET", `${pods}/p`)
        assert.strictEqual(read.json.spec.nodeName, "n1")
        assert.strictEqual(read.json.status.conditions[0].type, "PodScheduled")
        assert.notProperty(read.json.status, "nominatedNodeName")
        const again = yield* call("POST", "/api/v1/namespaces/default/bindings", { body })
        assert.strictEqual(again.status, 409)
        assert.strictEqual(
          again.json.message,
          "Operation cannot be fulfilled on pods/binding \"p\": pod p is already assigned to node \"n1\""
        )
        const empty = yield* call("POST", `${pods}/p/binding`, { body: { ...body, target: {} } })
        assert.strictEqual(empty.status, 422)
      }))

    it.effect("evicts by deleting", () =>
      Effect.gen(function*() {
        yield* call("POST", pods, { body: pod("e", { nodeName: "n1" }) })
        const evicted = yield* call("POST", `${pods}/e/eviction`, {
          body: { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "e", namespace: "default" } }
        })
        assert.strictEqual(evicted.status, 201)
        assert.isDefined((yield* call("GET", `${pods}/e`)).json.metadata.deletionTimestamp)
      }))
  })
})
