/** PATCH of one object, or of its status. */
import { Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Request from "../ApiRequest.js"
import type { ApiResponse } from "../ApiResponse.js"
import type { ResourceRequest } from "../internal/apiContext.js"
import * as body from "../internal/body.js"
import * as change from "../internal/change.js"
import * as commit from "../internal/commit.js"
import * as eager from "../internal/eager.js"
import * as failures from "../internal/failures.js"
import { get } from "../internal/jsonValue.js"
import * as writeOptions from "../internal/writeOptions.js"
import { patchType } from "../Negotiation.js"
import * as JsonPatch from "../patch/JsonPatch.js"
import * as MergePatch from "../patch/MergePatch.js"
import * as StrategicMergePatch from "../patch/StrategicMergePatch.js"
import { apply as serverSideApply } from "./Apply.js"
import { checkIdentity } from "./Update.js"

/** What a patch makes of an object. */
type Patcher = (current: unknown) => Either.Either<unknown, Status.Status>

const accepted = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml"
]

const customAccepted = ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"]

const objectPatch = (patch: unknown, apply: Patcher): Either.Either<Patcher, Status.Status> =>
  typeof patch === "object" && patch !== null && !Array.isArray(patch)
    ? Either.right(apply)
    : Either.left(
      Status.badRequest(
        `error decoding patch: json: cannot unmarshal ${
          Array.isArray(patch) ? "array" : typeof patch
        } into Go value of type map[string]interface {}`
      )
    )

const jsonPatcher = (patch: unknown): Either.Either<Patcher, Status.Status> => {
  if (Array.isArray(patch) && patch.length > JsonPatch.maxOperations) {
    return Either.left(
      Status.failure(
        413,
        "RequestEntityTooLarge",
        `Request entity too large: The allowed maximum operations in a JSON patch is ${JsonPatch.maxOperations}, got ${patch.length}`
      )
    )
  }
  const toStatus = ({ message, reason }: JsonPatch.JsonPatchFailure): Status.Status =>
    reason === "Malformed" ? Status.badRequest(`error decoding patch: ${message}`) : Status.unprocessable()
  return JsonPatch.parse(patch).pipe(
    Either.mapBoth({
      onLeft: toStatus,
      onRight: (operations): Patcher => (current) => Either.mapLeft(JsonPatch.apply(current, operations), toStatus)
    })
  )
}

const patcherOf = (call: ResourceRequest, patch: unknown): Either.Either<Patcher, Status.Status> => {
  switch (patchType(Request.header(call.request, "content-type"))) {
    case "json":
      return jsonPatcher(patch)
    case "merge":
      return objectPatch(patch, (current) => Either.right(MergePatch.apply(current, patch)))
    case "strategic":
      if (call.kind.custom !== undefined) return Either.left(Status.unsupportedMediaType(customAccepted))
      return objectPatch(patch, (current) =>
        Either.mapLeft(
          StrategicMergePatch.apply(current, patch, call.kind.schema),
          ({ message, reason }) => reason === "Malformed" ? Status.badRequest(message) : Status.failure(500, "", message)
        ))
    case "apply":
    case undefined:
      break
  }
  return Either.left(Status.unsupportedMediaType(accepted))
}

const withPatch = <A>(
  call: ResourceRequest,
  next: (patcher: Patcher) => Effect.Effect<A, Status.Status>
): Effect.Effect<A, Status.Status> =>
  body.withBytes(call, (bytes) => {
    const parsed = body.parse(bytes, "application/json", call.kind.kind)
    if (Either.isLeft(parsed)) return Effect.fail(Status.badRequest(`error decoding patch: ${parsed.left.message ?? ""}`))
    const patcher = patcherOf(call, parsed.right.value)
    return Either.isLeft(patcher) ? Effect.fail(patcher.left) : next(patcher.right)
  })

/** The patch of a request, as what it makes of an object of the call's kind. @internal */
export const readPatch = (call: ResourceRequest): Effect.Effect<Patcher, Status.Status> => withPatch(call, Effect.succeed)

const explicitVersion = (patched: unknown, current: unknown): boolean =>
  get(get(patched, "metadata"), "resourceVersion") !== get(get(current, "metadata"), "resourceVersion")

/**
 * Answers a patch request: reads, patches, validates and stores, again when another writer was faster. A patch that sets
 * `metadata.resourceVersion` applies to that version only.
 *
 * @category combinators
 */
export const patch = (call: ResourceRequest, name: string): Effect.Effect<ApiResponse, Status.Status> =>
  eager.suspend(() => {
    const { context, info, kind } = call
    const type = patchType(Request.header(call.request, "content-type"))
    if (type === "apply") return serverSideApply(call, name)
    if (type === undefined) return Effect.fail(Status.unsupportedMediaType(accepted))
    const options = writeOptions.parse(info.query, "PatchOptions")
    if (Either.isLeft(options)) return Effect.fail(options.left)
    const { dryRun, fieldValidation } = options.right
    const attempt = (apply: Patcher): Effect.Effect<ApiResponse, commit.Raced | commit.Refused> => {
      const current = change.currentOf(call, name)
      if (current === undefined) return Effect.fail(commit.refused(failures.missing(kind, name)))
      const decoded = Either.flatMap(apply(current.object), (patched) =>
        explicitVersion(patched, current.object)
          ? Either.left(Status.conflict(kind, name))
          : body.decode(kind, patched, undefined, fieldValidation, current.object))
      if (Either.isLeft(decoded)) return Effect.fail(commit.refused(decoded.left))
      const { object, warnings } = decoded.right
      return eager.flatMap(eager.mapError(checkIdentity(call, object, name), commit.refused), () =>
        eager.map(change.apply(call, current, object, dryRun), (result) => commit.respond(call, 200, result, warnings)))
    }
    return withPatch(call, (apply) =>
      commit.retrying(context, commit.maxAttempts, eager.suspend(() => attempt(apply)), () => Status.conflict(kind, name)))
  })
