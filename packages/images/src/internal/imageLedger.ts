/** What this host remembers of its images, changed by one at a time. */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import type { ImageRecord } from "../Image.js"
import type { DiskFull, StorageFailed } from "../ImageError.js"
import * as imageRecords from "./imageRecords.js"
import type { ProcessTurn } from "./processTurn.js"

/** The images and how they are changed. */
export interface ImageLedger {
  readonly read: Effect.Effect<ReadonlyArray<ImageRecord>, StorageFailed | DiskFull>
  /**
   * Changes the images while nobody else does. What `change` gives back with its answer is on disk when this ends; when it fails, nothing
   * has changed.
   */
  readonly change: <A, E, R>(
    change: (images: ReadonlyArray<ImageRecord>) => Effect.Effect<readonly [A, ReadonlyArray<ImageRecord>], E, R>
  ) => Effect.Effect<A, E | StorageFailed | DiskFull, R>
}

export const make = (fileSystem: FileSystem.FileSystem, path: string, turn: ProcessTurn): ImageLedger => {
  const one = Effect.unsafeMakeSemaphore(1)
  const read = imageRecords.load(fileSystem, path)
  return {
    read,
    change: (change) =>
      Effect.scoped(Effect.zipRight(
        turn.take,
        one.withPermits(1)(Effect.gen(function*() {
          const before = yield* read
          const [answer, after] = yield* change(before)
          if (after !== before) yield* Effect.uninterruptible(imageRecords.save(fileSystem, path, after))
          return answer
        }))
      ))
  }
}
