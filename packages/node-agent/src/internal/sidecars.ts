/**
 * The sidecars of one pod: started among the init containers, each after the one before it is up; asked to end with the pod, and ended in
 * reverse order after all others. Their preStop hooks run as soon as the pod is asked to end.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import type { PodPlace, StopSignal } from "./containerAttempt.js"
import * as containers from "./containerSupervisor.js"
import type { Followed } from "./followed.js"
import type { PodRecord } from "./podRecord.js"
import * as restartRequests from "./restartRequests.js"

/** Time to end after the last main container where the pod says nothing. */
const defaultGraceSeconds = 30

export interface Sidecars {
  /** Starts one, and is back when it is up, or when the pod is asked to stop. */
  readonly start: (container: Files.ContainerSpec) => Effect.Effect<void, never, FileSystem.FileSystem | Scope.Scope>
  /** Ends all of them, the last one first. */
  readonly end: Effect.Effect<void, SupervisorFileFailed>
  /** What ends containers that live as long as the sidecars: asked to stop with the pod, or when the sidecars may go. */
  readonly stop: StopSignal
}

/**
 * Whether a container counts as started: its process runs, its postStart hook succeeded, and its startup probe, if it has one. What is over
 * holds nobody up.
 */
const isStarted = (record: PodRecord, container: Files.ContainerSpec, spec: Files.PodSpec): boolean => {
  const { attempt, hooks, phase } = record.container(container.name)
  if (phase === "finished") return true
  if (phase !== "running" || hooks?.postStart === "running" || hooks?.postStart === "failed") return false
  return container.lifecycle?.startupProbe !== true || (spec.started ?? []).includes(`${container.name}/${attempt}`)
}

export const make = (
  place: PodPlace,
  record: PodRecord,
  specs: Followed<Files.PodSpec>,
  podStop: StopSignal
): Effect.Effect<Sidecars> =>
  Effect.gen(function*() {
    const mayGo = yield* Deferred.make<void>()
    // Nobody asked for a stop when the main containers ended by themselves: then there is no hurry.
    let ownDeadline = Number.MAX_SAFE_INTEGER
    const stop: StopSignal = {
      requested: Effect.raceFirst(podStop.requested, Deferred.await(mayGo)),
      deadline: () => Math.min(podStop.deadline(), ownDeadline)
    }
    const fibers: Array<Fiber.RuntimeFiber<void, SupervisorFileFailed>> = []
    /** The main containers are over, and the sidecars behind this one. */
    const turnOf = (index: number) =>
      Effect.zipRight(Deferred.await(mayGo), Effect.suspend(() => Effect.forEach(fibers.slice(index + 1), Fiber.await, { discard: true })))
    return {
      stop,
      start: (container) =>
        Effect.gen(function*() {
          const turn = turnOf(fibers.length)
          fibers.push(yield* Effect.forkScoped(containers.supervise(place, record, container, { ...stop, turn }, { restarts: restartRequests.of(specs) })))
          const untilStarted = Effect.sleep("20 millis").pipe(
            Effect.map(() => isStarted(record, container, specs.get())),
            Effect.repeat({ until: (started) => started })
          )
          yield* Effect.race(untilStarted, podStop.requested)
        }),
      end: Effect.gen(function*() {
        ownDeadline = (yield* Clock.currentTimeMillis) + (place.spec.terminationGraceSeconds ?? defaultGraceSeconds) * 1000
        yield* Deferred.succeed(mayGo, undefined)
        yield* Effect.forEach(fibers, Fiber.join, { discard: true })
      })
    }
  })
