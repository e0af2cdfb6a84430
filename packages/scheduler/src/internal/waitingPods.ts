/** The pods that plugins hold back between decision and binding. */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import type { PodInfo } from "../PodInfo.js"
import type * as WaitingPods from "../WaitingPods.js"

/** How the wait ended. `rejected`: by this plugin, for this reason. */
export type Outcome = { readonly _tag: "Allowed" } | { readonly _tag: "Rejected"; readonly plugin: string; readonly reason: string }

export interface Registry extends WaitingPods.WaitingPods {
  /** Lists the pod at once; the effect waits until all plugins have allowed it, one has rejected it, or the time of one is over. */
  readonly add: (pod: PodInfo, node: string, waits: ReadonlyMap<string, Duration.Duration>) => Effect.Effect<Outcome>
}

const allowed: Outcome = { _tag: "Allowed" }

/** Who runs out of time first decides how long the pod waits. */
const shortest = (waits: ReadonlyMap<string, Duration.Duration>): readonly [string, Duration.Duration] => {
  let found: readonly [string, Duration.Duration] = ["", Duration.infinity]
  for (const wait of waits) if (Duration.lessThan(wait[1], found[1])) found = wait
  return found
}

export const make = (): Registry => {
  const pods = new Map<string, WaitingPods.WaitingPod>()

  return {
    list: () => [...pods.values()],
    get: (id) => pods.get(id),
    add: (pod, node, waits) => {
      const pending = new Set(waits.keys())
      const ended = Deferred.unsafeMake<Outcome>(FiberId.none)
      const end = (outcome: Outcome): void => {
        pods.delete(pod.id)
        Deferred.unsafeDone(ended, Effect.succeed(outcome))
      }
      pods.set(pod.id, {
        pod,
        node,
        pending: () => [...pending],
        allow: (plugin) => {
          if (pending.delete(plugin) && pending.size === 0) end(allowed)
        },
        reject: (plugin, reason) => {
          if (pods.has(pod.id)) end({ _tag: "Rejected", plugin, reason })
        }
      })
      const [plugin, timeout] = shortest(waits)
      return Deferred.await(ended).pipe(
        Effect.timeoutTo({
          duration: timeout,
          onSuccess: (outcome) => outcome,
          onTimeout: (): Outcome => ({ _tag: "Rejected", plugin, reason: `rejected due to timeout after waiting ${Duration.format(timeout)} at plugin ${plugin}` })
        }),
        Effect.ensuring(Effect.sync(() => pods.delete(pod.id)))
      )
    }
  }
}
