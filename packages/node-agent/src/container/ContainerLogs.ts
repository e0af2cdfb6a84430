/** Reads the log files of containers as a kubelet does: rotated files first, tails without reading everything, following to the end. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type FileHandle, open as openFile, stat } from "node:fs/promises"
import { dirname } from "node:path"
import * as criLog from "../internal/criLog.js"
import * as LogPieces from "./LogPieces.js"
import * as logRecords from "../internal/logRecords.js"

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

/**
 * A log file could not be read.
 *
 * @category errors
 */
export class LogReadFailed extends Schema.TaggedError<LogReadFailed>()("LogReadFailed", {
  path: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `log ${this.path} cannot be read: ${this.detail}; check the log folder of the node`
  }
}

/** How long a followed log may be silent before it is looked at without a notice of the file system. */
const pollInterval = "500 millis"

const chunkSize = 64 * 1024

const attempt = <A>(path: string, body: () => Promise<A>): Effect.Effect<A, LogReadFailed> =>
  Effect.tryPromise({
    try: body,
    catch: (cause) => new LogReadFailed({ path, detail: cause instanceof Error ? cause.message : String(cause) })
  })

const filesOf = (path: string): ReadonlyArray<string> => [...criLog.rotatedFiles(path).map((file) => file.path), path]

interface OpenFile {
  readonly handle: FileHandle
  readonly inode: number
}

const openAt = (path: string): Effect.Effect<OpenFile, LogReadFailed> =>
  attempt(path, async () => {
    const handle = await openFile(path, "r")
    return { handle, inode: (await handle.stat()).ino }
  })

const inodeOf = (path: string): Effect.Effect<number | undefined> =>
  Effect.orElseSucceed(Effect.map(attempt(path, () => stat(path)), (info): number | undefined => info.ino), () => undefined)

const readAt = (path: string, file: OpenFile, offset: number, length: number) =>
  attempt(path, async () => {
    const buffer = Buffer.allocUnsafe(length)
    const { bytesRead } = await file.handle.read(buffer, 0, length, offset)
    return buffer.subarray(0, bytesRead)
  })

const closed = (file: OpenFile) => Effect.promise(() => file.handle.close())

/** The newest file of a log and its size at one moment. Whoever knows it by its inode holds it open: no other file gets that number. */
interface End {
  readonly inode: number
  readonly size: number
}

const endOf = (path: string): Effect.Effect<End, LogReadFailed, Scope.Scope> =>
  Effect.flatMap(Effect.acquireRelease(openAt(path), closed), ({ handle, inode }) =>
    attempt(path, async () => ({ inode, size: (await handle.stat()).size })))

/** A place in a log. The file may be renamed before it is opened again: its inode stays. */
interface Position {
  readonly path: string
  readonly inode: number | undefined
  readonly offset: number
}

/** Where the last lines before `end` begin: files are read backwards, block by block, until enough line ends were seen. */
const tailStart = (path: string, lines: number, end: End): Effect.Effect<Position, LogReadFailed> =>
  Effect.gen(function*() {
    const files = filesOf(path)
    const scanner = logRecords.tailScanner(lines)
    let isNewer = true
    for (const name of files.toReversed()) {
      const found = yield* Effect.acquireUseRelease(
        openAt(name),
        (file) =>
          Effect.gen(function*() {
            const isEnd = file.inode === end.inode
            // The log was rotated after its end was looked at.
            if (isNewer && !isEnd) return undefined
            isNewer = false
            const size = isEnd ? end.size : (yield* attempt(name, () => file.handle.stat())).size
            let last = size
            while (last > 0) {
              const start = Math.max(0, last - chunkSize)
              const offset = scanner.block(yield* readAt(name, file, start, last - start), start, last === size)
              if (offset !== undefined) return { path: name, inode: file.inode, offset }
              last = start
            }
            return undefined
          }),
        closed
      )
      if (found !== undefined) return found
    }
    return { path: files[0] ?? path, inode: undefined, offset: 0 }
  })

/** Opens the file that had this inode, under whatever name it has now. */
const openPosition = (path: string, { inode, path: name }: Position): Effect.Effect<OpenFile, LogReadFailed> =>
  Effect.gen(function*() {
    for (const candidate of [name, ...filesOf(path).toReversed()]) {
      const file = yield* openAt(candidate)
      if (inode === undefined || file.inode === inode) return file
      yield* closed(file)
    }
    return yield* new LogReadFailed({ path: name, detail: "it was rotated away while it was being read" })
  })

/** The files of one log in the order in which they were written, across rotations that happen while they are read. */
interface Cursor {
  /** Behind what came last. */
  readonly place: () => { readonly inode: number; readonly offset: number }
  /** What comes next; nothing at the end of what is written so far, or at the end that was given. */
  readonly next: Effect.Effect<Buffer, LogReadFailed>
}

