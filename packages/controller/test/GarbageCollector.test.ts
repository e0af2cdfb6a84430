import { Kind, Kinds, type KubeObject, type MetaV1 } from "@reddwarf/api-types"
import { ApiClient, EventRecorder, FakeApi } from "@reddwarf/client"
import { GarbageCollector } from "@reddwarf/controller"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, Layer, TestClock } from "effect"

const widget = Kind.make<KubeObject.KubeObject>({
  group: "example.com",
  version: "v1",
  kind: "Widget",
  plural: "widgets",
  namespaced: true,
  schema: Kinds.configMap.schema
})

const world = () => {
  const events: Array<EventRecorder.Recorded> = []
  return { events, layer: Layer.merge(FakeApi.layer({ kinds: [...Kinds.all, widget] }), EventRecorder.layerMemory(events)) }
}

const referTo = (owner: KubeObject.KubeObject, more: Partial<MetaV1.OwnerReference> = {}): MetaV1.OwnerReference => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name ?? "",
  uid: owner.metadata.uid ?? "",
  ...more
})

const create = (name: string, ownerReferences: ReadonlyArray<MetaV1.OwnerReference> = [], kind: Kind.Kind = Kinds.configMap, namespace = "default") =>
  Effect.flatMap(ApiClient.ApiClient, (client) =>
    client.create(kind, { metadata: { name, ...(kind.namespaced ? { namespace } : {}), ...(ownerReferences.length === 0 ? {} : { ownerReferences }) } }))

const ref = (name: string, namespace = "default") => ({ namespace, name })
const names = Effect.map(FakeApi.FakeApi, (server) => server.list(Kinds.configMap, "default").map((object) => object.metadata.name))
const settle = TestClock.adjust("20 seconds")

