/** Taking images away: their layers from the top down, as far as nothing else needs them. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ChainId from "../ChainId.js"
import type { Digest } from "../Digest.js"
import type { Collected } from "../GarbagePolicy.js"
import { type ImageRecord, nameOf } from "../Image.js"
import type { ImageError } from "../ImageError.js"
import { ImageInUse } from "../ImageInUse.js"
import type { LayerStore } from "../LayerStore.js"
import type { ImageLedger } from "./imageLedger.js"

/** Chain ids that images stand on. */
const neededBy = (images: ReadonlyArray<ImageRecord>): Set<Digest> =>
  new Set(images.flatMap((image) => [image.chainId, ...ChainId.all(image.config.rootfs.diffIds)]))

/** Removes layers. */
export interface Removal {
  /**
   * Removes an image's layers that no other of `images` needs; gives the bytes that went. Refused, with nothing removed, while something
   * is cloned from it.
   */
  readonly image: (image: ImageRecord, images: ReadonlyArray<ImageRecord>) => Effect.Effect<number, ImageError | ImageInUse>
  /** Removes layers that no image needs. */
  readonly orphans: (images: ReadonlyArray<ImageRecord>) => Effect.Effect<number, ImageError>
}

export const make = (layers: LayerStore["Type"], isPinned: (chainId: Digest) => boolean): Removal => {
  /** A layer and what is below it, until one is needed. Only the refusal of the first is told. */
  const sweep = (chainId: Digest, needed: ReadonlySet<Digest>, first: boolean): Effect.Effect<number, ImageError | ImageInUse> =>
    Effect.gen(function*() {
      if (needed.has(chainId) || isPinned(chainId)) return 0
      const found = yield* layers.find(chainId)
      if (Option.isNone(found)) return 0
      const removed = yield* layers.remove(chainId).pipe(
        Effect.as(true),
        Effect.catchTag("ImageInUse", (error) => first ? Effect.fail(error) : Effect.succeed(false))
      )
      if (!removed) return 0
      const { parent, used } = found.value
      return parent === undefined ? used : used + (yield* sweep(parent, needed, false))
    })

  return {
    image: (image, images) => {
      if (image.users.length > 0) return new ImageInUse({ image: nameOf(image), users: image.users })
      const needed = neededBy(images.filter(({ id }) => id !== image.id))
      return sweep(image.chainId, needed, true).pipe(
        Effect.mapError((error) => error._tag === "ImageInUse" ? new ImageInUse({ image: nameOf(image), users: error.users }) : error)
      )
    },
    orphans: (images) =>
      Effect.gen(function*() {
        const needed = neededBy(images)
        const stored = yield* layers.list
        const below = new Set(stored.map(({ parent }) => parent))
        // Those with nothing on top; what they stand on goes with them.
        const tops = stored.filter(({ chainId }) => !below.has(chainId) && !needed.has(chainId))
        const freed = yield* Effect.forEach(tops, ({ chainId }) =>
          Effect.catchTag(sweep(chainId, needed, true), "ImageInUse", () => Effect.succeed(0)))
        return freed.reduce((sum, bytes) => sum + bytes, 0)
      })
  }
}

/**
 * Removes one after the other until enough is free; those that turn out to be in use stay. Between two images others get their turn: who
 * starts a container does not wait for all of it.
 */
export const removeUntil = (
  removal: Removal,
  ledger: ImageLedger,
  choose: (images: ReadonlyArray<ImageRecord>) => ReadonlyArray<ImageRecord>,
  enough: number
): Effect.Effect<Collected, ImageError> =>
  Effect.gen(function*() {
    const tried = new Set<Digest>()
    const removed: Array<{ readonly candidate: ImageRecord; readonly freed: number }> = []
    const kept: Array<Digest> = []
    while (removed.reduce((sum, { freed }) => sum + freed, 0) < enough) {
      const more = yield* ledger.change((images) =>
        Effect.gen(function*() {
          const candidate = choose(images).find(({ id }) => !tried.has(id))
          if (candidate === undefined) return [false, images] as const
          tried.add(candidate.id)
          const outcome = yield* removal.image(candidate, images).pipe(Effect.asSome, Effect.catchTag("ImageInUse", () => Effect.succeedNone))
          if (Option.isNone(outcome)) {
            kept.push(candidate.id)
            return [true, images] as const
          }
          removed.push({ candidate, freed: outcome.value })
          return [true, images.filter(({ id }) => id !== candidate.id)] as const
        }))
      if (!more) break
    }
    return { removed: removed.map(({ candidate }) => candidate), freed: removed.reduce((sum, { freed }) => sum + freed, 0), kept }
  })
