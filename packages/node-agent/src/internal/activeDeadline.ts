/** The end of a pod that may be active for a limited time only. The supervisor sees to it, as the agent may not be there when it comes. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as SubscriptionRef from "effect/SubscriptionRef"
import type * as Files from "../supervisor/SupervisorFiles.js"

/** Timers hold no longer than this. */
const longestSleep = 24 * 3600 * 1000

const until = (time: number): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.sleep(Math.max(0, Math.min(time - now, longestSleep)))).pipe(
    Effect.zipRight(Clock.currentTimeMillis),
    Effect.repeat({ until: (now) => now >= time }),
    Effect.asVoid
  )

/** Succeeds when the time is over that the specification, as it is by then, gives to the pod; never when it gives none. */
export const passed = (specs: SubscriptionRef.SubscriptionRef<Files.PodSpec>): Effect.Effect<void> =>
  specs.changes.pipe(
    Stream.map(({ activeDeadlineAt }) => activeDeadlineAt),
    Stream.changes,
    Stream.flatMap((time) => Stream.fromEffect(time === undefined ? Effect.never : until(time)), { switch: true }),
    Stream.take(1),
    Stream.runDrain,
    Effect.asVoid
  )
