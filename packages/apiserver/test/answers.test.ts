import { assert, describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import { authorizeStatic } from "../src/authorization/Authorizer.js"
import * as RequestInfo from "../src/RequestInfo.js"
import * as UserInfo from "../src/authentication/UserInfo.js"
import { call, configMap, configMaps, layerApi, pod, pods } from "./support/api.js"

const message = (method: string, url: string, options = {}) =>
  Effect.map(call(method, url, options), ({ json, status, text }) => [status, json?.message ?? text])

describe("refusals", () => {
  layer(layerApi)((it) => {
    it.effect("paths and methods", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* message("GET", "/apis/nope/v1/x"), [404, "404 page not found\n"])
        assert.deepStrictEqual(yield* message("GET", "/api/v2/pods"), [404, "404 page not found\n"])
        assert.deepStrictEqual(yield* message("GET", "/apis/nope"), [404, "404 page not found\n"])
        assert.deepStrictEqual(yield* message("GET", "/api/v1/foos"), [404, "the server could not find the requested resource"])
        assert.deepStrictEqual(yield* message("GET", `${pods}/p/zzz`), [404, "the server could not find the requested resource"])
        assert.deepStrictEqual(yield* message("PUT", pods), [405, "the server does not allow this method on the requested resource"])
        assert.deepStrictEqual(yield* message("BREW", `${pods}/p`), [405, "the server does not allow this method on the requested resource"])
        assert.strictEqual((yield* call("GET", "/api/v1/nodes/a%2Fb")).status, 400)
        assert.strictEqual((yield* call("GET", "/api/v1/nodes/%zz")).status, 400)
        const unknown = yield* call("GET", "/nope")
        assert.strictEqual(unknown.status, 404)
        assert.isArray(unknown.json.paths)
      }))

    it.effect("bodies", () =>
      Effect.gen(function*() {
        const post = (body: string, type?: string) => message("POST", configMaps, { body, type })
        assert.deepStrictEqual(yield* post("{\"metadata\":"), [
          400,
          "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: unexpected end of JSON input ({\"metadata\":)"
        ])
        assert.deepStrictEqual(yield* post("{\"metadata\":{\"name\":\"x\"},\"data\":1}"), [
          400,
          "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type map[string]string"
        ])
        assert.include(
          (yield* post("{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"x\"}}"))[1],
          "converting (v1.Secret) to (core.ConfigMap): unknown conversion"
        )
        assert.deepStrictEqual(yield* post("x", "text/plain"), [
          415,
          "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf"
        ])
        for (const body of ["", "[]", "null", "3", "\"x\"", "{\"kind\":3}", "{\"metadata\":[]}", "{\"metadata\":{\"name\":{}}}"]) {
          assert.include([400, 422], (yield* post(body))[0], body)
        }
        assert.strictEqual((yield* call("POST", configMaps, { body: new Uint8Array([0x7b, 0xff, 0x7d]) })).status, 400)
        assert.strictEqual((yield* post("a: &a [*a]\nb: *a", "application/yaml"))[0], 400)
      }))

    it.effect("invalid objects", () =>
      Effect.gen(function*() {
        const bad = yield* call("POST", configMaps, { body: configMap("Bad_Name") })
        assert.strictEqual(bad.status, 422)
        assert.include(bad.json.message, "ConfigMap \"Bad_Name\" is invalid: metadata.name: Invalid value: \"Bad_Name\": a lowercase RFC 1123 subdomain")
        assert.strictEqual(bad.json.details.kind, "ConfigMap")
        const unnamed = yield* call("POST", configMaps, { body: { apiVersion: "v1", kind: "ConfigMap", metadata: {} } })
        assert.include(unnamed.json.message, "metadata.name: Required value: name or generateName is required")
        const empty = yield* call("POST", pods, { body: pod("p", { containers: [] }) })
        assert.include(empty.json.message, "spec.containers: Required value")
      }))

    it.effect("callers", () =>
      Effect.gen(function*() {
        const anonymous = yield* call("GET", pods, { user: undefined })
        assert.strictEqual(anonymous.status, 401)
        assert.strictEqual(anonymous.json.message, "Unauthorized")
        assert.strictEqual((yield* call("GET", "/healthz", { user: undefined })).text, "ok")
        assert.strictEqual((yield* call("GET", "/version", { user: undefined })).json.major, "1")
        assert.strictEqual((yield* call("GET", "/api", { user: undefined })).status, 401)
        const user = UserInfo.authenticated("dev", ["devs"])
        assert.deepStrictEqual(yield* message("GET", pods, { user }), [
          403,
          "pods is forbidden: User \"dev\" cannot list resource \"pods\" in API group \"\" in the namespace \"default\""
        ])
        assert.deepStrictEqual(yield* message("GET", "/api/v1/nodes/x", { user }), [
          403,
          "nodes \"x\" is forbidden: User \"dev\" cannot get resource \"nodes\" in API group \"\" at the cluster scope"
        ])
        assert.deepStrictEqual(yield* message("GET", "/metrics", { user }), [403, "forbidden: User \"dev\" cannot get path \"/metrics\""])
        assert.strictEqual((yield* call("GET", "/apis", { user })).status, 200)
      }))

    it.effect("nodes write about themselves only", () =>
      Effect.gen(function*() {
        const user = UserInfo.authenticated("system:node:n1", ["system:nodes"])
        const node = (name: string) => ({ apiVersion: "v1", kind: "Node", metadata: { name } })
        assert.strictEqual((yield* call("POST", "/api/v1/nodes", { user, body: node("n1") })).status, 201)
        assert.strictEqual((yield* call("POST", "/api/v1/nodes", { user, body: node("n2") })).status, 403)
        const merge = "application/merge-patch+json"
        const patch = (path: string, body: object) => call("PATCH", path, { user, body, type: merge })
        assert.strictEqual((yield* patch("/api/v1/nodes/n1/status", { status: {} })).status, 200)
        assert.strictEqual((yield* patch("/api/v1/nodes/n2/status", { status: {} })).status, 403)
        yield* call("POST", pods, { body: pod("mine", { nodeName: "n1" }) })
        yield* call("POST", pods, { body: pod("other", { nodeName: "n2" }) })
        assert.strictEqual((yield* patch(`${pods}/mine/status`, { status: { phase: "Running" } })).status, 200)
        assert.strictEqual((yield* patch(`${pods}/other/status`, { status: { phase: "Running" } })).status, 403)
        assert.strictEqual((yield* call("DELETE", `${pods}/other`, { user })).status, 403)
        const leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
        const lease = (name: string) => ({ apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name } })
        assert.strictEqual((yield* call("POST", leases, { user, body: lease("n1") })).status, 201)
        assert.strictEqual((yield* call("POST", leases, { user, body: lease("n2") })).status, 403)
        assert.strictEqual((yield* call("POST", "/api/v1/namespaces", { user, body: {} })).status, 403)
      }))
  })

  it("gives the scheduler what it needs and no more", () => {
    const user = UserInfo.authenticated("system:kube-scheduler", [])
    const may = (verb: string, resource: string, subresource?: string) =>
      authorizeStatic({
        user, verb, resource, subresource, isResource: true, group: "", version: "v1", namespace: "default", name: "x", path: ""
      }).allowed
    assert.isTrue(may("create", "pods", "binding"))
    assert.isTrue(may("list", "pods"))
    assert.isFalse(may("create", "pods"))
    assert.isFalse(may("get", "secrets"))
  })
})

