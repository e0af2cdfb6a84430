/** POST of `pods/<name>/eviction`: a delete that a disruption budget could refuse; there are no budgets yet. */
import { Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Request from "../ApiRequest.js"
import type { ApiResponse } from "../ApiResponse.js"
import type { ResourceRequest } from "../internal/apiContext.js"
import * as body from "../internal/body.js"
import * as deleteOptions from "../internal/deleteOptions.js"
import { get } from "../internal/jsonValue.js"
import * as render from "../internal/render.js"
import { deleteNamed } from "./Delete.js"

/** Answers an eviction: 201 once the pod is being deleted. @category combinators */
export const evict = (call: ResourceRequest, name: string): Effect.Effect<ApiResponse, Status.Status> =>
  Effect.gen(function*() {
    const bytes = yield* Effect.mapError(call.request.body, ({ status }) => status)
    const { value } = yield* body.parse(bytes, Request.header(call.request, "content-type"), "Eviction")
    if (get(value, "kind") !== "Eviction") {
      return yield* Effect.fail(Status.badRequest("the body of an eviction must be an Eviction object of policy/v1"))
    }
    const given = get(get(value, "metadata"), "name")
    if (given !== undefined && given !== name) {
      return yield* Effect.fail(Status.badRequest("name in URL does not match name in Eviction object"))
    }
    const options = yield* deleteOptions.fromValue(get(value, "deleteOptions") ?? {}, call.info.query)
    yield* deleteNamed(call, name, options)
    return render.other(call, 201, Status.success(undefined, 201))
  })
