import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { call, layerApi, merge } from "./support/api.js"

const services = "/api/v1/namespaces/default/services"

const service = (name: string, spec: object = {}) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80 }], ...spec }
})

const create = (name: string, spec: object = {}, query = "") => call("POST", `${services}${query}`, { body: service(name, spec) })

describe("addresses of services", () => {
  it.layer(layerApi)((it) => {
    it.effect("are given on creation, kept, and free again after deletion", () =>
      Effect.gen(function*() {
        const { json } = yield* create("web")
        const { clusterIP } = json.spec
        assert.match(clusterIP, /^10\.(9[6-9]|10\d|11[01])\.\d+\.\d+$/)
        assert.deepStrictEqual(json.spec.clusterIPs, [clusterIP])
        assert.deepStrictEqual(json.spec.ipFamilies, ["IPv4"])
        assert.strictEqual(json.spec.ipFamilyPolicy, "SingleStack")
        const replaced = yield* call("PUT", `${services}/web`, { body: service("web", { ports: [{ port: 81 }] }) })
        assert.strictEqual(replaced.json.spec.clusterIP, clusterIP)
        const taken = yield* create("other", { clusterIP })
        assert.strictEqual(
          taken.json.message,
          `Service "other" is invalid: spec.clusterIPs: Invalid value: ["${clusterIP}"]: failed to allocate IP ${clusterIP}: provided IP is already allocated`
        )
        yield* call("DELETE", `${services}/web`)
        assert.strictEqual((yield* create("other", { clusterIP })).json.spec.clusterIP, clusterIP)
      }))

    it.effect("may be chosen within the network, and none is given to headless and external services", () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* create("dns", { clusterIP: "10.96.0.10" })).json.spec.clusterIP, "10.96.0.10")
        const outside = yield* create("outside", { clusterIP: "192.168.0.1" })
        assert.strictEqual(outside.status, 422)
        assert.include(outside.json.message, "The range of valid IPs is 10.96.0.0/12")
        assert.deepStrictEqual((yield* create("headless", { clusterIP: "None" })).json.spec.clusterIPs, ["None"])
        const external = yield* create("external", { type: "ExternalName", externalName: "example.org", selector: undefined })
        assert.isUndefined(external.json.spec.clusterIP)
        assert.strictEqual((yield* create("six", { ipFamilies: ["IPv6"] })).status, 422)
        assert.strictEqual((yield* create("dual", { ipFamilyPolicy: "RequireDualStack" })).status, 422)
        const converted = yield* call("PATCH", `${services}/dns`, { type: merge, body: { spec: { type: "ExternalName", externalName: "example.org" } } })
        assert.isUndefined(converted.json.spec.clusterIP)
      }))

    it.effect("a node port is given once, may be chosen, and goes with the type", () =>
      Effect.gen(function*() {
        const np = yield* create("np", { type: "NodePort" })
        const [{ nodePort }] = np.json.spec.ports
        assert.isTrue(nodePort >= 30_000 && nodePort <= 32_767)
        const kept = yield* call("PUT", `${services}/np`, { body: service("np", { type: "NodePort", ports: [{ name: "http", port: 80 }, { name: "tls", port: 443 }] }) })
        assert.strictEqual(kept.json.spec.ports[0].nodePort, nodePort)
        assert.notStrictEqual(kept.json.spec.ports[1].nodePort, nodePort)
        const taken = yield* create("np2", { type: "NodePort", ports: [{ port: 80, nodePort }] })
        assert.strictEqual(taken.json.message, `Service "np2" is invalid: spec.ports[0].nodePort: Invalid value: ${nodePort}: provided port is already allocated`)
        const low = yield* create("np2", { type: "NodePort", ports: [{ port: 80, nodePort: 80 }] })
        assert.include(low.json.message, "provided port is not in the valid range. The range of valid ports is 30000-32767")
        const plain = yield* call("PATCH", `${services}/np`, { type: merge, body: { spec: { type: "ClusterIP" } } })
        assert.isUndefined(plain.json.spec.ports[0].nodePort)
        assert.strictEqual((yield* create("np2", { type: "NodePort", ports: [{ port: 80, nodePort }] })).status, 201)
      }))

    it.effect("are never given twice, also when many services come at once; a dry run takes none", () =>
      Effect.gen(function*() {
        yield* Effect.forEach(Array.from({ length: 20 }, (_, index) => index), (index) => create(`dry${index}`, {}, "?dryRun=All"))
        const wanted = yield* Effect.forEach(
          Array.from({ length: 10 }, (_, index) => index),
          (index) => create(`same${index}`, { clusterIP: "10.96.0.77" }),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(wanted.filter(({ status }) => status === 201).length, 1)
        const made = yield* Effect.forEach(
          Array.from({ length: 200 }, (_, index) => index),
          (index) => create(`many${index}`, { type: "NodePort" }),
          { concurrency: "unbounded" }
        )
        assert.isTrue(made.every(({ status }) => status === 201))
        assert.strictEqual(new Set(made.map(({ json }) => json.spec.clusterIP)).size, 200)
        assert.strictEqual(new Set(made.map(({ json }) => json.spec.ports[0].nodePort)).size, 200)
      }))
  })
})
