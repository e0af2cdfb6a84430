/**
 * The files of one log, read in the order in which they were written, across rotations that happen meanwhile.
 *
 * Names and descriptors are handled synchronously: between listing the files and opening them nothing else of this process happens, and a
 * rotation by the writer is noticed before the next one is likely. Only the reading itself, which may wait for a disk, is not.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as criLog from "./criLog.js"

/** A log file could not be read. */
export class LogReadFailed extends Schema.TaggedError<LogReadFailed>()("LogReadFailed", {
  path: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `log ${this.path} cannot be read: ${this.detail}; check the log folder of the node`
  }
}

/**
 * So many files that come after the one being read are held open. They can be read however often the log is rotated meanwhile; with the files
 * that rotation itself keeps, that is how far a reader may fall behind before something is lost to it.
 */
const heldFiles = 8

/** An open file. As long as it is open no other file has its inode. */
export interface OpenFile {
  readonly fd: number
  readonly inode: number
}

const failed = (path: string, cause: unknown): LogReadFailed =>
  new LogReadFailed({ path, detail: cause instanceof Error ? cause.message : String(cause) })

const attempt = <A>(path: string, body: () => A): Effect.Effect<A, LogReadFailed> => Effect.try({ try: body, catch: (cause) => failed(path, cause) })

/** The files of a log by name, the oldest first. */
export const filesOf = (path: string): ReadonlyArray<string> => [...criLog.rotatedFiles(path).map((file) => file.path), path]

const openSync = (path: string): OpenFile => {
  const fd = fs.openSync(path, fs.constants.O_RDONLY)
  try {
    return { fd, inode: fs.fstatSync(fd).ino }
  } catch (cause) {
    fs.closeSync(fd)
    throw cause
  }
}

/** The same for a file that may have been removed since it was listed. */
const openIfThere = (path: string): OpenFile | undefined => {
  try {
    return openSync(path)
  } catch {
    return undefined
  }
}

/** Opens a file for as long as the scope lives. */
export const openScoped = (path: string): Effect.Effect<OpenFile, LogReadFailed, Scope.Scope> =>
  Effect.acquireRelease(attempt(path, () => openSync(path)), ({ fd }) => Effect.sync(() => fs.closeSync(fd)))

export const sizeOf = (path: string, { fd }: OpenFile): Effect.Effect<number, LogReadFailed> => attempt(path, () => fs.fstatSync(fd).size)

export const inodeOf = (path: string): number | undefined => {
  try {
    return fs.statSync(path, { throwIfNoEntry: false })?.ino
  } catch {
    return undefined
  }
}

/** Reads into `room`; gives how many bytes came. Not interruptible: the memory is the system's until it answers. */
export const readInto = (path: string, { fd }: OpenFile, room: Buffer, length: number, position: number): Effect.Effect<number, LogReadFailed> =>
  Effect.uninterruptible(Effect.async<number, LogReadFailed>((resume) => {
    fs.read(fd, room, 0, length, position, (cause, bytes) => resume(cause === null ? Effect.succeed(bytes) : Effect.fail(failed(path, cause))))
  }))

/** The newest file of a log and its size at one moment. */
export interface End extends OpenFile {
  readonly size: number
}

/** Where a log ends now. Its file is held open, so no other one gets its number. */
export const endOf = (path: string): Effect.Effect<End, LogReadFailed, Scope.Scope> =>
  Effect.flatMap(openScoped(path), (file) => Effect.map(sizeOf(path, file), (size) => ({ ...file, size })))

/** A place in a log. The file may be renamed before it is opened again: its inode stays. */
export interface Position {
  readonly path: string
  readonly inode: number | undefined
  readonly offset: number
}

/** Opens the file that had this inode, under whatever name it has now. */
const openPosition = (path: string, { inode, path: name }: Position): OpenFile => {
  for (const candidate of [name, ...filesOf(path).toReversed()]) {
    const file = inode === undefined ? openSync(candidate) : openIfThere(candidate)
    if (file === undefined) continue
    if (inode === undefined || file.inode === inode) return file
    fs.closeSync(file.fd)
  }
  throw new Error("it was rotated away before it could be read")
}

/** Somebody's way through a log. */
export interface Cursor {
  /** Behind what came last. */
  readonly place: () => { readonly inode: number; readonly offset: number }
  /** Reads what comes next into `room`; 0 at the end of what is written so far, or at the end that was given. */
  readonly read: (room: Buffer) => Effect.Effect<number, LogReadFailed>
  /** Looks whether the log was rotated, and takes hold of what came after. */
  readonly look: () => void
}

/** Goes through a log from a place on; up to `end` if it is given, else across all rotations to come. */
export const cursor = (path: string, from: Position, end?: End): Effect.Effect<Cursor, LogReadFailed, Scope.Scope> =>
  Effect.gen(function*() {
    let { offset } = from
    let file = yield* attempt(from.path, () => openPosition(path, from))
    /** The files that come after it without a gap, opened in time. */
    const next: Array<OpenFile> = []
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const { fd } of [file, ...next]) fs.closeSync(fd)
      }))
    const last = (): OpenFile => next.at(-1) ?? file
    const isFull = (): boolean => next.length >= heldFiles || (end !== undefined && last().inode === end.inode)

    const fill = (): void => {
      if (isFull() || inodeOf(path) === last().inode) return
      // The newest file before the others are listed: what is rotated in between is then among these, and nothing can be missed.
      const newest = openIfThere(path)
      const rotated = criLog.rotatedFiles(path).map((other) => other.path)
      // A file that is gone was the oldest: the oldest that is left comes next. What was wanted may be among those that are gone.
      const inodes = rotated.map(inodeOf)
      if (end !== undefined && newest?.inode !== end.inode && !inodes.includes(end.inode)) {
        if (newest !== undefined) fs.closeSync(newest.fd)
        return
      }
      for (const name of rotated.slice(inodes.indexOf(last().inode) + 1)) {
        if (isFull()) break
        const opened = openIfThere(name)
        if (opened !== undefined) next.push(opened)
      }
      if (newest === undefined) return
      if (isFull() || [file, ...next].some(({ inode }) => inode === newest.inode)) fs.closeSync(newest.fd)
      else next.push(newest)
    }

    const read = (room: Buffer): Effect.Effect<number, LogReadFailed> =>
      Effect.suspend(() => {
        const isLast = end !== undefined && file.inode === end.inode
        const length = isLast ? Math.min(room.length, end.size - offset) : room.length
        if (length <= 0) return Effect.succeed(0)
        const following = next[0]
        return Effect.flatMap(readInto(path, file, room, length, offset), (bytes) => {
          offset += bytes
          if (bytes > 0 || isLast) return Effect.succeed(bytes)
          if (following === undefined) {
            // Its last lines may have been written just before it was rotated: it is read once more when something is known to follow.
            fill()
            return next.length === 0 ? Effect.succeed(0) : read(room)
          }
          fs.closeSync(file.fd)
          file = following
          next.shift()
          offset = 0
          fill()
          return read(room)
        })
      })
    fill()
    return { look: fill, read, place: () => ({ inode: file.inode, offset }) }
  })
