/** Tells the API that nothing of a terminating pod is left on this node. */
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { type ApiClient, ClientError } from "@reddwarf/client"
import * as Effect from "effect/Effect"

/** Whether a refusal says that the server has no such subresource, or gives nobody a right to it, rather than that the pod is gone. */
const isUnknown = (error: ClientError.ClientError): boolean => {
  if (error._tag !== "ApiError") return false
  const { code, details } = error
  // A missing pod is named; a missing subresource is not.
  return code === 405 || code === 403 || code === 501 || (code === 404 && details.name === undefined)
}

/**
 * Ends a terminating pod for good: by `finalize`, which cannot hit a pod that nobody has asked to stop, or by a delete without grace where
 * the server knows only that. A pod that is gone, or another one of its name, is what was wanted.
 *
 * @category combinators
 */
export const finish = (client: ApiClient.Service, pod: CoreV1.Pod): Effect.Effect<void, ClientError.ClientError> => {
  const { name = "", namespace, uid } = pod.metadata
  const ref = { namespace, name }
  const preconditions = { uid }
  const body = { kind: "DeleteOptions", apiVersion: "v1", preconditions }
  return client.createSubresource(Kinds.pod, ref, "finalize", body).pipe(
    Effect.asVoid,
    Effect.catchIf(isUnknown, () => client.delete(Kinds.pod, ref, { gracePeriodSeconds: 0, preconditions })),
    Effect.catchIf((error) => ClientError.isNotFound(error) || ClientError.isConflict(error), () => Effect.void)
  )
}
