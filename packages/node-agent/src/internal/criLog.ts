/**
 * Container logs in CRI form: `<RFC 3339 with nanoseconds> stdout|stderr F|P <text>`.
 *
 * Plain functions and synchronous writes instead of effects: this runs for every chunk a container prints, and what was read from a FIFO
 * must be in the file before anything else can happen to this process.
 */
import * as fs from "node:fs"
import { basename, dirname } from "node:path"
import { Timestamp } from "@reddwarf/api-types"

/** Longest text of one record; a longer line becomes several, all but the last marked `P`. */
const maxRecordBytes = 16_384

/** `2026-11-20T22:05:35.443014123Z`, always nine digits. */
export const formatNanos = (nanos: bigint): string => {
  const seconds = nanos / 1_000_000_000n
  const whole = Timestamp.formatSeconds({ seconds: Number(seconds), nanos: 0 }).slice(0, -1)
  return `${whole}.${String(nanos - seconds * 1_000_000_000n).padStart(9, "0")}Z`
}

const newline = 10

/** The records of one chunk. A rest without newline is a `P` record at once: nothing waits in memory where a crash would lose it. */
export const records = (chunk: Buffer, stream: "stdout" | "stderr", nanos: bigint): Buffer => {
  const time = formatNanos(nanos)
  const partial = Buffer.from(`${time} ${stream} P `)
  const full = Buffer.from(`${time} ${stream} F `)
  const end = Buffer.from("\n")
  const parts: Array<Buffer> = []
  let start = 0
  while (start < chunk.length) {
    const found = chunk.indexOf(newline, start)
    const stop = found < 0 ? chunk.length : found
    while (stop - start > maxRecordBytes) {
      parts.push(partial, chunk.subarray(start, start + maxRecordBytes), end)
      start += maxRecordBytes
    }
    parts.push(found < 0 ? partial : full, chunk.subarray(start, stop), end)
    start = stop + 1
  }
  return Buffer.concat(parts)
}

/** Rotated files of a log, the oldest first, with their numbers. */
export const rotatedFiles = (path: string): ReadonlyArray<{ readonly path: string; readonly number: number }> => {
  const prefix = `${basename(path)}.`
  const directory = dirname(path)
  let names: ReadonlyArray<string>
  try {
    names = fs.readdirSync(directory)
  } catch {
    return []
  }
  return names
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => ({ path: `${directory}/${name}`, number: Number(name.slice(prefix.length)) }))
    .sort((a, b) => a.number - b.number)
}

/** Writes the log of one attempt. */
export interface LogWriter {
  /** False when the record could not be written: the disk is full, or the folder is gone. */
  readonly write: (chunk: Buffer, stream: "stdout" | "stderr") => boolean
  readonly close: () => void
}

/** Opens the log for appending, so that a supervisor that was started again goes on where the last one stopped. */
export const open = (
  path: string,
  options: { readonly maxBytes: number; readonly maxFiles: number; readonly nanos: () => bigint }
): LogWriter => {
  fs.mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.new`
  const openFile = (name: string) => fs.openSync(name, fs.constants.O_WRONLY | fs.constants.O_APPEND | fs.constants.O_CREAT, 0o600)
  let fd = openFile(path)
  const found = fs.fstatSync(fd)
  let { size } = found
  // A rotation that was cut off in its midst has given the file its second name already.
  fs.rmSync(draft, { force: true })
  const newest = rotatedFiles(path).at(-1)?.path
  if (newest !== undefined && fs.statSync(newest, { throwIfNoEntry: false })?.ino === found.ino) fs.rmSync(newest, { force: true })

  const rotate = () => {
    const old = rotatedFiles(path)
    // There is a file of this name at every moment: whoever asks for the log in between must not be told that there is none.
    const second = `${path}.${(old.at(-1)?.number ?? 0) + 1}`
    try {
      fs.linkSync(path, second)
    } catch {
      // A file system without second names for a file.
      fs.renameSync(path, second)
    }
    const next = openFile(draft)
    fs.renameSync(draft, path)
    fs.closeSync(fd)
    fd = next
    size = 0
    for (const file of old.slice(0, Math.max(0, old.length + 2 - options.maxFiles))) fs.rmSync(file.path, { force: true })
  }

  return {
    write: (chunk, stream) => {
      const bytes = records(chunk, stream, options.nanos())
      try {
        if (size > 0 && size + bytes.length > options.maxBytes) rotate()
        size += bytes.length
        let written = 0
        while (written < bytes.length) written += fs.writeSync(fd, bytes, written)
        return true
      } catch {
        return false
      }
    },
    close: () => fs.closeSync(fd)
  }
}
