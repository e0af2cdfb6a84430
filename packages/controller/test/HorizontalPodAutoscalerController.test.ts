/** The autoscaler against the API server itself, with measurements that the test makes. */
import { ComputedResources, InProcessTransport, KubeletClient, Server, UserInfo } from "@reddwarf/apiserver"
import { Kinds, type KubeObject, Status, Timestamp } from "@reddwarf/api-types"
import { ApiClient, EventRecorder } from "@reddwarf/client"
import { HorizontalPodAutoscalerController } from "@reddwarf/controller"
import { ObjectStore } from "@reddwarf/store"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Either, Layer } from "effect"

const world = () => {
  const events: Array<EventRecorder.Recorded> = []
  const measured = new Map<string, KubeObject.KubeObject>()
  const resource: ComputedResources.ComputedResource = {
    kind: Kinds.podMetrics,
    get: (_namespace, name) => Either.fromNullable(measured.get(name), () => Status.notFound(Kinds.podMetrics, name)),
    list: () => [...measured.values()]
  }
  const server = Server.layerApi().pipe(
    Layer.provide(Layer.succeed(ComputedResources.ComputedResources, [resource])),
    Layer.provide([ObjectStore.layerMemory, KubeletClient.layerUnavailable])
  )
  const layer = EventRecorder.layerMemory(events).pipe(
    Layer.merge(ApiClient.layer),
    Layer.provide(InProcessTransport.layer(UserInfo.authenticated("system:kube-controller-manager", ["system:masters"]))),
    Layer.provide(Layer.fresh(server))
  )
  return { events, measured, layer }
}

/** Repeats a look until it shows what is wanted; gives the last one when that takes too long. */
const eventually = <A, E, R>(look: Effect.Effect<A, E, R>, isRight: (seen: A) => boolean): Effect.Effect<A, E, R> =>
  Effect.repeat(Effect.zipLeft(look, Effect.sleep("20 millis")), { until: isRight, times: 750 })

const ref = { namespace: "default", name: "web" }