describe("request lines", () => {
  const info = (method: string, url: string) => {
    const parsed = RequestInfo.parse(method, url)
    if (parsed._tag === "Left") return parsed.left
    const { group, name, namespace, resource, subresource, verb, version } = parsed.right
    return [verb, group, version, namespace, resource, name, subresource]
  }
  it("name verb, resource and object", () => {
    assert.deepStrictEqual(info("GET", "/api/v1/pods?watch=1"), ["watch", "", "v1", undefined, "pods", undefined, undefined])
    assert.deepStrictEqual(info("GET", "/api/v1/watch/namespaces/a/pods"), ["watch", "", "v1", "a", "pods", undefined, undefined])
    assert.deepStrictEqual(info("GET", "/api/v1/namespaces/a"), ["get", "", "v1", "a", "namespaces", "a", undefined])
    assert.deepStrictEqual(info("PUT", "/api/v1/namespaces/a/finalize"), ["update", "", "v1", "a", "namespaces", "a", "finalize"])
    assert.deepStrictEqual(info("POST", "/api/v1/namespaces/a/pods/p/binding"), ["create", "", "v1", "a", "pods", "p", "binding"])
    assert.deepStrictEqual(info("DELETE", "/apis/g/v1/things"), ["deletecollection", "g", "v1", undefined, "things", undefined, undefined])
    assert.strictEqual(info("GET", "/api/v1/nodes/%2e%2e%2f"), "BadPath")
  })
})

