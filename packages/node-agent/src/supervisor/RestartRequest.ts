/** The agent's word that a container is to be ended and started again, as it stands in `spec.json`. */
import * as Schema from "effect/Schema"

/**
 * It is about one attempt of one container, so it means nothing any more when that attempt is over: however often it is read, by however
 * many supervisors, it ends one process. The processes have until `requestedAt + graceSeconds`. Whether the container is started again is
 * up to its restart policy; only `Never` keeps it from that, whatever its exit code.
 *
 * @category schemas
 */
export const RestartRequest = Schema.Struct({
  requestId: Schema.String,
  container: Schema.String,
  attempt: Schema.Number,
  /** Milliseconds since the epoch. */
  requestedAt: Schema.Number,
  graceSeconds: Schema.Number
})
/** @category models */
export type RestartRequest = typeof RestartRequest.Type

/**
 * The requests with one more; a container has one at most. Undefined when its attempt has one already: the first one stands.
 *
 * @category combinators
 */
export const added = (
  requests: ReadonlyArray<RestartRequest> | undefined,
  request: RestartRequest
): ReadonlyArray<RestartRequest> | undefined => {
  const others = (requests ?? []).filter(({ container }) => container !== request.container)
  const known = find(requests, request.container, request.attempt)
  return known === undefined ? [...others, request] : undefined
}

/**
 * The request about an attempt.
 *
 * @category combinators
 */
export const find = (requests: ReadonlyArray<RestartRequest> | undefined, container: string, attempt: number): RestartRequest | undefined =>
  requests?.find((request) => request.container === container && request.attempt === attempt)