describe("GarbageCollector", () => {
  it.scoped("removes what nobody owns any more, down to the last dependent, and leaves the rest", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const owner = yield* create("owner")
      const other = yield* create("other")
      const child = yield* create("child", [referTo(owner)])
      yield* create("grandchild", [referTo(child)])
      yield* create("shared", [referTo(owner), referTo(other)])
      yield* create("free")
      yield* GarbageCollector.run()
      yield* settle
      yield* client.delete(Kinds.configMap, ref("owner"))
      yield* settle
      assert.deepStrictEqual(yield* names, ["free", "other", "shared"])
      const shared = yield* client.get(Kinds.configMap, ref("shared"))
      assert.deepStrictEqual(shared.metadata.ownerReferences, [referTo(other)])
    }).pipe(Effect.provide(world().layer)))

  it.scoped("takes an owner of the same name but another uid for absent, and one of an unknown kind for nothing", () =>
    Effect.gen(function*() {
      const owner = yield* create("owner")
      yield* create("impostor", [referTo(owner, { uid: "another" })])
      yield* create("unknown", [{ apiVersion: "nowhere.example.com/v1", kind: "Thing", name: "t", uid: "t" }])
      yield* GarbageCollector.run()
      yield* settle
      assert.deepStrictEqual(yield* names, ["owner", "unknown"])
    }).pipe(Effect.provide(world().layer)))

  it.scoped("waits for blocking dependents in the foreground, and for no others", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      const owner = yield* create("owner")
      yield* create("blocking", [referTo(owner, { blockOwnerDeletion: true })])
      yield* create("loose", [referTo(owner)])
      for (const name of ["blocking", "loose"]) {
        yield* client.patch(Kinds.configMap, ref(name), { metadata: { finalizers: ["example.com/hold"] } })
      }
      yield* GarbageCollector.run()
      yield* client.delete(Kinds.configMap, ref("owner"), { propagationPolicy: "Foreground" })
      yield* settle
      assert.deepStrictEqual(yield* names, ["blocking", "loose", "owner"])
      assert.isDefined(server.get(Kinds.configMap, ref("blocking"))?.metadata.deletionTimestamp)
      yield* client.patch(Kinds.configMap, ref("blocking"), { metadata: { finalizers: null } })
      yield* settle
      assert.deepStrictEqual(yield* names, ["loose"])
    }).pipe(Effect.provide(world().layer)))

  it.scoped("goes down a whole tree in the foreground, and through a circle", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const a = yield* create("a")
      const b = yield* create("b", [referTo(a, { blockOwnerDeletion: true })])
      yield* create("c", [referTo(b, { blockOwnerDeletion: true })])
      yield* client.patch(Kinds.configMap, ref("a"), { metadata: { ownerReferences: [referTo(b, { blockOwnerDeletion: true })] } })
      yield* GarbageCollector.run()
      yield* settle
      assert.deepStrictEqual(yield* names, ["a", "b", "c"])
      yield* client.delete(Kinds.configMap, ref("a"), { propagationPolicy: "Foreground" })
      yield* settle
      assert.deepStrictEqual(yield* names, [])
    }).pipe(Effect.provide(world().layer)))

  it.scoped("releases dependents before their owner goes when they are to be orphaned", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const owner = yield* create("owner")
      yield* create("child", [referTo(owner, { controller: true, blockOwnerDeletion: true })])
      yield* GarbageCollector.run()
      yield* client.delete(Kinds.configMap, ref("owner"), { propagationPolicy: "Orphan" })
      yield* settle
      assert.deepStrictEqual(yield* names, ["child"])
      assert.isUndefined((yield* client.get(Kinds.configMap, ref("child"))).metadata.ownerReferences)
    }).pipe(Effect.provide(world().layer)))

  it.scoped("takes an owner in another namespace for absent, and says so", () => {
    const { events, layer } = world()
    return Effect.gen(function*() {
      const owner = yield* create("owner", [], Kinds.configMap, "kube-system")
      const child = yield* create("child", [referTo(owner)])
      yield* create("cluster-scoped", [referTo(owner)], Kinds.node)
      yield* GarbageCollector.run()
      yield* settle
      const server = yield* FakeApi.FakeApi
      assert.deepStrictEqual([yield* names, server.list(Kinds.node).length], [[], 1])
      const reported = `[v1/ConfigMap, namespace: default, name: owner, uid: ${owner.metadata.uid}]`
      const event = events.find((each) => each.object.uid === child.metadata.uid)
      assert.deepStrictEqual(
        [event?.type, event?.reason, event?.message],
        ["Warning", "OwnerRefInvalidNamespace", `ownerRef ${reported} does not exist in namespace "default"`]
      )
      assert.isTrue(events.some((each) => each.object.kind === "Node" && each.reason === "OwnerRefInvalidNamespace"))
    }).pipe(Effect.provide(layer))
  })

  it.scoped("looks at custom kinds, and keeps what belongs to a kind that is served no more", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const first = yield* create("first", [], widget)
      const second = yield* create("second", [], widget)
      yield* create("of-first", [referTo(first)])
      yield* create("of-second", [referTo(second)])
      let served = [...Kinds.all, widget]
      yield* GarbageCollector.run({ discover: Effect.sync(() => served) })
      yield* settle
      yield* client.delete(widget, ref("first"))
      yield* settle
      assert.deepStrictEqual(yield* names, ["of-second"])
      served = [...Kinds.all]
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(yield* names, ["of-second"])
    }).pipe(Effect.provide(world().layer)))

  it.scoped("asks for metadata alone", () =>
    Effect.gen(function*() {
      yield* create("one")
      yield* GarbageCollector.run()
      yield* settle
      const server = yield* FakeApi.FakeApi
      const lists = server.requests().filter((each) => each.method === "GET" && each.path.startsWith("/api/v1/configmaps"))
      assert.isTrue(lists.length > 1 && lists.every((each) => each.headers?.["accept"]?.includes("as=PartialObjectMetadata")))
    }).pipe(Effect.provide(world().layer)))

  /** Objects by number, each owned by any of those before it; then some are deleted. */
  const scenario = FastCheck.record({
    owners: FastCheck.array(FastCheck.array(FastCheck.record({ of: FastCheck.nat({ max: 9 }), blocks: FastCheck.boolean() }), { maxLength: 3 }), { minLength: 1, maxLength: 10 }),
    deletions: FastCheck.array(
      FastCheck.record({ of: FastCheck.nat({ max: 9 }), policy: FastCheck.constantFrom("Background" as const, "Foreground" as const, "Orphan" as const) }),
      { maxLength: 4 }
    ),
    running: FastCheck.boolean()
  })

  /** What is left by the rules: an object goes when it had owners and all are gone; one that was orphaned had its owner taken away. */
  const expected = (owners: ReadonlyArray<ReadonlySet<number>>, deletions: ReadonlyArray<{ of: number; policy: string }>): ReadonlyArray<number> => {
    const left = new Map(owners.map((each, index) => [index, new Set(each)]))
    const sweep = (): void => {
      for (const [index, each] of left) {
        if (each.size === 0) continue
        for (const owner of each) if (!left.has(owner)) each.delete(owner)
        if (each.size > 0) continue
        left.delete(index)
        return sweep()
      }
    }
    for (const { of, policy } of deletions) {
      if (!left.delete(of)) continue
      if (policy === "Orphan") for (const each of left.values()) each.delete(of)
      sweep()
    }
    return [...left.keys()]
  }

  it.effect.prop("leaves exactly what a naive model leaves", [scenario], ([{ deletions, owners, running }]) =>
    Effect.scoped(Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      const made: Array<KubeObject.KubeObject> = []
      const sets: Array<ReadonlySet<number>> = []
      for (const [index, each] of owners.entries()) {
        const references = new Map(each.filter(({ of }) => of < index).map(({ blocks, of }) => [of, blocks]))
        sets.push(new Set(references.keys()))
        made.push(yield* create(`o${index}`, [...references].flatMap(([of, blockOwnerDeletion]) => {
          const owner = made[of]
          return owner === undefined ? [] : [referTo(owner, { blockOwnerDeletion })]
        })))
      }
      // A deletion in the foreground or of orphans needs the controller to have seen the one before.
      const deletes = running ? deletions : deletions.slice(0, 1)
      if (running) yield* Effect.zipRight(GarbageCollector.run(), settle)
      for (const { of, policy } of deletes) {
        yield* Effect.ignore(client.delete(Kinds.configMap, ref(`o${of}`), { propagationPolicy: policy }))
        if (running) yield* settle
      }
      if (!running) yield* Effect.zipRight(GarbageCollector.run(), settle)
      const left = server.list(Kinds.configMap, "default").map((object) => object.metadata.name)
      assert.deepStrictEqual(left, expected(sets, deletes).map((index) => `o${index}`).sort())
      assert.isTrue(server.list(Kinds.configMap).every((object) => object.metadata.deletionTimestamp === undefined))
    })).pipe(Effect.provide(world().layer)), { fastCheck: { numRuns: 20 }, timeout: 60_000 })

  it.scoped("orphans and waits for dependents although one kind cannot be listed", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      server.injectFaults(({ method, path }) => (method === "GET" && path.includes("/widgets") ? { type: "fail" } : undefined))
      const owner = yield* create("owner")
      yield* create("child", [referTo(owner)])
      yield* GarbageCollector.run()
      yield* settle
      yield* client.delete(Kinds.configMap, ref("owner"), { propagationPolicy: "Orphan" })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* names, ["child"])
    }).pipe(Effect.provide(world().layer)))
})
