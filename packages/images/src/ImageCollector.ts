/** Makes room for images now and then, for as long as a program runs. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { defaultPolicy, type GarbagePolicy } from "./GarbagePolicy.js"
import { ImageStore } from "./ImageStore.js"

/** When and how far. @category models */
export interface Options {
  readonly policy?: GarbagePolicy
  /** Between two looks at the pool. Default 5 minutes. */
  readonly interval?: Duration.DurationInput
}

/** One look at the pool. What goes wrong is logged: the next look may do better. @category combinators */
export const collectOnce = (policy: GarbagePolicy): Effect.Effect<void, never, ImageStore> =>
  Effect.flatMap(ImageStore, (store) => store.collect(policy)).pipe(
    Effect.flatMap(({ freed, kept, removed }) =>
      removed.length === 0 && kept.length === 0
        ? Effect.void
        : Effect.logInfo("images were removed to make room").pipe(Effect.annotateLogs({ images: removed.length, inUse: kept.length, freedBytes: freed }))),
    Effect.catchAll((error) => Effect.logWarning("no room could be made for images", error))
  )

/** The loop. The first look is after one interval: a starting agent has pods to start. @category layers */
export const layer = (options: Options = {}): Layer.Layer<never, never, ImageStore> => {
  const interval = Duration.decode(options.interval ?? "5 minutes")
  return Layer.scopedDiscard(
    collectOnce(options.policy ?? defaultPolicy).pipe(
      Effect.schedule(Schedule.jittered(Schedule.spaced(interval))),
      Effect.forkScoped
    )
  )
}
