/** Reads the log files of containers as a kubelet does: rotated files first, tails without reading everything, following to the end. */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { dirname } from "node:path"
import * as folderWatch from "../internal/folderWatch.js"
import * as logFiles from "../internal/logFiles.js"
import * as logRecords from "../internal/logRecords.js"
import * as LogPieces from "./LogPieces.js"

/**
 * Which part of a log, and how it is shown.
 *
 * @category models
 */
export interface Options {
  /** Only the last lines. */
  readonly tailLines?: number | undefined
  /** Only lines written at or after this time, RFC 3339. */
  readonly sinceTime?: string | undefined
  /** Puts the time in front of each line. */
  readonly timestamps?: boolean | undefined
  /** Ends after this many bytes. */
  readonly limitBytes?: number | undefined
  /** Goes on with what is written later, until `isOver` says that nothing will be. */
  readonly follow?: boolean | undefined
  /** Begins there and not at the beginning; with nothing of what was there before it. */
  readonly from?: LogPieces.Place | undefined
  /** Gives the log of this attempt as pieces (`LogPieces`). */
  readonly pieces?: { readonly attempt: number } | undefined
}

export {
  /**
   * A log file could not be read.
   *
   * @category errors
   */
  LogReadFailed
} from "../internal/logFiles.js"

/** How long a followed log may be silent before it is looked at without a notice of the file system. */
const pollInterval = "500 millis"

const chunkSize = 64 * 1024

/** Where the last lines before `end` begin: files are read backwards, block by block, until enough line ends were seen. */
const tailStart = (path: string, lines: number, end: logFiles.End): Effect.Effect<logFiles.Position, logFiles.LogReadFailed> =>
  Effect.gen(function*() {
    const files = logFiles.filesOf(path)
    const scanner = logRecords.tailScanner(lines)
    let isNewer = true
    for (const name of files.toReversed()) {
      const found = yield* Effect.scoped(Effect.gen(function*() {
        const file = yield* logFiles.openScoped(name)
        const isEnd = file.inode === end.inode
        // The log was rotated after its end was looked at.
        if (isNewer && !isEnd) return undefined
        isNewer = false
        const size = isEnd ? end.size : yield* logFiles.sizeOf(name, file)
        let last = size
        while (last > 0) {
          const start = Math.max(0, last - chunkSize)
          const block = Buffer.allocUnsafe(last - start)
          const length = yield* logFiles.readInto(name, file, block, block.length, start)
          const offset = scanner.block(block.subarray(0, length), start, last === size)
          if (offset !== undefined) return { path: name, inode: file.inode, offset }
          last = start
        }
        return undefined
      }))
      if (found !== undefined) return found
    }
    return { path: files[0] ?? path, inode: undefined, offset: 0 }
  })

/** Waits for what is written to a log: for a notice of the file system, or for so long. */
interface Growth {
  /** Waits until something may have been written since the last time; `true` when nobody has said so. */
  readonly wait: Effect.Effect<boolean>
}

const growth = (path: string, onNotice: () => void): Effect.Effect<Growth, never, Scope.Scope> =>
  Effect.gen(function*() {
    let isNoticed = false
    let waiter: ((quiet: boolean) => void) | undefined
    const wake = (quiet: boolean): void => {
      const waiting = waiter
      waiter = undefined
      waiting?.(quiet)
    }
    yield* folderWatch.scoped(dirname(path), () => {
      onNotice()
      isNoticed = true
      wake(false)
    })
    yield* Effect.forkScoped(Effect.forever(Effect.zipRight(Effect.sleep(pollInterval), Effect.sync(() => {
      onNotice()
      wake(true)
    }))))
    const wait = Effect.async<boolean>((resume) => {
      waiter = (quiet) => {
        isNoticed = false
        resume(Effect.succeed(quiet))
      }
      if (isNoticed) wake(false)
      return Effect.sync(() => void (waiter = undefined))
    })
    return { wait }
  })

/**
 * Somebody who reads a log from one end to the other.
 *
 * @category models
 */
export interface Reader {
  /**
   * What comes next; nothing in the error channel is the end. The bytes are the reader's own memory: they stay as they are while the next
   * ones are taken, and not longer.
   */
  readonly next: Effect.Effect<Uint8Array, Option.Option<logFiles.LogReadFailed>>
  /** Takes hold of the files that came since, as it does by itself at every notice of the file system: they are then read whatever becomes of them. */
  readonly look: () => void
}

/** A text with what says which piece of the log it is, in the memory in front of it. */
const withHead = (head: string, text: Buffer): Buffer => {
  const bytes = Buffer.from(text.buffer, text.byteOffset - head.length, head.length + text.length)
  bytes.write(head, "latin1")
  return bytes
}

