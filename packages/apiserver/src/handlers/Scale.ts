/** GET, PUT and PATCH of `<resource>/<name>/scale`: the number of replicas of an object, whatever its kind calls it. */
import { type FieldError, type Kind, Status, SubresourceKinds } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Request from "../ApiRequest.js"
import type { ApiResponse } from "../ApiResponse.js"
import type { ResourceRequest } from "../internal/apiContext.js"
import * as body from "../internal/body.js"
import * as change from "../internal/change.js"
import * as commit from "../internal/commit.js"
import * as failures from "../internal/failures.js"
import * as render from "../internal/render.js"
import { scaleOf, withReplicas } from "../internal/scalePaths.js"
import * as tracking from "../internal/tracking.js"
import * as writeOptions from "../internal/writeOptions.js"
import { patchType } from "../Negotiation.js"
import { apply as applyScale } from "./ApplyScale.js"
import { readPatch } from "./Patch.js"
import { checkIdentity } from "./Update.js"

const { scale: scaleKind } = SubresourceKinds

/** The main resource of the call: what the subresource changes is written by its rules. */
const parentOf = (call: ResourceRequest): ResourceRequest => ({ ...call, info: { ...call.info, subresource: undefined } })

const respond = (call: ResourceRequest, paths: Kind.ScalePaths, written: commit.Written, warnings: ReadonlyArray<string>): ApiResponse => {
  const scale = scaleOf(paths, written.object)
  return commit.respond({ ...call, kind: scaleKind }, 200, commit.pretend(scale), warnings)
}

const read = (call: ResourceRequest, paths: Kind.ScalePaths, name: string): ApiResponse => {
  const current = change.currentOf(call, name)
  return current === undefined ? render.status(failures.missing(call.kind, name)) : respond(call, paths, current, [])
}

/** What a client sent, given the Scale as it is. */
type Sent = (current: unknown) => Effect.Effect<body.Decoded, Status.Status>

const sentOf = (call: ResourceRequest, name: string, options: writeOptions.WriteOptions): Effect.Effect<Sent, Status.Status> => {
  const scaleCall = { ...call, kind: scaleKind }
  if (call.info.verb !== "patch") {
    return Effect.map(
      Effect.tap(body.read(call, scaleKind, options.fieldValidation), ({ object }) => checkIdentity(scaleCall, object, name)),
      (decoded) => () => Effect.succeed(decoded)
    )
  }
  return Effect.map(readPatch(scaleCall), (apply) => (current) =>
    Effect.gen(function*() {
      const decoded = yield* body.decode(scaleKind, yield* apply(current), undefined, options.fieldValidation)
      yield* checkIdentity(scaleCall, decoded.object, name)
      return decoded
    }))
}

const problemOf = (call: ResourceRequest, name: string, object: body.Decoded["object"]): Status.Status | undefined => {
  const problems: ReadonlyArray<FieldError.FieldError> = scaleKind.validate(object)
  return problems.length === 0 ? undefined : Status.invalid(scaleKind, name, problems)
}

const write = (call: ResourceRequest, paths: Kind.ScalePaths, name: string): Effect.Effect<ApiResponse, Status.Status> =>
  call.info.verb === "patch" && patchType(Request.header(call.request, "content-type")) === "apply"
    ? Effect.map(applyScale(call, paths, name), (written) => respond(call, paths, written, []))
    : replace(call, paths, name)

const replace = (call: ResourceRequest, paths: Kind.ScalePaths, name: string): Effect.Effect<ApiResponse, Status.Status> =>
  Effect.gen(function*() {
    const { context, info, kind } = call
    const options = yield* writeOptions.parse(info.query, info.verb === "patch" ? "PatchOptions" : "UpdateOptions")
    const sent = yield* sentOf(call, name, options)
    const attempt = Effect.suspend((): Effect.Effect<ApiResponse, commit.Raced | commit.Refused> => {
      const current = change.currentOf(call, name)
      if (current === undefined) return Effect.fail(commit.refused(failures.missing(kind, name)))
      return Effect.flatMap(Effect.mapError(sent(scaleOf(paths, current.object)), commit.refused), ({ object, warnings }) => {
        const { resourceVersion = "", uid = "" } = object.metadata
        if (resourceVersion !== "" && resourceVersion !== String(current.revision)) {
          return Effect.fail(commit.refused(Status.conflict(kind, name)))
        }
        if (uid !== "" && uid !== current.object.metadata.uid) {
          const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.object.metadata.uid ?? ""}`
          return Effect.fail(commit.refused(Status.conflict(kind, name, why)))
        }
        const problem = problemOf(call, name, object)
        if (problem !== undefined) return Effect.fail(commit.refused(problem))
        const next = withReplicas(paths, current.object, object)
        // The fields belong to whoever scales, as far as this subresource goes.
        const owned = { managedFields: tracking.ofUpdate(call, current.object, next) }
        return Effect.map(
          change.apply(parentOf(call), current, next, options.dryRun, owned),
          (written) => respond(call, paths, written, warnings)
        )
      })
    })
    return yield* commit.retrying(context, commit.maxAttempts, attempt, () => Status.conflict(kind, name))
  })

/** Answers a request for the scale of an object. @category combinators */
export const scale = (
  call: ResourceRequest,
  paths: Kind.ScalePaths,
  name: string
): ApiResponse | Effect.Effect<ApiResponse, Status.Status> =>
  call.info.verb === "get" ? read(call, paths, name) : write(call, paths, name)
