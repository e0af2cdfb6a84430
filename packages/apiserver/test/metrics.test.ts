import { assert, describe, it } from "@effect/vitest"
import { Kinds, ObjectCodec, Timestamp } from "@reddwarf/api-types"
import { ObjectStore } from "@reddwarf/store"
import { Effect, Either, Layer, TestClock } from "effect"
import * as KubeletClient from "../src/KubeletClient.js"
import * as MetricsWindow from "../src/metrics/MetricsWindow.js"
import * as UsageSample from "../src/metrics/UsageSample.js"
import * as Server from "../src/Server.js"
import * as UserInfo from "../src/authentication/UserInfo.js"
import { type Answer, call, merge, pod, pods, table } from "./support/api.js"

const start = 1_795_000_000_000
const point = (seconds: number, cpuSeconds: number, startedAt = 0, memory = 1024) =>
  ({ time: start + seconds * 1000, startedAt: start + startedAt * 1000, cpuNanos: cpuSeconds * 1e9, memory })
const podSample = (name: string, containers: Readonly<Record<string, UsageSample.Point>>, uid = "u") =>
  ({ namespace: "default", name, uid, containers: new Map(Object.entries(containers)) })

describe("the window", () => {
  it("needs two points of the same counter", () => {
    const window = MetricsWindow.make(15_000)
    window.add("n", { node: point(0, 100), pods: [podSample("p", { c: point(0, 10) })] })
    assert.isUndefined(window.node("n"))
    assert.isUndefined(window.pod("default", "p"))
    window.add("n", { node: point(15, 130), pods: [podSample("p", { c: point(15, 25, 0, 2048) })] })
    assert.deepStrictEqual(window.node("n"), { time: start + 15_000, window: 15_000, cpuNanoCores: 2e9, memory: 1024 })
    assert.deepStrictEqual(window.pod("default", "p")?.containers, [
      { name: "c", usage: { time: start + 15_000, window: 15_000, cpuNanoCores: 1e9, memory: 2048 } }
    ])
    // The counter of another attempt, and of a host that booted.
    window.add("n", { node: point(30, 1, 20), pods: [podSample("p", { c: point(30, 1, 25) })] })
    assert.isUndefined(window.node("n"))
    assert.isUndefined(window.pod("default", "p"))
    window.add("n", { node: point(45, 16, 20), pods: [podSample("p", { c: point(45, 2, 25) }, "another")] })
    assert.strictEqual(window.node("n")?.cpuNanoCores, 1e9)
    assert.isDefined(window.pod("default", "p"))
  })

  it("measures a new container since its start, once it is old enough", () => {
    const window = MetricsWindow.make(15_000)
    window.add("n", { node: point(15, 0), pods: [podSample("p", { c: point(15, 5, 6) })] })
    assert.isUndefined(window.pod("default", "p"))
    window.add("m", { node: point(15, 0), pods: [podSample("q", { c: point(15, 6, 3) })] })
    assert.strictEqual(window.pod("default", "q")?.containers[0]?.usage.cpuNanoCores, 5e8)
  })

  it("shows a pod with all of its containers or not at all", () => {
    const window = MetricsWindow.make(15_000)
    window.add("n", { node: undefined, pods: [podSample("p", { a: point(100, 5) })] })
    window.add("n", { node: undefined, pods: [podSample("p", { a: point(115, 5), b: point(115, 0, 114) })] })
    assert.isUndefined(window.pod("default", "p"))
    window.add("n", { node: undefined, pods: [podSample("p", { a: point(130, 5), b: point(131, 0, 114) })] })
    assert.deepStrictEqual([window.pod("default", "p")?.containers.length, window.pod("default", "p")?.time], [2, start + 130_000])
  })

  it("leaves out nodes that do not answer, and forgets those that are gone", () => {
    const window = MetricsWindow.make(15_000)
    window.add("n", { node: point(100, 1), pods: [podSample("p", { c: point(100, 1) })] })
    window.add("n", { node: point(115, 2), pods: [podSample("p", { c: point(115, 2) })] })
    window.hide("n")
    assert.isUndefined(window.node("n"))
    assert.isUndefined(window.pod("default", "p"))
    window.add("n", { node: point(145, 4), pods: [podSample("p", { c: point(145, 4) })] })
    assert.strictEqual(window.node("n")?.window, 30_000)
    // The pod moved: the sample of its old node does not take the new one's place away.
    window.add("m", { node: undefined, pods: [podSample("p", { c: point(150, 0, 130) })] })
    window.forget("n")
    assert.isUndefined(window.node("n"))
    assert.strictEqual(window.pod("default", "p")?.window, 20_000)
  })
})

