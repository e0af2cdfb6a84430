/** Failures of the neighbours, as the Status that clients are answered with. */
import { type Kind, Status } from "@reddwarf/api-types"
import type { StoreError } from "@reddwarf/store"
import * as Effect from "effect/Effect"
import type { ApiContext } from "./apiContext.js"

/** The store could not do its work. */
export const ofStore = (error: StoreError.StoreError): Status.Status => {
  switch (error.reason) {
    case "TooLarge":
      return Status.failure(413, "RequestEntityTooLarge", "etcdserver: request is too large")
    case "Closed":
      return Status.serviceUnavailable("the server is shutting down")
    case "InvalidKey":
      return Status.badRequest(error.detail)
    case "NoSpace":
    case "InputOutput":
    case "Failed":
      break
  }
  return Status.internalError(error.message)
}

/** A read or watch asked for a revision that does not exist yet. */
export const ofFuture = (error: { readonly requested: number; readonly current: number }): Status.Status =>
  Status.tooLargeResourceVersion(error.requested, error.current)

/** Waits until reads see `revision`. */
export const awaitRevision = (context: ApiContext, revision: number): Effect.Effect<void, Status.Status> =>
  revision <= context.cache.revision() ? Effect.void : Effect.mapError(context.cache.waitFor(revision), ofFuture)

/** The history that a list needs is gone. */
export const listTooOld = (): Status.Status => Status.expired("The resourceVersion for the provided list is too old.")

/** The history that a continue token needs is gone; `next` goes on at the current state instead. */
export const continueTooOld = (next: string): Status.Status => ({
  ...Status.expired(
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list."
  ),
  metadata: { continue: next }
})

/** An object is missing, as messages name it. */
export const missing = (kind: Kind.Kind, name: string): Status.Status => Status.notFound(kind, name)
