/** The controllers against the API server itself, over a store in memory. */
import { InProcessTransport, KubeletClient, RbacDefaults, Server, UserInfo } from "@reddwarf/apiserver"
import { type Kind, Kinds, type KubeObject, OwnerReference } from "@reddwarf/api-types"
import { ApiClient, EventRecorder } from "@reddwarf/client"
import { BuiltInObjects, ControllerManager, GarbageCollector, NamespaceController, RootCaController } from "@reddwarf/controller"
import { ObjectStore } from "@reddwarf/store"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"

const server = Server.layerApi().pipe(Layer.provide(ObjectStore.layerMemory), Layer.provide(KubeletClient.layerUnavailable))

const world = () =>
  EventRecorder.layerMemory([]).pipe(
    Layer.merge(ApiClient.layer),
    Layer.provide(InProcessTransport.layer(UserInfo.authenticated("system:kube-controller-manager", ["system:masters"]))),
    Layer.provide(Layer.fresh(server))
  )

/** Repeats a look until it shows what is wanted; gives the last one when that takes too long. */
const eventually = <A, E, R>(look: Effect.Effect<A, E, R>, isRight: (seen: A) => boolean): Effect.Effect<A, E, R> =>
  Effect.repeat(Effect.zipLeft(look, Effect.sleep("20 millis")), { until: isRight, times: 500 })

const template = { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "main", image: "registry.test/app:1" }] } }

const names = (kind: Kind.Kind) =>
  Effect.flatMap(ApiClient.ApiClient, (client) =>
    Effect.map(client.list(kind, { namespace: "default" }), ({ items }) => items.map((item) => item.metadata.name ?? "").sort()))

/** A ReplicaSet with two pods, as its controller would have made them. */
const replicaSet = (name: string) =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    const owner = yield* client.create(Kinds.replicaSet, {
      metadata: { name, namespace: "default" },
      spec: { replicas: 2, selector: { matchLabels: { app: "web" } }, template }
    })
    for (const suffix of ["a", "b"]) {
      yield* client.create(Kinds.pod, {
        metadata: { name: `${name}-${suffix}`, namespace: "default", labels: { app: "web" }, ownerReferences: [OwnerReference.controllerOf(Kinds.replicaSet, owner)] },
        spec: template.spec
      })
    }
  })

