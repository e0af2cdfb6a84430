/** From a request for a resource to the handler that answers it. */
import { type Kind, Kinds, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Request from "../ApiRequest.js"
import type { ApiResponse } from "../ApiResponse.js"
import * as Response from "../ApiResponse.js"
import { bind } from "../handlers/Binding.js"
import { connect } from "../handlers/Connect.js"
import { computed } from "../handlers/Computed.js"
import { create } from "../handlers/Create.js"
import { deleteCollection, deleteOne } from "../handlers/Delete.js"
import { evict } from "../handlers/Eviction.js"
import { finalize } from "../handlers/Finalize.js"
import { get } from "../handlers/Get.js"
import { list } from "../handlers/List.js"
import { log } from "../handlers/Log.js"
import { patch } from "../handlers/Patch.js"
import { finalizePod } from "../handlers/PodFinalize.js"
import { proxy } from "../handlers/Proxy.js"
import { scale } from "../handlers/Scale.js"
import { issueToken } from "../handlers/TokenRequest.js"
import { isReview, review } from "../handlers/Review.js"
import { update } from "../handlers/Update.js"
import { watch } from "../handlers/Watch.js"
import { negotiate, plainJson } from "../Negotiation.js"
import type { RequestInfo } from "../RequestInfo.js"
import * as ServedSubresources from "../discovery/ServedSubresources.js"
import type { UserInfo } from "../authentication/UserInfo.js"
import type { ApiContext, ResourceRequest } from "./apiContext.js"
import * as commit from "./commit.js"
import * as eager from "./eager.js"
import * as convertedView from "./convertedView.js"
import { contextFor } from "./storedView.js"
import * as render from "./render.js"
import { settling } from "./settlement.js"
import { wantsEvents } from "./watchFraming.js"

/** An answer that is there, or one that has to be worked for. */
export type Handled = ApiResponse | Effect.Effect<ApiResponse, Status.Status>

/** The answer to a path below no known group and version. */
export const pageNotFound = (): ApiResponse => Response.text(404, "404 page not found\n")

const notAllowed = (): ApiResponse => render.status(Status.methodNotAllowed())
const noResource = (): ApiResponse => render.status(Status.resourceNotFound())

/** A subresource that shows the object and changes a part of it. */
const changeable = (call: ResourceRequest, name: string): Handled => {
  if (call.info.verb === "get") return get(call, name)
  return call.info.verb === "patch" ? patch(call, name) : update(call, name)
}

const subresource = (call: ResourceRequest, name: string, sub: Kind.Subresource): Handled => {
  const { verb } = call.info
  if (!sub.verbs.some((known) => known === verb)) return notAllowed()
  switch (sub.name) {
    case "status":
      return changeable(call, name)
    case "binding":
      return bind(call, name)
    case "attach":
    case "exec":
    case "portforward":
      return connect(call, name, sub.name)
    case "eviction":
      return evict(call, name)
    case "finalize":
      return call.kind === Kinds.pod ? finalizePod(call, name) : finalize(call, name)
    case "log":
      return log(call, name)
    case "proxy":
      return proxy(call, name)
    case "scale":
      return call.kind.scale === undefined ? noResource() : scale(call, call.kind.scale, name)
    case "token":
      return issueToken(call, name)
    default:
      return call.kind.subresourceUpdates?.[sub.name] === undefined ? noResource() : changeable(call, name)
  }
}

const named = (call: ResourceRequest, name: string): Handled => {
  switch (call.info.verb) {
    case "get":
      return get(call, name)
    case "watch":
      return watch(call, name)
    case "update":
      return update(call, name)
    case "patch":
      return patch(call, name)
    case "delete":
      return deleteOne(call, name)
    default:
      return notAllowed()
  }
}

const collection = (call: ResourceRequest): Handled => {
  switch (call.info.verb) {
    case "list":
      return list(call)
    case "watch":
      return watch(call, undefined)
    case "create":
      if (isReview(call.kind)) return review(call)
      return call.kind === Kinds.binding ? bind(call, undefined) : create(call)
    case "deletecollection":
      return deleteCollection(call)
    default:
      return notAllowed()
  }
}

const route = (call: ResourceRequest): Handled => {
  const { info, kind } = call
  const { name, namespace, rest, subresource: below, verb } = info
  if (rest.length > 0 && below !== "proxy") return noResource()
  if (kind.namespaced && namespace === undefined && name !== undefined) return noResource()
  if (!kind.namespaced && namespace !== undefined && kind !== Kinds.namespace) return noResource()
  const source = call.context.computed.get(kind)
  if (source !== undefined) return computed(call, source)
  if (name === undefined) return kind.verbs.some((known) => known === verb) ? collection(call) : notAllowed()
  if (below !== undefined) {
    const sub = kind.subresources.find((known) => known.name === below && ServedSubresources.isServed(below))
    return sub === undefined ? noResource() : subresource(call, name, sub)
  }
  return kind.verbs.some((known) => known === verb) ? named(call, name) : notAllowed()
}

// What they answer is not for this server to choose, whatever the client would prefer.
const isHandedThrough: ReadonlySet<string> = new Set(["attach", "exec", "log", "portforward", "proxy"])

const ignore = (): void => {}

const reads: ReadonlySet<string> = new Set(["get", "list", "watch"])

/** Answers a request for a resource whose caller was found to be allowed to make it. */
export const dispatch = (context: ApiContext, request: Request.ApiRequest, info: RequestInfo, user: UserInfo): Handled => {
  const kind = context.registry.byResource(info.group, info.version, info.resource)
  if (kind === undefined) {
    const known = context.registry.groups().some(({ group, versions }) =>
      group === info.group && versions.some(({ version }) => version === info.version)
    )
    return known ? noResource() : pageNotFound()
  }
  request.seen?.(info)
  const accepted = info.subresource !== undefined && isHandedThrough.has(info.subresource)
    ? plainJson
    : negotiate(Request.header(request, "accept")) ?? (info.verb === "watch" && wantsEvents(request) ? plainJson : undefined)
  if (accepted === undefined) return render.status(Status.notAcceptable())
  const webhook = kind.storage?.webhook
  const run = (call: ResourceRequest): Handled => {
    if (kind.storage === undefined) return route(call)
    return webhook === undefined ? route({ ...call, context: contextFor(context, kind) }) : convertedView.handle(call, kind.storage, webhook, route)
  }
  const { deprecationWarning } = kind
  const warnings = deprecationWarning === undefined ? [] : [deprecationWarning]
  const warn = (text: string): void => void warnings.push(text)
  const answered = (onSettled: ResourceRequest["onSettled"]): Handled => run({ context, request, user, info, kind, accepted, onSettled, warn })
  const isRead = reads.has(info.verb)
  const handled = isRead ? answered(ignore) : settling(answered)
  if (isRead && warnings.length === 0) return handled
  const warned = (response: ApiResponse) => commit.warn(response, [...new Set(warnings)])
  return Effect.isEffect(handled)
    ? eager.catchAll(eager.map(handled, warned), (status) => Effect.succeed(warned(render.status(status))))
    : warned(handled)
}
