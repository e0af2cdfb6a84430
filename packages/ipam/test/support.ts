/** File systems that fail, die and count. */
import * as FileSystem from "@effect/platform/FileSystem"
import { type PlatformError, SystemError } from "@effect/platform/Error"
import { Effect, Layer } from "effect"

/** What a step of storing is called. */
export type Step = "remove" | "open" | "write" | "sync" | "truncate" | "rename"

type Around = <A>(
  step: Step,
  effect: Effect.Effect<A, PlatformError>,
  bytes: Uint8Array | undefined,
  file: FileSystem.File | undefined
) => Effect.Effect<A, PlatformError>

/** The file system below, with every step of storing passed through `around`. */
export const steppedBy = (given: Around) => {
  // An effect may be made once and run often.
  const around: Around = (step, effect, bytes, file) => Effect.suspend(() => given(step, effect, bytes, file))
  return Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (real): FileSystem.FileSystem => ({
      ...real,
      remove: (path, options) => around("remove", real.remove(path, options), undefined, undefined),
      rename: (from, to) => around("rename", real.rename(from, to), undefined, undefined),
      open: (path, options) =>
        Effect.map(Effect.zipRight(around("open", Effect.void, undefined, undefined), real.open(path, options)), (file) => {
          const stepped: FileSystem.File = Object.create(file, {
            writeAll: { value: (bytes: Uint8Array) => around("write", file.writeAll(bytes), bytes, file) },
            sync: { value: around("sync", file.sync, undefined, file) },
            truncate: { value: (size?: FileSystem.SizeInput) => around("truncate", file.truncate(size), undefined, file) }
          })
          return stepped
        })
    }))
  )
}

/** Fails a step, as a full disk does. */
export const noSpace = Effect.fail(
  new SystemError({ reason: "Unknown", module: "FileSystem", method: "write", description: "no space left on device" })
)
