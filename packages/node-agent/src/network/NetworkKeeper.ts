/** Keeps the pod network of the node as it shall be, and looks after the links of its pods: at an interval, and at once when something that it depends on changed. */
import type { CoreV1 } from "@reddwarf/api-types"
import type { ApiClient, Informer } from "@reddwarf/client"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import type * as NetworkRepair from "./NetworkRepair.js"
import type * as NodeAgentOptions from "../NodeAgentOptions.js"
import * as NodePeers from "./NodePeers.js"
import * as PodCaps from "../pod/PodCaps.js"

/** @category models */
export interface Options {
  readonly settings: Pick<NodeAgentOptions.Resolved, "network" | "networkInterval" | "nodeName">
  /** The pods of this node. */
  readonly pods: Pick<Informer.Informer<CoreV1.Pod>, "isSynced" | "list" | "onChange">
  /** Repairs what pods share, and gives the uids of pods whose own links are not as wanted. */
  readonly repair: (known: NetworkRepair.Known) => Effect.Effect<ReadonlyArray<string>, { readonly message: string }>
  /** Asks for a pass over a pod: its link is repaired by a plan. */
  readonly wake: (uid: string) => Effect.Effect<void>
}

const bandwidth = ({ metadata }: CoreV1.Pod): string =>
  JSON.stringify(Object.values(PodCaps.bandwidthAnnotations).map((name) => metadata.annotations?.[name]))

/** Some way before or after the interval, so that many nodes do not keep one step. */
const jitter = [0.8, 1.2] as const

/**
 * Runs for ever. What happens while it repairs is seen by the next repair.
 *
 * @category constructors
 */
export const run = (options: Options): Effect.Effect<never, never, ApiClient.ApiClient | Scope.Scope> =>
  Effect.gen(function*() {
    const { pods, repair, settings } = options
    const wakeUps = yield* Queue.sliding<void>(1)
    const wake = () => void wakeUps.unsafeOffer(undefined)
    const nodes = settings.network.peersFromNodes === true ? yield* NodePeers.watch(settings.nodeName, wake) : undefined
    pods.onChange((event) => {
      if (event.type === "updated" && bandwidth(event.old) !== bandwidth(event.object)) wake()
    }, { existing: false })
    const known = (): NetworkRepair.Known => ({ peers: nodes?.peers(), pods: pods.isSynced() ? pods.list() : undefined })
    const interval = Duration.toMillis(settings.networkInterval)
    const pause = Effect.flatMap(Random.nextRange(...jitter), (factor) => Effect.sleep(Duration.millis(interval * factor)))
    const pass = Effect.suspend(() => repair(known())).pipe(
      Effect.flatMap(Effect.forEach(options.wake, { discard: true })),
      Effect.catchAll((error) => Effect.logWarning("the pod network cannot be repaired", error))
    )
    return yield* Effect.forever(Effect.zipRight(Effect.raceFirst(Queue.take(wakeUps), pause), pass))
  })
