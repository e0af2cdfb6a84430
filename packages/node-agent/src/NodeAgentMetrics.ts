/** What the agent counts. */
import * as Metric from "effect/Metric"

/** Pod status patches sent. @category metrics */
export const statusWrites = Metric.counter("reddwarf_pod_status_writes_total", { description: "Pod status patches sent", incremental: true })

/** Looks at one pod, by how they ended. @category metrics */
export const podPasses = Metric.counter("reddwarf_pod_passes_total", { description: "Looks at one pod, by how they ended", incremental: true })

/** Looks at one pod that failed and are tried again. @category metrics */
export const podPassFailures = Metric.counter("reddwarf_pod_pass_failures_total", { description: "Looks at one pod that failed and are tried again", incremental: true })

/** Pods ended to make room for a critical static pod. @category metrics */
export const preemptions = Metric.counter("kubelet_preemptions", { description: "Pods ended to make room for a critical static pod", incremental: true })

/** Zones found running when the agent started, and left alone. @category metrics */
export const adoptedZones = Metric.gauge("reddwarf_adopted_zones", { description: "Zones found running when the agent started, and left alone" })

/** Pods of which something is on the host without a pod in the API, waiting for a second look. @category metrics */
export const orphans = Metric.gauge("reddwarf_orphaned_pods", { description: "Pods of which something is on the host without a pod in the API, waiting for a second look" })

/** Requests to the kubelet API that were refused for lack of a client certificate. @category metrics */
export const unauthorizedRequests = Metric.counter("reddwarf_kubelet_api_unauthorized_total", { description: "Requests to the kubelet API that were refused for lack of a client certificate", incremental: true })

/** Commands, attached clients and port forwardings that are served now. @category metrics */
export const streamingSessions = Metric.gauge("reddwarf_kubelet_streaming_sessions", { description: "Commands, attached clients and port forwardings that are served now" })
