import { Kind, Kinds, type KubeObject } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { NamespaceController, ServiceAccountController } from "@reddwarf/controller"
import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"

const namespaced = { namespace: "team", name: "a" }

describe("NamespaceController", () => {
  it.scoped("empties a namespace that is being deleted and releases it", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      yield* client.create(Kinds.namespace, { metadata: { name: "team" } })
      yield* client.create(Kinds.configMap, { metadata: namespaced })
      yield* client.create(Kinds.configMap, { metadata: { name: "a", namespace: "default" } })
      yield* client.create(Kinds.secret, { metadata: namespaced })
      yield* client.create(Kinds.lease, { metadata: namespaced, spec: { holderIdentity: "x" } })
      yield* NamespaceController.run()
      yield* TestClock.adjust("1 minute")
      assert.isDefined(server.get(Kinds.configMap, namespaced))
      yield* client.delete(Kinds.namespace, { name: "team" })
      yield* TestClock.adjust("10 seconds")
      assert.isUndefined(server.get(Kinds.namespace, { name: "team" }))
      assert.deepStrictEqual([server.list(Kinds.configMap).length, server.list(Kinds.secret).length, server.list(Kinds.lease).length], [1, 0, 0])
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("waits for what takes its time, and says what that is", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      yield* client.create(Kinds.namespace, { metadata: { name: "team" } })
      yield* client.create(Kinds.configMap, { metadata: { ...namespaced, finalizers: ["example.com/hold"] } })
      yield* client.create(Kinds.pod, { metadata: namespaced, spec: { nodeName: "n1", containers: [{ name: "main", image: "registry.test/app:1" }] } })
      yield* NamespaceController.run()
      yield* client.delete(Kinds.namespace, { name: "team" })
      yield* TestClock.adjust("1 minute")
      const conditions = server.get(Kinds.namespace, { name: "team" })?.status?.conditions ?? []
      const message = (type: string) => conditions.find((each) => each.type === type)?.message
      assert.deepStrictEqual(
        [message("NamespaceContentRemaining"), message("NamespaceFinalizersRemaining")],
        [
          "Some resources are remaining: pods. has 1 resource instances",
          "All content-preserving finalizers finished"
        ]
      )
      // What the pod may need while it runs is there as long as it is.
      assert.isUndefined(server.get(Kinds.configMap, namespaced)?.metadata.deletionTimestamp)
      yield* client.delete(Kinds.pod, namespaced, { gracePeriodSeconds: 0 })
      yield* TestClock.adjust("10 seconds")
      const later = server.get(Kinds.namespace, { name: "team" })?.status?.conditions ?? []
      assert.deepStrictEqual(
        ["NamespaceContentRemaining", "NamespaceFinalizersRemaining"].map((type) => later.find((each) => each.type === type)?.message),
        [
          "Some resources are remaining: configmaps. has 1 resource instances",
          "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances"
        ]
      )
      yield* client.patch(Kinds.configMap, namespaced, { metadata: { finalizers: null } })
      yield* TestClock.adjust("10 seconds")
      assert.isUndefined(server.get(Kinds.namespace, { name: "team" }))
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("does not look again because of what it says itself", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      const held = (index: number) => ({ namespace: "team", name: `held-${index}` })
      yield* client.create(Kinds.namespace, { metadata: { name: "team" } })
      for (let index = 0; index < 5; index++) yield* client.create(Kinds.configMap, { metadata: { ...held(index), finalizers: ["example.com/hold"] } })
      yield* NamespaceController.run()
      yield* client.delete(Kinds.namespace, { name: "team" })
      // One less each time, so that there is something new to say each time.
      for (let index = 0; index < 5; index++) {
        yield* TestClock.adjust("4 seconds")
        yield* client.patch(Kinds.configMap, held(index), { metadata: { finalizers: null } })
      }
      const passes = server.requests().filter(({ method, path }) => method === "GET" && path.startsWith("/api/v1/namespaces/team/secrets")).length
      assert.isAtMost(passes, 5)
      yield* TestClock.adjust("10 seconds")
      assert.isUndefined(server.get(Kinds.namespace, { name: "team" }))
    }).pipe(Effect.provide(FakeApi.layer())))
})

