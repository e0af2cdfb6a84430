/** Looks now and then whether somebody has changed the stored configuration of the zones of pods, and has the plans of those look at it. */
import type { CoreV1 } from "@reddwarf/api-types"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as PodSandbox from "../pod/PodSandbox.js"

/** @category models */
export interface Options {
  readonly interval: Duration.DurationInput
  readonly pods: () => ReadonlyArray<CoreV1.Pod>
  readonly sandbox: Pick<PodSandbox.PodSandbox["Type"], "changedZones">
  /** Asks for a pass over a pod. */
  readonly wake: (uid: string) => Effect.Effect<void>
}

/** Some way before or after the interval, so that this keeps no step with anything else. */
const jitter = [0.8, 1.2] as const

/** Runs for ever. @category constructors */
export const run = ({ interval, pods, sandbox, wake }: Options): Effect.Effect<never> => {
  const look = Effect.suspend(() => {
    const uids = new Map<string, string>(pods().map((pod) => {
      const identity = PodSandbox.identityOf(pod)
      return [PodSandbox.namesOf(identity).zone, identity.uid]
    }))
    return uids.size === 0 ? Effect.void : Effect.flatMap(sandbox.changedZones(new Set(uids.keys())), (changed) =>
      Effect.forEach(changed, (zone) => wake(uids.get(zone) ?? ""), { discard: true }))
  }).pipe(
    Effect.catchAll((error) => Effect.logWarning("the stored configurations of zones cannot be looked at", error))
  )
  const pause = Effect.flatMap(Random.nextRange(...jitter), (factor) => Effect.sleep(Duration.millis(Duration.toMillis(interval) * factor)))
  return Effect.forever(Effect.zipRight(look, pause))
}
