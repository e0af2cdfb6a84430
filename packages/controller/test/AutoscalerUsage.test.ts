import { type CoreV1, type MetricsV1beta1, Timestamp } from "@reddwarf/api-types"
import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import * as usage from "../src/internal/autoscalerUsage.js"

const now = 1_795_000_000_000
const at = (secondsAgo: number) => Timestamp.secondsFromMillis(now - secondsAgo * 1000)

const pod = (name: string, values: { readonly ready?: boolean; readonly age?: number; readonly phase?: string; readonly request?: string | undefined } = {}): CoreV1.Pod => {
  const { age = 3600, phase = "Running", ready = true } = values
  const request = "request" in values ? values.request : "100m"
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default" },
    spec: { containers: [{ name: "c", ...(request === undefined ? {} : { resources: { requests: { cpu: request, memory: "100Mi" } } }) }] },
    status: { phase, startTime: at(age), conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: at(age - 1) }] }
  }
}

const metric = (name: string, cpu: string, memory = "50Mi"): MetricsV1beta1.PodMetrics => ({
  apiVersion: "metrics.k8s.io/v1beta1",
  kind: "PodMetrics",
  metadata: { name, namespace: "default" },
  timestamp: at(5),
  window: "15s",
  containers: [{ name: "c", usage: { cpu, memory } }]
})

const ask = (pods: ReadonlyArray<CoreV1.Pod>, metrics: ReadonlyArray<MetricsV1beta1.PodMetrics>, more: Partial<usage.Question> = {}) =>
  usage.replicasFor({
    current: pods.length,
    resource: "cpu",
    container: undefined,
    target: { type: "Utilization", percent: 50 },
    tolerance: { up: 0.1, down: 0.1 },
    pods,
    metrics,
    now,
    ...more
  })

const replicas = (answer: Either.Either<usage.Answer, string>) => Either.match(answer, { onLeft: (problem) => problem, onRight: (found) => found.replicas })

describe("how many replicas a resource asks for", () => {
  it("is by the ratio of usage to target, with a tolerance", () => {
    assert.deepStrictEqual(ask([pod("a"), pod("b")], [metric("a", "100m"), metric("b", "60m")]), Either.right({ replicas: 4, utilization: 80, average: 80 }))
    assert.strictEqual(replicas(ask([pod("a"), pod("b")], [metric("a", "54m"), metric("b", "55m")])), 2)
    assert.strictEqual(replicas(ask([pod("a"), pod("b"), pod("c")], ["a", "b", "c"].map((name) => metric(name, "10m")))), 1)
    assert.strictEqual(replicas(ask([pod("a"), pod("b")], [metric("a", "58m"), metric("b", "58m")], { tolerance: { up: 0.2, down: 0.1 } })), 2)
  })

  it("is by amounts where the target is one", () => {
    const target = { type: "AverageValue", millis: 20 * 1024 * 1024 * 1000 } as const
    assert.deepStrictEqual(ask([pod("a")], [metric("a", "1m")], { resource: "memory", target }), Either.right({ replicas: 3, utilization: undefined, average: 50 * 1024 * 1024 * 1000 }))
  })

  it("takes pods that are not ready for idle, and such without metrics for what is careful", () => {
    // 100 % of one, nothing of the other that is starting: as it should be.
    assert.strictEqual(replicas(ask([pod("a"), pod("b", { ready: false, age: 60 })], [metric("a", "100m"), metric("b", "100m")])), 2)
    assert.strictEqual(replicas(ask([pod("a"), pod("b", { phase: "Pending" })], [metric("a", "300m")])), 6)
    assert.strictEqual(replicas(ask([pod("a"), pod("b")], [metric("a", "10m")])), 2)
    assert.strictEqual(replicas(ask([pod("a"), pod("b"), pod("c")], [metric("a", "100m")])), 3)
    assert.strictEqual(replicas(ask([pod("a"), pod("b", { phase: "Failed" })], [metric("a", "100m")])), 2)
  })

  it("says why it cannot be told", () => {
    assert.strictEqual(replicas(ask([pod("a")], [])), "unable to get metrics for resource cpu: no metrics returned from resource metrics API")
    assert.strictEqual(replicas(ask([pod("a", { request: undefined })], [metric("a", "1m")])), "missing request for cpu in container c of Pod a")
    assert.strictEqual(replicas(ask([pod("a", { ready: false, age: 60 })], [metric("a", "1m")])), "did not receive metrics for targeted pods (pods might be unready)")
    assert.strictEqual(replicas(ask([], [metric("a", "1m")])), "no pods returned by selector while calculating replica count")
  })
})
