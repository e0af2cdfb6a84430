/** PUT of one object, or of its status. */
import { FieldError, type KubeObject, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import type { ApiResponse } from "../ApiResponse.js"
import type { ResourceRequest } from "../internal/apiContext.js"
import * as body from "../internal/body.js"
import * as change from "../internal/change.js"
import * as commit from "../internal/commit.js"
import * as eager from "../internal/eager.js"
import * as failures from "../internal/failures.js"
import * as leaseRenewal from "../internal/leaseRenewal.js"
import * as writeOptions from "../internal/writeOptions.js"
import { createDecoded } from "./Create.js"

/** The name and namespace of a body must be those of the URL. @internal */
export const checkIdentity = (
  call: ResourceRequest,
  object: KubeObject.KubeObject,
  name: string
): Effect.Effect<void, Status.Status> => {
  const { name: given = "", namespace = "" } = object.metadata
  if (given !== name) {
    return Effect.fail(
      Status.badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`)
    )
  }
  return namespace === "" || !call.kind.namespaced || namespace === call.info.namespace
    ? Effect.void
    : Effect.fail(
      Status.badRequest(
        `the namespace of the object (${namespace}) does not match the namespace on the request (${call.info.namespace ?? ""})`
      )
    )
}

const unconditional = ({ kind }: ResourceRequest, name: string): Effect.Effect<void, Status.Status> =>
  kind.allowUnconditionalUpdate
    ? Effect.void
    : Effect.fail(
      Status.invalid({ group: kind.group, kind: kind.plural }, name, [
        FieldError.invalid("metadata.resourceVersion", 0, "must be specified for an update")
      ])
    )

/** Answers an update request: 200, or 201 where the kind lets a PUT create. @category combinators */
export const update = (call: ResourceRequest, name: string): Effect.Effect<ApiResponse, Status.Status> =>
  leaseRenewal.renew(call, name) ?? eager.flatMap(writeOptions.parse(call.info.query, "UpdateOptions"), (options) =>
    body.withDecoded(call, call.kind, options.fieldValidation, ({ object, warnings }) =>
      eager.flatMap(checkIdentity(call, object, name), () => replace(call, name, object, warnings, options.dryRun))))

const replace = (
  call: ResourceRequest,
  name: string,
  object: KubeObject.KubeObject,
  warnings: ReadonlyArray<string>,
  dryRun: boolean
): Effect.Effect<ApiResponse, Status.Status> => {
  const { context, info, kind } = call
  const expected = object.metadata.resourceVersion ?? ""
  const attempt = eager.suspend((): Effect.Effect<readonly [number, commit.Written], commit.Raced | commit.Refused> => {
    const current = change.currentOf(call, name)
    if (current === undefined) {
      return kind.allowCreateOnUpdate && info.subresource === undefined && expected === ""
        ? eager.map(eager.mapError(createDecoded(call, object, dryRun), commit.refused), (created) => [201, created] as const)
        : Effect.fail(commit.refused(failures.missing(kind, name)))
    }
    if (expected !== "" && expected !== String(current.revision)) {
      return Effect.fail(commit.refused(Status.conflict(kind, name)))
    }
    const allowed = expected === "" ? eager.mapError(unconditional(call, name), commit.refused) : Effect.void
    return eager.flatMap(
      allowed,
      () => eager.map(change.apply(call, current, object, dryRun), (changed) => [200, changed] as const)
    )
  })
  const written = commit.retrying(
    context,
    expected === "" ? commit.maxAttempts : 1,
    attempt,
    () => Status.conflict(kind, name)
  )
  return eager.map(written, ([code, result]) => {
    if (!dryRun && warnings.length === 0) leaseRenewal.note(call, object, result)
    return commit.respond(call, code, result, warnings)
  })
}
