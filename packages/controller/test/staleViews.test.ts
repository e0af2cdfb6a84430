/** What controllers do while their copies of the cluster lag behind it: nothing that cannot be undone, and nothing twice. */
import { Kinds, type KubeObject, OwnerReference } from "@reddwarf/api-types"
import { ApiClient, EventRecorder, FakeApi, type Transport } from "@reddwarf/client"
import { CronJobController, EndpointSliceController, JobController, NamespaceController, ResourceQuotaController, StatefulSetController, VolumeProtectionController } from "@reddwarf/controller"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, TestClock } from "effect"

const world = () => Layer.merge(FakeApi.layer(), EventRecorder.layerMemory([]))
const settle = TestClock.adjust("2 seconds")

/** Cuts off the informers of a resource, until the function that this gives is called. */
const cutOff = (plural: string) =>
  Effect.gen(function*() {
    const server = yield* FakeApi.FakeApi
    const isRead = ({ method, path }: Transport.Request): boolean => method === "GET" && (path.split("?")[0] ?? "").endsWith(`/${plural}`) && path.includes("?")
    server.injectFaults((request) => (isRead(request) ? { type: "fail" } : undefined))
    yield* server.disconnectWatches
    yield* settle
    return () => server.injectFaults(() => undefined)
  })

const nameOf = ({ metadata }: KubeObject.KubeObject) => metadata.name

