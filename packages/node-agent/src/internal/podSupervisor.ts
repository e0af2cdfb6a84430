/**
 * The containers of one pod in their order: init containers one by one, sidecars beside them, then the main containers together.
 * Ephemeral containers come at any time and wait for nothing.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Stream from "effect/Stream"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import type { PodPlace, StopSignal } from "./containerAttempt.js"
import * as containers from "./containerSupervisor.js"
import * as ephemeralContainers from "./ephemeralContainers.js"
import * as podRecord from "./podRecord.js"

/** What a container that ended for good means for the ones after it. */
const succeeded = (state: Files.ContainerState): boolean => state.exits[0]?.attempt === state.attempt && state.exits[0].exitCode === 0

/**
 * Runs a pod until all its containers are finished, then waits until interrupted: the pod stays known until the agent removes it.
 *
 * `specs` follows `spec.json`; of a specification that changes only `desired` and new ephemeral containers are looked at, the other
 * containers stay those of the first.
 */
export const run = (
  place: PodPlace,
  specs: SubscriptionRef.SubscriptionRef<Files.PodSpec>
): Effect.Effect<never, SupervisorFileFailed, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const record = yield* podRecord.load(place.dataDir, place.spec)
    const stopRequested = yield* Deferred.make<void>()
    const deadline = () => record.stop()?.deadline ?? Number.MAX_SAFE_INTEGER
    const stop: StopSignal = { requested: Deferred.await(stopRequested), deadline }
    const stopNow = (desired: Files.Desired) =>
      desired.state === "run"
        ? Effect.void
        : Effect.zipRight(
          record.stop()?.requestId === desired.requestId
            ? Effect.void
            : record.setStop(desired.requestId, desired.requestedAt + desired.graceSeconds * 1000),
          Deferred.succeed(stopRequested, undefined)
        )
    const sidecarsMayGo = yield* Deferred.make<void>()
    const sidecarStop: StopSignal = {
      requested: Deferred.await(sidecarsMayGo),
      // Nobody asked for a stop when the main containers ended by themselves: then there is no hurry.
      deadline: () => Math.min(deadline(), sidecarDeadline)
    }
    let sidecarDeadline = Number.MAX_SAFE_INTEGER
    const ephemeral = yield* ephemeralContainers.make(place, record, {
      requested: Effect.raceFirst(stop.requested, sidecarStop.requested),
      deadline: sidecarStop.deadline
    })
    const look = (spec: Files.PodSpec) => Effect.zipRight(stopNow(spec.desired), ephemeral.look(spec))
    yield* look(yield* SubscriptionRef.get(specs))
    const following = yield* Effect.forkScoped(Stream.runForEach(specs.changes, look))

    const sidecars: Array<Fiber.RuntimeFiber<void, SupervisorFileFailed>> = []
    const supervise = (container: Files.ContainerSpec) => containers.supervise(place, record, container, stop)

    const isUp = (name: string) => ["running", "finished"].includes(record.container(name).phase)
    const untilUp = (name: string) =>
      Effect.sleep("20 millis").pipe(Effect.as(name), Effect.map(isUp), Effect.repeat({ until: (up) => up }))

    const workload = Effect.gen(function*() {
      for (const container of place.spec.containers) {
        if (container.kind === "main") continue
        if (container.kind === "sidecar") {
          sidecars.push(yield* Effect.forkScoped(containers.supervise(place, record, container, sidecarStop)))
          yield* Effect.race(untilUp(container.name), stop.requested)
          continue
        }
        yield* supervise(container)
        if (!succeeded(record.container(container.name))) return
      }
      yield* Effect.forEach(place.spec.containers.filter((container) => container.kind === "main"), supervise, {
        concurrency: "unbounded",
        discard: true
      })
    })

    const lifetime = Effect.gen(function*() {
      yield* workload
      sidecarDeadline = (yield* Effect.clockWith((clock) => clock.currentTimeMillis)) + sidecarGraceMillis
      yield* Deferred.succeed(sidecarsMayGo, undefined)
      yield* Effect.forEach(sidecars, Fiber.join, { discard: true })
      yield* finishTheRest(place, record)
      return yield* Effect.never
    })
    // A failure beside the workload must end the pod's fiber as well, so that it is started again from what is on disk.
    return yield* Effect.raceFirst(lifetime, Effect.zipRight(Effect.raceFirst(Fiber.join(following), ephemeral.failed), Effect.never))
  }).pipe(Effect.scoped, Effect.annotateLogs({ uid: place.spec.pod.uid }))

/** Time for sidecars and ephemeral containers to end after the last main container. */
const sidecarGraceMillis = 30_000

/** Containers that will never be started are finished too: after a stop, or behind an init container that failed. */
const finishTheRest = (place: PodPlace, record: podRecord.PodRecord) =>
  Effect.forEach(
    place.spec.containers.filter((container) => record.container(container.name).phase !== "finished"),
    (container) => record.update(container.name, (state) => ({ ...state, phase: "finished" })),
    { discard: true }
  )
