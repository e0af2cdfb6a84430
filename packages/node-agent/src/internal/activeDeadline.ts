/** The end of a pod that may be active for a limited time only. The supervisor sees to it, as the agent may not be there when it comes. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Files from "../supervisor/SupervisorFiles.js"
import type { Followed } from "./followed.js"

/** Timers hold no longer than this. */
const longestSleep = 24 * 3600 * 1000

const until = (time: number): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.sleep(Math.max(0, Math.min(time - now, longestSleep)))).pipe(
    Effect.zipRight(Clock.currentTimeMillis),
    Effect.repeat({ until: (now) => now >= time }),
    Effect.asVoid
  )

/** Succeeds when the time is over that the specification, as it is by then, gives to the pod; never when it gives none. */
export const passed = (specs: Followed<Files.PodSpec>): Effect.Effect<void> =>
  Effect.suspend(() => {
    const time = specs.get().activeDeadlineAt
    const another = specs.until(({ activeDeadlineAt }) => activeDeadlineAt === time ? undefined : "another" as const)
    return time === undefined ? another : Effect.raceFirst(Effect.as(until(time), "passed" as const), another)
  }).pipe(
    Effect.repeat({ until: (outcome) => outcome === "passed" }),
    Effect.asVoid
  )