describe("discovery, OpenAPI, health", () => {
  layer(layerApi)((it) => {
    it.effect("old and new discovery agree", () =>
      Effect.gen(function*() {
        const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
        const aggregated = yield* call("GET", "/api?timeout=32s", { accept })
        assert.include(String(aggregated.headers["content-type"]), "v=v2;as=APIGroupDiscoveryList")
        const etag = String(aggregated.headers["etag"])
        const again = yield* call("GET", "/api", { accept, headers: { "if-none-match": etag } })
        assert.strictEqual(again.status, 304)
        const resources = aggregated.json.items[0].versions[0].resources.map((r: { resource: string }) => r.resource)
        const plain = yield* call("GET", "/api/v1")
        const plainNames = plain.json.resources.map((r: { name: string }) => r.name)
        assert.deepStrictEqual(plainNames.filter((name: string) => !name.includes("/")), resources)
        assert.include(plainNames, "pods/log")
        assert.include(plainNames, "pods/exec")
        assert.deepStrictEqual((yield* call("GET", "/api")).json.versions, ["v1"])
        assert.strictEqual((yield* call("GET", "/apis/coordination.k8s.io")).json.preferredVersion.version, "v1")
      }))

    it.effect("OpenAPI v3 documents have hashes, and every reference leads somewhere", () =>
      Effect.gen(function*() {
        const index = yield* call("GET", "/openapi/v3")
        for (const { serverRelativeURL } of Object.values<{ serverRelativeURL: string }>(index.json.paths)) {
          const document = yield* call("GET", serverRelativeURL)
          assert.strictEqual(document.status, 200)
          assert.strictEqual(document.headers["cache-control"], "public, immutable")
          const { schemas } = document.json.components
          for (const [, name] of document.text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) assert.isDefined(schemas[name ?? ""], name)
          const moved = yield* call("GET", `${serverRelativeURL.split("?")[0]}?hash=OLD`)
          assert.strictEqual(moved.status, 301)
          assert.strictEqual(moved.headers["location"], serverRelativeURL)
        }
        const core = yield* call("GET", "/openapi/v3/api/v1")
        const operation = core.json.paths["/api/v1/namespaces/{namespace}/pods/{name}"].patch
        assert.includeMembers(operation.parameters.map((p: { name: string }) => p.name), ["dryRun", "fieldValidation"])
        assert.include(Object.keys(operation.requestBody.content), "application/strategic-merge-patch+json")
        const { containers } = core.json.components.schemas["io.k8s.api.core.v1.PodSpec"].properties
        assert.strictEqual(containers["x-kubernetes-patch-merge-key"], "name")
      }))

    it.effect("health names its checks", () =>
      Effect.gen(function*() {
        const verbose = yield* call("GET", "/readyz?verbose", { user: undefined })
        assert.strictEqual(verbose.status, 200)
        assert.strictEqual(verbose.text, "[+]ping ok\n[+]store ok\n[+]watch-cache ok\n[+]shutdown ok\nreadyz check passed\n")
        assert.strictEqual((yield* call("GET", "/livez/ping")).text, "ok")
        assert.strictEqual((yield* call("GET", "/livez/zzz")).status, 404)
      }))
  })
})
