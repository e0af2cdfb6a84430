import { assert, describe, it } from "@effect/vitest"
import { ObjectStore } from "@reddwarf/store"
import { Effect } from "effect"
import * as waiting from "vitest-config/waiting"
import { call, layerApi, merge, table, watch } from "./support/api.js"
import { exposeHook, type Hook, startHook } from "./support/webhook.js"

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

const version = (name: string, properties: object, storage: boolean) => ({
  name,
  served: true,
  storage,
  schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties } } } },
  additionalPrinterColumns: [{ name: "Host", type: "string", jsonPath: ".spec.host" }]
})

const text = { type: "string" }

const definition = (webhook: object) => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "links.ex.io" },
  spec: {
    group: "ex.io",
    scope: "Namespaced",
    names: { plural: "links", kind: "Link" },
    versions: [version("v1", { host: text, port: text }, true), version("v1beta1", { hostPort: text }, false)],
    conversion: { strategy: "Webhook", webhook: { conversionReviewVersions: ["v2", "v1"], ...webhook } }
  }
})

// oxlint-disable-next-line typescript/no-explicit-any
const convertOne = (desired: string, object: any) => {
  const { hostPort, ...rest } = object.spec
  const [host, port] = (hostPort ?? ":").split(":")
  const spec = desired === "ex.io/v1" ? { ...rest, host, port } : { hostPort: `${object.spec.host}:${object.spec.port}`, unknown: 1 }
  const labels = { ...object.metadata.labels, seen: "yes" }
  return { ...object, apiVersion: desired, spec, metadata: { ...object.metadata, labels, generation: 77 } }
}

const answer: Hook["reply"] = ({ apiVersion, request }) => ({
  apiVersion,
  kind: "ConversionReview",
  response: {
    uid: request.uid,
    result: { status: "Success" },
    // oxlint-disable-next-line typescript/no-explicit-any
    convertedObjects: request.objects.map((object: any) => convertOne(request.desiredAPIVersion, object))
  }
})

const install = (webhook: object) =>
  Effect.zipRight(
    call("POST", definitions, { body: definition(webhook) }),
    waiting.until("links are served", Effect.map(call("GET", "/apis/ex.io/v1/links"), (answer) => answer.status === 200 && answer))
  )

const at = (name: string) => `/apis/ex.io/${name}/namespaces/default/links`
const old = (name: string) => ({ apiVersion: "ex.io/v1beta1", kind: "Link", metadata: { name }, spec: { hostPort: "a:1" } })

const scoped = (name: string, test: Parameters<typeof it.scopedLive>[1]) => it.scopedLive(name, test)

