/**
 * The containers of one pod in their order: init containers one by one, sidecars beside them, then the main containers together.
 * Ephemeral containers come at any time and wait for nothing.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import * as activeDeadline from "./activeDeadline.js"
import type { PodPlace, StopSignal } from "./containerAttempt.js"
import * as containers from "./containerSupervisor.js"
import * as ephemeralContainers from "./ephemeralContainers.js"
import type { Followed } from "./followed.js"
import * as podHold from "./podHold.js"
import * as podRecord from "./podRecord.js"
import * as podRestartTurn from "./podRestartTurn.js"
import * as restartRequests from "./restartRequests.js"
import * as sidecarContainers from "./sidecars.js"

/** What a container that ended for good means for the ones after it. */
const succeeded = (state: Files.ContainerState): boolean => state.exits[0]?.attempt === state.attempt && state.exits[0].exitCode === 0

/**
 * Runs a pod until all its containers are finished, then waits until interrupted: the pod stays known until the agent removes it.
 *
 * `specs` follows `spec.json`; of a specification that changes only `desired` and new ephemeral containers are looked at, the other
 * containers stay those of the first, until the pod is held or given another generation of containers.
 */
export const run = (
  place: PodPlace,
  specs: Followed<Files.PodSpec>
): Effect.Effect<never, SupervisorFileFailed, FileSystem.FileSystem> =>
  Effect.forever(Effect.gen(function*() {
    const spec = specs.get()
    const turn = podHold.turnOf(spec)
    const over = specs.until((next) => podHold.turnOf(next) === turn ? undefined : next)
    // Interrupting it is what a kill of the supervisor is: containers do not notice, and the next turn goes on from what is on disk.
    yield* Effect.raceFirst(oneTurn({ ...place, spec }, specs), over)
  }))

/** It ends when all containers are to start anew: the next one begins with the first of them. */
const oneTurn = (
  place: PodPlace,
  specs: Followed<Files.PodSpec>
): Effect.Effect<void, SupervisorFileFailed, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const record = yield* podRecord.load(place.dataDir, place.spec)
    if (place.spec.desired.state === "hold") return yield* podHold.hold(place, record, place.spec.desired)
    if (record.held() !== undefined) yield* record.setHeld(undefined)
    if (record.restarting() !== undefined) return yield* podRestartTurn.run(place, record)
    const stopRequested = yield* Deferred.make<void>()
    const deadline = () => record.stop()?.deadline ?? Number.MAX_SAFE_INTEGER
    const stop: StopSignal = { requested: Deferred.await(stopRequested), deadline }
    const stopNow = (desired: Files.Desired) =>
      desired.state !== "stop"
        ? Effect.void
        : Effect.zipRight(
          record.stop()?.requestId === desired.requestId
            ? Effect.void
            : record.setStop(desired.requestId, desired.requestedAt + desired.graceSeconds * 1000),
          Deferred.succeed(stopRequested, undefined)
        )
    const sidecars = yield* sidecarContainers.make(place, record, specs, stop)
    const ephemeral = yield* ephemeralContainers.make(place, record, sidecars.stop)
    const look = (spec: Files.PodSpec) => Effect.zipRight(stopNow(spec.desired), ephemeral.look(spec))
    yield* look(specs.get())
    const following = yield* Effect.forkScoped(specs.each(look))
    if (record.deadlineExceeded()) yield* Deferred.succeed(stopRequested, undefined)
    yield* Effect.forkScoped(Effect.zipRight(activeDeadline.passed(specs), activeTooLong(place, record, Deferred.succeed(stopRequested, undefined))))

    const supervise = (container: Files.ContainerSpec) => containers.supervise(place, record, container, stop, { restarts: restartRequests.of(specs) })

    const workload = Effect.gen(function*() {
      for (const container of place.spec.containers) {
        if (container.kind === "main") continue
        if (container.kind === "sidecar") {
          yield* sidecars.start(container)
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
      yield* sidecars.end
      yield* finishTheRest(place, record)
      return yield* Effect.never
    })
    // A failure beside the workload must end the pod's fiber as well, so that it is started again from what is on disk.
    const failing = Effect.zipRight(Effect.raceFirst(Fiber.join(following), ephemeral.failed), Effect.never)
    return yield* Effect.raceFirst(Effect.raceFirst(lifetime, failing), record.restartBegun)
  }).pipe(Effect.scoped, Effect.annotateLogs({ uid: place.spec.pod.uid }))

/** Ends a pod that was active for as long as it may be, unless all of it is over. */
const activeTooLong = (place: PodPlace, record: podRecord.PodRecord, requestStop: Effect.Effect<unknown>) =>
  Effect.gen(function*() {
    if (place.spec.containers.every(({ name }) => record.container(name).phase === "finished")) return
    yield* Effect.logInfo("the pod was active for as long as it may be; it is being stopped")
    const now = yield* Clock.currentTimeMillis
    yield* record.setDeadlineExceeded(now + (place.spec.terminationGraceSeconds ?? 30) * 1000)
    yield* requestStop
  })

/** Containers that will never be started are finished too: after a stop, or behind an init container that failed. */
const finishTheRest = (place: PodPlace, record: podRecord.PodRecord) =>
  Effect.forEach(
    place.spec.containers.filter((container) => record.container(container.name).phase !== "finished"),
    (container) => record.update(container.name, (state) => ({ ...state, phase: "finished" })),
    { discard: true }
  )
