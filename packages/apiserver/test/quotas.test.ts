import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, FastCheck } from "effect"
import { call, configMap, layerApi, merge } from "./support/api.js"

const inNamespace = (namespace: string, resource: string) => `/api/v1/namespaces/${namespace}/${resource}`

const namespace = (name: string) => call("POST", "/api/v1/namespaces", { body: { metadata: { name } } })

const quota = (where: string, hard: Readonly<Record<string, string>>, spec: object = {}) =>
  call("POST", inNamespace(where, "resourcequotas"), { body: { metadata: { name: "q" }, spec: { hard, ...spec } } })

const pod = (name: string, resources: object = {}, spec: object = {}) => ({
  metadata: { name },
  spec: { containers: [{ name: "c", image: "registry.test/app:1", resources }], ...spec }
})

describe("resource quotas", () => {
  layer(layerApi)((it) => {
    it.effect("refuse what would be too much, and say why", () =>
      Effect.gen(function*() {
        yield* namespace("few")
        yield* quota("few", { pods: "2", "count/configmaps": "1" })
        const pods = inNamespace("few", "pods")
        yield* call("POST", pods, { body: pod("a") })
        yield* call("POST", pods, { body: pod("b") })
        const refused = yield* call("POST", pods, { body: pod("x") })
        assert.strictEqual(refused.status, 403)
        assert.strictEqual(refused.json.message, "pods \"x\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2")
        assert.strictEqual(refused.json.reason, "Forbidden")
        yield* call("PATCH", `${pods}/a/status`, { type: merge, body: { status: { phase: "Succeeded" } } })
        assert.strictEqual((yield* call("POST", pods, { body: pod("x") })).status, 201)
        assert.strictEqual((yield* call("POST", inNamespace("few", "configmaps"), { body: configMap("one") })).status, 201)
        assert.strictEqual(
          (yield* call("POST", inNamespace("few", "configmaps"), { body: configMap("two") })).json.message,
          "configmaps \"two\" is forbidden: exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=1"
        )
        yield* call("DELETE", inNamespace("few", "configmaps") + "/one")
        assert.strictEqual((yield* call("POST", `${inNamespace("few", "configmaps")}?dryRun=All`, { body: configMap("two") })).status, 201)
        assert.strictEqual((yield* call("POST", inNamespace("few", "configmaps"), { body: configMap("two") })).status, 201)
      }))

    it.effect("bound amounts, and want every container to name its own", () =>
      Effect.gen(function*() {
        yield* namespace("amounts")
        yield* quota("amounts", { "limits.cpu": "1", "requests.memory": "1Gi", "requests.storage": "5Gi", "services.nodeports": "1" })
        const pods = inNamespace("amounts", "pods")
        assert.strictEqual(
          (yield* call("POST", pods, { body: pod("x") })).json.message,
          "pods \"x\" is forbidden: failed quota: q: must specify limits.cpu for: c; requests.memory for: c"
        )
        yield* call("POST", pods, { body: pod("a", { limits: { cpu: "600m" }, requests: { memory: "256Mi" } }) })
        assert.strictEqual(
          (yield* call("POST", pods, { body: pod("x", { limits: { cpu: "500m" }, requests: { memory: "1Gi" } }) })).json.message,
          "pods \"x\" is forbidden: exceeded quota: q, requested: limits.cpu=500m,requests.memory=1Gi, used: limits.cpu=600m,requests.memory=256Mi, limited: limits.cpu=1,requests.memory=1Gi"
        )
        const claims = inNamespace("amounts", "persistentvolumeclaims")
        const claim = (name: string, storage: string) => ({ metadata: { name }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } } })
        assert.strictEqual((yield* call("POST", claims, { body: claim("c1", "4Gi") })).status, 201)
        assert.strictEqual((yield* call("POST", claims, { body: claim("c2", "2Gi") })).status, 403)
        const services = inNamespace("amounts", "services")
        const made = yield* call("POST", services, { body: { metadata: { name: "s" }, spec: { type: "ClusterIP", ports: [{ name: "a", port: 80 }, { name: "b", port: 81 }] } } })
        assert.strictEqual(made.status, 201)
        assert.strictEqual(
          (yield* call("PATCH", `${services}/s`, { type: merge, body: { spec: { type: "NodePort" } } })).json.message,
          "services \"s\" is forbidden: exceeded quota: q, requested: services.nodeports=2, used: services.nodeports=0, limited: services.nodeports=1"
        )
      }))

    it.effect("count what is within their scopes", () =>
      Effect.gen(function*() {
        yield* namespace("scoped")
        yield* quota("scoped", { pods: "1" }, { scopes: ["BestEffort"] })
        const pods = inNamespace("scoped", "pods")
        assert.strictEqual((yield* call("POST", pods, { body: pod("a") })).status, 201)
        assert.strictEqual((yield* call("POST", pods, { body: pod("b", { requests: { cpu: "1" } }) })).status, 201)
        assert.strictEqual((yield* call("POST", pods, { body: pod("x") })).status, 403)
        yield* namespace("classes")
        yield* quota("classes", { pods: "0" }, { scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass", operator: "In", values: ["system-node-critical"] }] } })
        assert.strictEqual((yield* call("POST", inNamespace("classes", "pods"), { body: pod("x", {}, { priorityClassName: "system-node-critical" }) })).status, 403)
        assert.strictEqual((yield* call("POST", inNamespace("classes", "pods"), { body: pod("x") })).status, 201)
      }))

    it.effect("count objects of custom and other groups", () =>
      Effect.gen(function*() {
        yield* namespace("groups")
        yield* quota("groups", { "count/deployments.apps": "1" })
        const deployments = "/apis/apps/v1/namespaces/groups/deployments"
        const deployment = (name: string) => ({
          metadata: { name },
          spec: { selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } } }
        })
        assert.strictEqual((yield* call("POST", deployments, { body: deployment("a") })).status, 201)
        assert.strictEqual(
          (yield* call("POST", deployments, { body: deployment("b") })).json.message,
          "deployments.apps \"b\" is forbidden: exceeded quota: q, requested: count/deployments.apps=1, used: count/deployments.apps=1, limited: count/deployments.apps=1"
        )
      }))

    it.effect("hold against creates at the same time, and let go of what was not stored", () =>
      Effect.gen(function*() {
        yield* namespace("busy")
        yield* quota("busy", { pods: "5" })
        const pods = inNamespace("busy", "pods")
        // Half of them have no valid name: they pass the quota and are refused after it.
        const attempts = Array.from({ length: 40 }, (_, i) => call("POST", pods, { body: pod(i % 2 === 0 ? `Bad_${i}` : `p${i}`) }))
        const answers = yield* Effect.all(attempts, { concurrency: "unbounded" })
        assert.isAtMost(answers.filter(({ status }) => status === 201).length, 5)
        yield* Effect.forEach(Array.from({ length: 10 }, (_, i) => `late${i}`), (name) => call("POST", pods, { body: pod(name) }), { concurrency: 4 })
        const { json } = yield* call("GET", pods)
        assert.strictEqual(json.items.length, 5)
      }))
  })

  it.effect.prop(
    "are never exceeded and never refuse what fits",
    {
      limit: FastCheck.integer({ min: 0, max: 6 }),
      rounds: FastCheck.array(FastCheck.array(FastCheck.record({ cpu: FastCheck.integer({ min: 1, max: 3 }), remove: FastCheck.boolean() }), { minLength: 1, maxLength: 8 }), { maxLength: 4 })
    },
    ({ limit, rounds }) =>
      Effect.gen(function*() {
        yield* namespace("any")
        yield* quota("any", { "requests.cpu": String(limit) })
        const pods = inNamespace("any", "pods")
        let made = 0
        for (const round of rounds) {
          yield* Effect.forEach(round, ({ cpu, remove }) =>
            Effect.gen(function*() {
              const name = `p${made++}`
              const answer = yield* call("POST", pods, { body: pod(name, { requests: { cpu: String(cpu) } }) })
              if (remove && answer.status === 201) yield* call("DELETE", `${pods}/${name}?gracePeriodSeconds=0`)
            }), { concurrency: "unbounded", discard: true })
          const { json } = yield* call("GET", pods)
          const used = (json.items as ReadonlyArray<{ spec: { containers: ReadonlyArray<{ resources: { requests: { cpu: string } } }> } }>)
            .reduce((sum, { spec }) => sum + Number(spec.containers[0]?.resources.requests.cpu), 0)
          assert.isAtMost(used, limit)
          const left = limit - used
          if (left > 0) assert.strictEqual((yield* call("POST", `${pods}?dryRun=All`, { body: pod("fits", { requests: { cpu: String(left) } }) })).status, 201)
          assert.strictEqual((yield* call("POST", `${pods}?dryRun=All`, { body: pod("more", { requests: { cpu: String(left + 1) } }) })).status, 403)
        }
      }).pipe(Effect.provide(layerApi)),
    { fastCheck: { numRuns: 15 }, timeout: 60_000 }
  )
})

