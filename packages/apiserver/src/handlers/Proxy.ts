/** `pods|services|nodes/<name>/proxy[/path]`: HTTP requests, and upgrades of them, handed on to a pod or to the agent of a node. */
import { Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http"
import { type ApiRequest, header } from "../ApiRequest.js"
import type { ApiResponse } from "../ApiResponse.js"
import * as Response from "../ApiResponse.js"
import type { ResourceRequest } from "../internal/apiContext.js"
import { type Answer, type Outgoing, send } from "../internal/outbound.js"
import { type Target, targetOf } from "../internal/proxyTarget.js"
import * as relay from "../internal/relay.js"
import * as sideAdmission from "../internal/sideAdmission.js"
import type { KubeletUnreachable } from "../KubeletClient.js"
import { upgradeHeaders } from "./Connect.js"

// Longer than the time that the server gives any answer.
const timeoutMillis = 65_000

/** Headers about one connection, and those that say who the caller is: that is for this server alone. */
const own: ReadonlySet<string> = new Set([
  "authorization",
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

const isOwn = (name: string): boolean =>
  own.has(name) || name.startsWith(":") || name.startsWith("impersonate-") || name.startsWith("x-remote-") || name.startsWith("x-forwarded-")

const requestHeaders = (request: ApiRequest, path: string): OutgoingHttpHeaders => {
  const passed: OutgoingHttpHeaders = request.upgrade === undefined ? {} : upgradeHeaders(request.headers)
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined && !isOwn(name) && !name.startsWith("sec-websocket-")) passed[name] = typeof value === "string" ? value : [...value]
  }
  const host = header(request, "host") ?? header(request, ":authority")
  return { ...passed, "x-forwarded-proto": "https", "x-forwarded-uri": path, ...(host === undefined ? {} : { "x-forwarded-host": host }) }
}

/** The part of the path that ends with `/proxy`, and what follows it, as sent. */
const split = ({ kind, info }: ResourceRequest): { readonly prefix: string; readonly rest: string } => {
  const segments = info.path.split("/")
  const length = kind.namespaced ? 8 : 6
  return { prefix: segments.slice(0, length).join("/"), rest: segments.slice(length).map((segment) => `/${segment}`).join("") }
}

// A redirect within the pod leads back through here.
const locationOf = (location: string, origin: string, path: string, prefix: string): string => {
  const base = `${origin}${path}`
  if (!URL.canParse(location, base)) return location
  const target = new URL(location, base)
  return target.origin === new URL(origin).origin ? `${prefix}${target.pathname}${target.search}${target.hash}` : location
}

const responseHeaders = ({ headers }: IncomingMessage, location: (value: string) => string): ApiResponse["headers"] => {
  const passed: Record<string, string | ReadonlyArray<string>> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || (own.has(name) && name !== "content-length")) continue
    passed[name] = name === "location" && typeof value === "string" ? location(value) : value
  }
  return passed
}

const unreachable = (detail: string): Status.Status => Status.serviceUnavailable(`error trying to reach service: ${detail}`)

const failed = (error: KubeletUnreachable | { readonly detail: string }): Status.Status => unreachable(error.detail)

const open = ({ context }: ResourceRequest, target: Target, outgoing: Outgoing) =>
  target._tag === "Agent"
    ? Effect.mapError(context.kubelet.open(target.address, outgoing), failed)
    // As in Kubernetes: pods have certificates of their own making, and the network between is the cluster's.
    : Effect.mapError(send(target.origin, { agent: false, rejectUnauthorized: false }, outgoing, timeoutMillis), failed)

const originOf = (target: Target): string =>
  target._tag === "Pod" ? target.origin : `https://${target.address.address.includes(":") ? `[${target.address.address}]` : target.address.address}:${target.address.port}`

/** Hands a request on, and its answer back. @category combinators */
export const proxy = (call: ResourceRequest, name: string): ApiResponse | Effect.Effect<ApiResponse, Status.Status> => {
  const { info, request } = call
  const { prefix, rest } = split(call)
  const mark = request.url.indexOf("?")
  const query = mark < 0 ? "" : request.url.slice(mark)
  if (rest === "" && (request.method === "GET" || request.method === "HEAD")) {
    return { status: 301, headers: { location: `${prefix}/${query}` }, body: Response.emptyBody }
  }
  return Effect.gen(function*() {
    const target = yield* targetOf(call, name)
    const body = request.method === "GET" || request.method === "HEAD" || request.upgrade !== undefined
      ? undefined
      : yield* Effect.mapError(request.body, ({ status }) => status)
    const path = rest === "" ? "/" : rest
    yield* sideAdmission.connect(call, name, `${call.kind.kind}ProxyOptions`, { path })
    const outgoing: Outgoing = {
      method: request.method,
      path: `${path}${query}`,
      headers: { ...requestHeaders(request, info.path), ...(body === undefined ? {} : { "content-length": body.length }) },
      ...(body === undefined ? {} : { body })
    }
    const answered = (answer: Answer, close: Effect.Effect<void>): Effect.Effect<ApiResponse> => {
      if (answer._tag === "Upgraded") return Effect.succeed(relay.joined(answer, close))
      const { incoming, status } = answer
      const headers = responseHeaders(incoming, (location) => locationOf(location, originOf(target), path, prefix))
      if (request.upgrade !== undefined) return relay.plain(incoming, headers)
      return Effect.succeed(Response.stream(status, headers, true, (sink) => relay.copy(incoming, sink), close))
    }
    return yield* relay.holding((close) => Effect.flatMap(open(call, target, outgoing), (answer) => answered(answer, close)))
  })
}