const custom = Kind.make<KubeObject.KubeObject>({
  group: "example.com",
  version: "v1",
  kind: "Widget",
  plural: "widgets",
  namespaced: true,
  schema: Kinds.configMap.schema,
  verbs: ["create", "get", "list", "watch", "delete"]
})

describe("NamespaceController, with kinds that discovery brings", () => {
  it.scoped("empties custom kinds too, also those without a delete of collections", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      yield* client.create(Kinds.namespace, { metadata: { name: "team" } })
      yield* client.create(custom, { metadata: namespaced })
      yield* client.create(custom, { metadata: { name: "b", namespace: "team" } })
      yield* NamespaceController.run()
      yield* client.delete(Kinds.namespace, { name: "team" })
      yield* TestClock.adjust("10 seconds")
      assert.isUndefined(server.get(Kinds.namespace, { name: "team" }))
      assert.strictEqual(server.list(custom).length, 0)
    }).pipe(Effect.provide(FakeApi.layer({ kinds: [...Kinds.all, custom] }))))

  it.scoped("keeps the namespace while the kinds are not known or one cannot be emptied, and says why", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      yield* client.create(Kinds.namespace, { metadata: { name: "team" } })
      yield* NamespaceController.run()
      const condition = (type: string) => server.get(Kinds.namespace, { name: "team" })?.status?.conditions?.find((each) => each.type === type)
      server.injectFaults((request) => (request.path === "/apis" ? { type: "fail" } : undefined))
      yield* client.delete(Kinds.namespace, { name: "team" })
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(
        [condition("NamespaceDeletionDiscoveryFailure")?.status, condition("NamespaceDeletionDiscoveryFailure")?.reason],
        ["True", "DiscoveryFailed"]
      )
      server.injectFaults((request) => (request.path.includes("/secrets") ? { type: "fail" } : undefined))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(condition("NamespaceDeletionDiscoveryFailure")?.status, "False")
      assert.deepStrictEqual(
        [condition("NamespaceDeletionContentFailure")?.status, condition("NamespaceDeletionContentFailure")?.reason],
        ["True", "ContentDeletionFailed"]
      )
      server.injectFaults(() => undefined)
      yield* TestClock.adjust("10 seconds")
      assert.isUndefined(server.get(Kinds.namespace, { name: "team" }))
    }).pipe(Effect.provide(FakeApi.layer())))
})

describe("ServiceAccountController", () => {
  it.scoped("gives every active namespace its default account, and puts it back", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      yield* ServiceAccountController.run()
      yield* client.create(Kinds.namespace, { metadata: { name: "team" } })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(
        server.list(Kinds.serviceAccount).map((account) => `${account.metadata.namespace}/${account.metadata.name}`),
        ["default/default", "kube-node-lease/default", "kube-public/default", "kube-system/default", "team/default"]
      )
      yield* client.delete(Kinds.serviceAccount, { namespace: "team", name: "default" })
      yield* TestClock.adjust("1 second")
      assert.isDefined(server.get(Kinds.serviceAccount, { namespace: "team", name: "default" }))
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("lets a namespace go that the namespace controller empties", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      yield* ServiceAccountController.run()
      yield* NamespaceController.run()
      yield* client.create(Kinds.namespace, { metadata: { name: "team" } })
      yield* TestClock.adjust("1 second")
      yield* client.delete(Kinds.namespace, { name: "team" })
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(server.get(Kinds.namespace, { name: "team" }))
      assert.strictEqual(server.list(Kinds.serviceAccount, "team").length, 0)
    }).pipe(Effect.provide(FakeApi.layer())))
})