describe("a controller whose view is stale", () => {
  it.scoped("leaves the content of a namespace that was made again alone", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      const held = { namespace: "team", name: "held" }
      yield* client.create(Kinds.namespace, { metadata: { name: "team" } })
      yield* client.create(Kinds.configMap, { metadata: { ...held, finalizers: ["example.com/hold"] } })
      yield* NamespaceController.run()
      yield* client.delete(Kinds.namespace, { name: "team" })
      yield* settle
      yield* cutOff("namespaces")
      yield* client.patch(Kinds.configMap, held, { metadata: { finalizers: null } })
      const old = yield* client.get(Kinds.namespace, { name: "team" })
      yield* client.updateSubresource(Kinds.namespace, "finalize", { ...old, spec: { finalizers: [] } })
      yield* client.create(Kinds.namespace, { metadata: { name: "team" } })
      yield* client.create(Kinds.configMap, { metadata: { namespace: "team", name: "new" } })
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(server.list(Kinds.configMap, "team").map(nameOf), ["new"])
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("makes a slice again that was deleted before it was seen", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      yield* EndpointSliceController.run()
      yield* settle
      const restore = yield* cutOff("endpointslices")
      yield* client.create(Kinds.service, { metadata: { namespace: "default", name: "web" }, spec: { clusterIP: "10.96.0.9", selector: { app: "web" }, ports: [{ port: 80 }] } })
      yield* settle
      const [slice] = server.list(Kinds.endpointSlice)
      yield* client.delete(Kinds.endpointSlice, { namespace: "default", name: slice?.metadata.name ?? "" })
      restore()
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(server.list(Kinds.endpointSlice).length, 1)
    }).pipe(Effect.provide(world())))

  it.scoped("makes a slice once, though another one was refused", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      yield* EndpointSliceController.run()
      yield* settle
      yield* cutOff("endpointslices")
      for (const [index, containerPort] of [8080, 9090].entries()) {
        const at = { namespace: "default", name: `web-${index}` }
        yield* client.create(Kinds.pod, { metadata: { ...at, labels: { app: "web" } }, spec: { containers: [{ name: "main", image: "registry.test/app:1", ports: [{ name: "http", containerPort }] }] } })
        yield* client.bind(at, "n1")
        yield* client.patch(Kinds.pod, at, { status: { phase: "Running", podIP: `10.1.0.${index + 1}`, conditions: [{ type: "Ready", status: "True" }] } }, { subresource: "status" })
      }
      let posts = 0
      server.injectFaults(({ method, path }) =>
        method === "POST" && path.includes("/endpointslices") && posts++ === 1
          ? { type: "fail" }
          : method === "GET" && path.includes("/endpointslices?") ? { type: "fail" } : undefined)
      yield* client.create(Kinds.service, { metadata: { namespace: "default", name: "web" }, spec: { clusterIP: "10.96.0.9", selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: "http" }] } })
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(server.list(Kinds.endpointSlice).map(({ ports }) => ports?.[0]?.port ?? 0).sort((a, b) => a - b), [8080, 9090])
    }).pipe(Effect.provide(world())))

  it.scoped("keeps a claim that a pod uses which it has not seen", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      const ref = { namespace: "default", name: "data" }
      yield* client.create(Kinds.persistentVolumeClaim, { metadata: ref, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } })
      yield* VolumeProtectionController.run()
      yield* settle
      const restore = yield* cutOff("pods")
      const pod = { namespace: "default", name: "user" }
      yield* client.create(Kinds.pod, {
        metadata: pod,
        spec: { containers: [{ name: "main", image: "registry.test/app:1" }], volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }] }
      })
      yield* client.bind(pod, "n1")
      restore()
      server.injectFaults(({ method, path }) => (method === "GET" && path.includes("/pods?") && path.includes("watch=") ? { type: "fail" } : undefined))
      yield* client.delete(Kinds.persistentVolumeClaim, ref)
      yield* TestClock.adjust("1 seconds")
      assert.isDefined(server.get(Kinds.persistentVolumeClaim, ref))
    }).pipe(Effect.provide(world())))

  it.scoped("replaces a running job that it has not seen", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      yield* CronJobController.run()
      yield* settle
      yield* cutOff("jobs")
      yield* client.create(Kinds.cronJob, {
        metadata: { namespace: "default", name: "tick" },
        spec: {
          schedule: "*/10 * * * *",
          concurrencyPolicy: "Replace",
          jobTemplate: { spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "registry.test/app:1" }] } } } }
        }
      })
      yield* TestClock.adjust("11 minutes")
      assert.deepStrictEqual(server.list(Kinds.job).map(nameOf), ["tick-10"])
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(server.list(Kinds.job).filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(nameOf), ["tick-20"])
    }).pipe(Effect.provide(world())))

  it.scoped("lets go of a pod that its job no longer selects", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      yield* JobController.run()
      yield* client.create(Kinds.job, { metadata: { namespace: "default", name: "work" }, spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "registry.test/app:1" }] } } } })
      yield* settle
      const [pod] = server.list(Kinds.pod)
      const at = { namespace: "default", name: pod?.metadata.name ?? "" }
      yield* client.patch(Kinds.pod, at, { metadata: { labels: null } })
      yield* settle
      assert.deepStrictEqual([server.get(Kinds.pod, at)?.metadata.ownerReferences, server.get(Kinds.pod, at)?.metadata.finalizers], [undefined, undefined])
      assert.strictEqual(server.list(Kinds.pod).length, 2)
    }).pipe(Effect.provide(world())))

  it.scoped("counts for one quota while a kind that another one counts cannot be listed", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      yield* cutOff("leases")
      yield* ResourceQuotaController.run({ workers: 1 })
      yield* client.create(Kinds.resourceQuota, { metadata: { namespace: "default", name: "a" }, spec: { hard: { "count/leases.coordination.k8s.io": "1", pods: "1" } } })
      yield* settle
      yield* client.create(Kinds.resourceQuota, { metadata: { namespace: "default", name: "b" }, spec: { hard: { pods: "1" } } })
      yield* TestClock.adjust("10 seconds")
      const used = (name: string) => server.get(Kinds.resourceQuota, { namespace: "default", name })?.status?.used
      assert.deepStrictEqual([used("a"), used("b")], [{ pods: "0" }, { pods: "0" }])
      server.injectFaults(() => undefined)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(used("a"), { "count/leases.coordination.k8s.io": "0", pods: "0" })
    }).pipe(Effect.provide(world())))

  it.scoped("goes on when another pod has the name of the one that it deleted", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      const template = { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "main", image: "registry.test/app:1" }] } }
      yield* StatefulSetController.run()
      yield* client.create(Kinds.statefulSet, { metadata: { namespace: "default", name: "web" }, spec: { selector: { matchLabels: { app: "web" } }, serviceName: "web", template } })
      yield* settle
      const at = { namespace: "default", name: "web-0" }
      yield* client.bind(at, "n1")
      // It learns that the pod has failed, cannot delete it, and hears nothing any more when it can.
      server.injectFaults(({ method }) => (method === "DELETE" ? { type: "fail" } : undefined))
      yield* client.patch(Kinds.pod, at, { status: { phase: "Failed" } }, { subresource: "status" })
      yield* TestClock.adjust("100 millis")
      const restore = yield* cutOff("pods")
      yield* settle
      yield* Effect.ignore(client.delete(Kinds.pod, at, { gracePeriodSeconds: 0 }))
      const set = yield* client.get(Kinds.statefulSet, { namespace: "default", name: "web" })
      yield* client.create(Kinds.pod, { ...template, metadata: { ...at, labels: template.metadata.labels, ownerReferences: [OwnerReference.controllerOf(Kinds.statefulSet, set)] } })
      // The watch cannot go on where it was: what happened meanwhile shows only as one object in place of another.
      yield* server.compact
      restore()
      yield* TestClock.adjust("40 seconds")
      assert.strictEqual(server.get(Kinds.pod, at)?.metadata.labels?.["statefulset.kubernetes.io/pod-name"], "web-0")
    }).pipe(Effect.provide(world())))
})
