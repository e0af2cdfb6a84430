/**
 * Ends the containers of a pod whose supervisor cannot be told: what it reads cannot be written, because the disk is full for instance. The agent
 * signals them itself then. Their hooks are not run, and what they leave as their exit codes may not be kept; the end of the pod goes on.
 */
import type { CommandRunner } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as attemptSignal from "../internal/attemptSignal.js"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import * as Paths from "../supervisor/SupervisorPaths.js"

/** @category models */
export interface StopUnheard {
  /** Asks what runs to end, once, and gives whether nothing of it is left. */
  readonly stop: (pod: SupervisorClient.SupervisedPod, why: SupervisorFileFailed) => Effect.Effect<boolean>
  readonly forget: (uid: string) => void
}

/** @category constructors */
export const make = ({ dataDir, runner }: { readonly dataDir: string; readonly runner: CommandRunner.CommandRunner["Type"] }): StopUnheard => {
  const asked = new Set<string>()
  return {
    stop: ({ spec, state }, why) =>
      Effect.gen(function*() {
        const { uid } = spec.pod
        const isFirst = !asked.has(uid)
        asked.add(uid)
        if (isFirst) yield* Effect.logWarning("the supervisor cannot be asked to stop a pod; its containers are signalled without it", why)
        const lifecycles = new Map([...spec.containers, ...spec.ephemeralContainers ?? []].map(({ lifecycle, name }) => [name, lifecycle]))
        const containers = Option.match(state, { onNone: () => [], onSome: (state) => state.containers })
        const left = yield* Effect.forEach(containers, ({ launch, name, phase }) =>
          launch === undefined || phase === "finished"
            ? Effect.succeed(false)
            // Signal 0 only asks.
            : attemptSignal.send(runner, spec.zone, `${Paths.zone(dataDir, uid)}/${launch}`, isFirst ? lifecycles.get(name)?.stopSignal ?? "TERM" : "0").pipe(
              Effect.catchAll((error) => Effect.as(Effect.logDebug("a container was not signalled", error), true))
            ), { concurrency: 8 })
        return !left.includes(true)
      }).pipe(Effect.annotateLogs({ uid: spec.pod.uid })),
    forget: (uid) => void asked.delete(uid)
  }
}
