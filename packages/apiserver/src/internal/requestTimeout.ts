/** The `timeout` parameter of requests: how long a client is willing to wait for an answer. */
import { Status } from "@reddwarf/api-types"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { RequestInfo } from "../RequestInfo.js"
import type { Handled } from "./dispatch.js"
import * as render from "./render.js"

const units: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, "µs": 1e-3, "μs": 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y

/** Milliseconds of a duration in Go's form (`1m30s`); undefined when it is not one. */
export const parseDuration = (text: string): number | undefined => {
  const unsigned = text.replace(/^[+-]/, "")
  if (unsigned === "0") return 0
  let millis = 0
  part.lastIndex = 0
  while (part.lastIndex < unsigned.length) {
    const found = part.exec(unsigned)
    if (found === null) return undefined
    millis += Number(found[1]) * (units[found[2] ?? ""] ?? 0)
  }
  if (unsigned === "") return undefined
  return text.startsWith("-") ? -millis : millis
}

/** The longest a client may ask for. */
const maximumMillis = 60_000

const timedOut = () => Status.timeout("request did not complete within the allotted timeout")

/** Follows the wish of the client; verbs that have no natural end have parameters of their own. */
export const bounded = (info: RequestInfo, handle: () => Handled): Handled => {
  const text = info.query.size === 0 ? null : info.query.get("timeout")
  if (text === null || text === "" || info.verb === "watch" || info.subresource !== undefined) return handle()
  const millis = parseDuration(text)
  if (millis === undefined) {
    const shown = JSON.stringify(text)
    return render.status(Status.badRequest(`invalid timeout specified in the request URL - time: invalid duration ${shown}`))
  }
  const handled = handle()
  if (!Effect.isEffect(handled) || millis === 0) return handled
  return Effect.timeoutFail(handled, {
    duration: Duration.millis(Math.min(Math.max(millis, 0), maximumMillis)),
    onTimeout: timedOut
  })
}
