/** Log records from bytes: plain functions, because they see every byte of every log that is read. */
import { Timestamp } from "@reddwarf/api-types"
import { formatNanos } from "./criLog.js"

const newline = 10
const space = 32
const partialTag = 80 // P
const zulu = 90 // Z
const dateEnd = 84 // T
const dot = 46
const none = Buffer.alloc(0)

interface Header {
  readonly time: string
  readonly partial: boolean
  readonly textStart: number
}

/** The parts in front of the text of the record at `start`; undefined for what is no record. */
const headerAt = (data: Buffer, start: number, end: number): Header | undefined => {
  const first = data.indexOf(space, start)
  if (first < 0 || first >= end) return undefined
  const second = data.indexOf(space, first + 1)
  const third = second < 0 ? -1 : data.indexOf(space, second + 1)
  if (third < 0 || third >= end) return undefined
  return { time: data.toString("latin1", start, first), partial: data[second + 1] === partialTag, textStart: third + 1 }
}

/** Times with any number of digits compare as texts once they have nine. */
const normalised = (time: string): string => {
  const instant = Timestamp.parse(time)
  return instant === undefined ? time : formatNanos(BigInt(instant.seconds) * 1_000_000_000n + BigInt(instant.nanos))
}

/** The text of a record begins there when its time has nine digits, as ours have: `TIME stdout F `. */
const usualTextStart = 40

/** Whether a record has the form and the lengths that our own have, which is told without making a string of anything. */
const isUsual = (data: Buffer, start: number, stop: number): boolean =>
  stop - start >= usualTextStart && data[start + 10] === dateEnd && data[start + 19] === dot && data[start + 29] === zulu
  && data[start + 30] === space && data[start + 37] === space && data[start + 39] === space

/**
 * Turns records into what a user sees, in the memory that they were read into: a log is megabytes a second, and whatever is made for a
 * line or a chunk has to be collected. The text of a record is never longer than the record, so it is moved to where that began.
 */
export interface Formatter {
  /** Where the next bytes of the log are to be read to. */
  readonly room: () => Buffer
  /**
   * The lines that are complete with so many bytes in the room; a record may be spread over several. They stay as they are until `room` was
   * asked for twice. In front of them are `headBytes` that the taker may use.
   */
  readonly take: (length: number) => Buffer
  /** Gives the memory back; the next room is small again. */
  readonly release: () => void
  /** Bytes of a record that is not complete yet. */
  readonly pending: () => number
  /** Whether the next record begins a line. */
  readonly atLineStart: () => boolean
}

/** Room in front of a text for what says which piece of the log it is. */
export const headBytes = 128

/** No record is longer: what goes on without a line end is none, and left out. */
const longestRecord = 24 * 1024

/** A log that says little is read with little memory. */
const smallestRoom = 8 * 1024
const largestRoom = 128 * 1024

/** Makes a formatter that leaves out records before `sinceTime`. */
export const formatter = (options: {
  readonly timestamps?: boolean | undefined
  readonly sinceTime?: string | undefined
  /** Default true. */
  readonly atLineStart?: boolean | undefined
}): Formatter => {
  const since = options.sinceTime === undefined ? undefined : normalised(options.sinceTime)
  const front = headBytes + longestRecord
  let size = smallestRoom
  // One is read into while the other one may still be on its way to the reader.
  let memory: Buffer | undefined
  let other: Buffer | undefined
  let rest: Buffer = none
  let isSkipping = false
  let atLineStart = options.atLineStart ?? true
  return {
    pending: () => rest.length,
    atLineStart: () => atLineStart,
    release: () => {
      size = smallestRoom
      memory = undefined
      other = undefined
    },
    room: () => {
      const free = other?.length === front + size ? other : Buffer.allocUnsafeSlow(front + size)
      other = memory
      memory = free
      return free.subarray(front)
    },
    take: (length) => {
      const data = memory ?? Buffer.alloc(front)
      let start = front
      const end = front + length
      if (length === size) size = Math.min(largestRoom, size * 2)
      if (isSkipping) {
        const stop = data.subarray(0, end).indexOf(newline, start)
        start = stop < 0 ? end : stop + 1
        isSkipping = stop < 0
      } else if (rest.length > 0) {
        start -= rest.length
        rest.copy(data, start)
      }
      const first = start
      let written = start
      const records = data.subarray(0, end)
      for (;;) {
        const stop = records.indexOf(newline, start)
        if (stop < 0) break
        let textStart = -1
        let partial = false
        let time = 30
        if (since === undefined && isUsual(data, start, stop)) {
          textStart = start + usualTextStart
          partial = data[start + 38] === partialTag
        } else {
          const header = headerAt(data, start, stop)
          if (header !== undefined && (since === undefined || normalised(header.time) >= since)) {
            textStart = header.textStart
            partial = header.partial
            time = header.time.length
          }
        }
        if (textStart >= 0) {
          if (options.timestamps === true && atLineStart) {
            data.copyWithin(written, start, start + time + 1)
            written += time + 1
          }
          // With its line end, unless the line goes on.
          const textEnd = partial ? stop : stop + 1
          data.copyWithin(written, textStart, textEnd)
          written += textEnd - textStart
          atLineStart = !partial
        }
        start = stop + 1
      }
      if (end - start > longestRecord) {
        isSkipping = true
        start = end
      }
      rest = start === end ? none : Buffer.from(data.subarray(start, end))
      return data.subarray(first, written)
    }
  }
}

