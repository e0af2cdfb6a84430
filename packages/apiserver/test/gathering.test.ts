import { assert, describe, it } from "@effect/vitest"
import { WatchCache } from "@reddwarf/event-bus"
import { Effect } from "effect"
import { until } from "vitest-config/waiting"
import * as gathering from "../src/internal/gathering.js"
import * as HttpsEdge from "../src/HttpsEdge.js"
import { adminCredentials, http2, layerServer, session } from "./support/http.js"

const leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
const headers = { "content-type": "application/json" }
const lease = (name: string, holder: string, resourceVersion?: string) =>
  JSON.stringify({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name, namespace: "kube-node-lease", resourceVersion },
    spec: { holderIdentity: holder }
  })

describe("requests that start together", () => {
  it.live("start in the order of their coming, at the end of the turn", () =>
    Effect.gen(function*() {
      const together = gathering.ofTurn()
      const started: Array<number> = []
      for (let i = 0; i < 10; i++) together(() => started.push(i))
      assert.deepStrictEqual(started, [])
      yield* until("all have started", Effect.sync(() => started.length === 10))
      assert.deepStrictEqual(started, [...Array(10).keys()])
      together(() => started.push(10))
      yield* until("the next has started", Effect.sync(() => started.length === 11))
    }))

  it.live("do not wait once they are enough, and none starts twice", () =>
    Effect.gen(function*() {
      const together = gathering.ofMillis(20)
      const started: Array<number> = []
      for (let i = 0; i < 150; i++) together(() => started.push(i))
      assert.isAtLeast(started.length, 128)
      yield* until("the rest has started", Effect.sync(() => started.length === 150))
      assert.deepStrictEqual(started, [...Array(150).keys()])
    }))

  it("are heartbeats only where nodes have their leases", () => {
    assert.isTrue(gathering.isHeartbeat("PUT", `${leases}/node-1?timeout=10s`))
    assert.isFalse(gathering.isHeartbeat("GET", `${leases}/node-1`))
    assert.isFalse(gathering.isHeartbeat("PUT", "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/scheduler"))
  })

  it.scopedLive("are answered each for itself", () =>
    Effect.gen(function*() {
      const { url } = yield* HttpsEdge.HttpsEdge
      const cache = yield* WatchCache.WatchCache
      const credentials = yield* adminCredentials
      const client = yield* session(url, credentials)
      const create = (name: string) =>
        Effect.map(http2(client, leases, { method: "POST", headers, body: lease(name, "first") }), ({ body }): string =>
          JSON.parse(body.toString()).metadata.resourceVersion)
      const a = yield* create("a")
      const b = yield* create("b")
      const put = (name: string, body: string) => http2(client, `${leases}/${name}`, { method: "PUT", headers, body })
      const answers = yield* Effect.all([put("a", lease("a", "second", a)), put("b", "{"), put("b", lease("b", "second", b))], { concurrency: "unbounded" })
      assert.deepStrictEqual(answers.map(({ status }) => status), [200, 400, 200])
      const holder = (name: string): unknown =>
        JSON.parse(new TextDecoder().decode(cache.get(`/coordination.k8s.io/leases/kube-node-lease/${name}`)?.bytes)).spec.holderIdentity
      assert.strictEqual(holder("a"), "second")
      assert.strictEqual(holder("b"), "second")
    }).pipe(Effect.provide(layerServer())))
})
