/** Asks the containers of pods to end for good, and tells when they have. What is asked for is given anew by every pass: nothing is remembered. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import * as PodStatus from "./PodStatus.js"
import type { StopUnheard } from "./StopUnheard.js"

/** @category models */
export interface PodStop {
  /** How a pod is to end. Nothing is done for it yet. `onFirst` is run when its containers are asked for the first time. */
  readonly ask: (uid: string, request: SupervisorClient.StopRequest, onFirst: Effect.Effect<void>) => void
  /**
   * Whether the containers have ended, asking them to if need be. Past the deadline they count as ended whatever they say: the zone is halted
   * then. False while nobody has said how the pod is to end.
   */
  readonly stopped: (uid: string) => Effect.Effect<boolean, SupervisorFileFailed>
  readonly forget: (uid: string) => void
}

/** Time beyond its deadline that a supervisor gets to report the end of a pod, before its zone is halted anyway. */
const slackMillis = 5_000

/** @category constructors */
export const make = (supervisor: Pick<SupervisorClient.SupervisorClient["Type"], "read" | "stop">, unheard: StopUnheard): PodStop => {
  const asked = new Map<string, readonly [SupervisorClient.StopRequest, Effect.Effect<void>]>()
  /** Whose containers have been asked, whether that could be written down or not. */
  const begun = new Set<string>()
  return {
    ask: (uid, request, onFirst) => void asked.set(uid, [request, onFirst]),
    stopped: (uid) =>
      Effect.gen(function*() {
        const before = yield* supervisor.read(uid)
        if (Option.isNone(before) || PodStatus.isOver(Option.getOrUndefined(before.value.state))) return true
        const found = asked.get(uid)
        if (found === undefined) return false
        const [request, onFirst] = found
        const told = yield* Effect.either(supervisor.stop(uid, request))
        if (before.value.spec.desired.state === "run" && !begun.has(uid)) yield* onFirst
        begun.add(uid)
        if (Either.isLeft(told) && (yield* unheard.stop(before.value, told.left))) return true
        return (yield* Clock.currentTimeMillis) > request.requestedAt + request.graceSeconds * 1000 + slackMillis
      }),
    forget: (uid) => {
      asked.delete(uid)
      begun.delete(uid)
      unheard.forget(uid)
    }
  }
}