describe("conversion by a webhook", () => {
  scoped("shows every object in the version that was asked for, and stores one", () =>
    Effect.gen(function*() {
      const hook = yield* startHook(answer)
      yield* install({ clientConfig: { url: hook.url, caBundle: hook.caBundle } })
      const seen = yield* watch(`${at("v1beta1")}?watch=1`)
      const created = yield* call("POST", at("v1beta1"), { body: old("a") })
      assert.strictEqual(created.status, 201, created.text)
      assert.deepStrictEqual(created.json.spec, { hostPort: "a:1" })
      const { objectTracker: _, ...review } = hook.requests[0]
      assert.strictEqual(review.apiVersion, "apiextensions.k8s.io/v1")
      assert.strictEqual(review.request.desiredAPIVersion, "ex.io/v1")
      const stored = yield* call("GET", `${at("v1")}/a`)
      assert.deepStrictEqual(stored.json.spec, { host: "a", port: "1" })
      assert.strictEqual(stored.json.metadata.generation, 1)
      assert.strictEqual(stored.json.metadata.labels.seen, "yes")
      const shown = yield* call("GET", `${at("v1beta1")}/a`)
      // What the schema of the version does not know is pruned from what a webhook answers, too.
      assert.deepStrictEqual(shown.json.spec, { hostPort: "a:1" })
      assert.strictEqual(shown.json.apiVersion, "ex.io/v1beta1")
      assert.strictEqual(shown.json.metadata.uid, stored.json.metadata.uid)
      assert.strictEqual(shown.json.metadata.resourceVersion, stored.json.metadata.resourceVersion)
      const patched = yield* call("PATCH", `${at("v1beta1")}/a`, { type: merge, body: { spec: { hostPort: "b:2" } } })
      assert.strictEqual(patched.json.metadata.generation, 2, patched.text)
      assert.deepStrictEqual((yield* call("GET", `${at("v1")}/a`)).json.spec, { host: "b", port: "2" })
      const rows = yield* call("GET", at("v1"), { accept: table })
      assert.deepStrictEqual(rows.json.rows[0].cells, ["a", "b"])
      for (let i = 0; i < 30; i++) {
        yield* call("POST", at("v1"), { body: { apiVersion: "ex.io/v1", kind: "Link", metadata: { name: `n${i}` }, spec: { host: "h", port: "9" } } })
      }
      const list = yield* call("GET", at("v1beta1"))
      assert.strictEqual(list.json.items.length, 31)
      assert.isTrue(list.json.items.every(({ apiVersion }: { apiVersion: string }) => apiVersion === "ex.io/v1beta1"))
      const events = yield* waiting.until("32 events", Effect.sync(() => seen.events.length >= 32 && seen.events))
      assert.isTrue(events.every(({ object }) => object.apiVersion === "ex.io/v1beta1"))
      // What was converted once is not converted again.
      const before = hook.requests.length
      assert.strictEqual((yield* call("GET", at("v1beta1"))).json.items.length, 31)
      assert.strictEqual(hook.requests.length, before)
      assert.strictEqual((yield* call("DELETE", `${at("v1beta1")}/a`)).status, 200)
      assert.strictEqual((yield* call("GET", `${at("v1")}/a`)).status, 404)
      // A definition goes with its objects also when nobody converts them any more.
      hook.reply = () => 500
      yield* call("DELETE", `${definitions}/links.ex.io`)
      yield* waiting.until("the definition is gone", Effect.map(call("GET", `${definitions}/links.ex.io`), ({ status }) => status === 404))
      const left = yield* Effect.flatMap(ObjectStore.ObjectStore, (store) => store.range({ prefix: "/ex.io/" }))
      assert.strictEqual(left.items.length, 0)
    }).pipe(Effect.provide(layerApi)))

  scoped("reaches its webhook through a service", () =>
    Effect.gen(function*() {
      const hook = yield* startHook(answer)
      const service = { namespace: "default", name: "hook", path: "/convert" }
      yield* install({ clientConfig: { service, caBundle: hook.caBundle } })
      const none = yield* call("POST", at("v1beta1"), { body: old("a") })
      assert.strictEqual(none.json.message, "conversion webhook for ex.io/v1beta1, Kind=Link failed: service \"hook\" not found")
      yield* exposeHook(hook.port)
      const created = yield* call("POST", at("v1beta1"), { body: old("a") })
      assert.strictEqual(created.status, 201, created.text)
    }).pipe(Effect.provide(layerApi)))

  scoped("says what went wrong", () =>
    Effect.gen(function*() {
      const hook = yield* startHook(answer)
      yield* install({ clientConfig: { url: hook.url, caBundle: hook.caBundle } })
      const failing = (reply: Hook["reply"]) => {
        hook.reply = reply
        return Effect.map(call("POST", at("v1beta1"), { body: old("a") }), ({ json, status }) => {
          assert.strictEqual(status, 500)
          return json.message.replace("conversion webhook for ex.io/v1beta1, Kind=Link ", "")
        })
      }
      const response = (change: object): Hook["reply"] => (review) => {
        // oxlint-disable-next-line typescript/no-explicit-any
        const whole = answer(review) as any
        return { ...whole, response: { ...whole.response, ...change } }
      }
      assert.strictEqual(yield* failing(response({ result: { status: "Failed", message: "not today" } })), "failed: not today")
      assert.strictEqual(yield* failing(response({ result: { status: "Failed" } })), "failed: response.result.status was 'Failed', not 'Success'")
      assert.match(yield* failing(response({ uid: "x" })), /^failed: expected response.uid="[-0-9a-f]+", got "x"$/)
      assert.strictEqual(yield* failing(response({ convertedObjects: [] })), "returned 0 objects, expected 1")
      assert.strictEqual(
        yield* failing(response({ convertedObjects: [{ apiVersion: "ex.io/v2", kind: "Link", metadata: {} }] })),
        "returned invalid object at index 0: invalid groupVersion (expected ex.io/v1, received ex.io/v2)"
      )
      assert.include(
        yield* failing(response({ convertedObjects: [{ apiVersion: "ex.io/v1", kind: "Link", metadata: { name: "b" } }] })),
        "returned invalid object: must have the same name: a != b"
      )
      // Only labels and annotations may be changed, and only to what the object itself could have.
      const metadata = (change: object): Hook["reply"] => (review) => {
        // oxlint-disable-next-line typescript/no-explicit-any
        const whole = answer(review) as any
        const convertedObjects = whole.response.convertedObjects.map((object: { readonly metadata: object }) => ({ ...object, metadata: { ...object.metadata, ...change } }))
        return { ...whole, response: { ...whole.response, convertedObjects } }
      }
      assert.strictEqual(yield* failing(metadata({ labels: { a: 1 } })), "returned invalid metadata: metadata.labels[a] must be a string, but is int64 in converted object")
      assert.strictEqual(yield* failing(metadata({ annotations: [] })), "returned invalid metadata: invalid metadata.annotations of type []interface {} in converted object")
      assert.match(yield* failing(metadata({ labels: { "a b": "c" } })), /^returned invalid metadata: metadata.labels: Invalid value: "a b": /)
      assert.include(yield* failing(() => ({})), "failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got /, Kind=")
      assert.include(yield* failing(() => "nonsense"), "failed: couldn't get version/kind; json parse error")
      assert.include(yield* failing(() => 503), "failed: the server is currently unable to handle the request")
      assert.include(yield* failing(() => 500), "failed: an error on the server (\"500\") has prevented the request from succeeding")
      assert.strictEqual(
        (yield* failing(() => "x".repeat(17 * 1024 * 1024))),
        `failed: Post "${hook.url}?timeout=30s": the answer is larger than 16777216 bytes`
      )
    }).pipe(Effect.provide(layerApi)))

  scoped("refuses certificates and places that it was not told to trust", () =>
    Effect.gen(function*() {
      const hook = yield* startHook(answer)
      yield* install({ clientConfig: { url: hook.url } })
      const untrusted = yield* call("POST", at("v1beta1"), { body: old("a") })
      assert.include(untrusted.json.message, "x509: certificate signed by unknown authority")
      const reach = (url: string) =>
        Effect.gen(function*() {
          yield* call("PATCH", `${definitions}/links.ex.io`, {
            type: merge,
            body: { spec: { conversion: { webhook: { clientConfig: { url } } } } }
          })
          return (yield* call("POST", at("v1beta1"), { body: old("a") })).json.message
        })
      assert.include(yield* reach("https://169.254.169.254/latest"), "dial tcp 169.254.169.254: address is outside of the cluster")
      assert.include(yield* reach("https://127.0.0.1:1/x"), "Post \"https://127.0.0.1:1/x?timeout=30s\": dial tcp 127.0.0.1:1: connect: connection refused")
      const invalid = yield* call("PATCH", `${definitions}/links.ex.io`, {
        type: merge,
        body: { spec: { conversion: { webhook: { clientConfig: { url: "http://a/x" } } } } }
      })
      assert.strictEqual(invalid.status, 422)
      assert.include(invalid.json.message, "'https' is the only allowed URL scheme")
    }).pipe(Effect.provide(layerApi)))

  scoped("lets nobody past a policy or a webhook by writing another version", () =>
    Effect.gen(function*() {
      const hook = yield* startHook((body) => body.kind === "ConversionReview" ? answer(body) : asked(body))
      const asked: Hook["reply"] = ({ apiVersion, request }) => ({
        apiVersion,
        kind: "AdmissionReview",
        response: {
          uid: request.uid,
          allowed: true,
          patchType: "JSONPatch",
          patch: Buffer.from(JSON.stringify([{ op: "replace", path: "/spec/port", value: "9" }])).toString("base64")
        }
      })
      const clientConfig = { url: hook.url, caBundle: hook.caBundle }
      yield* install({ clientConfig })
      const group = "/apis/admissionregistration.k8s.io/v1"
      const meta = (kind: string) => ({ apiVersion: "admissionregistration.k8s.io/v1", kind, metadata: { name: "p" } })
      const rules = [{ operations: ["CREATE"], apiGroups: ["ex.io"], apiVersions: ["v1"], resources: ["links"] }]
      yield* call("POST", `${group}/validatingadmissionpolicies`, {
        body: {
          ...meta("ValidatingAdmissionPolicy"),
          spec: {
            matchConstraints: { resourceRules: rules },
            validations: [{ expression: "object.spec.host != 'evil' && request.kind.version == 'v1' && request.requestKind.version == 'v1beta1'", message: "not there" }]
          }
        }
      })
      yield* call("POST", `${group}/validatingadmissionpolicybindings`, {
        body: { ...meta("ValidatingAdmissionPolicyBinding"), spec: { policyName: "p", validationActions: ["Deny"] } }
      })
      const post = (hostPort: string) => call("POST", `${at("v1beta1")}?dryRun=All`, { body: { ...old("a"), spec: { hostPort } } })
      assert.include((yield* post("evil:1")).json.message, "denied request: not there")
      const good = yield* post("good:1")
      assert.strictEqual(good.status, 201, good.text)
      yield* call("POST", `${group}/mutatingwebhookconfigurations`, {
        body: { ...meta("MutatingWebhookConfiguration"), webhooks: [{ name: "p.ex.io", clientConfig, rules, sideEffects: "None", admissionReviewVersions: ["v1"] }] }
      })
      const changed = yield* post("good:1")
      assert.strictEqual(changed.status, 201, changed.text)
      assert.deepStrictEqual([changed.json.apiVersion, changed.json.spec], ["ex.io/v1beta1", { hostPort: "good:9" }])
      // Who cannot see the object cannot let it pass.
      hook.reply = () => 500
      assert.include((yield* post("good:1")).json.message, "conversion webhook for ex.io/v1beta1, Kind=Link failed: an error on the server")
    }).pipe(Effect.provide(layerApi)))
})
