/** Spans of requests, for whoever collects traces. The caller's own trace goes on where it names one. */
import { TraceParent } from "@reddwarf/telemetry"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Http2ServerRequest } from "node:http2"
import type { RequestInfo } from "../RequestInfo.js"

const attributesOf = ({ group, name = "", namespace = "", resource, subresource = "", verb }: RequestInfo): Readonly<Record<string, string>> => ({
  "k8s.verb": verb,
  "k8s.group": group,
  "k8s.resource": resource,
  "k8s.subresource": subresource,
  "k8s.namespace": namespace,
  "k8s.name": name
})

/** One span around the work for one answer. */
export const span = (request: Http2ServerRequest, info: () => RequestInfo | undefined) => <A>(answer: Effect.Effect<A>): Effect.Effect<A> => {
  const [path = ""] = request.url.split("?", 1)
  const annotated = Effect.ensuring(answer, Effect.suspend(() => {
    const known = info()
    return known === undefined ? Effect.void : Effect.annotateCurrentSpan(attributesOf(known))
  }))
  const parent = TraceParent.fromHeaders(request.headers)
  return Effect.withSpan(annotated, `HTTP ${request.method}`, {
    kind: "server",
    attributes: { "http.request.method": request.method, "url.path": path.slice(0, 1024) },
    ...(Option.isSome(parent) ? { parent: parent.value } : { root: true })
  })
}
