import { type AppsV1, type CoreV1, Kinds, PodPhase } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { DaemonSetController } from "@reddwarf/controller"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, TestClock } from "effect"
import { activePods, become, converge, imageOf, pods, ref, selector, settle, template, work, world } from "./workloads.js"

const create = (spec: Partial<AppsV1.DaemonSetSpec> = {}) =>
  Effect.flatMap(ApiClient.ApiClient, (client) =>
    client.create(Kinds.daemonSet, { metadata: ref, spec: { selector, template: template("app:1"), ...spec } }))

/** A node that is ready: a new one has a taint until it is. */
const createNode = (name: string, spec: CoreV1.NodeSpec = {}, labels: Readonly<Record<string, string>> = {}) =>
  Effect.flatMap(ApiClient.ApiClient, (client) =>
    Effect.zipRight(client.create(Kinds.node, { metadata: { name, labels }, spec }), client.patch(Kinds.node, { name }, { spec: { taints: spec.taints ?? null } })))

const patch = (spec: unknown) => Effect.flatMap(ApiClient.ApiClient, (client) => client.patch(Kinds.daemonSet, ref, { spec }))
const found = Effect.flatMap(FakeApi.FakeApi, (server) => Effect.fromNullable(server.get(Kinds.daemonSet, ref)))

const nodeOf = (pod: CoreV1.Pod): string =>
  pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms[0]?.matchFields?.[0]?.values?.[0] ?? ""

const places = Effect.map(activePods, (all) => all.map(nodeOf).sort())
const images = Effect.map(activePods, (all) => all.map(imageOf))
const withNodes = Effect.forEach(["a", "b", "c"], (name) => createNode(name))

