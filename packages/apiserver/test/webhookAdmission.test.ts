import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { call, configMap, configMaps, jsonPatch, layerApi, merge, pod, pods } from "./support/api.js"
import { exposeHook, type Hook, startHook } from "./support/webhook.js"
import { add, configuration, group, patching, review, rule, webhook } from "./support/webhookConfiguration.js"

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

  it.scopedLive("have to answer in form, unless they speak the old version", () =>
    Effect.gen(function*() {
      const hook = yield* startHook(review({}))
      yield* configuration("Validating", "v", [webhook(hook, "v")])
      const dry = `${configMaps}?dryRun=All`
      const post = Effect.map(call("POST", dry, { body: configMap("a", { x: "1" }) }), ({ json, status }) => status === 201 ? json.data : json.message)
      const answered = (reply: Hook["reply"]) => {
        hook.reply = reply
        return Effect.map(post, (message) => typeof message === "string" ? message.replace(/^.*?webhook "[a-z.]+": /, "") : message)
      }
      const change = patching(add("/data/y", "2"))
      const invalid = "received invalid webhook response: "
      assert.strictEqual(yield* answered(review(change)), `${invalid}validating webhook may not return response.patch`)
      assert.strictEqual(yield* answered(review({ patchType: "JSONPatch" })), `${invalid}validating webhook may not return response.patchType`)
      const bare = ({ request }: { readonly request: { readonly uid: string } }) => ({ response: { uid: request.uid, allowed: true } })
      assert.strictEqual(yield* answered(bare), `${invalid}expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got /, Kind=`)
      assert.strictEqual(yield* answered(() => 503), "failed to call webhook: the server is currently unable to handle the request")
      const details = { causes: [{ reason: "FieldValueInvalid", field: "data.x", message: "odd", more: 1 }], retryAfterSeconds: 3 }
      hook.reply = review({ allowed: false, status: { message: "no", code: 422, reason: "Invalid", details } })
      const refused = yield* call("POST", dry, { body: configMap("a") })
      assert.deepStrictEqual(refused.json.details, { causes: [{ reason: "FieldValueInvalid", field: "data.x", message: "odd" }], retryAfterSeconds: 3 })
      yield* call("DELETE", `${group}/validatingwebhookconfigurations/v`)
      yield* configuration("Mutating", "m", [webhook(hook, "m")])
      assert.strictEqual(yield* answered(review({ patch: change.patch })), `${invalid}webhook returned response.patch but not response.patchType`)
      assert.strictEqual(yield* answered(review({ patchType: "JSONPatch" })), `${invalid}webhook returned response.patchType but not response.patch`)
      assert.strictEqual(yield* answered(review({ ...change, patchType: "Merge" })), "unsupported patch type \"Merge\"")
      assert.include(yield* answered(review({ ...change, patch: "bm8=" })), "received undecodable patch in webhook response: ")
      assert.deepStrictEqual(yield* answered(review({ ...change, patch: Buffer.from("[]").toString("base64") })), { x: "1" })
      yield* call("POST", configMaps, { body: configMap("kept") })
      hook.reply = review(change)
      const deleted = yield* call("DELETE", `${configMaps}/kept`)
      assert.strictEqual(
        deleted.json.message,
        "Internal error occurred: admission webhook \"m.ex.io\" attempted to modify the object, which is not supported for this operation"
      )
      yield* call("DELETE", `${group}/mutatingwebhookconfigurations/m`)
      yield* configuration("Mutating", "o", [webhook(hook, "o", { admissionReviewVersions: ["v1beta1"] })])
      assert.deepStrictEqual(yield* answered(() => ({ response: { allowed: true, patch: change.patch } })), { x: "1", y: "2" })
      yield* call("DELETE", `${group}/mutatingwebhookconfigurations/o`)
      // Ignoring failures ignores those too.
      yield* configuration("Mutating", "i", [webhook(hook, "i", { failurePolicy: "Ignore" })])
      assert.deepStrictEqual(yield* answered(review({ ...change, patch: "bm8=" })), { x: "1" })
    }).pipe(Effect.provide(layerApi)))

  it.scopedLive("leave what they add to the rules of the server itself", () =>
    Effect.gen(function*() {
      const hook = yield* startHook(review(patching(add("/spec/containers/-", { name: "side", image: "side:1" }))))
      yield* configuration("Mutating", "m", [webhook(hook, "m", { rules: [rule("pods"), rule("certificatesigningrequests")] })])
      yield* call("POST", "/api/v1/namespaces/default/limitranges", {
        body: { apiVersion: "v1", kind: "LimitRange", metadata: { name: "l" }, spec: { limits: [{ type: "Container", default: { memory: "64Mi" } }] } }
      })
      const made = yield* call("POST", pods, { body: pod("p") })
      assert.strictEqual(made.status, 201, made.text)
      // oxlint-disable-next-line typescript/no-explicit-any
      const limits = made.json.spec.containers.map((container: any) => container.resources.limits?.memory)
      assert.deepStrictEqual(limits, ["64Mi", "64Mi"])
      // Who asks for a certificate stays known.
      hook.reply = review(patching(add("/metadata/labels", { a: "b" }), add("/spec/username", "root")))
      const request = Buffer.from("-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----\n").toString("base64")
      const asked = yield* call("POST", "/apis/certificates.k8s.io/v1/certificatesigningrequests", {
        body: {
          apiVersion: "certificates.k8s.io/v1",
          kind: "CertificateSigningRequest",
          metadata: { name: "r" },
          spec: { request, signerName: "ex.io/signer", usages: ["client auth"] }
        }
      })
      assert.strictEqual(asked.status, 201, asked.text)
      assert.deepStrictEqual([asked.json.metadata.labels, asked.json.spec.username], [{ a: "b" }, "kubernetes-admin"])
    }).pipe(Effect.provide(layerApi)))

  it.scopedLive("are called again when a kept connection turns out to be closed", () =>
    Effect.gen(function*() {
      const hook = yield* startHook(review({}))
      hook.closesKept = true
      yield* configuration("Validating", "v", [webhook(hook, "v")])
      for (let times = 0; times < 3; times++) {
        const { status, text } = yield* call("POST", `${configMaps}?dryRun=All`, { body: configMap("a") })
        assert.strictEqual(status, 201, text)
      }
      assert.strictEqual(hook.requests.length, 3)
    }).pipe(Effect.provide(layerApi)))

  it.scopedLive("keep nobody from a quota while they think about a write", () =>
    Effect.gen(function*() {
      const held: Array<() => void> = []
      const hook = yield* startHook(() => undefined)
      yield* call("POST", "/api/v1/namespaces/default/resourcequotas", {
        body: { apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "q" }, spec: { hard: { "count/configmaps": "1" } } }
      })
      const selector = { objectSelector: { matchLabels: { slow: "yes" } } }
      yield* configuration("Validating", "v", [webhook(hook, "v", { timeoutSeconds: 15, ...selector })])
      hook.hold = (answer) => void held.push(answer)
      hook.reply = review({ allowed: false, status: { message: "no" } })
      const slow = yield* Effect.fork(call("POST", configMaps, { body: configMap("slow", {}, { slow: "yes" }) }))
      yield* Effect.sync(() => held.length > 0).pipe(
        Effect.repeat({ until: (asked) => asked, schedule: Schedule.spaced("5 millis") }),
        Effect.timeout("15 seconds")
      )
      const quick = yield* call("POST", configMaps, { body: configMap("quick") })
      assert.strictEqual(quick.status, 201, quick.text)
      for (const answer of held) answer()
      assert.strictEqual((yield* slow).json.message, "admission webhook \"v.ex.io\" denied the request: no")
    }).pipe(Effect.provide(layerApi)))
})
