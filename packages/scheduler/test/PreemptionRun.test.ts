/** Preemption as it happens: a scheduler against the in-memory API, in which pods end when the test says that their agent is done. */
import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds, PodPhase } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { Effect, Layer } from "effect"
import { Scheduler } from "../src/index.js"
import { createNode, createPod, events, nodeOf, pass, refusalOf, stored, until } from "./support/fakeCluster.js"
import { node, pod, type PodShape } from "./support/objects.js"

const scenario = <A, E>(test: Effect.Effect<A, E, ApiClient.ApiClient | FakeApi.FakeApi | Scheduler.Scheduler>) =>
  test.pipe(Effect.provide(Layer.provideMerge(Scheduler.layer(), FakeApi.layer())), Effect.scoped)

const prioritised = (name: string, priority: number, cpu: string, shape: PodShape = {}) => createPod(pod(name, { ...shape, cpu, spec: { priority, ...shape.spec } }))

/** What an agent does when the pod's processes have ended. */
const finish = (name: string) =>
  Effect.flatMap(ApiClient.ApiClient, (client) => client.delete(Kinds.pod, { namespace: "default", name }, { gracePeriodSeconds: 0 }))

const leaving = (name: string) =>
  Effect.flatMap(FakeApi.FakeApi, (api) =>
    until(`${name} is told to go`, () => {
      const found = api.get(Kinds.pod, { namespace: "default", name })
      return found !== undefined && PodPhase.isTerminating(found) ? found : undefined
    }))

const nominatedTo = (name: string) => Effect.map(stored(name), (found) => found?.status?.nominatedNodeName)

const budget = (app: string) =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    const created = yield* client.create(Kinds.podDisruptionBudget, {
      metadata: { name: app, namespace: "default" },
      spec: { minAvailable: 1, selector: { matchLabels: { app } } }
    })
    yield* client.updateStatus(Kinds.podDisruptionBudget, {
      ...created,
      status: { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 }
    })
  })

const condition = (found: CoreV1.Pod | undefined, type: string) => found?.status?.conditions?.find((each) => each.type === type)

