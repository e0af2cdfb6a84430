/**
 * Which images the containers of pods shall have, by digest. An image is looked up when a pod names another one than before; until that is
 * done, nobody stops anything for it.
 */
import type { CoreV1 } from "@reddwarf/api-types"
import type { Plan, ZoneInstance } from "@reddwarf/plans"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import type * as Scope from "effect/Scope"
import type { BringUpError, PodBringUp } from "./PodBringUp.js"

/** @category models */
export interface WantedImages {
  /** Digests by container, as far as they are known for the images that the pod names now. */
  readonly of: (pod: CoreV1.Pod) => Plan.Digests
  /** Whether anything is known of the images of a pod. */
  readonly knows: (uid: string) => boolean
  /** Takes over what an earlier agent knew, and what runs: an agent that knows nothing must not take every image for another one. */
  readonly remember: (pod: CoreV1.Pod, handed: Plan.Digests, stored: ZoneInstance.ZoneInstance | undefined) => void
  /** Looks up what is not known, beside the passes. Asks for a pass when it is. */
  readonly resolve: (pod: CoreV1.Pod, up: () => PodBringUp) => Effect.Effect<void>
  /** Whether that has anything to look up. */
  readonly isMissing: (pod: CoreV1.Pod) => boolean
  readonly forget: (uid: string) => Effect.Effect<void>
}

interface Known {
  readonly image: string
  readonly digest: string
}

const containersOf = ({ spec }: CoreV1.Pod): ReadonlyArray<CoreV1.Container> => [...spec?.initContainers ?? [], ...spec?.containers ?? []]

/**
 * Lives as long as the scope.
 *
 * @category constructors
 */
export const make = (options: {
  readonly wake: (uid: string) => Effect.Effect<void>
  readonly failed: (pod: CoreV1.Pod, error: BringUpError) => Effect.Effect<void>
}): Effect.Effect<WantedImages, never, Scope.Scope> =>
  Effect.gen(function*() {
    const known = new Map<string, ReadonlyMap<string, Known>>()
    const lookups = yield* FiberMap.make<string>()
    const uidOf = (pod: CoreV1.Pod) => pod.metadata.uid ?? ""

    const of = (pod: CoreV1.Pod): Plan.Digests => {
      const found = known.get(uidOf(pod))
      return Object.fromEntries(containersOf(pod).flatMap(({ image = "", name }) => {
        const entry = found?.get(name)
        return entry !== undefined && entry.image === image ? [[name, entry.digest] as const] : []
      }))
    }

    const isMissing = (pod: CoreV1.Pod) => known.has(uidOf(pod)) && containersOf(pod).length > Object.keys(of(pod)).length

    const learn = (pod: CoreV1.Pod, digests: ReadonlyMap<string, string>) =>
      known.set(uidOf(pod), new Map([
        ...known.get(uidOf(pod)) ?? [],
        ...containersOf(pod).flatMap(({ image = "", name }) => {
          const digest = digests.get(name)
          return digest === undefined ? [] : [[name, { image, digest }] as const]
        })
      ]))

    return {
      of,
      isMissing,
      knows: (uid) => known.has(uid),
      remember: (pod, handed, stored) => {
        if (known.has(uidOf(pod)) || Object.keys(handed).length === 0) return
        const before = stored?.spec.podUID === uidOf(pod) ? stored : undefined
        const noted = before?.spec.containers ?? []
        const settled = before?.status?.current?.containers ?? []
        known.set(uidOf(pod), new Map(containersOf(pod).flatMap(({ image = "", name }) => {
          const entry = noted.find((other) => other.name === name)
          if (entry?.digest !== undefined) return [[name, { image: entry.image, digest: entry.digest }] as const]
          const digest = handed[name]
          // Where a digest was known once and is not any more, the pod names another image since: what runs is not what it names.
          const isStale = entry !== undefined && settled.some((other) => other.name === name)
          return digest === undefined || isStale ? [] : [[name, { image, digest }] as const]
        })))
      },
      resolve: (pod, up) => {
        if (!isMissing(pod)) return Effect.void
        const lookUp = up().images.pipe(
          Effect.flatMap((resolved) => {
            if (resolved === undefined) return Effect.void
            learn(pod, new Map([...resolved.containers].map(([name, { imageID }]) => [name, imageID])))
            return options.wake(uidOf(pod))
          }),
          Effect.catchAll((error) => options.failed(pod, error))
        )
        return Effect.asVoid(FiberMap.run(lookups, uidOf(pod), lookUp, { onlyIfMissing: true }))
      },
      forget: (uid) => Effect.zipRight(Effect.sync(() => void known.delete(uid)), FiberMap.remove(lookups, uid))
    }
  })
