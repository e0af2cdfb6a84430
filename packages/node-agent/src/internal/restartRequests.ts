/** What becomes of the agent's requests to restart a container while one of its attempts is followed. */
import * as Effect from "effect/Effect"
import * as RestartRequest from "../supervisor/RestartRequest.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import type { StopSignal } from "./containerAttempt.js"
import type { Followed } from "./followed.js"

/** The requests of one pod. */
export interface RestartRequests {
  /** What ends the attempt: the given stop, or a request for it, whatever comes first. The earlier of their deadlines holds. */
  readonly around: (container: string, attempt: number, stop: StopSignal) => StopSignal
  /** Whether the attempt was asked to end so that another one can start. */
  readonly isAsked: (container: string, attempt: number) => Effect.Effect<boolean>
}

/** Nobody asks. */
export const none: RestartRequests = {
  around: (_container, _attempt, stop) => stop,
  isAsked: () => Effect.succeed(false)
}

/** The requests in a specification that may change. */
export const of = (specs: Followed<Files.PodSpec>): RestartRequests => ({
  around: (container, attempt, stop) => {
    const find = ({ restarts }: Files.PodSpec) => RestartRequest.find(restarts, container, attempt)
    let found: RestartRequest.RestartRequest | undefined
    const request = (): RestartRequest.RestartRequest | undefined => found ??= find(specs.get())
    const asked = Effect.asVoid(specs.until(request))
    return {
      ...stop,
      requested: Effect.raceFirst(stop.requested, asked),
      deadline: () => {
        const made = request()
        return made === undefined ? stop.deadline() : Math.min(stop.deadline(), made.requestedAt + made.graceSeconds * 1000)
      },
      // Nobody else has to end before a container that is only started again.
      ...(stop.turn === undefined ? {} : { turn: Effect.raceFirst(stop.turn, asked) })
    }
  },
  isAsked: (container, attempt) => Effect.sync(() => RestartRequest.find(specs.get().restarts, container, attempt) !== undefined)
})