describe("preemption", () => {
  it.effect("makes room, and places the pod when its victims have ended", () =>
    scenario(Effect.gen(function*() {
      yield* createNode(node("n", { cpu: "2" }))
      yield* prioritised("low", 1, "1500m")
      yield* nodeOf("low")
      yield* prioritised("high", 10, "1")
      const low = yield* leaving("low")
      const { lastTransitionTime: _, ...told } = condition(low, "DisruptionTarget") ?? {}
      assert.deepStrictEqual(told, {
        type: "DisruptionTarget",
        status: "True",
        reason: "PreemptionByScheduler",
        message: "default-scheduler: preempting to accommodate a higher priority pod"
      })
      assert.strictEqual(low.metadata.deletionGracePeriodSeconds, 30)

      const refusal = yield* refusalOf("high")
      assert.strictEqual(refusal.message, "0/1 nodes are available: 1 Insufficient cpu.")
      const high = yield* stored("high")
      assert.strictEqual(high?.status?.nominatedNodeName, "n")
      const api = yield* FakeApi.FakeApi
      const event = yield* until("the event is written", () => api.list(Kinds.event).find(({ reason }) => reason === "Preempted"))
      assert.deepStrictEqual(
        [event.type, event.message, event.action, event.involvedObject.name],
        ["Normal", `Preempted by pod ${high?.metadata.uid ?? ""} on node n`, "Preempting", "low"]
      )

      yield* finish("low")
      yield* pass(11)
      assert.strictEqual(yield* nodeOf("high"), "n")
      assert.strictEqual((yield* events("Preempted")).length, 1)
    })))

  it.effect("waits for victims on their way out instead of choosing more", () =>
    scenario(Effect.gen(function*() {
      for (const name of ["n1", "n2"]) yield* createNode(node(name, { cpu: "1" }))
      yield* prioritised("a", 1, "1")
      yield* prioritised("b", 1, "1")
      const places = [yield* nodeOf("a"), yield* nodeOf("b")]
      yield* prioritised("high", 10, "1")
      const api = yield* FakeApi.FakeApi
      const victim = yield* until("somebody goes", () => ["a", "b"].find((name) => api.get(Kinds.pod, { namespace: "default", name })?.metadata.deletionTimestamp !== undefined))
      // Something happens that earns the pod another attempt.
      yield* createNode(node("n3", { taints: [{ key: "other", effect: "NoSchedule" }] }))
      yield* pass(2)
      yield* refusalOf("high", /not eligible due to a terminating pod on the nominated node\.$/)
      const other = victim === "a" ? "b" : "a"
      assert.strictEqual((yield* stored(other))?.metadata.deletionTimestamp, undefined)
      yield* finish(victim)
      yield* pass(11)
      assert.strictEqual(yield* nodeOf("high"), places[victim === "a" ? 0 : 1])
    })))

  it.effect("keeps the room for the pod it was made for", () =>
    scenario(Effect.gen(function*() {
      yield* createNode(node("n", { cpu: "1" }))
      yield* prioritised("low", 1, "1")
      yield* nodeOf("low")
      yield* prioritised("high", 10, "1")
      yield* leaving("low")
      yield* prioritised("middle", 5, "1")
      yield* refusalOf("middle")
      yield* finish("low")
      yield* pass(11)
      assert.strictEqual(yield* nodeOf("high"), "n")
      assert.strictEqual((yield* stored("middle"))?.spec?.nodeName, undefined)
    })))

  it.effect("takes its promise back from a pod of lower priority", () =>
    scenario(Effect.gen(function*() {
      yield* createNode(node("n", { cpu: "1" }))
      yield* prioritised("low", 1, "1")
      yield* nodeOf("low")
      yield* prioritised("middle", 5, "1")
      yield* leaving("low")
      const api = yield* FakeApi.FakeApi
      yield* until("middle is nominated", () => api.get(Kinds.pod, { namespace: "default", name: "middle" })?.status?.nominatedNodeName === "n")
      // The victim is told once more, and middle loses the node.
      yield* prioritised("high", 10, "1")
      yield* until("high is nominated", () => api.get(Kinds.pod, { namespace: "default", name: "high" })?.status?.nominatedNodeName === "n")
      yield* until("middle is not nominated", () => (api.get(Kinds.pod, { namespace: "default", name: "middle" })?.status?.nominatedNodeName ?? "") === "")
      yield* finish("low")
      yield* pass(11)
      assert.strictEqual(yield* nodeOf("high"), "n")
    })))

  it.effect("spares the pods of a budget", () =>
    scenario(Effect.gen(function*() {
      yield* budget("kept")
      for (const name of ["n1", "n2"]) yield* createNode(node(name, { cpu: "1" }))
      yield* prioritised("kept", 1, "1", { labels: { app: "kept" } })
      yield* nodeOf("kept")
      yield* prioritised("free", 9, "1")
      yield* nodeOf("free")
      yield* prioritised("high", 10, "1")
      yield* leaving("free")
      yield* pass(3)
      assert.strictEqual((yield* stored("kept"))?.metadata.deletionTimestamp, undefined)
    })))

  it.effect("breaks a budget rather than let the pod wait", () =>
    scenario(Effect.gen(function*() {
      yield* budget("kept")
      yield* createNode(node("n", { cpu: "1" }))
      yield* prioritised("kept", 1, "1", { labels: { app: "kept" } })
      yield* nodeOf("kept")
      yield* prioritised("high", 10, "1")
      yield* leaving("kept")
    })))

  it.effect("tries again when its victims could not be told", () =>
    scenario(Effect.gen(function*() {
      const api = yield* FakeApi.FakeApi
      yield* createNode(node("n", { cpu: "1" }))
      yield* prioritised("low", 1, "1")
      yield* nodeOf("low")
      let broken = 2
      api.injectFaults(({ method, path }) => method === "DELETE" && path.includes("/pods/low") && broken-- > 0 ? { type: "fail" } : undefined)
      yield* prioritised("high", 10, "1")
      yield* refusalOf("high")
      yield* pass(10)
      yield* leaving("low")
      yield* finish("low")
      yield* pass(11)
      assert.strictEqual(yield* nodeOf("high"), "n")
    })))

  it.effect("is not for pods that do not want it", () =>
    scenario(Effect.gen(function*() {
      yield* createNode(node("n", { cpu: "1" }))
      yield* prioritised("low", 1, "1")
      yield* nodeOf("low")
      yield* prioritised("patient", 10, "1", { spec: { preemptionPolicy: "Never" } })
      const refusal = yield* refusalOf("patient")
      assert.strictEqual(refusal.message, "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.")
      yield* pass(3)
      assert.deepStrictEqual([yield* nominatedTo("patient"), (yield* stored("low"))?.metadata.deletionTimestamp], [undefined, undefined])
    })))
})