/**
 * Opens the log at `path`, as a user wants to see it: what is written at the moment it is asked for, and with `follow` what comes later.
 * Fails when there is no such log.
 *
 * `isOver` is asked at the end of a followed log: whether nothing will be written any more.
 *
 * @category constructors
 */
export const open = (
  path: string,
  options: Options,
  isOver: Effect.Effect<boolean>
): Effect.Effect<Reader, logFiles.LogReadFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const end = yield* logFiles.endOf(path)
    const known = options.from === undefined ? [] : logFiles.filesOf(path).map(logFiles.inodeOf)
    // A file that was rotated away was older than all that are left.
    const from = options.from !== undefined && known.includes(options.from.inode)
      ? { path, inode: options.from.inode, offset: options.from.offset }
      : options.tailLines === undefined
      ? { path: logFiles.filesOf(path)[0] ?? path, inode: undefined, offset: 0 }
      : yield* tailStart(path, options.tailLines, end)
    // What is written while a log is read belongs to those who follow it: the others would see a line too many, or never come to an end.
    const log = yield* logFiles.cursor(path, from, options.follow === true ? undefined : end)
    const format = logRecords.formatter({ ...options, atLineStart: options.from?.atLineStart })
    const { pieces } = options
    const shown = (text: Buffer): Buffer => {
      if (pieces === undefined) return text
      const { inode, offset } = log.place()
      const place = { ...pieces, inode, offset: Math.max(0, offset - format.pending()), atLineStart: format.atLineStart() }
      return withHead(LogPieces.head(place, text.length), text)
    }
    const more = options.follow === true ? yield* growth(path, log.look) : undefined
    let left = options.limitBytes ?? Number.POSITIVE_INFINITY
    let isEnded = pieces === undefined
    let over = false
    const pull: Effect.Effect<Uint8Array, Option.Option<logFiles.LogReadFailed>> = Effect.gen(function*() {
      for (;;) {
        const length = yield* Effect.asSomeError(log.read(format.room()))
        const text = format.take(length)
        if (text.length > 0) return shown(text)
        if (length > 0) continue
        if (more === undefined || over) {
          if (isEnded) return yield* Effect.fail(Option.none())
          isEnded = true
          return LogPieces.end
        }
        // What was written before the end was seen is read before the log ends.
        over = yield* isOver
        if (!over && (yield* more.wait)) format.release()
      }
    })
    const limited = Effect.suspend(() => left <= 0 ? Effect.fail(Option.none()) : pull).pipe(Effect.map((bytes) => {
      const taken = bytes.length > left ? bytes.subarray(0, left) : bytes
      left -= taken.length
      return taken
    }))
    // Where it begins is said before anything comes, unless what is there is to be left out.
    let isBegun = pieces === undefined || options.sinceTime !== undefined
    return {
      look: log.look,
      next: Effect.suspend(() => {
        if (isBegun) return limited
        isBegun = true
        format.room()
        return Effect.succeed(shown(format.take(0)))
      })
    }
  })

/**
 * The same as a stream.
 *
 * @category constructors
 */
export const stream = (path: string, options: Options, isOver: Effect.Effect<boolean>): Stream.Stream<Uint8Array, logFiles.LogReadFailed> =>
  Stream.unwrapScoped(Effect.map(open(path, options, isOver), ({ next }) => Stream.repeatEffectOption(Effect.map(next, (bytes) => Uint8Array.from(bytes)))))

/**
 * Something a container printed.
 *
 * @category models
 */
export interface Output {
  readonly stream: "stdout" | "stderr"
  readonly bytes: Uint8Array
}

/**
 * What is printed from now on into the log at `path`, byte for byte, until `isOver` says that nothing more will come. "Now" is when this
 * effect runs, not when the stream is read.
 *
 * @category constructors
 */
export const follow = (
  path: string,
  isOver: Effect.Effect<boolean>
): Effect.Effect<Stream.Stream<Output, logFiles.LogReadFailed>, logFiles.LogReadFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const { inode, size } = yield* logFiles.endOf(path)
    const log = yield* logFiles.cursor(path, { path, inode, offset: size })
    const more = yield* growth(path, log.look)
    const split = logRecords.splitter()
    let over = false
    const pull: Effect.Effect<Chunk.Chunk<Output>, Option.Option<logFiles.LogReadFailed>> = Effect.gen(function*() {
      for (;;) {
        const room = Buffer.allocUnsafe(chunkSize)
        const length = yield* Effect.asSomeError(log.read(room))
        if (length > 0) {
          const outputs = split(room.subarray(0, length))
          if (outputs.length > 0) return Chunk.unsafeFromArray(outputs)
          continue
        }
        if (over) return yield* Effect.fail(Option.none())
        over = yield* isOver
        if (!over) yield* more.wait
      }
    })
    return Stream.repeatEffectChunkOption(pull)
  })