const cursor = (path: string, from: Position, end?: End): Effect.Effect<Cursor, LogReadFailed, Scope.Scope> =>
  Effect.gen(function*() {
    let { offset } = from
    let file = yield* openPosition(path, from)
    yield* Effect.addFinalizer(() => Effect.suspend(() => closed(file)))

    /** The file that was begun after the one at hand. */
    const successor = Effect.gen(function*() {
      const files = filesOf(path)
      const inodes = yield* Effect.forEach(files, inodeOf)
      // What was wanted was rotated away; what follows was written after it.
      if (end !== undefined && !inodes.includes(end.inode)) return false
      const here = inodes.indexOf(file.inode)
      // A file that is gone was the oldest: the oldest that is left comes next.
      const following = files[here + 1]
      if (following === undefined || inodes[here + 1] === undefined) return false
      const opened = yield* openAt(following)
      yield* closed(file)
      file = opened
      offset = 0
      return true
    }).pipe(Effect.uninterruptible)

    const next: Effect.Effect<Buffer, LogReadFailed> = Effect.gen(function*() {
      for (;;) {
        const isLast = end !== undefined && file.inode === end.inode
        const length = isLast ? Math.min(chunkSize, end.size - offset) : chunkSize
        if (length <= 0) return Buffer.alloc(0)
        const bytes = yield* readAt(path, file, offset, length)
        offset += bytes.length
        if (bytes.length > 0 || isLast) return bytes
        if (!(yield* successor)) return bytes
      }
    })
    return { next, place: () => ({ inode: file.inode, offset }) }
  })

/** Ends a stream of bytes after `limit` of them. */
const limited = (limit: number | undefined) => <E>(stream: Stream.Stream<Uint8Array, E>): Stream.Stream<Uint8Array, E> =>
  limit === undefined ? stream : stream.pipe(
    Stream.mapAccum(limit, (left, bytes) => [left - bytes.length, { bytes: bytes.subarray(0, Math.max(0, left)), done: bytes.length >= left }]),
    Stream.takeUntil(({ done }) => done),
    Stream.map(({ bytes }) => bytes)
  )

/**
 * The log at `path`, as a user wants to see it: what is written at the moment it is asked for, and with `follow` what comes later. Fails
 * when there is no such log.
 *
 * `isOver` is asked at the end of a followed log: whether nothing will be written any more.
 *
 * @category constructors
 */
export const stream = (
  path: string,
  options: Options,
  isOver: Effect.Effect<boolean>
): Stream.Stream<Uint8Array, LogReadFailed, FileSystem.FileSystem> =>
  Stream.unwrapScoped(Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const end = yield* endOf(path)
    const known = options.from === undefined ? [] : yield* Effect.forEach(filesOf(path), inodeOf)
    // A file that was rotated away was older than all that are left.
    const from = options.from !== undefined && known.includes(options.from.inode)
      ? { path, inode: options.from.inode, offset: options.from.offset }
      : options.tailLines === undefined
      ? { path: filesOf(path)[0] ?? path, inode: undefined, offset: 0 }
      : yield* tailStart(path, options.tailLines, end)
    // What is written while a log is read belongs to those who follow it: the others would see a line too many, or never come to an end.
    const log = yield* cursor(path, from, options.follow === true ? undefined : end)
    const format = logRecords.formatter({ ...options, atLineStart: options.from?.atLineStart })
    const shown = (text: Buffer): Uint8Array => {
      if (options.pieces === undefined) return text
      const { inode, offset } = log.place()
      return LogPieces.piece({ ...options.pieces, inode, offset: Math.max(0, offset - format.pending()), atLineStart: format.atLineStart() }, text)
    }
    let isEnded = options.pieces === undefined
    const notices = yield* Queue.sliding<void>(1)
    if (options.follow === true) {
      yield* Effect.forkScoped(
        Effect.ignore(Stream.runForEach(fs.watch(dirname(path)), () => Queue.offer(notices, undefined)))
      )
    }
    let over = false
    const pull: Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<LogReadFailed>> = Effect.gen(function*() {
      for (;;) {
        const bytes = yield* Effect.asSomeError(log.next)
        if (bytes.length > 0) {
          const text = format.push(bytes)
          if (text.length > 0) return Chunk.of(shown(text))
          continue
        }
        if (options.follow !== true || over) {
          if (isEnded) return yield* Effect.fail(Option.none())
          isEnded = true
          return Chunk.of(LogPieces.end)
        }
        // What was written before the end was seen is read before the stream ends.
        over = yield* isOver
        if (!over) yield* Effect.race(Queue.take(notices), Effect.sleep(pollInterval))
      }
    })
    const all = limited(options.limitBytes)(Stream.repeatEffectChunkOption(pull))
    // Where it begins is said before anything comes, unless what is there is to be left out.
    return options.pieces === undefined || options.sinceTime !== undefined ? all : Stream.concat(Stream.sync(() => shown(Buffer.alloc(0))), all)
  }))

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
): Effect.Effect<Stream.Stream<Output, LogReadFailed>, LogReadFailed, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const { inode, size } = yield* endOf(path)
    const log = yield* cursor(path, { path, inode, offset: size })
    const notices = yield* Queue.sliding<void>(1)
    yield* Effect.forkScoped(Effect.ignore(Stream.runForEach(fs.watch(dirname(path)), () => Queue.offer(notices, undefined))))
    const split = logRecords.splitter()
    let over = false
    const pull: Effect.Effect<Chunk.Chunk<Output>, Option.Option<LogReadFailed>> = Effect.gen(function*() {
      for (;;) {
        const bytes = yield* Effect.asSomeError(log.next)
        if (bytes.length > 0) {
          const outputs = split(bytes)
          if (outputs.length > 0) return Chunk.unsafeFromArray(outputs)
          continue
        }
        if (over) return yield* Effect.fail(Option.none())
        over = yield* isOver
        if (!over) yield* Effect.race(Queue.take(notices), Effect.sleep(pollInterval))
      }
    })
    return Stream.repeatEffectChunkOption(pull)
  })
