/**
 * Files of pods as they were read last: a pass over a pod looks at them many times, and decoding one costs far more than asking whether it is
 * still the same. They are replaced, never changed in place, so a new one has another inode or time.
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import { type BigIntStats, statSync } from "node:fs"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import * as durableFile from "./durableFile.js"

/**
 * A file that was written just now may be replaced again within the same tick of the file system's clock, and the new one may get the inode
 * of the one before, so it is not remembered yet.
 */
const tickMillis = 20

interface Remembered<A> {
  readonly stamp: string
  readonly content: A
}

/** One kind of file, by path. */
export interface RememberedFiles<A> {
  /** The decoded content, or none when there is no such file. It is shared: nobody may change it. */
  readonly read: (path: string) => Effect.Effect<Option.Option<A>, SupervisorFileFailed, FileSystem.FileSystem>
  readonly forget: (path: string) => void
}

// Plain calls: with an effect and a turn of the event loop for each, asking would cost as much as reading.
const look = (path: string): BigIntStats | "absent" | "unknown" => {
  try {
    return statSync(path, { throwIfNoEntry: false, bigint: true }) ?? "absent"
  } catch {
    // What cannot be looked at is read, which says why.
    return "unknown"
  }
}

const stampOf = ({ ino, mtimeNs, size }: BigIntStats): string => `${ino}:${mtimeNs}:${size}`

/** The clock of the machine, as that of the file system. */
const isSettled = ({ mtimeMs }: BigIntStats): boolean => performance.timeOrigin + performance.now() - Number(mtimeMs) > tickMillis

/** Nothing is remembered of files that are gone. */
export const make = <A, I>(schema: Schema.Schema<A, I>): RememberedFiles<A> => {
  const known = new Map<string, Remembered<A>>()
  const reader = durableFile.reader(schema)
  return {
    read: (path) =>
      Effect.suspend(() => {
        const found = look(path)
        const before = known.get(path)
        if (typeof found === "object" && before?.stamp === stampOf(found)) return Effect.succeedSome(before.content)
        known.delete(path)
        if (found === "absent") return Effect.succeedNone
        // The stamp is from before the read: what comes in between is read the next time.
        return Effect.tap(reader(path), (content) =>
          Effect.sync(() => {
            if (typeof found === "object" && Option.isSome(content) && isSettled(found)) known.set(path, { stamp: stampOf(found), content: content.value })
          }))
      }),
    forget: (path) => void known.delete(path)
  }
}