describe("a sample", () => {
  it.effect("is read from a kubelet's summary, which may lack what was not measured", () =>
    Effect.gen(function*() {
      const sample = yield* UsageSample.parse(JSON.stringify({
        node: { nodeName: "n", startTime: "2026-11-21T00:00:00Z", cpu: { time: "2026-11-21T00:00:10.5Z", usageCoreNanoSeconds: 7 }, memory: { time: "2026-11-21T00:00:10Z", workingSetBytes: 9 }, fs: {} },
        pods: [
          { podRef: { name: "p", namespace: "d", uid: "u" }, startTime: null, containers: [
            { name: "a", startTime: "2026-11-21T00:00:00Z", cpu: { time: "2026-11-21T00:00:10Z", usageCoreNanoSeconds: 1 }, memory: { time: "2026-11-21T00:00:10Z", workingSetBytes: 2 } },
            { name: "b", startTime: "2026-11-21T00:00:00Z" }
          ] },
          { podRef: { name: "q", namespace: "d", uid: "v" }, containers: null }
        ]
      }))
      assert.deepStrictEqual(sample.node, { time: Date.UTC(2026, 10, 21, 0, 0, 10, 500), startedAt: Date.UTC(2026, 10, 21), cpuNanos: 7, memory: 9 })
      assert.deepStrictEqual(sample.pods.map(({ containers }) => [...containers.keys()]), [["a"], []])
      assert.isTrue(Either.isLeft(yield* Effect.either(UsageSample.parse("{\"node\":{\"cpu\":{\"time\":\"yesterday\"}}}"))))
      assert.isTrue(Either.isLeft(yield* Effect.either(UsageSample.parse("<html>"))))
    }))
})

/** Agents that answer by the clock of the test: `busy` uses one core, `silent` does not answer, `broken` answers nonsense. */
const agents = Layer.effect(KubeletClient.KubeletClient, Effect.map(Effect.clock, (clock) =>
  KubeletClient.KubeletClient.of({
    open: () => Effect.die("metrics are read with get"),
    get: ({ node }, path) =>
      Effect.gen(function*() {
        if (node === "silent") return yield* Effect.never
        const now = Math.floor(clock.unsafeCurrentTimeMillis())
        const time = (millis: number) => Timestamp.microsFromMillis(millis)
        const stats = { startTime: time(0), cpu: { time: time(now), usageCoreNanoSeconds: now * 1e6 }, memory: { time: time(now), workingSetBytes: 64 * 1024 * 1024 } }
        const uid = uids.get("web") ?? ""
        const summary = { node: { nodeName: node, ...stats }, pods: [{ podRef: { name: "web", namespace: "default", uid }, containers: [{ name: "c", ...stats }] }] }
        let text: string | undefined = node === "broken" ? "nonsense" : path.startsWith("/stats/summary") ? JSON.stringify(summary) : ""
        return {
          status: 200,
          contentType: "application/json",
          next: Effect.sync(() => {
            const bytes = text === undefined ? undefined : new TextEncoder().encode(text)
            text = undefined
            return bytes
          }),
          pump: () => Effect.die("metrics are read with next")
        }
      })
  })))

const uids = new Map<string, string>()

const api = Server.layerApiWith({}, {}, {}).pipe(
  Layer.provideMerge(ObjectStore.layerMemory),
  Layer.provide(agents)
)

const group = "/apis/metrics.k8s.io/v1beta1"
const protobuf = "application/vnd.kubernetes.protobuf,*/*"

const addNode = (name: string) =>
  Effect.gen(function*() {
    yield* call("POST", "/api/v1/nodes", { body: { apiVersion: "v1", kind: "Node", metadata: { name, labels: { zone: name } } } })
    const status = { addresses: [{ type: "InternalIP", address: "127.0.0.1" }], daemonEndpoints: { kubeletEndpoint: { Port: 1 } } }
    yield* call("PATCH", `/api/v1/nodes/${name}/status`, { type: merge, body: { status } })
  })

const addPod = (name: string) =>
  Effect.gen(function*() {
    const made = yield* call("POST", pods, { body: pod(name, { nodeName: "busy" }, { labels: { app: name } }) })
    uids.set(name, made.json.metadata.uid)
    yield* call("PATCH", `${pods}/${name}/status`, { type: merge, body: { status: { phase: "Running" } } })
  })

const namesOf = (answer: Answer): ReadonlyArray<string> => answer.json.items.map((item: { readonly metadata: { readonly name: string } }) => item.metadata.name)

