/** The hooks of one attempt around what follows it: postStart beside it, preStop in front of the stop signal. */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type { HookFailure } from "../supervisor/ContainerLifecycle.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import type { PodPlace, StopSignal } from "./containerAttempt.js"
import * as lifecycleHooks from "./lifecycleHooks.js"
import type { PodRecord } from "./podRecord.js"

/** Failures that are remembered. */
const keptFailures = 4

/** Time to end that a container has whose postStart hook failed, where the pod says nothing. */
const defaultGraceSeconds = 30

const noted = (state: Files.ContainerState, failure: HookFailure): Files.ContainerState => ({
  ...state,
  hookFailures: [failure, ...state.hookFailures ?? []].slice(0, keptFailures)
})

/** Until the deadline, which may become earlier. */
const untilDeadline = (stop: Pick<StopSignal, "deadline">): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.sleep(Math.max(0, Math.min(stop.deadline() - now, 500)))).pipe(
    Effect.zipRight(Clock.currentTimeMillis),
    Effect.repeat({ until: (now) => now >= stop.deadline() }),
    Effect.asVoid
  )

/**
 * Follows an attempt by `follow`, with its hooks. A postStart hook that fails ends the attempt as a stop does; one that was cut short by the
 * death of a supervisor runs again. A preStop hook has the time until the deadline, and is done once, however many supervisors come by.
 */
export const around = <A>(
  place: PodPlace,
  record: PodRecord,
  container: Files.ContainerSpec,
  launch: string,
  stop: StopSignal,
  follow: (stop: StopSignal) => Effect.Effect<A, SupervisorFileFailed, FileSystem.FileSystem>
): Effect.Effect<A, SupervisorFileFailed, FileSystem.FileSystem> => {
  const { postStart, preStop, stopSignal } = container.lifecycle ?? {}
  if (postStart === undefined && preStop === undefined && stopSignal === undefined) return follow(stop)
  return Effect.gen(function*() {
    const gaveUp = yield* Deferred.make<void>()
    let gaveUpDeadline = Number.MAX_SAFE_INTEGER
    const update = (change: (state: Files.ContainerState) => Files.ContainerState) => record.update(container.name, change)
    const progress = () => record.container(container.name).hooks ?? {}

    const afterStart = postStart === undefined || progress().postStart !== "running" ? Effect.void : Effect.gen(function*() {
      const { attempt } = record.container(container.name)
      const outcome = yield* Effect.either(lifecycleHooks.run(place, container, launch, "poststart", postStart))
      if (outcome._tag === "Right") {
        yield* update((state) => ({ ...state, hooks: { ...state.hooks, postStart: "done" } }))
        return
      }
      const { message } = outcome.left
      yield* Effect.logWarning(`the postStart hook failed: ${message}`)
      yield* update((state) => ({
        ...noted(state, { hook: "postStart", attempt, message }),
        hooks: { ...state.hooks, postStart: "failed" }
      }))
    })

    const giveUpAfterFailure = Effect.suspend(() =>
      progress().postStart !== "failed" ? Effect.void : Effect.gen(function*() {
        gaveUpDeadline = (yield* Clock.currentTimeMillis) + (place.spec.terminationGraceSeconds ?? defaultGraceSeconds) * 1000
        yield* Deferred.succeed(gaveUp, undefined)
      })
    )

    const ending: StopSignal = {
      ...stop,
      requested: Effect.raceFirst(stop.requested, Deferred.await(gaveUp)),
      deadline: () => Math.min(stop.deadline(), gaveUpDeadline),
      turn: Effect.raceFirst(stop.turn ?? Effect.void, Deferred.await(gaveUp))
    }

    const beforeStop = preStop === undefined ? undefined : Effect.gen(function*() {
      if (progress().preStop !== undefined || (yield* Clock.currentTimeMillis) >= ending.deadline()) return
      const { attempt } = record.container(container.name)
      const run = Effect.either(lifecycleHooks.run(place, container, launch, "prestop", preStop))
      const outcome = yield* Effect.raceFirst(run, Effect.as(untilDeadline(ending), undefined))
      if (outcome === undefined) yield* Effect.logWarning("the preStop hook was not over in time")
      const message = outcome?._tag === "Left" ? outcome.left.message : undefined
      yield* update((state) => ({
        ...(message === undefined ? state : noted(state, { hook: "preStop", attempt, message })),
        hooks: { ...state.hooks, preStop: message === undefined ? "done" : "failed" }
      }))
    })

    yield* Effect.forkScoped(Effect.zipRight(afterStart, giveUpAfterFailure).pipe(
      Effect.catchAll((error) => Effect.logWarning("the state of a hook was not written", error))
    ))
    return yield* follow({
      ...ending,
      ...(stop.signal !== undefined || stopSignal === undefined ? {} : { signal: stopSignal }),
      ...(beforeStop === undefined ? {} : {
        prepare: Effect.catchAll(beforeStop, (error) => Effect.logWarning("the state of a hook was not written", error))
      })
    })
  }).pipe(Effect.scoped)
}
