import { type CoreV1, Kinds, Timestamp } from "@reddwarf/api-types"
import { ApiClient, EventRecorder, FakeApi } from "@reddwarf/client"
import { NodeController } from "@reddwarf/controller"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer, TestClock } from "effect"

const time = Effect.map(Clock.currentTimeMillis, Timestamp.secondsFromMillis)

/** What an agent posts: the status of the node. */
const postStatus = (name: string, ready: "True" | "False" = "True") =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    const now = yield* time
    const conditions = ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"].map((type) => ({
      type,
      status: type === "Ready" ? ready : "False",
      lastHeartbeatTime: now,
      lastTransitionTime: now,
      reason: "Kubelet",
      message: ""
    }))
    yield* client.patch(Kinds.node, { name }, { status: { conditions } }, { subresource: "status" })
  })

/** The clock of the agent is wrong by an hour: nothing may depend on it. */
const renewLease = (name: string) =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    const server = yield* FakeApi.FakeApi
    const ref = { namespace: "kube-node-lease", name }
    const renewTime = Timestamp.microsFromMillis((yield* Clock.currentTimeMillis) + 3_600_000)
    const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime }
    yield* server.get(Kinds.lease, ref) === undefined
      ? client.create(Kinds.lease, { metadata: ref, spec })
      : client.patch(Kinds.lease, ref, { spec })
  })

const createNode = (name: string) =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    yield* client.create(Kinds.node, { metadata: { name } })
    yield* postStatus(name)
    yield* renewLease(name)
  })

/** Lets an agent live for a while: it renews its lease every ten seconds. */
const live = (name: string, seconds: number) =>
  Effect.repeatN(Effect.zipRight(TestClock.adjust("10 seconds"), renewLease(name)), seconds / 10 - 1)

const createPod = (name: string, node: string) =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    yield* client.create(Kinds.pod, { metadata: { name, namespace: "default" }, spec: { nodeName: node, containers: [{ name: "main", image: "registry.test/app:1" }] } })
    const conditions = [{ type: "Ready", status: "True", lastTransitionTime: yield* time }]
    yield* client.patch(Kinds.pod, { namespace: "default", name }, { status: { phase: "Running", conditions } }, { subresource: "status" })
  })

const nodeNamed = (name: string) =>
  Effect.map(FakeApi.FakeApi, (server): CoreV1.Node => {
    const node = server.get(Kinds.node, { name })
    return node ?? assert.fail(`node ${name} is missing`)
  })

const statuses = (node: CoreV1.Node) => Object.fromEntries((node.status?.conditions ?? []).map((each) => [each.type, each.status]))
const taints = (node: CoreV1.Node) => (node.spec?.taints ?? []).map((taint) => `${taint.key.split("/")[1]}:${taint.effect}`).sort()
const ready = (node: CoreV1.Node) => node.status?.conditions?.find((each) => each.type === "Ready")

const world = () => {
  const events: Array<EventRecorder.Recorded> = []
  return { events, layer: Layer.merge(FakeApi.layer(), EventRecorder.layerMemory(events)) }
}

/** A node that is alone is not emptied: there is nowhere to go. */
const unreachable = ["unreachable:NoSchedule"]

