import { Kinds, Timestamp } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { BuiltInObjects, JobTtlController, RootCaController } from "@reddwarf/controller"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, TestClock } from "effect"

const kubernetes = { namespace: "default", name: "kubernetes" }

describe("BuiltInObjects", () => {
  it.scoped("creates what is missing, and puts it back", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      yield* BuiltInObjects.run({
        objects: [
          ...BuiltInObjects.priorityClasses,
          ...BuiltInObjects.apiServerService({ serviceNetwork: "10.96.0.0/12", address: "192.0.2.10", port: 6443 })
        ]
      })
      yield* TestClock.adjust("1 second")
      const values = () => server.list(Kinds.priorityClass).map((each) => [each.metadata.name, each.value])
      assert.deepStrictEqual(values(), [["system-cluster-critical", 2_000_000_000], ["system-node-critical", 2_000_001_000]])
      const spec = server.get(Kinds.service, kubernetes)?.spec
      assert.deepStrictEqual([spec?.clusterIP, spec?.ports?.[0]?.port, spec?.ports?.[0]?.targetPort], ["10.96.0.1", 443, 6443])
      assert.deepStrictEqual(server.get(Kinds.endpointSlice, kubernetes)?.endpoints?.[0]?.addresses, ["192.0.2.10"])
      yield* client.delete(Kinds.service, kubernetes)
      yield* client.patch(Kinds.endpoints, kubernetes, { subsets: null })
      yield* TestClock.adjust("1 minute")
      assert.isDefined(server.get(Kinds.service, kubernetes))
      assert.deepStrictEqual(server.get(Kinds.endpoints, kubernetes)?.subsets?.[0]?.addresses?.[0]?.ip, "192.0.2.10")
      const revision = server.revision()
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(server.revision(), revision)
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("names no endpoint that pods cannot reach", () =>
    Effect.sync(() => {
      const kinds = (address: string) =>
        BuiltInObjects.apiServerService({ serviceNetwork: "10.96.0.0/12", address, port: 6443 }).map(({ kind }) => kind.kind)
      assert.deepStrictEqual(["127.0.0.1", "::1", "0.0.0.0", "api.test"].map((address) => kinds(address).length), [1, 1, 1, 1])
      assert.deepStrictEqual(kinds("2001:db8::1"), ["Service", "Endpoints", "EndpointSlice"])
    }))

  it.scoped("adds missing rules to a default role, and leaves what others added", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const read = { apiGroups: [""], resources: ["pods"], verbs: ["get"] }
      const more = { apiGroups: [""], resources: ["secrets"], verbs: ["get"] }
      yield* client.create(Kinds.clusterRole, { metadata: { name: "viewer" }, rules: [more] })
      yield* client.create(Kinds.clusterRole, {
        metadata: { name: "mine", annotations: { "rbac.authorization.kubernetes.io/autoupdate": "false" } },
        rules: []
      })
      const roles = ["viewer", "mine"].map((name) => ({ metadata: { name }, rules: [read] }))
      yield* BuiltInObjects.run({ objects: BuiltInObjects.rbac(Kinds.clusterRole, roles) })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual((yield* client.get(Kinds.clusterRole, { name: "viewer" })).rules, [more, read])
      assert.deepStrictEqual((yield* client.get(Kinds.clusterRole, { name: "mine" })).rules ?? [], [])
    }).pipe(Effect.provide(FakeApi.layer())))
})

describe("RootCaController", () => {
  it.scoped("gives every namespace the authority, and puts it back when it is changed or deleted", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      const ref = { namespace: "team", name: RootCaController.configMapName }
      yield* RootCaController.run({ authority: "the authority" })
      yield* client.create(Kinds.namespace, { metadata: { name: "team" } })
      yield* TestClock.adjust("1 second")
      const found = () => server.get(Kinds.configMap, ref)
      assert.strictEqual(server.list(Kinds.configMap).length, 5)
      assert.deepStrictEqual([found()?.data, Object.keys(found()?.metadata.annotations ?? {})], [{ "ca.crt": "the authority" }, ["kubernetes.io/description"]])
      yield* client.patch(Kinds.configMap, ref, { data: { "ca.crt": "another", more: "" } })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(found()?.data, { "ca.crt": "the authority" })
      yield* client.delete(Kinds.configMap, ref)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(found()?.data, { "ca.crt": "the authority" })
    }).pipe(Effect.provide(FakeApi.layer())))
})

describe("JobTtlController", () => {
  it.scoped("removes a job when its time after the end is over, and no other", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      const template = { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "registry.test/app:1" }] } }
      for (const [name, ttl] of [["short", 30], ["kept", undefined], ["running", 30]] as const) {
        yield* client.create(Kinds.job, {
          metadata: { namespace: "default", name },
          spec: { template, ...(ttl === undefined ? {} : { ttlSecondsAfterFinished: ttl }) }
        })
      }
      yield* JobTtlController.run()
      const now = Timestamp.secondsFromMillis(yield* Clock.currentTimeMillis)
      for (const name of ["short", "kept"]) {
        const conditions = ["SuccessCriteriaMet", "Complete"].map((type) => ({ type, status: "True", lastProbeTime: now, lastTransitionTime: now }))
        const status = { startTime: now, completionTime: now, succeeded: 1, conditions }
        yield* client.patch(Kinds.job, { namespace: "default", name }, { status }, { subresource: "status" })
      }
      const going = () => server.list(Kinds.job).filter((job) => job.metadata.deletionTimestamp !== undefined).map((job) => job.metadata.name)
      yield* TestClock.adjust("29 seconds")
      assert.deepStrictEqual(going(), [])
      yield* TestClock.adjust("2 seconds")
      // It waits for its pods: the garbage collector removes them first.
      assert.deepStrictEqual(going(), ["short"])
      assert.deepStrictEqual(server.get(Kinds.job, { namespace: "default", name: "short" })?.metadata.finalizers, ["foregroundDeletion"])
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(going(), ["short"])
    }).pipe(Effect.provide(FakeApi.layer())))
})
