/** Notices which pods' files changed: by notices of the file system where they come, by looking every now and then in any case. */
import * as FileSystem from "@effect/platform/FileSystem"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { SupervisorFileFailed } from "../SupervisorError.js"
import * as durableFile from "./durableFile.js"

/** Files are replaced, never changed in place: a new file has another inode or time. */
const stampOf = (info: FileSystem.File.Info): string =>
  [Option.getOrElse(info.ino, () => 0), Option.match(info.mtime, { onNone: () => 0, onSome: (time) => time.getTime() }), info.size].join(":")

/** What to follow, and whom to tell. */
export interface Options<R> {
  /** Folder with one folder per pod. */
  readonly directory: string
  /** The file that matters in each of them. */
  readonly fileName: string
  readonly pollInterval: Duration.DurationInput
  /** The file is new, or was replaced. */
  readonly onChange: (uid: string) => Effect.Effect<void, never, R>
  /** The folder of a pod of which a file was seen is gone. */
  readonly onGone: (uid: string) => Effect.Effect<void, never, R>
}

/** Follows the folders until interrupted. Fails when the folder above them cannot be listed. */
export const follow = <R>(options: Options<R>): Effect.Effect<never, SupervisorFileFailed, FileSystem.FileSystem | R> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const notices = yield* Queue.sliding<void>(1)
    const watchers = yield* FiberMap.make<string>()
    const stamps = new Map<string, string>()
    const watch = (path: string) =>
      Stream.runForEach(fs.watch(path), () => Queue.offer(notices, undefined)).pipe(
        Effect.catchAll((error) => Effect.logDebug("no notices of changes; polling", error))
      )

    const look = (uid: string) =>
      Effect.gen(function*() {
        const info = yield* Effect.option(fs.stat(`${options.directory}/${uid}/${options.fileName}`))
        if (Option.isNone(info)) return
        const stamp = stampOf(info.value)
        if (stamps.get(uid) === stamp) return
        if (!stamps.has(uid)) yield* FiberMap.run(watchers, uid, watch(`${options.directory}/${uid}`))
        stamps.set(uid, stamp)
        yield* options.onChange(uid)
      })

    const scan = Effect.gen(function*() {
      const uids = yield* fs.readDirectory(options.directory).pipe(Effect.mapError(durableFile.failed("list", options.directory)))
      const present = new Set(uids)
      for (const uid of stamps.keys()) {
        if (present.has(uid)) continue
        stamps.delete(uid)
        yield* FiberMap.remove(watchers, uid)
        yield* options.onGone(uid)
      }
      yield* Effect.forEach(uids, look, { discard: true })
    })

    yield* Effect.forkScoped(watch(options.directory))
    return yield* Effect.forever(Effect.zipRight(scan, Effect.race(Queue.take(notices), Effect.sleep(options.pollInterval))))
  }).pipe(Effect.scoped)
