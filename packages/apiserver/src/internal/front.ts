/** What an open port answers while no API is behind it: not yet, because the store is still being read, or no longer. */
import { Status } from "@reddwarf/api-types"
import type { ApiResponse } from "../ApiResponse.js"
import * as Response from "../ApiResponse.js"
import * as Health from "../Health.js"
import * as render from "./render.js"

const unavailableCode = 503

const unavailable = (message: string): ApiResponse =>
  render.status(Status.failure(unavailableCode, "ServiceUnavailable", message, { retryAfterSeconds: 1 }))

const starting = unavailable("the server is starting: it is still reading its objects, please try again")

const stopping = unavailable("the server is shutting down")

const retryLater = { "retry-after": "1" }

export interface Front {
  /** One of the checks has come true. */
  readonly pass: (check: string) => void
  /** From now on the port is about to close. */
  readonly stop: () => void
  /** The answer to all requests but those for the health, and to upgrades. */
  readonly refusal: () => ApiResponse
  readonly answer: (method: string, url: string) => ApiResponse
}

/** A front that waits for these checks. The process is alive all the time, and says so. */
export const make = (checks: ReadonlyArray<string>): Front => {
  const waiting = new Set(checks)
  let isStopping = false

  const results = (): ReadonlyArray<Health.Result> => [
    { name: Health.ping.name, ok: true },
    ...checks.map((name) => ({ name, ok: !waiting.has(name), paths: ["readyz"] as const })),
    // Nobody asks here while requests are served.
    { name: "api", ok: isStopping, paths: ["readyz"] },
    { name: "shutdown", ok: !isStopping, paths: ["readyz"] }
  ]

  const refusal = (): ApiResponse => isStopping ? stopping : starting

  return {
    pass: (check) => void waiting.delete(check),
    stop: () => {
      isStopping = true
    },
    refusal,
    answer: (method, url) => {
      const [path = "", query = ""] = url.split("?", 2)
      if ((method !== "GET" && method !== "HEAD") || !Health.isHealthPath(path)) return refusal()
      const found = Health.answer(results(), path, new URLSearchParams(query), unavailableCode)
      return found.status === unavailableCode ? Response.withHeaders(found, retryLater) : found
    }
  }
}
