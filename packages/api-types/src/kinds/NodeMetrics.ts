/** NodeMetrics: what a node uses now. Computed when asked for, never stored. */
import * as metrics from "../internal/metricsContent.js"
import * as Kind from "../Kind.js"
import type { NodeMetrics } from "../MetricsV1beta1.js"

/** @category constructors */
export const nodeMetrics: Kind.Kind<NodeMetrics> = Kind.make<NodeMetrics>({
  group: metrics.group,
  version: metrics.version,
  kind: "NodeMetrics",
  plural: "nodes",
  singular: "",
  namespaced: false,
  verbs: ["get", "list"],
  schema: "io.k8s.metrics.pkg.apis.metrics.v1beta1.NodeMetrics",
  custom: {
    decode: metrics.decoderOf("NodeMetrics", ({ usage }) => {
      const read = metrics.usageOf(usage)
      return read === undefined ? undefined : { usage: read }
    }),
    openApi: metrics.openApiOf("NodeMetrics", "NodeMetrics is what a node uses, measured over a short time.", { usage: metrics.usageSchema }),
    isTerminating: false,
    isBuiltIn: true
  },
  columns: metrics.columns,
  cells: ({ metadata, usage, window }) => metrics.cells(metadata.name ?? "", [usage], window)
})
