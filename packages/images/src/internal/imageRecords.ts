/** The file in which images are remembered: the old content or the new one after a crash, never something between. */
import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import { dirname } from "node:path"
import { ImageRecord } from "../Image.js"
import { DiskFull, StorageFailed } from "../ImageError.js"

const Content = Schema.parseJson(Schema.Struct({ version: Schema.Literal(1), images: Schema.Array(ImageRecord) }))
const decode = Schema.decodeUnknown(Content)
const encode = Schema.encodeSync(Content)

const checksum = (text: string): string => createHash("sha256").update(text).digest("hex")

const failed = (operation: string, path: string) => (error: PlatformError): StorageFailed | DiskFull =>
  /ENOSPC|EDQUOT/.test(error.message)
    ? new DiskFull({ path, detail: error.message })
    : new StorageFailed({ operation, path, detail: error.message, cause: error })

/** All images; none when there is no file yet. */
export const load = (fileSystem: FileSystem.FileSystem, path: string): Effect.Effect<ReadonlyArray<ImageRecord>, StorageFailed | DiskFull> =>
  Effect.gen(function*() {
    const text = yield* fileSystem.readFileString(path).pipe(
      Effect.catchIf((error) => error._tag === "SystemError" && error.reason === "NotFound", () => Effect.succeed(undefined)),
      Effect.mapError(failed("reading the images of this host", path))
    )
    if (text === undefined) return []
    const [line = "", sum = ""] = text.split("\n")
    const corrupt = (detail: string) =>
      new StorageFailed({ operation: "reading the images of this host", path, detail: `${detail}; move the file away, and images are pulled again when they are needed` })
    if (checksum(line) !== sum) return yield* corrupt("the checksum does not match the content")
    return (yield* Effect.mapError(decode(line), () => corrupt("it is not a file of version 1"))).images
  })

/** Replaces all of it; on disk before the file has its name. */
export const save = (fileSystem: FileSystem.FileSystem, path: string, images: ReadonlyArray<ImageRecord>): Effect.Effect<void, StorageFailed | DiskFull> => {
  const temporary = `${path}.new`
  return Effect.gen(function*() {
    const line = encode({ version: 1, images })
    yield* fileSystem.remove(temporary, { force: true })
    yield* Effect.scoped(Effect.gen(function*() {
      const file = yield* fileSystem.open(temporary, { flag: "wx", mode: 0o600 })
      yield* file.writeAll(new TextEncoder().encode(`${line}\n${checksum(line)}\n`))
      yield* file.sync
    }))
    yield* fileSystem.rename(temporary, path)
    // The rename itself is durable only with its folder.
    yield* Effect.scoped(Effect.flatMap(fileSystem.open(dirname(path), { flag: "r" }), (folder) => folder.sync))
  }).pipe(Effect.mapError(failed("writing the images of this host", path)))
}
