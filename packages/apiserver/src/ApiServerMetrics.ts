/**
 * What can be counted at the port, under Kubernetes' own names where it has one. Updated by plain calls, because every request passes them.
 *
 * Source: https://kubernetes.io/docs/reference/instrumenting/metrics/
 */
import { TaggedMetrics } from "@reddwarf/telemetry"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import type { RequestInfo } from "./RequestInfo.js"

/** Requests answered, by what they asked for and how it was answered. @category metrics */
export const requestsTotal = Metric.counter("apiserver_request_total", {
  description: "Requests answered, by verb, resource, scope and status code",
  incremental: true
})

/** Time from the request to the end of its answer, without watches and followed logs. @category metrics */
export const requestSeconds = Metric.histogram(
  "apiserver_request_duration_seconds",
  MetricBoundaries.fromIterable([0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]),
  "Seconds from the request to the end of its answer, by verb and resource"
)

/** Requests in work, without watches and followed logs. @category metrics */
export const requests = Metric.gauge("apiserver_current_inflight_requests", { description: "Requests in work" })

/** Open watches and followed logs. @category metrics */
export const streams = Metric.gauge("apiserver_longrunning_requests", { description: "Open watches and followed logs" })

/** Requests turned away because there were too many. @category metrics */
export const rejectedTotal = Metric.counter("reddwarf_apiserver_rejected_total", {
  description: "Requests turned away because there were too many",
  incremental: true
})

/** Peers given up because they neither sent nor took anything. @category metrics */
export const stalledTotal = Metric.counter("reddwarf_apiserver_stalled_total", {
  description: "Peers given up because they neither sent nor took anything",
  incremental: true
})

/** HTTP/2 connections closed because of floods of pings, settings or resets. @category metrics */
export const abusiveTotal = Metric.counter("reddwarf_apiserver_abusive_connections_total", {
  description: "Connections closed because of floods of pings, settings or resets",
  incremental: true
})

const counts = TaggedMetrics.make(requestsTotal, ["verb", "group", "version", "resource", "subresource", "scope", "code"])
const durations = TaggedMetrics.make(requestSeconds, ["verb", "group", "resource", "subresource"], 512)

/** An answer that was given. @category models */
export interface Answer {
  readonly method: string
  /** Absent for what is not a resource, is not known or may not be had by the caller. */
  readonly info: RequestInfo | undefined
  readonly status: number
  /** Absent for watches and followed logs. */
  readonly seconds: number | undefined
}

/** Requests are named by their method, those that name many objects by what they do with them. */
const ownVerbs: Readonly<Record<string, string>> = { list: "LIST", watch: "WATCH", deletecollection: "DELETECOLLECTION" }
const connecting: ReadonlySet<string> = new Set(["attach", "exec", "portforward", "proxy"])

const methods: ReadonlySet<string> = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"])

const verbOf = (method: string, info: RequestInfo | undefined): string => {
  if (info?.subresource !== undefined && connecting.has(info.subresource)) return "CONNECT"
  return ownVerbs[info?.verb ?? ""] ?? (methods.has(method) ? method : "other")
}

const scopeOf = ({ name, namespace }: RequestInfo): string =>
  name === undefined ? namespace === undefined ? "cluster" : "namespace" : "resource"

/** Counts one answer. @category metrics */
export const countAnswer = ({ info, method, seconds, status }: Answer): void => {
  const verb = verbOf(method, info)
  const subresource = info?.subresource ?? ""
  counts.update(1, verb, info?.group ?? "", info?.version ?? "", info?.resource ?? "", subresource, info === undefined ? "" : scopeOf(info), String(status))
  if (seconds !== undefined) durations.update(seconds, verb, info?.group ?? "", info?.resource ?? "", subresource)
}