/**
 * Turns records back into what was printed on which stream. Neighbours on one stream are joined; the rest of a record whose beginning was
 * not read is left out.
 */
export const splitter = (): (chunk: Buffer) => ReadonlyArray<{ readonly stream: "stdout" | "stderr"; readonly bytes: Buffer }> => {
  const end = Buffer.from("\n")
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const runs: Array<{ readonly stream: "stdout" | "stderr"; readonly parts: Array<Buffer> }> = []
    let start = 0
    for (;;) {
      const stop = data.indexOf(newline, start)
      if (stop < 0) break
      const header = headerAt(data, start, stop)
      if (header !== undefined && /^\d{4}-\d\d-\d\dT/.test(header.time)) {
        const stream = data.toString("latin1", start, header.textStart).includes(" stderr ") ? "stderr" : "stdout"
        const last = runs.at(-1)
        const parts = last?.stream === stream ? last.parts : []
        if (last?.stream !== stream) runs.push({ stream, parts })
        parts.push(data.subarray(header.textStart, stop))
        if (!header.partial) parts.push(end)
      }
      start = stop + 1
    }
    rest = Buffer.from(data.subarray(start))
    return runs.map(({ parts, stream }) => ({ stream, bytes: Buffer.concat(parts) }))
  }
}

/** Looks for the beginning of the last lines while a file is read backwards. */
export interface TailScanner {
  /**
   * Takes the block that begins at `start` of the file; blocks come from the end to the beginning, and files from the newest to the oldest.
   * Gives the offset in this file at which the wanted lines begin, or its end when they begin with the file after it, once that is known.
   */
  readonly block: (block: Buffer, start: number, isLastOfFile: boolean) => number | undefined
}

/** Makes a scanner for the last `lines` lines. A line without an end at the very end of the log counts. */
export const tailScanner = (lines: number): TailScanner => {
  let carry: Buffer = Buffer.alloc(0)
  let ends = 0
  let first = true
  return {
    block: (block, start, isLastOfFile) => {
      if (isLastOfFile) carry = Buffer.alloc(0)
      const data = carry.length === 0 ? block : Buffer.concat([block, carry])
      // The first bytes belong to a record that begins in the block before this one.
      const head = start === 0 ? 0 : data.indexOf(newline) + 1
      if (start > 0 && head === 0) {
        carry = data
        return undefined
      }
      carry = Buffer.from(data.subarray(0, head))
      const starts: Array<number> = []
      for (let at = head; at < data.length;) {
        starts.push(at)
        const stop = data.indexOf(newline, at)
        if (stop < 0) break
        at = stop + 1
      }
      for (let index = starts.length - 1; index >= 0; index -= 1) {
        const from = starts[index] ?? 0
        const next = starts[index + 1] ?? data.length
        const partial = headerAt(data, from, next)?.partial === true
        if (!partial || first) ends += 1
        first = false
        if (ends > lines) return start + next
      }
      return undefined
    }
  }
}
