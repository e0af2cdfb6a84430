/**
 * Notices which pods' files changed: by notices of the file system where they come, by looking every now and then in any case.
 *
 * A folder is watched from the moment it is seen, before its file is looked for: a file that comes between the two is found by the look, one
 * that comes later by the notice. A notice names the pod it is about, so the others are not looked at.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import { statSync } from "node:fs"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import * as durableFile from "./durableFile.js"
import * as folderWatch from "./folderWatch.js"

/**
 * What tells a file from the one before: files are replaced, never changed in place, so a new one has another inode or time. Nothing where
 * there is no file. A plain call: each second asks this of every pod of the node, and an effect with a turn of the event loop for each of
 * them would cost more than everything else that an agent without work does.
 */
const stampOf = (path: string): string | undefined => {
  try {
    const info = statSync(path, { throwIfNoEntry: false, bigint: true })
    return info === undefined ? undefined : `${info.ino}:${info.mtimeNs}:${info.size}`
  } catch {
    // What cannot be looked at is looked at again, as what is not there yet.
    return undefined
  }
}

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
    const stamps = new Map<string, string>()
    /** What ends the watch of a pod's folder. */
    const watches = new Map<string, () => void>()
    /** Pods that a notice was about since the last look. */
    const noticed = new Set<string>()
    /** Folders that are there, as far as is known. */
    const present = new Set<string>()
    let foldersChanged = false

    const folderOf = (uid: string): string => `${options.directory}/${uid}`

    const unwatch = (uid: string): void => {
      watches.get(uid)?.()
      watches.delete(uid)
    }

    const watch = (uid: string): void => {
      if (watches.has(uid)) return
      const close = folderWatch.open(folderOf(uid), (name) => {
        // The folder itself went: a new one of the same name has to be watched anew.
        if (name === uid) unwatch(uid)
        else if (name !== options.fileName && name !== null) return
        noticed.add(uid)
        Queue.unsafeOffer(notices, undefined)
      })
      if (close !== undefined) watches.set(uid, close)
    }

    const isChanged = (uid: string): boolean => {
      watch(uid)
      const stamp = stampOf(`${folderOf(uid)}/${options.fileName}`)
      if (stamp === undefined || stamps.get(uid) === stamp) return false
      stamps.set(uid, stamp)
      return true
    }

    const look = (uids: Iterable<string>) =>
      Effect.suspend(() => Effect.forEach([...uids].filter(isChanged), options.onChange, { discard: true }))

    const lookAtAll = Effect.gen(function*() {
      const uids = new Set(yield* fs.readDirectory(options.directory).pipe(Effect.mapError(durableFile.failed("list", options.directory))))
      for (const uid of present) {
        if (uids.has(uid)) continue
        present.delete(uid)
        unwatch(uid)
        if (stamps.delete(uid)) yield* options.onGone(uid)
      }
      for (const uid of uids) present.add(uid)
      yield* look(uids)
    })

    const lookAtNoticed = Effect.suspend(() => {
      const uids = [...noticed]
      noticed.clear()
      return look(uids)
    })

    yield* Effect.addFinalizer(() => Effect.sync(() => watches.forEach((close) => close())))
    yield* folderWatch.scoped(options.directory, () => {
      foldersChanged = true
      Queue.unsafeOffer(notices, undefined)
    })
    yield* lookAtAll
    return yield* Effect.forever(Effect.gen(function*() {
      const notice = yield* Effect.timeoutOption(Queue.take(notices), options.pollInterval)
      const all = Option.isNone(notice) || foldersChanged
      foldersChanged = false
      yield* all ? Effect.zipRight(Effect.sync(() => noticed.clear()), lookAtAll) : lookAtNoticed
    }))
  }).pipe(Effect.scoped)
