/**
 * `metrics.k8s.io`: what nodes and pods use now, computed from the last answers of the agents. Clients such as `kubectl top` and the
 * HorizontalPodAutoscaler read it; nothing of it is stored.
 */
import { Kind, Kinds, type KubeObject, type MetricsV1beta1, Quantity, Status, Timestamp } from "@reddwarf/api-types"
import { WatchCache } from "@reddwarf/event-bus"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { type ComputedResource, ComputedResources } from "../ComputedResources.js"
import { objectOf } from "../internal/apiContext.js"
import { get } from "../internal/jsonValue.js"
import { keyOf, prefixOf } from "../internal/keys.js"
import { KubeletClient } from "../KubeletClient.js"
import * as MetricsScraper from "./MetricsScraper.js"
import * as MetricsWindow from "./MetricsWindow.js"

type Cache = Context.Tag.Service<WatchCache.WatchCache>

/** Milliseconds as Go writes durations: `15.02s`, `1m5s`. */
const duration = (millis: number): string => {
  const [minutes, seconds] = [Math.floor(millis / 60_000), (millis % 60_000) / 1000]
  const hours = Math.floor(minutes / 60)
  return `${hours > 0 ? `${hours}h` : ""}${minutes > 0 ? `${minutes % 60}m` : ""}${seconds}s`
}

const usageOf = ({ cpuNanoCores, memory }: MetricsWindow.Usage): MetricsV1beta1.ResourceUsage => ({
  cpu: Quantity.toCanonical({ nanos: BigInt(Math.floor(cpuNanoCores)), format: "DecimalSI" }),
  memory: Quantity.toCanonical(Quantity.fromBytes(memory))
})

const metadataOf = ({ metadata }: KubeObject.KubeObject, now: number): KubeObject.KubeObject["metadata"] => ({
  name: metadata.name ?? "",
  ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
  creationTimestamp: Timestamp.secondsFromMillis(now),
  ...(metadata.labels === undefined ? {} : { labels: metadata.labels })
})

const head = (kind: Kind.Kind, object: KubeObject.KubeObject, now: number) => ({
  kind: kind.kind,
  apiVersion: Kind.apiVersion(kind),
  metadata: metadataOf(object, now)
})

const measured = ({ time, window }: { readonly time: number; readonly window: number }) => ({
  timestamp: Timestamp.secondsFromMillis(time),
  window: duration(window)
})

const nodeMetrics = (window: MetricsWindow.MetricsWindow, node: KubeObject.KubeObject, now: number): MetricsV1beta1.NodeMetrics | undefined => {
  const usage = window.node(node.metadata.name ?? "")
  return usage === undefined ? undefined : { ...head(Kinds.nodeMetrics, node, now), ...measured(usage), usage: usageOf(usage) }
}

const podMetrics = (window: MetricsWindow.MetricsWindow, pod: KubeObject.KubeObject, now: number): MetricsV1beta1.PodMetrics | undefined => {
  const { name = "", namespace = "", uid } = pod.metadata
  const usage = window.pod(namespace, name)
  if (usage === undefined || usage.uid !== uid || get(get(pod, "status"), "phase") !== "Running") return undefined
  return {
    ...head(Kinds.podMetrics, pod, now),
    ...measured(usage),
    containers: usage.containers.map((container) => ({ name: container.name, usage: usageOf(container.usage) }))
  }
}

/**
 * A resource that shows the measurements of stored objects. What is not measured is called by the name that such messages have in Kubernetes.
 */
const resourceOf = (
  cache: Cache,
  kind: Kind.Kind,
  of: Kind.Kind,
  missing: string,
  measure: (object: KubeObject.KubeObject) => KubeObject.KubeObject | undefined
): ComputedResource => ({
  kind,
  get: (namespace, name) => {
    const entry = cache.get(keyOf(of, namespace, name))
    if (entry === undefined) return Either.left(Status.notFound(of, name))
    const shown = namespace === undefined ? name : `${namespace}/${name}`
    return Either.fromNullable(measure(objectOf(entry)), () => Status.notFound({ group: kind.group, plural: missing }, shown))
  },
  list: (namespace) => cache.list(prefixOf(of, namespace)).flatMap((entry) => measure(objectOf(entry)) ?? [])
})

/** The two resources over a window. `now` gives milliseconds since the epoch. @category constructors */
export const resources = (cache: Cache, window: MetricsWindow.MetricsWindow, now: () => number): ReadonlyArray<ComputedResource> => [
  resourceOf(cache, Kinds.nodeMetrics, Kinds.node, "nodemetrics", (node) => nodeMetrics(window, node, now())),
  resourceOf(cache, Kinds.podMetrics, Kinds.pod, "podmetrics", (pod) => podMetrics(window, pod, now()))
]

/**
 * Collects from all agents while the layer lives, and offers the result to the API server that it is provided to, beside the computed
 * resources that are there already.
 *
 * @category layers
 */
export const layer = (
  options: MetricsScraper.Options = {}
): Layer.Layer<ComputedResources, never, WatchCache.WatchCache | KubeletClient> =>
  Layer.scoped(
    ComputedResources,
    Effect.gen(function*() {
      const cache = yield* WatchCache.WatchCache
      const kubelet = yield* KubeletClient
      const clock = yield* Effect.clock
      const window = MetricsWindow.make(Duration.toMillis(options.interval ?? "15 seconds"))
      yield* MetricsScraper.run({ cache, kubelet, window }, options)
      return [...(yield* ComputedResources), ...resources(cache, window, () => clock.unsafeCurrentTimeMillis())]
    })
  )
