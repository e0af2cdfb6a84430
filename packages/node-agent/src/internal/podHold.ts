/** A pod between two versions of its root: its containers are ended, and start again when it may run on. */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import type { PodPlace } from "./containerAttempt.js"
import * as containers from "./containerSupervisor.js"
import type { PodRecord } from "./podRecord.js"

/** What of a specification makes the containers of a pod be run anew: while this stays the same, they run on. */
export const turnOf = ({ desired, generation = "" }: Files.PodSpec): string =>
  desired.state === "hold" ? `hold ${desired.requestId}` : `run ${generation}`

/**
 * Ends the containers that run, within the grace of the request, and says so in the state; those that are over stay over. It never ends by
 * itself: what comes next is for the specification to say.
 */
export const hold = (
  place: PodPlace,
  record: PodRecord,
  request: Extract<Files.Desired, { readonly state: "hold" }>
): Effect.Effect<never, SupervisorFileFailed, FileSystem.FileSystem> => {
  const deadline = request.requestedAt + request.graceSeconds * 1000
  const stop = { requested: Effect.void, deadline: () => deadline }
  const all = [...place.spec.containers, ...place.spec.ephemeralContainers ?? []]
  return Effect.forEach(all, (container) => containers.supervise(place, record, container, stop, { held: true }), {
    concurrency: "unbounded",
    discard: true
  }).pipe(
    Effect.zipRight(record.setHeld(request.requestId)),
    Effect.zipRight(Effect.never)
  )
}
