/** PodMetrics: what the containers of a pod use now. Computed when asked for, never stored. */
import * as metrics from "../internal/metricsContent.js"
import * as Kind from "../Kind.js"
import type { ContainerMetrics, PodMetrics } from "../MetricsV1beta1.js"

const containerOf = (json: unknown): ContainerMetrics | undefined => {
  if (typeof json !== "object" || json === null || !("name" in json) || typeof json.name !== "string" || !("usage" in json)) return undefined
  const usage = metrics.usageOf(json.usage)
  return usage === undefined ? undefined : { name: json.name, usage }
}

/** @category constructors */
export const podMetrics: Kind.Kind<PodMetrics> = Kind.make<PodMetrics>({
  group: metrics.group,
  version: metrics.version,
  kind: "PodMetrics",
  plural: "pods",
  singular: "",
  namespaced: true,
  verbs: ["get", "list"],
  schema: "io.k8s.metrics.pkg.apis.metrics.v1beta1.PodMetrics",
  custom: {
    decode: metrics.decoderOf("PodMetrics", ({ containers }) => {
      if (!Array.isArray(containers)) return undefined
      const read = containers.flatMap((container: unknown) => containerOf(container) ?? [])
      return read.length === containers.length ? { containers: read } : undefined
    }),
    openApi: metrics.openApiOf("PodMetrics", "PodMetrics is what the containers of a pod use, measured over a short time.", {
      containers: {
        type: "array",
        description: "The containers that run.",
        items: {
          type: "object",
          required: ["name", "usage"],
          properties: { name: { type: "string", description: "Name of the container." }, usage: metrics.usageSchema }
        }
      }
    }),
    isTerminating: false,
    isBuiltIn: true
  },
  columns: metrics.columns,
  cells: ({ containers, metadata, window }) => metrics.cells(metadata.name ?? "", containers.map(({ usage }) => usage), window)
})
