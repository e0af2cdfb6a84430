/** GET of one object. */
import type { Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { ApiResponse } from "../ApiResponse.js"
import { objectOf, type ResourceRequest } from "../internal/apiContext.js"
import * as failures from "../internal/failures.js"
import { keyOf } from "../internal/keys.js"
import { parseRevision } from "../internal/listOptions.js"
import * as render from "../internal/render.js"

// Plain function: the most frequent request takes no effect at all.
const read = (call: ResourceRequest, name: string): ApiResponse => {
  const { context, info, kind } = call
  const entry = context.cache.get(keyOf(kind, info.namespace, name))
  return entry === undefined
    ? render.status(failures.missing(kind, name))
    : render.object(call, 200, entry.bytes, () => objectOf(entry))
}

/**
 * Answers with the stored bytes. `resourceVersion=N` waits until the state is at least that new.
 *
 * @category combinators
 */
export const get = (call: ResourceRequest, name: string): ApiResponse | Effect.Effect<ApiResponse, Status.Status> => {
  const { context, info } = call
  if (info.query.size === 0) return read(call, name)
  const revision = parseRevision(info.query.get("resourceVersion"))
  if (Either.isLeft(revision)) return render.status(revision.left)
  if ((revision.right ?? 0) <= context.cache.revision()) return read(call, name)
  return Effect.map(failures.awaitRevision(context, revision.right ?? 0), () => read(call, name))
}
