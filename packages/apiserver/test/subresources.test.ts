import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as UserInfo from "../src/authentication/UserInfo.js"
import { call, layerApi, merge, pod, pods, strategic } from "./support/api.js"

const node = UserInfo.authenticated("system:node:n1", ["system:nodes"])

const running = (name: string, labels: Record<string, string> = {}, ready = true) =>
  Effect.gen(function*() {
    yield* call("POST", pods, { body: pod(name, { nodeName: "n1" }, { labels }) })
    const status = { phase: "Running", conditions: [{ type: "Ready", status: ready ? "True" : "False" }] }
    return (yield* call("PATCH", `${pods}/${name}/status`, { type: merge, body: { status } })).json
  })

const evict = (name: string, body: object = {}) =>
  call("POST", `${pods}/${name}/eviction`, {
    body: { kind: "Eviction", apiVersion: "policy/v1", metadata: { name, namespace: "default" }, ...body }
  })

const budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"

const budget = (name: string, app: string, status: object, spec: object = {}) =>
  Effect.gen(function*() {
    const body = { apiVersion: "policy/v1", kind: "PodDisruptionBudget", metadata: { name }, spec: { minAvailable: 1, selector: { matchLabels: { app } }, ...spec } }
    const made = yield* call("POST", budgets, { body })
    assert.strictEqual(made.status, 201, made.text)
    yield* call("PATCH", `${budgets}/${name}/status`, { type: merge, body: { status } })
  })

describe("eviction", () => {
  it.layer(layerApi)((it) => {
    it.effect("deletes a pod without a budget, and says in its status why", () =>
      Effect.gen(function*() {
        yield* running("free")
        const answer = yield* evict("free", { deleteOptions: {} })
        assert.strictEqual(answer.status, 201)
        const { json } = yield* call("GET", `${pods}/free`)
        assert.isDefined(json.metadata.deletionTimestamp)
        const target = json.status.conditions.find(({ type }: { type: string }) => type === "DisruptionTarget")
        assert.strictEqual(target.reason, "EvictionByEvictionAPI")
        assert.strictEqual((yield* evict("nope")).status, 404)
        assert.strictEqual((yield* evict("free", { deleteOptions: { preconditions: { uid: "x" } } })).status, 409)
      }))

    it.effect("takes disruptions from a budget until none is left", () =>
      Effect.gen(function*() {
        const status = { observedGeneration: 1, disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 }
        yield* budget("pdb1", "a", status)
        yield* running("a1", { app: "a" })
        yield* running("a2", { app: "a" })
        assert.strictEqual((yield* evict("a1")).status, 201)
        const spent = (yield* call("GET", `${budgets}/pdb1`)).json.status
        assert.strictEqual(spent.disruptionsAllowed, 0)
        assert.property(spent.disruptedPods, "a1")
        const refused = yield* evict("a2")
        assert.strictEqual(refused.status, 429)
        assert.strictEqual(refused.json.message, "Cannot evict pod as it would violate the pod's disruption budget.")
        assert.deepStrictEqual(refused.json.details, {
          causes: [{ reason: "DisruptionBudget", message: "The disruption budget pdb1 needs 1 healthy pods and has 2 currently" }]
        })
        assert.isUndefined((yield* call("GET", `${pods}/a2`)).json.metadata.deletionTimestamp)
      }))

    it.effect("waits for a budget that was not looked at yet, and does not choose between two", () =>
      Effect.gen(function*() {
        yield* budget("pdb2", "b", {})
        yield* running("b1", { app: "b" })
        const stale = yield* evict("b1")
        assert.strictEqual(stale.status, 429)
        assert.strictEqual(stale.json.details.retryAfterSeconds, 10)
        assert.strictEqual(stale.json.details.causes[0].message, "The disruption budget pdb2 is still being processed by the server.")
        yield* budget("pdb3", "b", {})
        const both = yield* evict("b1")
        assert.strictEqual(both.status, 500)
        assert.strictEqual(both.json.message, "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.")
      }))

    it.effect("lets pods go that do not serve: pending ones, and unready ones as far as the policy says", () =>
      Effect.gen(function*() {
        const none = { observedGeneration: 1, disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 2 }
        yield* budget("pdb4", "c", none)
        yield* running("c1", { app: "c" }, false)
        yield* call("POST", pods, { body: pod("c2", {}, { labels: { app: "c" } }) })
        assert.strictEqual((yield* evict("c1")).status, 201)
        assert.strictEqual((yield* evict("c2")).status, 201)
        yield* budget("pdb5", "d", { ...none, currentHealthy: 0 })
        yield* running("d1", { app: "d" }, false)
        assert.strictEqual((yield* evict("d1")).status, 429)
        yield* budget("pdb6", "e", { ...none, currentHealthy: 0 }, { unhealthyPodEvictionPolicy: "AlwaysAllow" })
        yield* running("e1", { app: "e" }, false)
        assert.strictEqual((yield* evict("e1")).status, 201)
      }))
  })
})

