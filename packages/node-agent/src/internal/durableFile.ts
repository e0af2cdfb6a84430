/** Files that are either the old or the new content after a crash, never something between. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import { dirname } from "node:path"
import { SupervisorFileFailed } from "../supervisor/SupervisorError.js"

const encoder = new TextEncoder()

/** Turns whatever a file operation failed with into a typed error that names the file. */
export const failed = (operation: string, path: string) => (cause: { readonly message: string }): SupervisorFileFailed =>
  new SupervisorFileFailed({ operation, path, detail: cause.message })

const syncDirectory = (path: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const handle = yield* fs.open(path, { flag: "r" })
    yield* handle.sync
  }).pipe(Effect.scoped)

/** Writes beside the file, fsyncs, renames over it, fsyncs the folder. The folder must exist: a removed pod is not resurrected. */
export const write = (path: string, content: string): Effect.Effect<void, SupervisorFileFailed, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const temporary = `${path}.${yield* Random.nextIntBetween(0, 1_000_000_000)}.tmp`
    yield* Effect.scoped(Effect.gen(function*() {
      const handle = yield* fs.open(temporary, { flag: "wx", mode: 0o600 })
      yield* handle.writeAll(encoder.encode(content))
      yield* handle.sync
    })).pipe(
      Effect.zipRight(fs.rename(temporary, path)),
      // On a full disk each of them would take something of what little is left.
      Effect.onError(() => Effect.ignore(fs.remove(temporary, { force: true })))
    )
    yield* syncDirectory(dirname(path))
  }).pipe(Effect.mapError(failed("write", path)))

/** Reads files of one form: the decoded content, or none when there is no such file. */
export const reader = <A, I>(schema: Schema.Schema<A, I>) => {
  const decode = Schema.decodeUnknown(schema)
  return (path: string): Effect.Effect<Option.Option<A>, SupervisorFileFailed, FileSystem.FileSystem> =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const text = yield* fs.readFileString(path).pipe(
        Effect.asSome,
        Effect.catchTag("SystemError", (error) => error.reason === "NotFound" ? Effect.succeedNone : Effect.fail(error)),
        Effect.mapError(failed("read", path))
      )
      if (Option.isNone(text)) return Option.none<A>()
      return yield* Effect.asSome(decode(text.value)).pipe(
        Effect.mapError((error) => failed("decode", path)({ message: ParseResult.TreeFormatter.formatErrorSync(error) }))
      )
    })
}

/** The decoded content, or none when there is no such file. */
export const read = <A, I>(
  path: string,
  schema: Schema.Schema<A, I>
): Effect.Effect<Option.Option<A>, SupervisorFileFailed, FileSystem.FileSystem> => reader(schema)(path)
