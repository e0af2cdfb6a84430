import { type CoreV1, Kinds, OwnerReference } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { ReplicaSetController, ReplicationManager } from "@reddwarf/controller"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { activePods, converge, pods, ref, template, world } from "./workloads.js"

const create = (spec: CoreV1.ReplicationControllerSpec) =>
  Effect.flatMap(ApiClient.ApiClient, (client) => client.create(Kinds.replicationController, { metadata: ref, spec: { template: template("app:1"), ...spec } }))

describe("ReplicationManager", () => {
  it.scoped("makes the pods of ReplicationControllers, and counts them", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      yield* ReplicationManager.run()
      const owner = yield* create({ replicas: 3, selector: { app: "web" } })
      yield* converge()
      const [pod] = yield* pods
      assert.deepStrictEqual(pod?.metadata.ownerReferences, [OwnerReference.controllerOf(Kinds.replicationController, owner)])
      const status = () => server.get(Kinds.replicationController, ref)?.status
      assert.deepStrictEqual(
        [status()?.replicas, status()?.readyReplicas, status()?.availableReplicas, status()?.fullyLabeledReplicas, status()?.observedGeneration],
        [3, 3, 3, 3, 1]
      )
      yield* client.patch(Kinds.replicationController, ref, { spec: { replicas: 1 } })
      yield* converge()
      assert.deepStrictEqual([(yield* activePods).length, status()?.replicas], [1, 1])
    }).pipe(Effect.provide(world().layer)))

  it.scoped("leaves the pods of a ReplicaSet of the same name and labels alone, and the other way round", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* ReplicationManager.run()
      yield* ReplicaSetController.run()
      yield* create({ replicas: 2, selector: { app: "web" } })
      yield* client.create(Kinds.replicaSet, { metadata: ref, spec: { replicas: 1, selector: { matchLabels: { app: "web" } }, template: template("app:2") } })
      yield* converge()
      const kinds = (yield* activePods).map((pod) => OwnerReference.controller(pod)?.kind ?? "")
      assert.deepStrictEqual(kinds.sort(), ["ReplicaSet", "ReplicationController", "ReplicationController"])
    }).pipe(Effect.provide(world().layer)))
})