describe("pods/finalize", () => {
  it.layer(layerApi)((it) => {
    it.effect("ends a terminating pod, for its node only", () =>
      Effect.gen(function*() {
        const { metadata } = yield* running("p1")
        const finalize = (options: { user?: UserInfo.UserInfo; body?: unknown } = {}) => call("POST", `${pods}/p1/finalize`, options)
        const early = yield* finalize({ user: node })
        assert.strictEqual(early.status, 422)
        yield* call("DELETE", `${pods}/p1`)
        assert.strictEqual((yield* finalize({ user: UserInfo.authenticated("system:node:n2", ["system:nodes"]) })).status, 403)
        assert.strictEqual((yield* finalize({ user: UserInfo.authenticated("dev", []) })).status, 403)
        assert.strictEqual((yield* finalize({ user: node, body: { preconditions: { uid: "other" } } })).status, 409)
        const last = yield* finalize({ user: node, body: { preconditions: { uid: metadata.uid } } })
        assert.strictEqual(last.status, 200)
        assert.strictEqual(last.json.metadata.uid, metadata.uid)
        assert.strictEqual((yield* call("GET", `${pods}/p1`)).status, 404)
        assert.strictEqual((yield* finalize({ user: node })).status, 404)
      }))
  })
})

describe("pods/ephemeralcontainers and pods/resize", () => {
  it.layer(layerApi)((it) => {
    it.effect("debugging containers are added, and then stay", () =>
      Effect.gen(function*() {
        yield* running("p1")
        const url = `${pods}/p1/ephemeralcontainers`
        const add = (container: object) => call("PATCH", url, { type: strategic, body: { spec: { ephemeralContainers: [container] } } })
        const added = yield* add({ name: "debug", image: "busybox", targetContainerName: "c" })
        assert.strictEqual(added.status, 200, added.text)
        assert.strictEqual(added.json.spec.ephemeralContainers[0].terminationMessagePolicy, "File")
        assert.strictEqual(added.json.metadata.generation, 2)
        const changed = yield* add({ name: "debug", image: "alpine" })
        assert.strictEqual(changed.status, 422)
        assert.include(changed.json.message, "existing ephemeral containers \"debug\" may not be changed")
        assert.strictEqual((yield* add({ name: "d2", image: "x", targetContainerName: "nope" })).status, 422)
        const other = yield* call("PATCH", url, { type: merge, body: { metadata: { labels: { a: "b" } }, spec: { restartPolicy: "Never" } } })
        assert.strictEqual(other.status, 200)
        assert.isUndefined(other.json.metadata.labels?.a)
        assert.strictEqual(other.json.spec.restartPolicy, "Always")
        const main = yield* call("PATCH", `${pods}/p1`, { type: strategic, body: { spec: { ephemeralContainers: [{ name: "d3", image: "x" }] } } })
        assert.strictEqual(main.status, 422)
        assert.strictEqual((yield* call("GET", url)).json.kind, "Pod")
      }))

    it.effect("amounts of CPU and memory change, the class of the pod does not", () =>
      Effect.gen(function*() {
        const resources = { requests: { cpu: "100m", memory: "64Mi" }, limits: { memory: "128Mi" } }
        yield* call("POST", pods, { body: pod("p2", { containers: [{ name: "c", image: "x:1", resources }] }) })
        const resize = (next: object) =>
          call("PATCH", `${pods}/p2/resize`, { type: strategic, body: { spec: { containers: [{ name: "c", image: "y:2", resources: next }] } } })
        const done = yield* resize({ requests: { cpu: "200m" } })
        assert.strictEqual(done.status, 200, done.text)
        assert.strictEqual(done.json.spec.containers[0].resources.requests.cpu, "200m")
        assert.strictEqual(done.json.spec.containers[0].image, "x:1")
        assert.strictEqual(done.json.metadata.generation, 2)
        const guaranteed = yield* resize({ requests: { cpu: "200m", memory: "128Mi" }, limits: { cpu: "200m", memory: "128Mi" } })
        assert.strictEqual(guaranteed.json.message, "Pod \"p2\" is invalid: spec: Invalid value: \"Guaranteed\": Pod QOS Class may not change as a result of resizing")
        assert.strictEqual((yield* resize({ requests: { "example.org/gpu": "1" } })).status, 422)
      }))
  })
})

