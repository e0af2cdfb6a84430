/** Volumes that are a path of the node itself. */
import * as FileSystem from "@effect/platform/FileSystem"
import type { CoreV1 } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { VolumeSetupError } from "../pod/PodError.js"

/** What a type asks for: kind of file as the system names it, and the word for people. */
const kinds: ReadonlyMap<string, readonly [type: FileSystem.File.Type, word: string]> = new Map([
  ["Directory", ["Directory", "directory"]],
  ["DirectoryOrCreate", ["Directory", "directory"]],
  ["File", ["File", "file"]],
  ["FileOrCreate", ["File", "file"]],
  ["Socket", ["Socket", "socket file"]],
  ["CharDevice", ["CharacterDevice", "character device"]],
  ["BlockDevice", ["BlockDevice", "block device"]]
])

/**
 * Checks the path by the type of the volume, makes it where the type says so, and gives it. Without a type nothing is checked; a folder is
 * made where nothing is, as container runtimes do.
 *
 * @category constructors
 */
export const prepare = (volume: string, source: CoreV1.HostPathVolumeSource): Effect.Effect<string, VolumeSetupError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const fail = (detail: string) => new VolumeSetupError({ volume, detail })
    const { path, type = "" } = source
    if (!path.startsWith("/")) return yield* fail(`hostPath ${path} is not an absolute path`)
    const kind = kinds.get(type)
    if (kind === undefined && type !== "") return yield* fail(`hostPath type ${type} is not known; use one of ${[...kinds.keys()].join(", ")}`)
    const stat = Effect.option(fs.stat(path))
    const made = (effect: Effect.Effect<void, { readonly message: string }>) => Effect.mapError(effect, ({ message }) => fail(message))
    if (Option.isNone(yield* stat)) {
      if (type === "" || type === "DirectoryOrCreate") yield* made(fs.makeDirectory(path, { recursive: true, mode: 0o755 }))
      if (type === "FileOrCreate") yield* made(fs.writeFileString(path, "", { mode: 0o644 }))
    }
    const found = yield* stat
    if (kind !== undefined && (Option.isNone(found) || found.value.type !== kind[0])) {
      return yield* fail(`hostPath type check failed: ${path} is not a ${kind[1]}`)
    }
    return path
  })
