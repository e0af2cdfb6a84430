/** The debugging containers of one supervised pod. They come while it runs, start at once, whatever the others do, and never again. */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import type * as Scope from "effect/Scope"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import type { PodPlace, StopSignal } from "./containerAttempt.js"
import * as containers from "./containerSupervisor.js"
import type { PodRecord } from "./podRecord.js"

export interface EphemeralContainers {
  /** Takes charge of those that are new in the specification. */
  readonly look: (spec: Files.PodSpec) => Effect.Effect<void, never, FileSystem.FileSystem>
  /** Fails when one of them cannot be supervised any more. */
  readonly failed: Effect.Effect<never, SupervisorFileFailed>
}

/** They live in the scope that this is made in. One that comes after `stop` was requested is finished without having been started. */
export const make = (place: PodPlace, record: PodRecord, stop: StopSignal): Effect.Effect<EphemeralContainers, never, Scope.Scope> =>
  Effect.map(FiberMap.make<string, void, SupervisorFileFailed>(), (fibers) => ({
    look: (spec) =>
      Effect.forEach(spec.ephemeralContainers ?? [], (container) =>
        FiberMap.run(fibers, container.name, containers.supervise(place, record, container, stop), { onlyIfMissing: true }), {
        discard: true
      }),
    failed: Effect.zipRight(FiberMap.join(fibers), Effect.never)
  }))
