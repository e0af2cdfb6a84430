/** PUT of `namespaces/<name>/finalize`: replaces the finalizers in the spec; with the last one a terminating namespace goes. */
import { type KubeObject, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import type { ApiResponse } from "../ApiResponse.js"
import type { ResourceRequest } from "../internal/apiContext.js"
import * as body from "../internal/body.js"
import * as change from "../internal/change.js"
import * as commit from "../internal/commit.js"
import * as failures from "../internal/failures.js"
import { equals, get, isObject } from "../internal/jsonValue.js"
import { keyOf } from "../internal/keys.js"
import { originOf } from "../internal/origin.js"
import * as writeOptions from "../internal/writeOptions.js"
import { checkIdentity } from "./Update.js"

const withFinalizersOf = (stored: KubeObject.KubeObject, sent: KubeObject.KubeObject): KubeObject.KubeObject => {
  const spec = get(stored, "spec")
  const finalizers = get(get(sent, "spec"), "finalizers") ?? []
  const next = { ...stored, spec: { ...(isObject(spec) ? spec : {}), finalizers } }
  return next
}

/** Answers a finalize request with the namespace as it is then, or was last. @category combinators */
export const finalize = (call: ResourceRequest, name: string): Effect.Effect<ApiResponse, Status.Status> =>
  Effect.gen(function*() {
    const { context, info, kind } = call
    const options = yield* writeOptions.parse(info.query, "UpdateOptions")
    const { object, warnings } = yield* body.read(call, kind, options.fieldValidation)
    yield* checkIdentity(call, object, name)
    const expected = object.metadata.resourceVersion ?? ""
    const attempt = Effect.suspend((): Effect.Effect<commit.Written, commit.Raced | commit.Refused> => {
      const current = change.currentOf(call, name)
      if (current === undefined) return Effect.fail(commit.refused(failures.missing(kind, name)))
      if (expected !== "" && expected !== String(current.revision)) {
        return Effect.fail(commit.refused(Status.conflict(kind, name)))
      }
      const next = withFinalizersOf(current.object, object)
      if (options.dryRun) return Effect.succeed(commit.pretend(next))
      const key = keyOf(kind, undefined, name)
      if (commit.isReleased(next)) return commit.remove(context, kind, key, current.revision, next, originOf(call, next))
      return equals(next, current.object)
        ? Effect.succeed({ bytes: current.bytes, object: current.object })
        : commit.update(context, kind, key, current.revision, next, originOf(call, next))
    })
    const attempts = expected === "" ? commit.maxAttempts : 1
    const result = yield* commit.retrying(context, attempts, attempt, () => Status.conflict(kind, name))
    return commit.respond(call, 200, result, warnings)
  })
