/** What becomes of the agent's requests to restart a container while one of its attempts is followed. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as RestartRequest from "../supervisor/RestartRequest.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import type { StopSignal } from "./containerAttempt.js"

/** The requests of one pod. */
export interface RestartRequests {
  /** What ends the attempt: the given stop, or a request for it, whatever comes first. The earlier of their deadlines holds. */
  readonly around: (container: string, attempt: number, stop: StopSignal) => Effect.Effect<StopSignal, never, Scope.Scope>
  /** Whether the attempt was asked to end so that another one can start. */
  readonly isAsked: (container: string, attempt: number) => Effect.Effect<boolean>
}

/** Nobody asks. */
export const none: RestartRequests = {
  around: (_container, _attempt, stop) => Effect.succeed(stop),
  isAsked: () => Effect.succeed(false)
}

/** The requests in a specification that may change. */
export const of = (specs: SubscriptionRef.SubscriptionRef<Files.PodSpec>): RestartRequests => ({
  around: (container, attempt, stop) =>
    Effect.gen(function*() {
      const asked = yield* Deferred.make<void>()
      let deadline = Number.MAX_SAFE_INTEGER
      yield* specs.changes.pipe(
        Stream.filterMap(({ restarts }) => Option.fromNullable(RestartRequest.find(restarts, container, attempt))),
        Stream.runHead,
        Effect.flatMap(Option.match({
          onNone: () => Effect.void,
          onSome: ({ graceSeconds, requestedAt }) => {
            deadline = requestedAt + graceSeconds * 1000
            return Effect.asVoid(Deferred.succeed(asked, undefined))
          }
        })),
        Effect.forkScoped
      )
      return {
        ...stop,
        requested: Effect.raceFirst(stop.requested, Deferred.await(asked)),
        deadline: () => Math.min(stop.deadline(), deadline),
        // Nobody else has to end before a container that is only started again.
        ...(stop.turn === undefined ? {} : { turn: Effect.raceFirst(stop.turn, Deferred.await(asked)) })
      }
    }),
  isAsked: (container, attempt) =>
    Effect.map(SubscriptionRef.get(specs), ({ restarts }) => RestartRequest.find(restarts, container, attempt) !== undefined)
})
