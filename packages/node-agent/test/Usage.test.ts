import { assert, describe, it } from "@effect/vitest"
import { Timestamp } from "@reddwarf/api-types"
import { FakeApi } from "@reddwarf/client"
import { CommandRunner, ResourceUsage } from "@reddwarf/runtime-illumos"
import { ResourceMetrics, StatsApi, StatsSummary, SupervisorClient, UsageMeter } from "@reddwarf/node-agent"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as h from "./support/harness.js"
import * as Layer from "effect/Layer"

const time = 1_795_000_000_000

const usage: UsageMeter.NodeUsage = {
  time,
  startedAt: time - 60_000,
  cpuNanos: 90_500_000_000,
  cpuNanoCores: 250_000_000,
  workingSet: 3_000,
  available: 1_000,
  pods: [{
    namespace: "default",
    name: "web",
    uid: "u1",
    startedAt: time - 30_000,
    cpuNanos: 1_500_000_000,
    workingSet: 2_000,
    rss: 2_000,
    swap: 10,
    containers: [{ name: "c\"1", startedAt: time - 29_500, cpuNanos: 1_250_000_000, workingSet: 1_500, rss: 1_500 }]
  }]
}

describe("the usage of a node", () => {
  it("as a kubelet's summary", () => {
    const at = Timestamp.microsFromMillis(time)
    assert.deepStrictEqual(StatsSummary.of("n1", usage), {
      node: {
        nodeName: "n1",
        startTime: Timestamp.secondsFromMillis(time - 60_000),
        cpu: { time: at, usageNanoCores: 250_000_000, usageCoreNanoSeconds: 90_500_000_000 },
        memory: { time: at, availableBytes: 1_000, usageBytes: 3_000, workingSetBytes: 3_000 }
      },
      pods: [{
        podRef: { name: "web", namespace: "default", uid: "u1" },
        startTime: Timestamp.secondsFromMillis(time - 30_000),
        containers: [{
          name: "c\"1",
          startTime: Timestamp.secondsFromMillis(time - 29_500),
          cpu: { time: at, usageCoreNanoSeconds: 1_250_000_000 },
          memory: { time: at, usageBytes: 1_500, workingSetBytes: 1_500, rssBytes: 1_500 }
        }],
        cpu: { time: at, usageCoreNanoSeconds: 1_500_000_000 },
        memory: { time: at, usageBytes: 2_000, workingSetBytes: 2_000, rssBytes: 2_000 },
        swap: { time: at, swapUsageBytes: 10 }
      }]
    })
  })

  it("as text for Prometheus", () => {
    const samples = ResourceMetrics.of(usage).split("\n").filter((line) => line !== "" && !line.startsWith("#"))
    assert.deepStrictEqual(samples, [
      `container_cpu_usage_seconds_total{container="c\\"1",namespace="default",pod="web"} 1.25 ${time}`,
      `container_memory_working_set_bytes{container="c\\"1",namespace="default",pod="web"} 1500 ${time}`,
      `container_start_time_seconds{container="c\\"1",namespace="default",pod="web"} ${(time - 29_500) / 1000}`,
      `node_cpu_usage_seconds_total 90.5 ${time}`,
      `node_memory_working_set_bytes 3000 ${time}`,
      `pod_cpu_usage_seconds_total{namespace="default",pod="web"} 1.5 ${time}`,
      `pod_memory_working_set_bytes{namespace="default",pod="web"} 2000 ${time}`,
      `pod_swap_usage_bytes{namespace="default",pod="web"} 10 ${time}`,
      "resource_scrape_error 0"
    ])
    assert.match(ResourceMetrics.failed, /^# HELP resource_scrape_error .*\n# TYPE resource_scrape_error gauge\nresource_scrape_error 1\n$/)
  })

  it.effect("is an error where it cannot be measured", () =>
    Effect.gen(function*() {
      const error = new CommandRunner.CommandUnavailable({ program: ResourceUsage.counters.program, args: [], reason: "Failed", detail: "no memory" })
      const api = StatsApi.make("n1", { read: Effect.fail(error) })
      const summary = yield* api(["stats", "summary"]) ?? Effect.dieMessage("not served")
      assert.strictEqual(summary.status, 500)
      const metrics = yield* api(["metrics", "resource"]) ?? Effect.dieMessage("not served")
      assert.deepStrictEqual([metrics.status, metrics.body], [200, ResourceMetrics.failed])
      assert.isUndefined(api(["metrics"]))
      assert.isUndefined(api(["toString"]))
    }))

  it.live("is that of the real processes", () =>
    Effect.scoped(Effect.gen(function*() {
      const folders = yield* h.directories
      yield* Effect.gen(function*() {
        yield* h.emptyAtEnd
        yield* h.supervisorFiber(folders)
        const { value } = yield* h.agent(folders)
        yield* h.createPod(h.draft("busy", [
          { name: "loop", command: h.sh("while :; do :; done") },
          { name: "wait", command: h.sh("while :; do sleep 1; done") }
        ], { restartPolicy: "Never", terminationGracePeriodSeconds: 0 }))
        yield* h.untilPod("busy", "ready", h.isReady)
        const meter = yield* UsageMeter.make({ pods: value.pods })
        const seen = yield* meter.read.pipe(
          Effect.map(({ pods }) => pods[0]),
          Effect.filterOrFail((pod) => pod !== undefined && pod.containers.length === 2 && (pod.cpuNanos ?? 0) > 2e9 && (pod.cpuNanoCores ?? 0) > 0),
          Effect.retry({ schedule: Schedule.spaced("200 millis"), times: 200 })
        )
        const [loop, wait] = seen?.containers ?? []
        assert.deepStrictEqual([loop?.name, wait?.name], ["loop", "wait"])
        // Whole seconds tell the two apart: the loop has all but a little of it.
        assert.isAbove(loop?.cpuNanos ?? 0, 4 * (wait?.cpuNanos ?? 0))
        assert.isAbove(loop?.workingSet ?? 0, 100_000)
        assert.isAbove(wait?.workingSet ?? 0, 100_000)
      }).pipe(Effect.provide(Layer.provideMerge(SupervisorClient.layer({ dataDir: folders.dataDir }), h.hostLayer(folders))), Effect.provide(FakeApi.layer()))
    })), 90_000)
})
