import { type CoreV1, type DiscoveryV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, EventRecorder, FakeApi } from "@reddwarf/client"
import { EndpointSliceController, EndpointSliceMirroringController, EndpointsController } from "@reddwarf/controller"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, Layer, TestClock } from "effect"
import { pack } from "../src/internal/slicePacking.js"

const world = () => Layer.merge(FakeApi.layer(), EventRecorder.layerMemory([]))

const ref = { namespace: "default", name: "web" }
const settle = TestClock.adjust("1 second")

const service = (spec: Partial<CoreV1.ServiceSpec> = {}) =>
  Effect.flatMap(ApiClient.ApiClient, (client) =>
    client.create(Kinds.service, {
      metadata: { ...ref, labels: { team: "a" } },
      spec: { clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.9"], selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: "http" }], ...spec }
    }))

const pod = (name: string, ip: string, ready: boolean, containerPort = 8080) =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    const at = { namespace: "default", name }
    yield* client.create(Kinds.pod, {
      metadata: { ...at, labels: { app: "web" } },
      spec: { containers: [{ name: "main", image: "registry.test/app:1", ports: [{ name: "http", containerPort }] }] }
    })
    yield* client.bind(at, "n1")
    yield* setReady(name, ip, ready)
  })

const setReady = (name: string, ip: string, ready: boolean) =>
  Effect.flatMap(ApiClient.ApiClient, (client) =>
    client.patch(Kinds.pod, { namespace: "default", name }, {
      status: { phase: "Running", podIP: ip, podIPs: [{ ip }], conditions: [{ type: "Ready", status: ready ? "True" : "False" }] }
    }, { subresource: "status" }))

const slices = Effect.map(FakeApi.FakeApi, (server) => server.list(Kinds.endpointSlice, "default"))
const subsets = Effect.map(FakeApi.FakeApi, (server) => server.get(Kinds.endpoints, ref)?.subsets)

describe("endpoints", () => {
  it.scoped("follow the pods of a service", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      yield* client.create(Kinds.node, { metadata: { name: "n1", labels: { "topology.kubernetes.io/zone": "z1" } } })
      yield* EndpointsController.run()
      yield* EndpointSliceController.run()
      const made = yield* service()
      yield* settle
      assert.deepStrictEqual((yield* slices).map(({ endpoints, ports }) => [endpoints, ports]), [[[], []]])
      yield* pod("a", "10.1.0.1", true)
      yield* pod("b", "10.1.0.2", false)
      yield* settle
      const [slice] = yield* slices
      assert.deepStrictEqual(slice?.metadata.labels, { team: "a", "kubernetes.io/service-name": "web", "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io" })
      assert.strictEqual(slice?.metadata.ownerReferences?.[0]?.uid, made.metadata.uid)
      assert.deepStrictEqual(slice?.ports, [{ name: "http", port: 8080, protocol: "TCP" }])
      assert.deepStrictEqual(
        slice?.endpoints?.map(({ addresses, conditions, nodeName, targetRef, zone }) => [addresses[0], conditions, nodeName, zone, targetRef?.name]),
        [
          ["10.1.0.1", { ready: true, serving: true, terminating: false }, "n1", "z1", "a"],
          ["10.1.0.2", { ready: false, serving: false, terminating: false }, "n1", "z1", "b"]
        ]
      )
      const [subset] = (yield* subsets) ?? []
      assert.deepStrictEqual([subset?.addresses?.map(({ ip }) => ip), subset?.notReadyAddresses?.map(({ ip }) => ip)], [["10.1.0.1"], ["10.1.0.2"]])
      // A pod that is being deleted is no longer ready, but may finish what it does.
      yield* client.delete(Kinds.pod, { namespace: "default", name: "a" })
      yield* setReady("b", "10.1.0.2", true)
      yield* settle
      assert.deepStrictEqual((yield* slices)[0]?.endpoints?.map(({ conditions }) => conditions), [
        { ready: false, serving: true, terminating: true },
        { ready: true, serving: true, terminating: false }
      ])
      assert.deepStrictEqual((yield* subsets)?.[0]?.addresses?.map(({ ip }) => ip), ["10.1.0.2"])
      const revision = server.revision()
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(server.revision(), revision)
      yield* client.delete(Kinds.service, ref)
      yield* settle
      assert.isUndefined(yield* subsets)
    }).pipe(Effect.provide(world())))

  it.scoped("group pods by what their named ports are, and publish what is not ready where asked", () =>
    Effect.gen(function*() {
      yield* EndpointsController.run()
      yield* EndpointSliceController.run()
      yield* service({ clusterIP: "None", clusterIPs: ["None"], publishNotReadyAddresses: true })
      yield* pod("a", "10.1.0.1", false, 8080)
      yield* pod("b", "10.1.0.2", false, 9090)
      yield* settle
      const found = yield* slices
      assert.sameDeepMembers(found.map(({ endpoints, ports }) => [ports?.[0]?.port, endpoints?.[0]?.conditions?.ready]), [[8080, true], [9090, true]])
      assert.isTrue(found.every(({ metadata }) => metadata.labels?.["service.kubernetes.io/headless"] === ""))
      assert.deepStrictEqual((yield* subsets)?.map(({ addresses }) => addresses?.length), [1, 1])
    }).pipe(Effect.provide(world())))

  it.scoped("that users write are mirrored", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* EndpointsController.run()
      yield* EndpointSliceController.run()
      yield* EndpointSliceMirroringController.run()
      yield* client.create(Kinds.service, { metadata: ref, spec: { clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.9"], ports: [{ port: 80, protocol: "TCP" }] } })
      yield* client.create(Kinds.endpoints, { metadata: ref, subsets: [{ addresses: [{ ip: "10.9.9.9" }], ports: [{ port: 80, protocol: "TCP" }] }] })
      yield* settle
      const [slice, ...others] = yield* slices
      assert.deepStrictEqual(others, [])
      assert.deepStrictEqual(slice?.endpoints?.map(({ addresses }) => addresses), [["10.9.9.9"]])
      assert.strictEqual(slice?.metadata.labels?.["endpointslice.kubernetes.io/managed-by"], "endpointslicemirroring-controller.k8s.io")
      yield* client.patch(Kinds.endpoints, ref, { metadata: { labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } } })
      yield* settle
      assert.deepStrictEqual(yield* slices, [])
    }).pipe(Effect.provide(world())))

  it.scoped("say who is near, where a service prefers that", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* client.create(Kinds.node, { metadata: { name: "n1", labels: { "topology.kubernetes.io/zone": "z1" } } })
      yield* EndpointSliceController.run()
      yield* service({ trafficDistribution: "PreferClose" })
      yield* pod("a", "10.1.0.1", true)
      yield* pod("b", "10.1.0.2", false)
      const hints = Effect.map(slices, (all) => all.flatMap(({ endpoints = [] }) => endpoints.map((endpoint) => endpoint.hints)))
      yield* settle
      assert.deepStrictEqual(yield* hints, [{ forZones: [{ name: "z1" }] }, undefined])
      yield* client.patch(Kinds.service, ref, { spec: { trafficDistribution: "PreferSameNode" } })
      yield* settle
      assert.deepStrictEqual(yield* hints, [{ forZones: [{ name: "z1" }], forNodes: [{ name: "n1" }] }, undefined])
      yield* client.patch(Kinds.service, ref, { spec: { trafficDistribution: null } })
      yield* settle
      assert.deepStrictEqual(yield* hints, [undefined, undefined])
    }).pipe(Effect.provide(world())))
})

