import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, EventRecorder, FakeApi } from "@reddwarf/client"
import { TaintEvictionController } from "@reddwarf/controller"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, TestClock } from "effect"

const world = () => {
  const events: Array<EventRecorder.Recorded> = []
  return { events, layer: Layer.merge(FakeApi.layer(), EventRecorder.layerMemory(events)) }
}

/** Not one of those for failed nodes, which every pod tolerates for a while. */
const failed = { key: "example.com/maintenance", effect: "NoExecute" } as const

const taint = (taints: ReadonlyArray<CoreV1.Taint>) =>
  Effect.flatMap(ApiClient.ApiClient, (client) => client.patch(Kinds.node, { name: "n1" }, { spec: { taints: taints.length === 0 ? null : taints } }))

const createPod = (name: string, seconds: number | undefined | "none", node = "n1") =>
  Effect.flatMap(ApiClient.ApiClient, (client) =>
    client.create(Kinds.pod, {
      metadata: { name, namespace: "default" },
      spec: {
        ...(node === "" ? {} : { nodeName: node }),
        containers: [{ name: "main", image: "registry.test/app:1" }],
        tolerations: seconds === "none"
          ? []
          : [{ key: failed.key, operator: "Exists", effect: "NoExecute", ...(seconds === undefined ? {} : { tolerationSeconds: seconds }) }]
      }
    }))

const leaving = Effect.map(FakeApi.FakeApi, (server) =>
  server.list(Kinds.pod).filter((pod) => pod.metadata.deletionTimestamp !== undefined).map((pod) => pod.metadata.name))

describe("TaintEvictionController", () => {
  it.scoped("removes pods when the time that they tolerate a taint is over", () => {
    const { events, layer } = world()
    return Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      yield* client.create(Kinds.node, { metadata: { name: "n1" } })
      yield* createPod("intolerant", "none")
      yield* createPod("patient", 300)
      yield* createPod("faithful", undefined)
      yield* createPod("waiting", "none", "")
      yield* TaintEvictionController.run()
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* leaving, [])
      yield* taint([failed])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* leaving, ["intolerant"])
      const condition = server.get(Kinds.pod, { namespace: "default", name: "intolerant" })?.status?.conditions?.find((each) => each.type === "DisruptionTarget")
      assert.deepStrictEqual([condition?.status, condition?.reason], ["True", "DeletionByTaintManager"])
      yield* TestClock.adjust("298 seconds")
      assert.deepStrictEqual(yield* leaving, ["intolerant"])
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(yield* leaving, ["intolerant", "patient"])
      assert.deepStrictEqual(
        events.map((event) => `${event.reason}: ${event.message}`),
        ["TaintManagerEviction: Marking for deletion Pod default/intolerant", "TaintManagerEviction: Marking for deletion Pod default/patient"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.scoped("lets pods stay when the taint goes in time, and counts anew when it comes back", () => {
    const { events, layer } = world()
    return Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* client.create(Kinds.node, { metadata: { name: "n1" } })
      yield* createPod("patient", 300)
      yield* taint([failed])
      yield* TaintEvictionController.run()
      yield* TestClock.adjust("200 seconds")
      yield* taint([])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(events.map((event) => event.message), ["Cancelling deletion of Pod default/patient"])
      yield* taint([failed])
      yield* TestClock.adjust("299 seconds")
      assert.deepStrictEqual(yield* leaving, [])
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(yield* leaving, ["patient"])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("asks the server before it removes a pod because of a watch that may be stuck", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      yield* client.create(Kinds.node, { metadata: { name: "n1" } })
      yield* createPod("patient", 60)
      yield* taint([failed])
      yield* TaintEvictionController.run()
      yield* TestClock.adjust("1 second")
      server.injectFaults((request) => (request.path.includes("watch=true") ? { type: "fail" } : undefined))
      yield* server.disconnectWatches
      yield* taint([])
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(yield* leaving, [])
    }).pipe(Effect.provide(world().layer)))
})
