import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { call, configMap, configMaps, layerApi, merge, pod, pods } from "./support/api.js"
import { startHook } from "./support/webhook.js"
import { configuration, group, review, rule, webhook } from "./support/webhookConfiguration.js"

describe("admission webhooks and what they are asked about", () => {
  it.scopedLive("are asked about what their rules, selectors and conditions say", () =>
    Effect.gen(function*() {
      const hook = yield* startHook(review({}))
      const counts = (more: object, method: string, url: string, body?: unknown, type?: string) =>
        Effect.gen(function*() {
          yield* configuration("Validating", "c", [webhook(hook, "c", more)])
          const before = hook.requests.length
          const answer = yield* call(method, url, { ...(body === undefined ? {} : { body }), ...(type === undefined ? {} : { type }) })
          yield* call("DELETE", `${group}/validatingwebhookconfigurations/c`)
          return [answer.status, hook.requests.length - before]
        })
      const dry = `${configMaps}?dryRun=All`
      const create = (more: object, body: object = configMap("a")) => counts(more, "POST", dry, body)
      assert.deepStrictEqual(yield* create({}), [201, 1])
      assert.deepStrictEqual(yield* create({ rules: [rule("pods")] }), [201, 0])
      assert.deepStrictEqual(yield* create({ rules: [rule("*/*")] }), [201, 1])
      assert.deepStrictEqual(yield* create({ rules: [rule("configmaps/status")] }), [201, 0])
      assert.deepStrictEqual(yield* create({ rules: [rule("configmaps", { operations: ["UPDATE"] })] }), [201, 0])
      assert.deepStrictEqual(yield* create({ rules: [rule("*", { scope: "Cluster" })] }), [201, 0])
      assert.deepStrictEqual(yield* create({ rules: [rule("*", { scope: "Namespaced", apiGroups: [""] })] }), [201, 1])
      assert.deepStrictEqual(yield* create({ objectSelector: { matchLabels: { a: "b" } } }), [201, 0])
      assert.deepStrictEqual(yield* create({ objectSelector: { matchLabels: { a: "b" } } }, configMap("a", {}, { a: "b" })), [201, 1])
      const named = { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "default" } } }
      assert.deepStrictEqual(yield* create(named), [201, 1])
      assert.deepStrictEqual(yield* create({ namespaceSelector: { matchLabels: { x: "y" } } }), [201, 0])
      const condition = (expression: string) => ({ matchConditions: [{ name: "c", expression }] })
      assert.deepStrictEqual(yield* create(condition("object.metadata.name == 'a' && request.operation == 'CREATE'")), [201, 1])
      assert.deepStrictEqual(yield* create(condition("object.metadata.name == 'b'")), [201, 0])
      assert.deepStrictEqual(yield* create(condition("object.nothing == 'b'")), [403, 0])
      assert.deepStrictEqual(yield* create({ ...condition("object.nothing == 'b'"), failurePolicy: "Ignore" }), [201, 0])
      yield* call("POST", "/api/v1/nodes", { body: { apiVersion: "v1", kind: "Node", metadata: { name: "n" } } })
      const status = { status: { phase: "x" } }
      assert.deepStrictEqual(yield* counts({ rules: [rule("nodes/status")] }, "PATCH", "/api/v1/nodes/n/status", status, merge), [200, 1])
      assert.deepStrictEqual(yield* counts({ rules: [rule("nodes")] }, "PATCH", "/api/v1/nodes/n/status", status, merge), [200, 0])
      // Another version of the same objects counts, and is shown.
      const v1 = rule("horizontalpodautoscalers", { apiGroups: ["autoscaling"], apiVersions: ["v1"] })
      const scaler = {
        apiVersion: "autoscaling/v2",
        kind: "HorizontalPodAutoscaler",
        metadata: { name: "h" },
        spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" } }
      }
      const scalers = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers?dryRun=All"
      assert.deepStrictEqual(yield* counts({ rules: [v1] }, "POST", scalers, scaler), [201, 1])
      const { request } = hook.requests.at(-1)
      assert.strictEqual(request.kind.version, "v1")
      assert.strictEqual(request.requestKind.version, "v2")
      assert.strictEqual(request.object.apiVersion, "autoscaling/v1")
      assert.deepStrictEqual(yield* counts({ rules: [v1], matchPolicy: "Exact" }, "POST", scalers, scaler), [201, 0])
    }).pipe(Effect.provide(layerApi)))

  it.scopedLive("are asked about connections and evictions before anything happens", () =>
    Effect.gen(function*() {
      const hook = yield* startHook(review({ allowed: false, status: { message: "no" } }))
      const node = { apiVersion: "v1", kind: "Node", metadata: { name: "n1" }, status: { addresses: [{ type: "InternalIP", address: "127.0.0.1" }], daemonEndpoints: { kubeletEndpoint: { Port: 1 } } } }
      yield* call("POST", "/api/v1/nodes", { body: node })
      yield* call("POST", pods, { body: pod("p", { nodeName: "n1" }, { labels: { app: "a" } }) })
      yield* call("PATCH", `${pods}/p/status`, { type: merge, body: { status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } } })
      yield* call("POST", "/apis/policy/v1/namespaces/default/poddisruptionbudgets", {
        body: { apiVersion: "policy/v1", kind: "PodDisruptionBudget", metadata: { name: "b" }, spec: { maxUnavailable: 1, selector: { matchLabels: { app: "a" } } } }
      })
      const status = { observedGeneration: 1, disruptionsAllowed: 1, currentHealthy: 1, desiredHealthy: 0, expectedPods: 1 }
      const budget = "/apis/policy/v1/namespaces/default/poddisruptionbudgets/b"
      yield* call("PATCH", `${budget}/status`, { type: merge, body: { status } })
      yield* configuration("Validating", "v", [webhook(hook, "v", { rules: [rule("pods/exec", { operations: ["CONNECT"] }), rule("pods/eviction")] })])
      const denied = "admission webhook \"v.ex.io\" denied the request: no"
      assert.strictEqual((yield* call("GET", `${pods}/p/exec?command=ls&command=-l&stdout=true`)).json.message, denied)
      const { request } = hook.requests[0]
      assert.deepStrictEqual([request.operation, request.subResource, request.name, request.namespace], ["CONNECT", "exec", "p", "default"])
      assert.deepStrictEqual(request.kind, { group: "", version: "v1", kind: "PodExecOptions" })
      assert.deepStrictEqual(request.resource, { group: "", version: "v1", resource: "pods" })
      assert.deepStrictEqual([request.object.command, request.object.stdout], [["ls", "-l"], true])
      assert.strictEqual((yield* call("GET", `${pods}/p/attach?stdout=true`)).json.message, "Upgrade request required")
      const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "p" } }
      assert.strictEqual((yield* call("POST", `${pods}/p/eviction`, { body: eviction })).json.message, denied)
      const evicted = hook.requests[1].request
      assert.deepStrictEqual([evicted.operation, evicted.kind], ["CREATE", { group: "policy", version: "v1", kind: "Eviction" }])
      const left = (yield* call("GET", budget)).json.status
      assert.deepStrictEqual([left.disruptionsAllowed, left.disruptedPods ?? {}], [1, {}])
      const kept = (yield* call("GET", `${pods}/p`)).json
      assert.isUndefined(kept.metadata.deletionTimestamp)
      assert.isUndefined(kept.status.conditions.find(({ type }: { readonly type: string }) => type === "DisruptionTarget"))
    }).pipe(Effect.provide(layerApi)))

  it.scopedLive("are asked about what is created below an object", () =>
    Effect.gen(function*() {
      const hook = yield* startHook(review({ allowed: false, status: { message: "no" } }))
      yield* configuration("Validating", "v", [webhook(hook, "v", { rules: [rule("pods/binding"), rule("serviceaccounts/token")] })])
      yield* call("POST", pods, { body: pod("p") })
      const denied = "admission webhook \"v.ex.io\" denied the request: no"
      const bound = yield* call("POST", `${pods}/p/binding`, {
        body: { apiVersion: "v1", kind: "Binding", metadata: { name: "p" }, target: { kind: "Node", name: "n1" } }
      })
      assert.strictEqual(bound.json.message, denied)
      assert.isUndefined((yield* call("GET", `${pods}/p`)).json.spec.nodeName)
      yield* call("POST", "/api/v1/namespaces/default/serviceaccounts", { body: { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "a" } } })
      const token = yield* call("POST", "/api/v1/namespaces/default/serviceaccounts/a/token", {
        body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { audiences: ["x"] } }
      })
      assert.strictEqual(token.json.message, denied)
      const kinds = hook.requests.map(({ request }) => [request.operation, request.kind.group, request.kind.kind, request.subResource])
      assert.deepStrictEqual(kinds, [["CREATE", "", "Binding", "binding"], ["CREATE", "authentication.k8s.io", "TokenRequest", "token"]])
    }).pipe(Effect.provide(layerApi)))

  it.scopedLive("see the namespace of a Namespace, and are not led astray by a path", () =>
    Effect.gen(function*() {
      const hook = yield* startHook(review({}))
      yield* configuration("Validating", "v", [webhook(hook, "v", { rules: [rule("namespaces")] })])
      yield* call("POST", "/api/v1/namespaces", { body: { apiVersion: "v1", kind: "Namespace", metadata: { name: "fresh" } } })
      assert.strictEqual(hook.requests[0].request.namespace, "fresh")
      const bad = (service: object, more: object = {}) =>
        Effect.map(
          call("POST", `${group}/validatingwebhookconfigurations`, {
            body: {
              apiVersion: "admissionregistration.k8s.io/v1",
              kind: "ValidatingWebhookConfiguration",
              metadata: { name: "bad" },
              webhooks: [webhook(hook, "bad", { clientConfig: { service: { namespace: "default", name: "hook", ...service } }, ...more })]
            }
          }),
          ({ json, status }) => [status, json.message]
        )
      assert.include((yield* bad({ path: "//evil.example/x" }))[1], "webhooks[0].clientConfig.service.path: Invalid value: \"//evil.example/x\": segment[0] may not be empty")
      assert.include(
        (yield* bad({}, { matchConditions: [{ name: "c", expression: "object.metadata.name +" }] }))[1],
        "webhooks[0].matchConditions[0].expression: Invalid value: \"object.metadata.name +\": compilation failed: "
      )
      assert.include((yield* bad({}, { matchConditions: [{ name: "c", expression: "'x'" }] }))[1], "must evaluate to bool")
    }).pipe(Effect.provide(layerApi)))
})