describe("metrics.k8s.io", () => {
  it.effect("is what the agents say, as objects of nodes and pods", () =>
    Effect.gen(function*() {
      yield* Effect.forEach(["busy", "silent", "broken"], addNode)
      yield* addPod("web")
      yield* addPod("other")
      assert.deepStrictEqual((yield* call("GET", `${group}/nodes`, { accept: protobuf })).json, { kind: "NodeMetricsList", apiVersion: "metrics.k8s.io/v1beta1", metadata: {}, items: [] })
      for (let step = 0; step < 40; step++) yield* TestClock.adjust("1 second")

      const nodes = yield* call("GET", `${group}/nodes`, { accept: protobuf })
      assert.deepStrictEqual(namesOf(nodes), ["busy"])
      const [node] = nodes.json.items
      assert.deepStrictEqual(Object.keys(node), ["metadata", "timestamp", "window", "usage"])
      assert.deepStrictEqual([node.usage, node.metadata.labels], [{ cpu: "1", memory: "64Mi" }, { zone: "busy" }])
      assert.match(node.window, /^[\d.]+s$/)

      const one = yield* call("GET", `${group}/namespaces/default/pods/web`, { accept: protobuf })
      assert.deepStrictEqual(one.json.containers, [{ name: "c", usage: { cpu: "1", memory: "64Mi" } }])
      assert.deepStrictEqual([one.json.kind, one.json.apiVersion, one.json.metadata.namespace], ["PodMetrics", "metrics.k8s.io/v1beta1", "default"])
      const decoded = Either.getOrThrow(ObjectCodec.decode(Kinds.podMetrics, one.json))
      assert.deepStrictEqual(decoded.object.containers, one.json.containers)

      assert.deepStrictEqual(namesOf(yield* call("GET", `${group}/pods`)), ["web"])
      assert.deepStrictEqual(namesOf(yield* call("GET", `${group}/namespaces/default/pods?labelSelector=app%3Dweb&fieldSelector=metadata.name%3Dweb`)), ["web"])
      assert.deepStrictEqual(namesOf(yield* call("GET", `${group}/namespaces/default/pods?labelSelector=app%3Dother`)), [])
      assert.deepStrictEqual(namesOf(yield* call("GET", `${group}/namespaces/kube-system/pods`)), [])
      assert.deepStrictEqual(namesOf(yield* call("GET", `${group}/nodes?labelSelector=zone%3Dsilent`)), [])

      const rows = yield* call("GET", `${group}/pods`, { accept: table })
      assert.deepStrictEqual(rows.json.columnDefinitions.map(({ name }: { readonly name: string }) => name), ["Name", "cpu", "memory", "Window"])
      assert.deepStrictEqual(rows.json.rows[0].cells.slice(0, 3), ["web", "1", "64Mi"])
      assert.include((yield* call("GET", `${group}/nodes/busy`, { accept: "application/yaml" })).text, "\nusage:\n  cpu: \"1\"\n")

      const messages = yield* Effect.forEach(["nodes/silent", "nodes/none", "namespaces/default/pods/other", "namespaces/default/pods/none"], (path) =>
        Effect.map(call("GET", `${group}/${path}`), ({ json, status }) => [status, json.message]))
      assert.deepStrictEqual(messages, [
        [404, "nodemetrics.metrics.k8s.io \"silent\" not found"],
        [404, "nodes \"none\" not found"],
        [404, "podmetrics.metrics.k8s.io \"default/other\" not found"],
        [404, "pods \"none\" not found"]
      ])
      for (const [method, path] of [["POST", "nodes"], ["DELETE", "nodes/busy"], ["GET", "nodes?watch=true"], ["PUT", "namespaces/default/pods/web"]] as const) {
        assert.strictEqual((yield* call(method, `${group}/${path}`, { body: {} })).status, 405, `${method} ${path}`)
      }

      yield* call("DELETE", "/api/v1/nodes/busy")
      for (let step = 0; step < 5; step++) yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(namesOf(yield* call("GET", `${group}/pods`)), [])
    }).pipe(Effect.provide(api)))

  it.effect("is in discovery and OpenAPI", () =>
    Effect.gen(function*() {
      const plain = yield* call("GET", group)
      assert.deepStrictEqual(plain.json.resources, [
        { name: "nodes", singularName: "", namespaced: false, kind: "NodeMetrics", verbs: ["get", "list"] },
        { name: "pods", singularName: "", namespaced: true, kind: "PodMetrics", verbs: ["get", "list"] }
      ])
      const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
      const groups = (yield* call("GET", "/apis", { accept })).json.items
      assert.include(groups.map((group: { readonly metadata: { readonly name: string } }) => group.metadata.name), "metrics.k8s.io")
      const document = (yield* call("GET", "/openapi/v3/apis/metrics.k8s.io/v1beta1")).json
      assert.deepStrictEqual(Object.keys(document.paths).sort(), [
        `${group}/namespaces/{namespace}/pods`,
        `${group}/namespaces/{namespace}/pods/{name}`,
        `${group}/nodes`,
        `${group}/nodes/{name}`,
        `${group}/pods`
      ])
      assert.isDefined(document.components.schemas["io.k8s.metrics.pkg.apis.metrics.v1beta1.PodMetrics"].properties.containers)
      assert.strictEqual((yield* call("GET", "/openapi/v2")).status, 200)
    }).pipe(Effect.provide(api)))

  it.effect("asks for permission by the names of nodes and pods", () =>
    Effect.gen(function*() {
      const nobody = UserInfo.authenticated("jane", [])
      const refused = yield* call("GET", `${group}/nodes`, { user: nobody })
      assert.strictEqual(refused.json.message, "nodes.metrics.k8s.io is forbidden: User \"jane\" cannot list resource \"nodes\" in API group \"metrics.k8s.io\" at the cluster scope")
    }).pipe(Effect.provide(api)))

  it.effect("is not served by a server that does not collect", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* call("GET", `${group}/nodes`)).status, 404)
    }).pipe(Effect.provide(Server.layerApi().pipe(Layer.provideMerge(ObjectStore.layerMemory), Layer.provide(KubeletClient.layerUnavailable)))))
})
