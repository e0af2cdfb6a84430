import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, ClientError, FakeApi } from "@reddwarf/client"
import { assert, describe, it } from "@effect/vitest"
import { Chunk, Effect, Fiber, Stream, TestClock } from "effect"

const pod = (name: string, more: Partial<CoreV1.Pod> = {}): ApiClient.Draft<CoreV1.Pod> => ({
  metadata: { name, namespace: "default", ...more.metadata },
  spec: { containers: [{ name: "main", image: "registry.test/app:1" }], ...more.spec },
  ...(more.status === undefined ? {} : { status: more.status })
})

const configMap = (name: string, data: Record<string, string> = {}, metadata = {}) => ({ metadata: { name, namespace: "default", ...metadata }, data })

const refused = <A>(effect: Effect.Effect<A, ClientError.ClientError>) =>
  Effect.map(Effect.flip(effect), (error) => (error._tag === "ApiError" ? `${error.code} ${error.reason}` : error._tag))

const api = (options?: FakeApi.Options) => Effect.provide(FakeApi.layer(options))

describe("FakeApi through ApiClient", () => {
  it.effect("creates with defaults, reads, updates and deletes", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const created = yield* client.create(Kinds.pod, pod("a"))
      assert.strictEqual(created.spec?.restartPolicy, "Always")
      assert.strictEqual(created.metadata.generation, 1)
      assert.deepStrictEqual(yield* client.get(Kinds.pod, { namespace: "default", name: "a" }), created)
      const labelled = yield* client.update(Kinds.pod, { ...created, metadata: { ...created.metadata, labels: { app: "x" } } })
      assert.isAbove(Number(labelled.metadata.resourceVersion), Number(created.metadata.resourceVersion))
      assert.strictEqual(yield* refused(client.update(Kinds.pod, created)), "409 Conflict")
      yield* client.delete(Kinds.pod, { namespace: "default", name: "a" })
      assert.strictEqual(yield* refused(client.get(Kinds.pod, { namespace: "default", name: "a" })), "404 NotFound")
    }).pipe(api()))

  it.effect("refuses what the real server refuses", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* client.create(Kinds.configMap, configMap("a"))
      assert.strictEqual(yield* refused(client.create(Kinds.configMap, configMap("a"))), "409 AlreadyExists")
      assert.strictEqual(yield* refused(client.create(Kinds.configMap, configMap("Bad_Name"))), "422 Invalid")
      assert.strictEqual(yield* refused(client.create(Kinds.configMap, { metadata: { name: "b", namespace: "nowhere" } })), "404 NotFound")
      assert.strictEqual(yield* refused(client.create(Kinds.pod, { metadata: { name: "p", namespace: "default" } })), "422 Invalid")
      assert.strictEqual(
        yield* refused(client.delete(Kinds.configMap, { namespace: "default", name: "a" }, { preconditions: { uid: "other" } })),
        "409 Conflict"
      )
      assert.strictEqual(yield* refused(client.list(Kinds.configMap, { labelSelector: "a b" })), "400 BadRequest")
      assert.strictEqual(yield* refused(client.list(Kinds.configMap, { fieldSelector: "spec.foo=1" })), "400 BadRequest")
    }).pipe(api()))

  it.effect("gives new names for generateName", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const names = yield* Effect.replicateEffect(
        Effect.map(client.create(Kinds.configMap, { metadata: { generateName: "a-", namespace: "default" } }), (object) => object.metadata.name),
        20
      )
      assert.strictEqual(new Set(names).size, 20)
      assert.match(names[0] ?? "", /^a-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
    }).pipe(api()))

  it.effect("keeps an object with finalizers until they are gone", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const ref = { namespace: "default", name: "a" }
      yield* client.create(Kinds.configMap, configMap("a", {}, { finalizers: ["example.com/hold"] }))
      yield* client.delete(Kinds.configMap, ref)
      const held = yield* client.get(Kinds.configMap, ref)
      assert.isDefined(held.metadata.deletionTimestamp)
      yield* client.patch(Kinds.configMap, ref, { metadata: { finalizers: null } })
      assert.strictEqual(yield* refused(client.get(Kinds.configMap, ref)), "404 NotFound")
    }).pipe(api()))

  it.effect("binds a pod once and gives a bound pod its grace period", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const ref = { namespace: "default", name: "a" }
      yield* client.create(Kinds.pod, pod("a"))
      yield* client.bind(ref, "n1")
      assert.strictEqual(yield* refused(client.bind(ref, "n2")), "409 Conflict")
      const bound = yield* client.get(Kinds.pod, ref)
      assert.strictEqual(bound.spec?.nodeName, "n1")
      assert.strictEqual(bound.status?.conditions?.find((each) => each.type === "PodScheduled")?.status, "True")
      yield* client.delete(Kinds.pod, ref)
      const going = yield* client.get(Kinds.pod, ref)
      assert.strictEqual(going.metadata.deletionGracePeriodSeconds, 30)
      yield* client.delete(Kinds.pod, ref, { gracePeriodSeconds: 0, preconditions: { uid: going.metadata.uid } })
      assert.strictEqual(yield* refused(client.get(Kinds.pod, ref)), "404 NotFound")
    }).pipe(api()))

  it.effect("separates status from the rest", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const created = yield* client.create(Kinds.node, { metadata: { name: "n1" } })
      const withStatus = yield* client.updateStatus(Kinds.node, { ...created, spec: { unschedulable: true }, status: { phase: "Running" } })
      assert.isUndefined(withStatus.spec?.unschedulable)
      assert.strictEqual(withStatus.status?.phase, "Running")
      const patched = yield* client.patch(Kinds.node, { name: "n1" }, { spec: { unschedulable: true }, status: null })
      assert.strictEqual(patched.status?.phase, "Running")
      assert.isTrue(patched.spec?.unschedulable)
    }).pipe(api()))

  it.effect("applies merge and JSON patches, and refuses stale ones", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const ref = { namespace: "default", name: "a" }
      const created = yield* client.create(Kinds.configMap, configMap("a", { x: "1", y: "2" }))
      yield* client.patch(Kinds.configMap, ref, { data: { x: null, z: "3" } })
      const operations = [{ op: "test", path: "/data/y", value: "2" }, { op: "replace", path: "/data/y", value: "4" }]
      const patched = yield* client.patch(Kinds.configMap, ref, operations, { type: "json" })
      assert.deepStrictEqual(patched.data, { y: "4", z: "3" })
      assert.strictEqual(yield* refused(client.patch(Kinds.configMap, ref, operations, { type: "json" })), "422 Invalid")
      const stale = { metadata: { resourceVersion: created.metadata.resourceVersion }, data: {} }
      assert.strictEqual(yield* refused(client.patch(Kinds.configMap, ref, stale)), "409 Conflict")
      const same = yield* client.patch(Kinds.configMap, ref, {})
      assert.strictEqual(same.metadata.resourceVersion, patched.metadata.resourceVersion)
    }).pipe(api()))

  it.effect("lists by selectors and in pages that show one moment", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      for (const name of ["a", "b", "c", "d", "e"]) {
        yield* client.create(Kinds.configMap, configMap(name, {}, { labels: { odd: String("ace".includes(name)) } }))
      }
      const names = (page: ApiClient.Page<CoreV1.ConfigMap>) => page.items.map((item) => item.metadata.name)
      assert.deepStrictEqual(names(yield* client.list(Kinds.configMap, { labelSelector: "odd=true" })), ["a", "c", "e"])
      assert.deepStrictEqual(names(yield* client.list(Kinds.configMap, { fieldSelector: "metadata.name=b" })), ["b"])
      assert.deepStrictEqual(names(yield* client.list(Kinds.configMap, { namespace: "kube-system" })), [])
      const first = yield* client.list(Kinds.configMap, { namespace: "default", limit: 2 })
      yield* client.delete(Kinds.configMap, { namespace: "default", name: "c" })
      yield* client.create(Kinds.configMap, configMap("bb"))
      const second = yield* client.list(Kinds.configMap, { namespace: "default", limit: 2, continue: first.continue })
      assert.deepStrictEqual([names(first), names(second)], [["a", "b"], ["c", "d"]])
      assert.strictEqual(second.resourceVersion, first.resourceVersion)
      assert.strictEqual(first.items[0]?.kind, "ConfigMap")
      const server = yield* FakeApi.FakeApi
      yield* server.compact
      assert.strictEqual(yield* refused(client.list(Kinds.configMap, { continue: second.continue })), "410 Expired")
    }).pipe(api()))

  it.effect("watches from a resource version, with selector transitions", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const { resourceVersion } = yield* client.list(Kinds.configMap)
      const ref = { namespace: "default", name: "a" }
      yield* client.create(Kinds.configMap, configMap("a", {}, { labels: { on: "1" } }))
      yield* client.create(Kinds.configMap, configMap("other"))
      yield* client.patch(Kinds.configMap, ref, { data: { x: "1" } })
      const events = yield* Effect.fork(client.watch(Kinds.configMap, { namespace: "default", labelSelector: "on", resourceVersion }).pipe(
        Stream.take(4),
        Stream.runCollect
      ))
      yield* Effect.repeatN(Effect.yieldNow(), 20)
      const off = yield* client.patch(Kinds.configMap, ref, { metadata: { labels: null } })
      yield* client.patch(Kinds.configMap, ref, { metadata: { labels: { on: "2" } } })
      const seen = Chunk.toReadonlyArray(yield* Fiber.join(events))
      assert.deepStrictEqual(seen.map((event) => event.type), ["ADDED", "MODIFIED", "DELETED", "ADDED"])
      const gone = seen[2]?.type === "DELETED" ? seen[2].object.metadata : undefined
      assert.deepStrictEqual([gone?.labels, gone?.resourceVersion], [{ on: "1" }, off.metadata.resourceVersion])
    }).pipe(api()))

  it.effect("ends a watch at its timeout with a bookmark, and answers 410 for what it has forgotten", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      const { resourceVersion } = yield* client.list(Kinds.configMap)
      const watching = yield* Effect.fork(Stream.runCollect(
        client.watch(Kinds.configMap, { resourceVersion, allowBookmarks: true, timeoutSeconds: 30 })
      ))
      yield* Effect.repeatN(Effect.yieldNow(), 20)
      assert.strictEqual(server.watchers(), 1)
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(Chunk.toReadonlyArray(yield* Fiber.join(watching)), [{ type: "BOOKMARK", resourceVersion }])
      assert.strictEqual(server.watchers(), 0)
      yield* client.create(Kinds.configMap, configMap("a"))
      yield* server.compact
      assert.strictEqual(yield* refused(Stream.runDrain(client.watch(Kinds.configMap, { resourceVersion }))), "410 Expired")
    }).pipe(api()))

  it.effect("keeps a deleted namespace until it is finalized, and takes nothing new into it", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* client.create(Kinds.namespace, { metadata: { name: "team" } })
      yield* client.delete(Kinds.namespace, { name: "team" })
      const going = yield* client.get(Kinds.namespace, { name: "team" })
      assert.strictEqual(going.status?.phase, "Terminating")
      const error = yield* Effect.flip(client.create(Kinds.configMap, { metadata: { name: "a", namespace: "team" } }))
      assert.isTrue(ClientError.isNamespaceTerminating(error))
      yield* client.updateSubresource(Kinds.namespace, "finalize", { ...going, spec: { finalizers: [] } })
      assert.strictEqual(yield* refused(client.get(Kinds.namespace, { name: "team" })), "404 NotFound")
    }).pipe(api()))

  it.effect("injects faults: refused, lost and answered requests", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      server.injectFaults((request) => (request.method === "POST" ? { type: "lose" } : undefined))
      assert.strictEqual(yield* refused(client.create(Kinds.configMap, configMap("a"))), "TransportFailure")
      server.injectFaults(() => undefined)
      assert.strictEqual(yield* refused(client.create(Kinds.configMap, configMap("a"))), "409 AlreadyExists")
      server.injectFaults(() => ({ type: "fail" }))
      assert.strictEqual(yield* refused(client.get(Kinds.configMap, { namespace: "default", name: "a" })), "TransportFailure")
    }).pipe(api()))
})
