import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds, PodPhase } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import type { EvictionThresholds } from "@reddwarf/node-agent"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as h from "./support/harness.js"

const forever = h.sh("while :; do sleep 1; done")

describe("a node that runs short", () => {
  it.live("ends a pod for good, says so in its status and its own, and begins with no other", () =>
    Effect.gen(function*() {
      const folders = yield* h.directories
      // What must be left of the memory; a test cannot make the machine short of it.
      let needed = 0
      const evictionHard: ReadonlyArray<EvictionThresholds.Threshold> = [{ signal: "memory.available", text: "100Mi", amountOf: () => needed }]
      const body = Effect.gen(function*() {
        const client = yield* ApiClient.ApiClient
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders, { evictionHard, evictionInterval: "100 millis", evictionTransitionPeriod: "1 second" })
        yield* h.createPod(h.draft("web", [{ name: "c", command: forever, resources: { requests: { memory: "64Mi" } } }]))
        const running = yield* h.untilPod("web", "ready", h.isReady)

        needed = Number.MAX_SAFE_INTEGER
        const evicted = yield* h.untilPod("web", "evicted", (pod) => pod.status?.phase === "Failed")
        assert.strictEqual(evicted.status?.reason, "Evicted")
        assert.match(evicted.status?.message ?? "", /^The node was low on resource: memory\. Threshold quantity: \S+, available: \S+\. /)
        const disruption = PodPhase.condition(evicted, "DisruptionTarget")
        assert.deepStrictEqual([disruption?.status, disruption?.reason], ["True", "TerminationByKubelet"])
        assert.isTrue(h.container(evicted, "c")?.state?.terminated !== undefined)
        assert.isFalse(h.container(evicted, "c")?.restartCount !== h.container(running, "c")?.restartCount)
        yield* h.until(
          "the node to say that it is short",
          Effect.map(client.get(Kinds.node, { name: h.nodeName }), ({ status }) =>
            status?.conditions?.some(({ status, type }) => type === "MemoryPressure" && status === "True") === true ? true : undefined)
        )
        yield* h.createPod(h.draft("next", [{ name: "c", command: forever }]))
        const refused = yield* h.untilPod("next", "refused", (pod) => pod.status?.phase === "Failed")
        assert.deepStrictEqual([refused.status?.reason, refused.status?.message], ["Evicted", "The node had condition: [MemoryPressure]. "])

        needed = 1
        yield* h.until(
          "the node to have memory again",
          Effect.map(client.get(Kinds.node, { name: h.nodeName }), ({ status }) =>
            status?.conditions?.some(({ status, type }) => type === "MemoryPressure" && status === "False") === true ? true : undefined)
        )
        yield* h.createPod(h.draft("later", [{ name: "c", command: forever }]))
        yield* h.untilPod("later", "ready", h.isReady)
        const events = yield* Effect.map(FakeApi.FakeApi, (api) => api.list<CoreV1.Event>(Kinds.event, "default"))
        assert.strictEqual(events.filter(({ involvedObject, reason }) => reason === "Evicted" && involvedObject.name === "web").length, 1)
      })
      yield* Effect.zipRight(h.emptyAtEnd, body).pipe(Effect.scoped, Effect.provide(h.hostLayer(folders)))
    }).pipe(Effect.provide(FakeApi.layer()), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Error)), 60_000)
})