describe("HorizontalPodAutoscalerController", () => {
  it.scopedLive("says what is missing, and follows the load within its range", () => {
    const { events, layer, measured } = world()
    return Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const now = yield* Clock.currentTimeMillis
      yield* Effect.forkScoped(HorizontalPodAutoscalerController.run({ interval: "50 millis" }).pipe(Effect.zipRight(Effect.never), Effect.scoped))
      const spec = { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" }, minReplicas: 1, maxReplicas: 3, metrics: [
        { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } }
      ] }
      yield* client.create(Kinds.horizontalPodAutoscaler, { metadata: ref, spec })
      const autoscaler = client.get(Kinds.horizontalPodAutoscaler, ref)
      const condition = (type: string) => Effect.map(autoscaler, ({ status }) => status?.conditions?.find((one) => one.type === type))
      const reason = (type: string, wanted: string) => Effect.map(eventually(condition(type), (one) => one?.reason === wanted), (one) => [one?.status, one?.reason, one?.message])

      assert.deepStrictEqual(yield* reason("AbleToScale", "FailedGetScale"), [
        "False", "FailedGetScale", "the HPA controller was unable to get the target's current scale: deployments.apps \"web\" not found"
      ])
      const template = { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "registry.test/app:1", resources: { requests: { cpu: "100m" } } }] } }
      yield* client.create(Kinds.deployment, { metadata: ref, spec: { replicas: 1, selector: { matchLabels: { app: "web" } }, template } })
      const problem = "failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API"
      assert.deepStrictEqual(yield* reason("ScalingActive", "FailedGetResourceMetric"), [
        "False", "FailedGetResourceMetric", `the HPA was unable to compute the replica count: ${problem}`
      ])
      assert.include(events.map((event) => `${event.reason}: ${event.message}`), `FailedGetResourceMetric: ${problem}`)
      assert.include(
        events.map((event) => `${event.reason}: ${event.message}`),
        `FailedComputeMetricsReplicas: invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: ${problem}`
      )

      const long = Timestamp.secondsFromMillis(now - 3_600_000)
      yield* client.create(Kinds.pod, { metadata: { name: "web-1", namespace: "default", labels: { app: "web" } }, spec: template.spec })
      yield* client.patch(Kinds.pod, { namespace: "default", name: "web-1" }, {
        status: { phase: "Running", startTime: long, conditions: [{ type: "Ready", status: "True", lastTransitionTime: long }] }
      }, { subresource: "status" })
      const metrics = (cpu: string) => ({
        apiVersion: "metrics.k8s.io/v1beta1",
        kind: "PodMetrics",
        metadata: { name: "web-1", namespace: "default", labels: { app: "web" } },
        timestamp: Timestamp.secondsFromMillis(now),
        window: "15s",
        containers: [{ name: "c", usage: { cpu, memory: "1Mi" } }]
      })
      measured.set("web-1", metrics("90m"))
      const replicas = Effect.map(client.get(Kinds.deployment, ref), (deployment) => deployment.spec?.replicas)
      assert.strictEqual(yield* eventually(replicas, (count) => count === 2), 2)
      assert.include(
        yield* eventually(Effect.sync(() => events.map((event) => `${event.reason}: ${event.message}`)), (texts) => texts.some((text) => text.startsWith("SuccessfulRescale"))),
        "SuccessfulRescale: New size: 2; reason: cpu resource utilization (percentage of request) above target"
      )
      const scaled = yield* eventually(autoscaler, ({ status }) => status?.desiredReplicas === 2)
      assert.deepStrictEqual(scaled.status?.currentMetrics, [{ type: "Resource", resource: { name: "cpu", current: { averageValue: "90m", averageUtilization: 90 } } }])
      assert.isDefined(scaled.status?.lastScaleTime)
      assert.deepStrictEqual(yield* reason("ScalingActive", "ValidMetricFound"), [
        "True", "ValidMetricFound", "the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)"
      ])
      // Idle, but five minutes have not gone.
      measured.set("web-1", metrics("1m"))
      assert.strictEqual((yield* reason("AbleToScale", "ScaleDownStabilized"))[1], "ScaleDownStabilized")
      assert.strictEqual(yield* replicas, 2)
      yield* client.patch(Kinds.horizontalPodAutoscaler, ref, { spec: { maxReplicas: 1 } })
      assert.strictEqual(yield* eventually(replicas, (count) => count === 1), 1)
      yield* client.patch(Kinds.deployment, ref, { spec: { replicas: 0 } })
      assert.strictEqual((yield* reason("ScalingActive", "ScalingDisabled"))[0], "False")
    }).pipe(Effect.provide(layer))
  }, 90_000)

  it.scopedLive("leaves pods alone that another autoscaler scales, too", () => {
    const { events, layer } = world()
    return Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const template = { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "registry.test/app:1" }] } }
      yield* client.create(Kinds.deployment, { metadata: ref, spec: { replicas: 1, selector: { matchLabels: { app: "web" } }, template } })
      yield* client.create(Kinds.pod, { metadata: { name: "web-1", namespace: "default", labels: { app: "web" } }, spec: template.spec })
      yield* Effect.forkScoped(HorizontalPodAutoscalerController.run({ interval: "50 millis" }).pipe(Effect.zipRight(Effect.never), Effect.scoped))
      for (const name of ["a", "b"]) {
        yield* client.create(Kinds.horizontalPodAutoscaler, {
          metadata: { namespace: "default", name },
          spec: { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" }, maxReplicas: 3 }
        })
      }
      const active = (name: string) =>
        Effect.map(client.get(Kinds.horizontalPodAutoscaler, { namespace: "default", name }), ({ status }) => status?.conditions?.find(({ type }) => type === "ScalingActive"))
      for (const name of ["a", "b"]) {
        const { message, status } = (yield* eventually(active(name), (found) => found?.reason === "AmbiguousSelector")) ?? {}
        assert.deepStrictEqual([status, message], ["False", "pods by selector app=web are controlled by multiple HPAs: [default/a default/b]"])
      }
      assert.isTrue(events.some(({ reason }) => reason === "AmbiguousSelector"))
      yield* client.delete(Kinds.horizontalPodAutoscaler, { namespace: "default", name: "b" })
      assert.strictEqual((yield* eventually(active("a"), (found) => found?.reason !== "AmbiguousSelector"))?.reason, "FailedGetResourceMetric")
    }).pipe(Effect.provide(layer))
  }, 90_000)
})