describe("NodeController", () => {
  it.scoped("leaves a node alone that renews its lease, whatever its clock says", () =>
    Effect.gen(function*() {
      yield* createNode("n1")
      yield* NodeController.run()
      yield* live("n1", 300)
      const node = yield* nodeNamed("n1")
      assert.deepStrictEqual([statuses(node)["Ready"], taints(node)], ["True", []])
    }).pipe(Effect.provide(world().layer)))

  it.scoped("takes a status heartbeat as a sign of life too", () =>
    Effect.gen(function*() {
      yield* createNode("n1")
      yield* NodeController.run()
      yield* Effect.repeatN(Effect.zipRight(TestClock.adjust("30 seconds"), postStatus("n1")), 5)
      assert.strictEqual(statuses(yield* nodeNamed("n1"))["Ready"], "True")
    }).pipe(Effect.provide(world().layer)))

  it.scoped("marks a silent node once, taints it and its pods, and undoes it when the agent is back", () => {
    const { events, layer } = world()
    return Effect.gen(function*() {
      const server = yield* FakeApi.FakeApi
      yield* createNode("n1")
      yield* createPod("p", "n1")
      yield* NodeController.run()
      yield* live("n1", 60)
      yield* TestClock.adjust("49 seconds")
      assert.strictEqual(statuses(yield* nodeNamed("n1"))["Ready"], "True")
      yield* TestClock.adjust("2 seconds")
      const silent = yield* nodeNamed("n1")
      assert.deepStrictEqual(statuses(silent), { MemoryPressure: "Unknown", DiskPressure: "Unknown", PIDPressure: "Unknown", Ready: "Unknown" })
      assert.deepStrictEqual([ready(silent)?.reason, ready(silent)?.message], ["NodeStatusUnknown", "Kubelet stopped posting node status."])
      assert.deepStrictEqual(taints(silent), unreachable)
      const pod = server.get(Kinds.pod, { namespace: "default", name: "p" })
      assert.strictEqual(pod?.status?.conditions?.find((each) => each.type === "Ready")?.status, "False")
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* nodeNamed("n1"), silent)
      yield* postStatus("n1")
      yield* renewLease("n1")
      yield* TestClock.adjust("1 second")
      const back = yield* nodeNamed("n1")
      assert.deepStrictEqual([statuses(back)["Ready"], taints(back)], ["True", []])
      assert.deepStrictEqual(
        events.map((event) => `${event.object.kind} ${event.reason}: ${event.message}`),
        [
          "Node RegisteredNode: Node n1 event: Registered Node n1 in Controller",
          "Node NodeNotReady: Node n1 status is now: NodeNotReady",
          "Pod NodeNotReady: Node is not ready"
        ]
      )
    }).pipe(Effect.provide(layer))
  })

  it.scoped("gives every node the whole grace period after a restart", () =>
    Effect.gen(function*() {
      yield* createNode("n1")
      yield* TestClock.adjust("1 hour")
      yield* NodeController.run()
      yield* TestClock.adjust("49 seconds")
      assert.strictEqual(statuses(yield* nodeNamed("n1"))["Ready"], "True")
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(statuses(yield* nodeNamed("n1"))["Ready"], "Unknown")
    }).pipe(Effect.provide(world().layer)))

  it.scoped("asks the server before it concludes anything from a watch that may be stuck", () =>
    Effect.gen(function*() {
      const server = yield* FakeApi.FakeApi
      yield* createNode("n1")
      yield* NodeController.run()
      yield* TestClock.adjust("1 second")
      server.injectFaults((request) => (request.path.includes("watch=true") ? { type: "fail" } : undefined))
      yield* server.disconnectWatches
      yield* live("n1", 200)
      assert.strictEqual(statuses(yield* nodeNamed("n1"))["Ready"], "True")
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(statuses(yield* nodeNamed("n1"))["Ready"], "Unknown")
    }).pipe(Effect.provide(world().layer)))

  it.scoped("waits longer for an agent that has never reported", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* client.create(Kinds.node, { metadata: { name: "n1" } })
      yield* NodeController.run()
      yield* TestClock.adjust("59 seconds")
      assert.deepStrictEqual(statuses(yield* nodeNamed("n1")), {})
      yield* TestClock.adjust("2 seconds")
      const node = yield* nodeNamed("n1")
      assert.deepStrictEqual([ready(node)?.status, ready(node)?.reason, taints(node)], ["Unknown", "NodeStatusNeverUpdated", unreachable])
    }).pipe(Effect.provide(world().layer)))

  it.scoped("mirrors conditions and spec.unschedulable as taints and keeps the taints of others", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* createNode("n1")
      yield* client.patch(Kinds.node, { name: "n1" }, { spec: { unschedulable: true, taints: [{ key: "example.com/mine", effect: "NoSchedule" }] } })
      yield* NodeController.run()
      yield* postStatus("n1", "False")
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(taints(yield* nodeNamed("n1")), ["mine:NoSchedule", "not-ready:NoSchedule", "unschedulable:NoSchedule"])
      yield* client.patch(Kinds.node, { name: "n1" }, { spec: { unschedulable: false } })
      yield* postStatus("n1")
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(taints(yield* nodeNamed("n1")), ["mine:NoSchedule"])
    }).pipe(Effect.provide(world().layer)))

  it.scoped("does not argue with a living agent about its pods", () =>
    Effect.gen(function*() {
      const server = yield* FakeApi.FakeApi
      yield* createNode("n1")
      yield* createPod("before", "n1")
      yield* NodeController.run()
      yield* TestClock.adjust("1 second")
      yield* postStatus("n1", "False")
      yield* TestClock.adjust("2 seconds")
      yield* createPod("after", "n1")
      yield* live("n1", 60)
      const podReady = (name: string) =>
        server.get(Kinds.pod, { namespace: "default", name })?.status?.conditions?.find((each) => each.type === "Ready")?.status
      assert.deepStrictEqual([podReady("before"), podReady("after")], ["False", "True"])
    }).pipe(Effect.provide(world().layer)))

  it.scoped("says when a node leaves", () => {
    const { events, layer } = world()
    return Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* createNode("n1")
      yield* NodeController.run()
      yield* TestClock.adjust("1 second")
      yield* client.delete(Kinds.node, { name: "n1" })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(events.map((event) => event.reason), ["RegisteredNode", "RemovingNode"])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("empties failed nodes one after another, and none when all have failed", () =>
    Effect.gen(function*() {
      const names = ["n1", "n2", "n3", "n4"]
      for (const name of names) yield* createNode(name)
      yield* NodeController.run()
      yield* TestClock.adjust("1 second")
      const evicting = Effect.map(Effect.forEach(names, nodeNamed), (nodes) =>
        nodes.filter((node) => taints(node).includes("not-ready:NoExecute")).map((node) => node.metadata.name))
      const keepAlive = Effect.forEach(names, renewLease, { discard: true })
      yield* postStatus("n1", "False")
      yield* postStatus("n2", "False")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* evicting).length, 1)
      yield* Effect.zipRight(keepAlive, TestClock.adjust("12 seconds"))
      assert.deepStrictEqual(yield* evicting, ["n1", "n2"])
      yield* postStatus("n3", "False")
      yield* postStatus("n4", "False")
      yield* Effect.zipRight(keepAlive, TestClock.adjust("40 seconds"))
      assert.deepStrictEqual(yield* evicting, [])
      yield* postStatus("n4")
      yield* Effect.zipRight(keepAlive, TestClock.adjust("45 seconds"))
      // Three of four is most of a small zone: nothing is driven away until it gets better.
      assert.deepStrictEqual(yield* evicting, [])
      yield* postStatus("n3")
      yield* Effect.zipRight(keepAlive, TestClock.adjust("45 seconds"))
      assert.deepStrictEqual(yield* evicting, ["n1", "n2"])
    }).pipe(Effect.provide(world().layer)))
})
