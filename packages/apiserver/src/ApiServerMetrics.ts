/** What can be counted at the port. Updated by plain calls, because every request passes them. */
import * as Metric from "effect/Metric"

/** Requests answered, by class of status code: `2xx`, `4xx`, ... @category metrics */
export const requestsTotal = Metric.counter("reddwarf_apiserver_requests_total", {
  description: "Requests answered, by class of status code",
  incremental: true
})

const byClass = ["1xx", "2xx", "3xx", "4xx", "5xx"].map((code) => Metric.tagged(requestsTotal, "code", code))

/** Counts one answer. @category metrics */
export const countAnswer = (status: number): void => byClass[Math.floor(status / 100) - 1]?.unsafeUpdate(1, [])

/** Requests in work, without watches and followed logs. @category metrics */
export const requests = Metric.gauge("reddwarf_apiserver_requests", { description: "Requests in work" })

/** Open watches and followed logs. @category metrics */
export const streams = Metric.gauge("reddwarf_apiserver_streams", { description: "Open watches and followed logs" })

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