describe("slicePacking", () => {
  const endpoint = (id: number): DiscoveryV1.Endpoint => ({ addresses: [`10.0.0.${id}`], targetRef: { kind: "Pod", name: `p${id}`, uid: String(id) } })

  it.effect.prop(
    "holds exactly what is wanted, in slices that are not too large, and then rests",
    { rounds: FastCheck.array(FastCheck.uniqueArray(FastCheck.nat(40), { maxLength: 30 }), { minLength: 1, maxLength: 6 }), limit: FastCheck.integer({ min: 1, max: 9 }) },
    ({ limit, rounds }) =>
      Effect.sync(() => {
        let present: ReadonlyArray<DiscoveryV1.EndpointSlice> = []
        let count = 0
        for (const ids of rounds) {
          const group = { addressType: "IPv4" as const, ports: [{ name: "http", port: 80, protocol: "TCP" as const }], endpoints: ids.map(endpoint) }
          const { create, remove, update } = pack([group], present, limit)
          const gone = new Set(remove.map(({ metadata }) => metadata.name))
          const changed = new Map(update.map((slice) => [slice.metadata.name, slice]))
          present = [
            ...present.filter(({ metadata }) => !gone.has(metadata.name)).map((slice) => changed.get(slice.metadata.name) ?? slice),
            ...create.map((each) => ({ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata: { name: `s${count++}` }, ...each }))
          ]
          const held = present.flatMap(({ endpoints = [] }) => endpoints.map(({ targetRef }) => Number(targetRef?.uid)))
          assert.deepStrictEqual(held.toSorted((a, b) => a - b), ids.toSorted((a, b) => a - b))
          assert.isTrue(present.every(({ endpoints = [] }) => endpoints.length <= limit))
          assert.isAtLeast(present.length, 1)
          const again = pack([group], present, limit)
          assert.deepStrictEqual([again.create, again.update, again.remove], [[], [], []])
        }
      })
  )
})
