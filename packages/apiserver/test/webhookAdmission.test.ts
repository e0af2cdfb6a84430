import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { call, configMap, configMaps, jsonPatch, layerApi, merge, pod, pods } from "./support/api.js"
import { exposeHook, type Hook, startHook } from "./support/webhook.js"

const group = "/apis/admissionregistration.k8s.io/v1"

const rule = (resource: string, more: object = {}) => ({
  operations: ["*"],
  apiGroups: ["*"],
  apiVersions: ["*"],
  resources: [resource],
  ...more
})

const configuration = (kind: "Mutating" | "Validating", name: string, webhooks: ReadonlyArray<object>) =>
  call("POST", `${group}/${kind.toLowerCase()}webhookconfigurations`, {
    body: { apiVersion: "admissionregistration.k8s.io/v1", kind: `${kind}WebhookConfiguration`, metadata: { name }, webhooks }
  }).pipe(Effect.tap(({ status, text }) => Effect.sync(() => assert.strictEqual(status, 201, text))))

const webhook = (hook: Hook, name: string, more: object = {}) => ({
  name: `${name}.ex.io`,
  clientConfig: { url: hook.url, caBundle: hook.caBundle },
  rules: [rule("configmaps")],
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
  ...more
})

const review = (response: object): Hook["reply"] => ({ apiVersion, request }) => ({
  apiVersion,
  kind: "AdmissionReview",
  response: { uid: request.uid, allowed: true, ...response }
})

const patching = (...operations: ReadonlyArray<object>) => ({
  patchType: "JSONPatch",
  patch: Buffer.from(JSON.stringify(operations)).toString("base64")
})

const add = (path: string, value: unknown) => ({ op: "add", path, value })

