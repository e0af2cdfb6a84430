/**
 * POST of `pods/<name>/finalize`: ends a terminating pod for good. The agent of its node asks for it once nothing of the pod is
 * left there. Unlike a delete without grace it cannot hit a pod that nobody has asked to stop.
 */
import { FieldError, Kinds, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Request from "../ApiRequest.js"
import type { ApiResponse } from "../ApiResponse.js"
import { nodeOf } from "../authorization/Authorizer.js"
import type { ResourceRequest } from "../internal/apiContext.js"
import * as body from "../internal/body.js"
import * as change from "../internal/change.js"
import * as deleteOptions from "../internal/deleteOptions.js"
import * as failures from "../internal/failures.js"
import { get } from "../internal/jsonValue.js"
import * as commit from "../internal/commit.js"
import { deleteNamed } from "./Delete.js"

/** Why somebody may not end this pod; undefined for its node and for administrators. */
const refusalOf = ({ user }: ResourceRequest, node: unknown): string | undefined => {
  if (user.groups.includes("system:masters")) return undefined
  if (node !== undefined && node !== "" && node === nodeOf(user)) return undefined
  return "only the node that the pod is bound to may say that it has ended"
}

/**
 * Answers with the pod as it was last. Only a terminating pod can be ended, by its node or an administrator; the body is empty
 * or DeleteOptions with preconditions.
 *
 * @category combinators
 */
export const finalizePod = (call: ResourceRequest, name: string): Effect.Effect<ApiResponse, Status.Status> =>
  Effect.gen(function*() {
    const { info } = call
    const bytes = yield* Effect.mapError(call.request.body, ({ status }) => status)
    const value = bytes.length === 0
      ? {}
      : (yield* body.parse(bytes, Request.header(call.request, "content-type"), "DeleteOptions")).value
    const options = yield* deleteOptions.fromValue(value, info.query)
    const current = change.currentOf(call, name)
    if (current === undefined) return yield* Effect.fail(failures.missing(Kinds.pod, name))
    const refusal = refusalOf(call, get(get(current.object, "spec"), "nodeName"))
    if (refusal !== undefined) return yield* Effect.fail(Status.forbidden(Kinds.pod, name, refusal))
    const { deletionTimestamp, uid } = current.object.metadata
    if (deletionTimestamp === undefined) {
      return yield* Effect.fail(
        Status.invalid(Kinds.pod, name, [
          FieldError.forbidden("metadata.deletionTimestamp", "only a pod that is being deleted can be finalized")
        ])
      )
    }
    const { result } = yield* deleteNamed({ ...call, info: { ...info, subresource: undefined } }, name, {
      ...options,
      gracePeriodSeconds: 0,
      // A pod of the same name that comes in between must not be hit.
      uid: options.uid ?? uid
    })
    return commit.respond(call, 200, result, [])
  })
