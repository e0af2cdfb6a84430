/**
 * A followed log that is read in pieces: each says at which place of the log it ends, so that reading goes on there when its agent is
 * started anew. A piece is `PLACE LENGTH`, a line feed, and so many bytes; the last one has the place `end`.
 */

/** Content type of a log in pieces; an agent that knows them answers with it when it is asked with `pieces=true`. */
export const contentType = "application/vnd.reddwarf.log-pieces"

// A place is the agent's own business; this is longer than any.
const longestHeader = 128
const lineFeed = 10

/** What was taken from a chunk. */
export interface Taken {
  /** The text of the log. */
  readonly bytes: ReadonlyArray<Uint8Array>
  /** Whether the log is complete. */
  readonly ended: boolean
}

export interface Reader {
  /** Throws nothing: undefined is no log in pieces. */
  readonly push: (chunk: Uint8Array) => Taken | undefined
  /** Where the last whole piece ended; undefined before the first. */
  readonly place: () => string | undefined
}

/** Gives whole pieces only: what was begun when the agent went is asked for again. */
export const reader = (): Reader => {
  let rest = Buffer.alloc(0)
  let place: string | undefined
  return {
    place: () => place,
    push: (chunk) => {
      const data = rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([rest, chunk])
      const bytes: Array<Uint8Array> = []
      let start = 0
      for (;;) {
        const stop = data.indexOf(lineFeed, start)
        if (stop < 0) {
          if (data.length - start > longestHeader) return undefined
          break
        }
        const header = /^([a-z0-9.]{1,64}) (\d{1,9})$/.exec(data.toString("latin1", start, Math.min(stop, start + longestHeader)))
        if (header === null) return undefined
        const [, name = "", length = ""] = header
        if (name === "end") return { bytes, ended: true }
        const next = stop + 1 + Number(length)
        if (next > data.length) break
        if (next > stop + 1) bytes.push(data.subarray(stop + 1, next))
        place = name
        start = next
      }
      rest = Buffer.from(data.subarray(start))
      return { bytes, ended: false }
    }
  }
}