describe("controllers over the API server", () => {
  it.scopedLive("dependents go with their owner in the background and before it in the foreground, and stay as orphans", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* GarbageCollector.run()
      yield* Effect.forEach(["background", "foreground", "orphan"], replicaSet, { discard: true })
      yield* client.delete(Kinds.replicaSet, { namespace: "default", name: "background" }, { propagationPolicy: "Background" })
      yield* client.delete(Kinds.replicaSet, { namespace: "default", name: "foreground" }, { propagationPolicy: "Foreground" })
      yield* client.delete(Kinds.replicaSet, { namespace: "default", name: "orphan" }, { propagationPolicy: "Orphan" })
      assert.deepStrictEqual(yield* eventually(names(Kinds.replicaSet), (left) => left.length === 0), [])
      assert.deepStrictEqual(yield* eventually(names(Kinds.pod), (left) => left.length === 2), ["orphan-a", "orphan-b"])
      const orphan = yield* client.get(Kinds.pod, { namespace: "default", name: "orphan-a" })
      assert.strictEqual(orphan.metadata.ownerReferences?.length ?? 0, 0)
    }).pipe(Effect.provide(world())))

  it.scopedLive("a namespace says what holds it up, and goes when that is gone", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* NamespaceController.run({ recheck: "50 millis" })
      yield* client.create(Kinds.namespace, { metadata: { name: "team" } })
      yield* client.create(Kinds.configMap, { metadata: { name: "held", namespace: "team", finalizers: ["example.com/hold"] }, data: {} })
      yield* client.create(Kinds.secret, { metadata: { name: "free", namespace: "team" } })
      yield* client.delete(Kinds.namespace, { name: "team" })
      const message = (type: string) =>
        Effect.map(client.get(Kinds.namespace, { name: "team" }), ({ status }) => status?.conditions?.find((each) => each.type === type)?.message)
      const remaining = yield* eventually(message("NamespaceContentRemaining"), (text) => text !== undefined)
      assert.strictEqual(remaining, "Some resources are remaining: configmaps. has 1 resource instances")
      assert.strictEqual(
        yield* message("NamespaceFinalizersRemaining"),
        "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances"
      )
      yield* client.patch(Kinds.configMap, { namespace: "team", name: "held" }, { metadata: { finalizers: null } })
      const left = Effect.map(client.list(Kinds.namespace), ({ items }) => items.map((each) => each.metadata.name))
      assert.notInclude(yield* eventually(left, (all) => !all.includes("team")), "team")
    }).pipe(Effect.provide(world())))

  it.scopedLive("the server takes every built-in object, and has them again after they were deleted", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const network = "10.96.0.0/12"
      yield* BuiltInObjects.run({
        every: "200 millis",
        objects: [
          ...BuiltInObjects.rbac(Kinds.clusterRole, RbacDefaults.clusterRoles),
          ...BuiltInObjects.rbac(Kinds.clusterRoleBinding, RbacDefaults.clusterRoleBindings),
          ...BuiltInObjects.rbac(Kinds.role, RbacDefaults.roles),
          ...BuiltInObjects.rbac(Kinds.roleBinding, RbacDefaults.roleBindings),
          ...BuiltInObjects.priorityClasses,
          ...BuiltInObjects.apiServerService({ serviceNetwork: network, address: "192.0.2.10", port: 6443 })
        ]
      })
      const count = (kind: Kind.Kind) => Effect.map(client.list<KubeObject.KubeObject>(kind), ({ items }) => items.length)
      const complete = Effect.all([
        count(Kinds.clusterRole),
        count(Kinds.clusterRoleBinding),
        count(Kinds.role),
        count(Kinds.roleBinding),
        count(Kinds.priorityClass),
        count(Kinds.service),
        count(Kinds.endpoints),
        count(Kinds.endpointSlice)
      ])
      const { clusterRoleBindings, clusterRoles, roleBindings, roles } = RbacDefaults
      const expected = [clusterRoles.length, clusterRoleBindings.length, roles.length, roleBindings.length, 2, 1, 1, 1]
      const isComplete = (found: ReadonlyArray<number>) => found.join() === expected.join()
      assert.deepStrictEqual(yield* eventually(complete, isComplete), expected)
      const service = yield* client.get(Kinds.service, { namespace: "default", name: "kubernetes" })
      assert.strictEqual(service.spec?.clusterIP, "10.96.0.1")
      yield* client.delete(Kinds.service, { namespace: "default", name: "kubernetes" })
      yield* client.delete(Kinds.clusterRole, { name: "cluster-admin" })
      assert.deepStrictEqual(yield* eventually(complete, isComplete), expected)
    }).pipe(Effect.provide(world())))

  it.scopedLive("all controllers together leave a new namespace with what every namespace has, and let it go again", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* ControllerManager.run({ rootCa: { authority: "the authority" }, namespace: { recheck: "50 millis" } })
      yield* client.create(Kinds.namespace, { metadata: { name: "team" } })
      const content = Effect.all([
        Effect.map(client.list(Kinds.serviceAccount, { namespace: "team" }), ({ items }) => items.map((each) => each.metadata.name)),
        Effect.map(client.list(Kinds.configMap, { namespace: "team" }), ({ items }) => items.map((each) => each.metadata.name))
      ])
      const seen = yield* eventually(content, ([accounts, maps]) => accounts.length > 0 && maps.length > 0)
      assert.deepStrictEqual(seen, [["default"], [RootCaController.configMapName]])
      yield* client.delete(Kinds.namespace, { name: "team" })
      const left = Effect.map(client.list(Kinds.namespace), ({ items }) => items.map((each) => each.metadata.name))
      assert.notInclude(yield* eventually(left, (all) => !all.includes("team")), "team")
    }).pipe(Effect.provide(world())))
})
