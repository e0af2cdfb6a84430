/** One container from its first attempt to its last: start, follow, wait, start again. */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import * as Metrics from "../supervisor/SupervisorMetrics.js"
import * as attemptEnvironment from "./attemptEnvironment.js"
import * as attemptHooks from "./attemptHooks.js"
import * as attempts from "./containerAttempt.js"
import * as fileVariables from "./fileVariables.js"
import * as freshRoot from "./freshRoot.js"
import * as memoryFailures from "./memoryFailures.js"
import type { PodRecord } from "./podRecord.js"
import * as decision from "./restartDecision.js"
import * as restartRequests from "./restartRequests.js"

/** How long to wait before trying to start an attempt again that could not be started. */
const retryDelay = (failures: number): number => Math.min(500 * 2 ** Math.min(failures, 10), 10_000)

const without = (
  state: Files.ContainerState,
  ...keys: ReadonlyArray<"launch" | "pid" | "startedAt" | "backOffUntil" | "problem" | "hooks" | "fileVariables" | "startedWith" | "allocationFailures">
): Files.ContainerState => {
  const next = { ...state }
  for (const key of keys) delete next[key]
  return next
}

/**
 * Supervises a container until it is finished: ended and not to be started again, or stopped. It goes on from whatever the state says, so
 * it is the same code for a new container and for one that a supervisor before this one started.
 */
