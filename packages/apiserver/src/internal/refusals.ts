/** Answers to requests that nobody works on: they are complete at once, but their peer may take its time. */
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2"
import type { ApiResponse } from "../ApiResponse.js"
import * as Metrics from "../ApiServerMetrics.js"
import * as exchanges from "./exchange.js"

export interface Refusals {
  /** Answers at once. */
  readonly refuse: (request: Http2ServerRequest, response: Http2ServerResponse, answer: ApiResponse) => void
  /** Gives up peers that have not taken their answer since `oldest`. */
  readonly sweep: (oldest: number) => void
}

/** Gives up the peers of a group that have waited since `oldest`, in milliseconds since the epoch. */
export const giveUp = (group: Iterable<exchanges.Exchange>, oldest: number): void => {
  for (const { request, response, waitingSince } of group) {
    if (waitingSince === 0 || waitingSince > oldest) continue
    Metrics.stalledTotal.unsafeUpdate(1, [])
    response.destroy()
    request.destroy()
  }
}

/** The refusals of one port. */
export const make = (now: () => number): Refusals => {
  const open = new Set<exchanges.Exchange>()
  return {
    refuse: (request, response, answer) => {
      const exchange: exchanges.Exchange = { request, response, client: "", began: now(), info: undefined, waitingSince: 0, cancel: undefined, closed: false }
      // Nobody is there to be told about a broken connection.
      request.on("error", () => {})
      response.on("error", () => {})
      open.add(exchange)
      response.once("close", () => {
        exchange.closed = true
        open.delete(exchange)
      })
      if (answer.body instanceof Uint8Array) exchanges.sendComplete(exchange, answer, answer.body, now)
    },
    sweep: (oldest) => giveUp(open, oldest)
  }
}