const deployments = "/apis/apps/v1/namespaces/default/deployments"

describe("generation", () => {
  it.layer(layerApi)((it) => {
    it.effect("counts changes of a Deployment's annotations, but none that come with its status", () =>
      Effect.gen(function*() {
        const template = { metadata: { labels: { app: "gen" } }, spec: { containers: [{ name: "c", image: "nginx:1" }] } }
        yield* call("POST", deployments, {
          body: { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "gen" }, spec: { selector: { matchLabels: { app: "gen" } }, template } }
        })
        const annotate = (path: string, value: string) => call("PATCH", path, { type: merge, body: { metadata: { annotations: { a: value } } } })
        const byStatus = yield* annotate(`${deployments}/gen/status`, "1")
        assert.deepStrictEqual([byStatus.json.metadata.annotations, byStatus.json.metadata.generation], [{ a: "1" }, 1])
        const byObject = yield* annotate(`${deployments}/gen`, "2")
        assert.deepStrictEqual([byObject.json.metadata.annotations, byObject.json.metadata.generation], [{ a: "2" }, 2])
      }))
  })
})

describe("scale", () => {
  it.layer(layerApi)((it) => {
    it.effect("reads and changes the number of replicas and nothing else", () =>
      Effect.gen(function*() {
        const template = { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "nginx:1" }] } }
        const made = yield* call("POST", deployments, {
          body: { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, spec: { replicas: 2, selector: { matchLabels: { app: "web" } }, template } }
        })
        assert.strictEqual(made.status, 201, made.text)
        const url = `${deployments}/web/scale`
        const { json } = yield* call("GET", url)
        assert.strictEqual(json.kind, "Scale")
        assert.strictEqual(json.apiVersion, "autoscaling/v1")
        assert.deepStrictEqual(json.spec, { replicas: 2 })
        assert.deepStrictEqual(json.status, { replicas: 0, selector: "app=web" })
        assert.strictEqual(json.metadata.uid, made.json.metadata.uid)
        const scaled = yield* call("PATCH", url, { type: merge, body: { spec: { replicas: 3 } } })
        assert.deepStrictEqual(scaled.json.spec, { replicas: 3 })
        const after = (yield* call("GET", `${deployments}/web`)).json
        assert.strictEqual(after.spec.replicas, 3)
        assert.strictEqual(after.metadata.generation, 2)
        const stale = yield* call("PUT", url, { body: { ...json, spec: { replicas: 9 } } })
        assert.strictEqual(stale.status, 409)
        const put = yield* call("PUT", url, { body: { ...scaled.json, spec: { replicas: 0 } } })
        assert.deepStrictEqual(put.json.spec, {})
        const negative = yield* call("PATCH", url, { type: merge, body: { spec: { replicas: -1 } } })
        assert.strictEqual(
          negative.json.message,
          "Scale.autoscaling \"web\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0"
        )
        assert.strictEqual((yield* call("GET", `${deployments}/nope/scale`)).json.message, "deployments.apps \"nope\" not found")
      }))
  })
})