describe("default classes", () => {
  layer(layerApi)((it) => {
    it.effect("are filled in where none is named", () =>
      Effect.gen(function*() {
        const claims = inNamespace("default", "persistentvolumeclaims")
        const claim = (name: string, spec: object = {}) =>
          call("POST", claims, { body: { metadata: { name }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec } } })
        assert.isUndefined((yield* claim("none")).json.spec.storageClassName)
        const storageClass = (name: string) => ({
          metadata: { name, annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
          provisioner: "example.com/p"
        })
        for (const name of ["slow", "fast"]) yield* call("POST", "/apis/storage.k8s.io/v1/storageclasses", { body: storageClass(name) })
        // Both were made in the same second: then the first by name.
        assert.include(["fast", "slow"], (yield* claim("filled")).json.spec.storageClassName)
        assert.strictEqual((yield* claim("chosen", { storageClassName: "" })).json.spec.storageClassName, "")
        yield* call("POST", "/apis/networking.k8s.io/v1/ingressclasses", {
          body: { metadata: { name: "edge", annotations: { "ingressclass.kubernetes.io/is-default-class": "true" } }, spec: { controller: "example.com/c" } }
        })
        const ingress = yield* call("POST", "/apis/networking.k8s.io/v1/namespaces/default/ingresses", {
          body: { metadata: { name: "i" }, spec: { defaultBackend: { service: { name: "s", port: { number: 80 } } } } }
        })
        assert.strictEqual(ingress.json.spec.ingressClassName, "edge")
      }))
  })
})