describe("admission webhooks", () => {
  it.scopedLive("change objects, and hear what is asked", () =>
    Effect.gen(function*() {
      const hook = yield* startHook(review({ ...patching(add("/data/seen", "yes")), warnings: ["mind the gap"] }))
      yield* configuration("Mutating", "m", [webhook(hook, "m", { rules: [rule("configmaps"), rule("pods")] })])
      const created = yield* call("POST", `${configMaps}?dryRun=All`, { body: configMap("a", { x: "1" }) })
      assert.strictEqual(created.status, 201, created.text)
      assert.deepStrictEqual(created.json.data, { x: "1", seen: "yes" })
      assert.deepStrictEqual(created.headers["warning"], ["299 - \"mind the gap\""])
      const { request } = hook.requests[0]
      assert.strictEqual(hook.requests[0].apiVersion, "admission.k8s.io/v1")
      assert.deepStrictEqual(request.kind, { group: "", version: "v1", kind: "ConfigMap" })
      assert.deepStrictEqual(request.resource, { group: "", version: "v1", resource: "configmaps" })
      assert.strictEqual(request.operation, "CREATE")
      assert.strictEqual(request.namespace, "default")
      assert.strictEqual(request.dryRun, true)
      assert.strictEqual(request.userInfo.username, "kubernetes-admin")
      assert.strictEqual(request.object.data.x, "1")
      assert.isNull(request.oldObject)
      yield* call("POST", configMaps, { body: configMap("a", { x: "1" }) })
      const updated = yield* call("PATCH", `${configMaps}/a`, { type: merge, body: { data: { x: "2", seen: null } } })
      assert.deepStrictEqual(updated.json.data, { x: "2", seen: "yes" })
      assert.strictEqual(hook.requests.at(-1).request.oldObject.data.x, "1")
      // What a webhook adds gets its defaults, and nobody changes what the server owns.
      hook.reply = review(patching(add("/spec/containers/-", { name: "side", image: "side:1", nonsense: 1 }), add("/metadata/uid", "mine")))
      const made = yield* call("POST", pods, { body: pod("p") })
      assert.strictEqual(made.status, 201, made.text)
      assert.strictEqual(made.json.spec.containers[1].imagePullPolicy, "IfNotPresent")
      assert.notStrictEqual(made.json.metadata.uid, "mine")
      // Nor does it change the status where its client could not.
      hook.reply = review(patching(add("/status/phase", "Running"), add("/metadata/labels", { a: "b" })))
      const labelled = yield* call("PATCH", `${pods}/p`, { type: merge, body: { metadata: { annotations: { x: "y" } } } })
      assert.strictEqual(labelled.json.status.phase, "Pending", labelled.text)
      assert.deepStrictEqual(labelled.json.metadata.labels, { a: "b" })
      const running = yield* call("POST", `${pods}?dryRun=All`, { body: pod("r") })
      assert.strictEqual(running.json.status?.phase, "Pending", running.text)
      hook.reply = review(patching(add("/spec/containers/-", { name: "side" })))
      const broken = yield* call("POST", pods, { body: pod("q") })
      assert.strictEqual(broken.status, 422)
      assert.include(broken.json.message, "spec.containers[1].image: Required value")
      hook.reply = review(patching({ op: "remove", path: "/nothing" }))
      assert.strictEqual((yield* call("POST", pods, { body: pod("q") })).status, 500)
    }).pipe(Effect.provide(layerApi)))

  it.scopedLive("refuse in the words of the webhook", () =>
    Effect.gen(function*() {
      const hook = yield* startHook(review({ allowed: false }))
      yield* configuration("Validating", "v", [webhook(hook, "v")])
      const refused = (response: object) => {
        hook.reply = review({ allowed: false, ...response })
        return Effect.map(call("POST", configMaps, { body: configMap("a") }), ({ json }) => [json.code, json.reason ?? "", json.message])
      }
      const denied = "admission webhook \"v.ex.io\" denied the request"
      assert.deepStrictEqual(yield* refused({}), [400, "", `${denied} without explanation`])
      assert.deepStrictEqual(yield* refused({ status: { message: "no", code: 403, reason: "Forbidden" } }), [403, "Forbidden", `${denied}: no`])
      assert.deepStrictEqual(yield* refused({ status: { reason: "Busy", code: 200 } }), [400, "Busy", `${denied}: Busy`])
      hook.reply = review({})
      yield* call("POST", configMaps, { body: configMap("a") })
      hook.reply = review({ allowed: false, status: { message: "keep" } })
      assert.strictEqual((yield* call("DELETE", `${configMaps}/a`)).json.message, `${denied}: keep`)
      assert.strictEqual(hook.requests.at(-1).request.operation, "DELETE")
      assert.isNull(hook.requests.at(-1).request.object)
      const many = yield* call("DELETE", configMaps)
      assert.strictEqual(many.json.message, `${denied}: keep`)
      // Only valid objects are shown.
      const before = hook.requests.length
      assert.strictEqual((yield* call("POST", configMaps, { body: configMap("Bad Name") })).status, 422)
      assert.strictEqual(hook.requests.length, before)
      // Configurations are never asked about, so that nobody is locked out.
      yield* call("PATCH", `${group}/validatingwebhookconfigurations/v`, {
        type: jsonPatch,
        body: [{ op: "replace", path: "/webhooks/0/rules/0/resources", value: ["*"] }]
      })
      assert.strictEqual((yield* call("DELETE", `${group}/validatingwebhookconfigurations/v`)).status, 200)
      assert.strictEqual((yield* call("DELETE", `${configMaps}/a`)).status, 200)
    }).pipe(Effect.provide(layerApi)))

  it.scopedLive("fail closed or open when a webhook does not answer", () =>
    Effect.gen(function*() {
      const hook = yield* startHook(() => undefined)
      const failing = (name: string, clientConfig: object, more: object = {}) =>
        configuration("Validating", name, [webhook(hook, name, { clientConfig, timeoutSeconds: 1, ...more })])
      const post = Effect.map(call("POST", `${configMaps}?dryRun=All`, { body: configMap("a") }), ({ json, status }) => [status, json.message])
      const remove = (name: string) => call("DELETE", `${group}/validatingwebhookconfigurations/${name}`)
      yield* failing("slow", { url: hook.url, caBundle: hook.caBundle })
      assert.deepStrictEqual(yield* post, [
        500,
        `Internal error occurred: failed calling webhook "slow.ex.io": failed to call webhook: Post "${hook.url}?timeout=1s": context deadline exceeded`
      ])
      yield* remove("slow")
      const service = { namespace: "default", name: "hook", path: "/x" }
      yield* failing("gone", { service })
      assert.deepStrictEqual(yield* post, [
        500,
        "Internal error occurred: failed calling webhook \"gone.ex.io\": failed to call webhook: service \"hook\" not found"
      ])
      yield* exposeHook(1)
      assert.deepStrictEqual(yield* post, [
        500,
        "Internal error occurred: failed calling webhook \"gone.ex.io\": failed to call webhook: Post \"https://hook.default.svc:443/x?timeout=1s\": dial tcp 127.0.0.1:1: connect: connection refused"
      ])
      yield* remove("gone")
      yield* failing("open", { service }, { failurePolicy: "Ignore" })
      assert.strictEqual((yield* post)[0], 201)
      hook.reply = () => ({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: { uid: "x", allowed: true } })
      yield* failing("liar", { url: hook.url, caBundle: hook.caBundle })
      assert.match((yield* post)[1], /received invalid webhook response: expected response.uid="[-0-9a-f]+", got "x"$/)
    }).pipe(Effect.provide(layerApi)))

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

  it.scopedLive("run in the order of their names, and again for those who want it", () =>
    Effect.gen(function*() {
      const order: Array<string> = []
      const first = yield* startHook((body) => {
        order.push("a")
        return review(patching(add("/data/count", String(Number(body.request.object.data.count) + 1))))(body)
      })
      const second = yield* startHook((body) => {
        order.push("b")
        return review(patching(add("/data/other", "x")))(body)
      })
      yield* configuration("Mutating", "b", [webhook(second, "b")])
      yield* configuration("Mutating", "a", [webhook(first, "a", { reinvocationPolicy: "IfNeeded" })])
      const { json } = yield* call("POST", configMaps, { body: configMap("a", { count: "0" }) })
      assert.deepStrictEqual(order, ["a", "b", "a"])
      assert.deepStrictEqual(json.data, { count: "2", other: "x" })
    }).pipe(Effect.provide(layerApi)))
})
