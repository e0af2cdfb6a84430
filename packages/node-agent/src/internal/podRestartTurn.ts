/** The turn of a pod in which its containers are ended, because all of them start anew. */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as PodRestart from "../supervisor/PodRestart.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type { PodPlace, StopSignal } from "./containerAttempt.js"
import * as containers from "./containerSupervisor.js"
import type { PodRecord } from "./podRecord.js"

/** At once, and without their hooks: the pod begins anew, and nobody is to be told that it ends. */
const kill: StopSignal = {
  requested: Effect.void,
  deadline: () => 0,
  signal: "KILL",
  reason: { reason: PodRestart.reason, message: PodRestart.message }
}

/**
 * Ends what runs and makes everything ready to be started once more; ephemeral containers are over then. It may be interrupted at any time, by
 * the death of the supervisor as well: what is on disk says that it has to be done again.
 */
export const run = (place: PodPlace, record: PodRecord): Effect.Effect<void, SupervisorFileFailed, FileSystem.FileSystem> =>
  Effect.forEach(
    [...place.spec.containers, ...place.spec.ephemeralContainers ?? []],
    (container) => containers.supervise(place, record, container, kill, { held: true }),
    { concurrency: "unbounded", discard: true }
  ).pipe(
    Effect.zipRight(Effect.logInfo("all containers of the pod start anew, as the rules of one that ended say")),
    Effect.zipRight(record.endRestart)
  )