export const supervise = (
  place: attempts.PodPlace,
  record: PodRecord,
  container: Files.ContainerSpec,
  stop: attempts.StopSignal,
  /** Held: what runs is ended, and nothing is started; what has not come to its end waits to be started. */
  { held = false, restarts = restartRequests.none }: { readonly held?: boolean; readonly restarts?: restartRequests.RestartRequests } = {}
): Effect.Effect<void, SupervisorFileFailed, FileSystem.FileSystem> => {
  const current = () => record.container(container.name)
  const update = (change: (state: Files.ContainerState) => Files.ContainerState) => record.update(container.name, change)
  const finish = update((state) => ({ ...without(state, "backOffUntil", "problem"), phase: "finished" }))

  /** True when the stop was requested first. */
  const stoppedWithin = (millis: number) =>
    Effect.raceFirst(Effect.as(stop.requested, true), Effect.as(Effect.sleep(millis), false))

  const takeBack = ({ message, reason = "RunContainerError" }: Pick<attempts.StartFailure, "message" | "reason">) =>
    update((state) => ({
      ...without(state, "launch", "pid", "startedAt", "fileVariables"),
      phase: "waiting",
      attempt: state.attempt - 1,
      problem: { reason, message }
    })).pipe(Effect.zipRight(Metric.increment(Metrics.containerStartFailures)))

  /** What is known only now: what its variables are by now, those in files too, and what the zone has counted so far. */
  const beforeStart = Effect.gen(function*() {
    const next = yield* attemptEnvironment.next(place, container)
    const { startedWith } = next
    const { container: process, variables } = yield* Effect.mapError(
      fileVariables.resolve(place.runner, place.spec.zone, next.container),
      ({ message }) => new attempts.StartFailure({ message, reason: "CreateContainerConfigError" })
    )
    const allocationFailures = yield* memoryFailures.read(place)
    if (variables !== undefined || startedWith !== undefined || allocationFailures !== undefined) {
      yield* update((state) => ({
        ...state,
        ...(variables === undefined ? {} : { fileVariables: variables }),
        ...(startedWith === undefined ? {} : { startedWith }),
        ...(allocationFailures === undefined ? {} : { allocationFailures })
      }))
    }
    return fileVariables.asStarted(process, { fileVariables: variables })
  })

  const start = Effect.gen(function*() {
    const attempt = current().attempt + 1
    const launch = yield* attempts.newLaunch(container.name, attempt)
    yield* update((state) => ({
      ...without(state, "pid", "startedAt", "backOffUntil", "hooks", "fileVariables", "startedWith", "allocationFailures"),
      phase: "starting",
      attempt,
      launch
    }))
    yield* attempts.tidy(place, container.name, attempt, undefined)
    const process = yield* beforeStart
    const fresh = attempt === 0 ? Effect.void : freshRoot.renew(place, container.name)
    return yield* Effect.zipRight(fresh, attempts.start(place, process, launch)).pipe(
      Effect.catchAll((failure) => Effect.mapError(attempts.giveUp(place, launch), () => failure))
    )
  })

  /** From `starting` to `running`, or back when the process never came to be. */
  const confirm = (launch: string) =>
    Effect.gen(function*() {
      yield* attempts.awaitStarted(place, launch)
      const now = yield* Clock.currentTimeMillis
      const started = attempts.startedAs(place, launch)
      yield* update((state) => ({
        ...without(state, "problem"),
        phase: "running",
        startedAt: started?.startedAt ?? now,
        ...(container.lifecycle?.postStart === undefined ? {} : { hooks: { postStart: "running" } }),
        ...(started === undefined ? {} : { pid: started.pid })
      }))
    })

  const ended = (exit: Files.ExitRecord) =>
    Effect.gen(function*() {
      const { launch } = current()
      const { delay, next } = decision.backOff(current().backOffMillis, exit, place.spec.backOff)
      const all = !held && record.stop() === undefined && decision.restartsAll(container.kind, exit.exitCode, container.lifecycle)
      const again = record.stop() === undefined
        && (held
          ? container.kind !== "ephemeral"
          : decision.restarts(container.kind, place.spec.restartPolicy, exit.exitCode, container.lifecycle)
            || (decision.restartsWhenAsked(container.kind, place.spec.restartPolicy, container.lifecycle) && (yield* restarts.isAsked(container.name, exit.attempt))))
      yield* record.update(container.name, (state) => ({
        ...without(state, "launch", "pid", "startedAt", "fileVariables", "allocationFailures"),
        phase: again ? "backOff" : "finished",
        exits: [exit, ...state.exits.filter((other) => other.attempt !== exit.attempt)].slice(0, 2),
        // What was ended on purpose is not made to wait.
        ...(again && !held ? { backOffMillis: next, backOffUntil: exit.finishedAt + delay } : {})
      }), all ? { container: container.name, attempt: exit.attempt } : undefined)
      yield* attempts.tidy(place, container.name, exit.attempt, launch)
      // Whoever ends all containers interrupts this one, which must not start by itself meanwhile.
      if (all) yield* Effect.zipRight(record.beginRestart, Effect.never)
    })

  return Effect.gen(function*() {
    let failures = 0
    for (;;) {
      const state = current()
      const { launch } = state
      switch (state.phase) {
        case "finished":
          return
        case "waiting":
        case "backOff": {
          if (held) return
          const now = yield* Clock.currentTimeMillis
          const pause = failures > 0 ? retryDelay(failures) : Math.max(0, (state.backOffUntil ?? now) - now)
          if (yield* stoppedWithin(pause)) {
            yield* finish
            return
          }
          yield* start.pipe(
            Effect.catchTag("StartFailure", (failure) => {
              failures += 1
              return takeBack(failure)
            })
          )
          break
        }
        case "starting":
          if (launch === undefined) {
            yield* takeBack({ message: "the supervisor ended before the start" })
            break
          }
          yield* confirm(launch).pipe(
            Effect.tap(() => Effect.sync(() => void (failures = 0))),
            Effect.catchTag("StartFailure", (failure) => {
              failures += 1
              return takeBack(failure)
            })
          )
          break
        case "running":
          yield* Effect.flatMap(
            attemptHooks.around(place, record, fileVariables.asStarted(container, state), launch ?? "", restarts.around(container.name, state.attempt, stop), (stop) =>
              attempts.follow(place, state, launch ?? "", stop)),
            ended
          )
          break
      }
    }
  }).pipe(Effect.annotateLogs({ container: container.name }))
}