describe("DaemonSetController", () => {
  it.scoped("has one pod on each node, tied to it, that bears what daemons bear", () => {
    const { events, layer } = world()
    return Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* withNodes
      yield* DaemonSetController.run()
      yield* create()
      yield* converge()
      assert.deepStrictEqual(yield* places, ["a", "b", "c"])
      const [pod] = yield* pods
      assert.match(pod?.metadata.name ?? "", /^web-[a-z0-9]{5}$/)
      assert.deepStrictEqual(pod?.spec?.tolerations?.map(({ effect, key }) => `${key ?? ""}:${effect ?? ""}`), [
        "node.kubernetes.io/not-ready:NoExecute",
        "node.kubernetes.io/unreachable:NoExecute",
        "node.kubernetes.io/disk-pressure:NoSchedule",
        "node.kubernetes.io/memory-pressure:NoSchedule",
        "node.kubernetes.io/pid-pressure:NoSchedule",
        "node.kubernetes.io/unschedulable:NoSchedule"
      ])
      const { status } = yield* found
      assert.deepStrictEqual(
        [status?.desiredNumberScheduled, status?.currentNumberScheduled, status?.numberReady, status?.numberAvailable, status?.updatedNumberScheduled, status?.numberUnavailable ?? 0, status?.numberMisscheduled, status?.observedGeneration],
        [3, 3, 3, 3, 3, 0, 0, 1]
      )
      assert.strictEqual(pod?.metadata.labels?.["pod-template-generation"], "1")
      assert.isTrue(events.some(({ message, reason }) => reason === "SuccessfulCreate" && message === `Created pod: ${pod?.metadata.name ?? ""}`))
      yield* createNode("d")
      yield* client.delete(Kinds.node, { name: "a" })
      yield* converge()
      assert.deepStrictEqual((yield* places).filter((node) => node !== "a"), ["b", "c", "d"])
    }).pipe(Effect.provide(layer))
  })

  it.scoped("leaves out nodes that it does not select or tolerate, and leaves pods where they are only not to be placed", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* createNode("plain")
      yield* createNode("disk", {}, { disk: "ssd" })
      yield* createNode("taken", { taints: [{ key: "team", value: "x", effect: "NoSchedule" }] }, { disk: "ssd" })
      yield* createNode("cordoned", { unschedulable: true, taints: [{ key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }] }, { disk: "ssd" })
      yield* DaemonSetController.run()
      yield* create({ template: { ...template("app:1"), spec: { containers: [{ name: "main", image: "app:1" }], nodeSelector: { disk: "ssd" } } } })
      yield* converge()
      assert.deepStrictEqual(yield* places, ["cordoned", "disk"])
      const taint = (effect: string) => client.patch(Kinds.node, { name: "disk" }, { spec: { taints: [{ key: "team", value: "x", effect }] } })
      yield* taint("NoSchedule")
      yield* converge()
      assert.deepStrictEqual([yield* places, (yield* found).status?.numberMisscheduled], [["cordoned", "disk"], 1])
      yield* taint("NoExecute")
      yield* converge()
      assert.deepStrictEqual([yield* places, (yield* found).status?.numberMisscheduled], [["cordoned"], 0])
    }).pipe(Effect.provide(world().layer)))

  it.scoped("replaces one pod after the other, keeps revisions, and counts templates", () =>
    Effect.gen(function*() {
      const server = yield* FakeApi.FakeApi
      yield* withNodes
      yield* DaemonSetController.run()
      yield* create()
      yield* converge()
      const limits = Effect.gen(function*() {
        const active = yield* activePods
        assert.isAtLeast(active.filter(PodPhase.isReady).length, 2)
      }).pipe(Effect.orDie)
      yield* patch({ template: template("app:2") })
      yield* converge(limits)
      assert.deepStrictEqual(yield* images, ["app:2", "app:2", "app:2"])
      assert.deepStrictEqual(server.list(Kinds.controllerRevision).map(({ revision }) => revision).sort((a, b) => a - b), [1, 2])
      assert.strictEqual((yield* found).metadata.annotations?.["deprecated.daemonset.template.generation"], "2")
    }).pipe(Effect.provide(world().layer)))

  it.scoped("brings the new pod before the old one goes, when it may surge", () =>
    Effect.gen(function*() {
      yield* withNodes
      yield* DaemonSetController.run()
      yield* create({ updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } })
      yield* converge()
      const limits = Effect.gen(function*() {
        const active = yield* activePods
        assert.isAtMost(active.length, 4)
        const served = new Set(active.filter(PodPhase.isReady).map(nodeOf))
        assert.strictEqual(served.size, 3)
      }).pipe(Effect.orDie)
      yield* patch({ template: template("app:2") })
      yield* converge(limits)
      assert.deepStrictEqual([yield* images, yield* places], [["app:2", "app:2", "app:2"], ["a", "b", "c"]])
    }).pipe(Effect.provide(world().layer)))

  it.scoped("waits longer and longer where pods fail, and says so", () => {
    const { events, layer } = world()
    return Effect.gen(function*() {
      yield* createNode("a")
      yield* DaemonSetController.run()
      yield* create()
      yield* settle
      let made = 0
      for (let second = 0; second < 60; second++) {
        for (const pod of yield* activePods) {
          made++
          yield* become(pod, "Failed", false)
        }
        yield* TestClock.adjust("1 second")
        yield* work(PodPhase.isTerminating)
      }
      assert.isBelow(made, 12)
      assert.isAbove(made, 2)
      assert.isTrue(events.some(({ message, reason, type }) =>
        type === "Warning" && reason === "FailedDaemonPod" && /^Found failed daemon pod default\/web-\w+ on node a, will try to kill it$/.test(message)))
    }).pipe(Effect.provide(layer))
  })

  it.scoped.prop(
    "ends with one pod of the last template on every node that takes it",
    [
      FastCheck.constantFrom({ maxSurge: 0, maxUnavailable: 1 }, { maxSurge: 1, maxUnavailable: 0 }, { maxSurge: 0, maxUnavailable: "50%" }),
      FastCheck.array(FastCheck.tuple(FastCheck.constantFrom("image", "taint", "untaint", "node", "unready", "kill", "work", "watch"), FastCheck.integer({ min: 0, max: 3 })), { maxLength: 12 })
    ],
    ([rollingUpdate, happenings]) =>
      Effect.gen(function*() {
        const client = yield* ApiClient.ApiClient
        const server = yield* FakeApi.FakeApi
        yield* withNodes
        yield* DaemonSetController.run()
        yield* create({ updateStrategy: { type: "RollingUpdate", rollingUpdate } })
        let image = "app:1"
        for (const [what, number] of happenings) {
          const name = ["a", "b", "c", "d"][number] ?? "a"
          const isThere = server.get(Kinds.node, { name }) !== undefined
          if (what === "image") yield* patch({ template: template(image = `app:${String(number)}`) })
          if (what === "taint" && isThere) yield* client.patch(Kinds.node, { name }, { spec: { taints: [{ key: "k", effect: number % 2 === 0 ? "NoSchedule" : "NoExecute" }] } })
          if (what === "untaint" && isThere) yield* client.patch(Kinds.node, { name }, { spec: { taints: null } })
          if (what === "node" && !isThere) yield* createNode(name)
          const victim = (yield* activePods)[number]
          if (what === "unready" && victim !== undefined) yield* become(victim, "Running", false)
          if (what === "kill" && victim !== undefined) yield* client.delete(Kinds.pod, { namespace: "default", name: victim.metadata.name ?? "" })
          if (what === "work") yield* work((pod) => nodeOf(pod) !== name)
          if (what === "watch") yield* server.disconnectWatches
          yield* TestClock.adjust("500 millis")
        }
        for (const { metadata } of server.list(Kinds.node)) yield* client.patch(Kinds.node, { name: metadata.name ?? "" }, { spec: { taints: null } })
        yield* TestClock.adjust("1 minute")
        yield* converge()
        const nodes = server.list(Kinds.node).map(({ metadata }) => metadata.name ?? "").sort()
        assert.deepStrictEqual([yield* places, yield* images], [nodes, nodes.map(() => image)])
        const status = (yield* found).status
        assert.deepStrictEqual([status?.numberAvailable, status?.updatedNumberScheduled], [nodes.length, nodes.length])
      }).pipe(Effect.provide(world().layer)),
    { fastCheck: { numRuns: 8 }, timeout: 120_000 }
  )

  it.scoped("does not wait for an ended pod that somebody else holds", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* createNode("a")
      yield* DaemonSetController.run()
      yield* create()
      yield* converge()
      for (const pod of yield* pods) {
        const at = { namespace: "default", name: pod.metadata.name ?? "" }
        yield* client.patch(Kinds.pod, at, { metadata: { finalizers: ["example.com/hold"] } })
        yield* become(pod, "Failed", false)
      }
      yield* converge()
      assert.deepStrictEqual([(yield* pods).length, yield* places], [2, ["a"]])
      assert.strictEqual((yield* found).status?.numberReady, 1)
    }).pipe(Effect.provide(world().layer)))
})
