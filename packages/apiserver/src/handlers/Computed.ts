/** GET of objects that are computed, one or many. */
import { type KubeObject, Status } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import type { ApiResponse } from "../ApiResponse.js"
import type { ComputedResource } from "../ComputedResources.js"
import type { ResourceRequest } from "../internal/apiContext.js"
import { keyOf } from "../internal/keys.js"
import * as listOptions from "../internal/listOptions.js"
import * as render from "../internal/render.js"
import * as selections from "../internal/selection.js"
import { respond } from "./List.js"

const encoder = new TextEncoder()

const bytesOf = (object: KubeObject.KubeObject): Uint8Array => encoder.encode(`${JSON.stringify(object)}\n`)

const one = (call: ResourceRequest, resource: ComputedResource, name: string): ApiResponse =>
  Either.match(resource.get(call.info.namespace, name), {
    onLeft: render.status,
    onRight: (object) => render.object(call, 200, bytesOf(object), () => object)
  })

/** Nothing has a revision here, so `resourceVersion`, `limit` and `continue` mean nothing: everything is one page. */
const many = (call: ResourceRequest, resource: ComputedResource): ApiResponse => {
  const options = listOptions.parse(call.info.query, false)
  if (Either.isLeft(options)) return render.status(options.left)
  const selection = selections.parse(call.kind, call.info.query)
  if (Either.isLeft(selection)) return render.status(selection.left)
  const items = resource.list(call.info.namespace).filter(selection.right.matches).map((object) => {
    const { name = "", namespace } = object.metadata
    return {
      key: keyOf(call.kind, namespace, name),
      // As with the page: nothing here was ever written.
      revision: 0,
      object,
      get bytes() {
        return bytesOf(object)
      }
    }
  })
  return respond(call, { items, revision: undefined, next: undefined, remaining: undefined })
}

/** Answers a read of a computed resource. @category combinators */
export const computed = (call: ResourceRequest, resource: ComputedResource): ApiResponse => {
  const { name, subresource, verb } = call.info
  if (subresource !== undefined) return render.status(Status.resourceNotFound())
  if (name !== undefined && verb === "get") return one(call, resource, name)
  return verb === "list" && resource.kind.verbs.includes("list") ? many(call, resource) : render.status(Status.methodNotAllowed())
}
