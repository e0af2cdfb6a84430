/**
 * A followed log that is read in pieces: each says at which place of the log it ends, so that reading goes on there when its agent is
 * started anew. A piece is `PLACE LENGTH`, a line feed, and so many bytes; the last one has the place `end`.
 */

/** Content type of a log in pieces; an agent that knows them answers with it when it is asked with `pieces=true`. */
export const contentType = "application/vnd.reddwarf.log-pieces"

// A place is the agent's own business; this is longer than any.
const longestHeader = 128
const lineFeed = 10

/** How far somebody has read: to a place, and so many bytes of the piece that ends behind it. */
export interface Progress {
  readonly place: string
  readonly beyond: number
}

/** What was taken from a chunk. */
export interface Taken {
  /** The text of the log, in the memory of the chunk. */
  readonly bytes: ReadonlyArray<Uint8Array>
  /** Whether the log is complete. */
  readonly ended: boolean
}

export interface Reader {
  /** Throws nothing: undefined is no log in pieces. */
  readonly push: (chunk: Uint8Array) => Taken | undefined
  /** What was given so far; undefined before the end of the first piece, until which nothing is given. */
  readonly progress: () => Progress | undefined
}

/**
 * Gives the text of pieces as it comes. `from`: somebody has read so far, and the log is asked for from that place on; what was given of the
 * piece behind it is left out, if the log says that it begins there.
 */
export const reader = (from?: Progress): Reader => {
  let header = ""
  let place: string | undefined
  let isFirst = true
  let coming = ""
  let left = 0
  /** Of the piece that is coming. */
  let read = 0
  /** What somebody was given of what comes behind the place, and what of that is still to come. */
  let given = 0
  let skip = 0
  let early: Array<Uint8Array> = []
  const none: Array<Uint8Array> = []
  return {
    progress: () => place === undefined ? undefined : { place, beyond: Math.max(given, read) },
    push: (chunk) => {
      const data = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      let bytes = none
      for (let at = 0; at < data.length;) {
        if (left > 0) {
          const stop = Math.min(data.length, at + left)
          const dropped = Math.min(skip, stop - at)
          skip -= dropped
          read += stop - at
          left -= stop - at
          if (at + dropped < stop) {
            if (bytes === none) bytes = []
            // As long as no place is known to go on from, a piece is given as a whole.
            if (place === undefined) early.push(Buffer.from(data.subarray(at + dropped, stop)))
            else bytes.push(data.subarray(at + dropped, stop))
          }
          at = stop
        } else {
          const stop = data.indexOf(lineFeed, at)
          header += data.toString("latin1", at, stop < 0 ? Math.min(data.length, at + longestHeader + 1) : Math.min(stop, at + longestHeader + 1))
          if (header.length > longestHeader) return undefined
          if (stop < 0) break
          at = stop + 1
          const words = /^([a-z0-9.]{1,64}) (\d{1,9})$/.exec(header)
          if (words === null) return undefined
          header = ""
          coming = words[1] ?? ""
          left = Number(words[2])
          if (coming === "end") return { bytes, ended: true }
          if (isFirst && left === 0 && coming === from?.place) skip = from.beyond
          isFirst = false
        }
        if (left === 0) {
          place = coming
          read = 0
          given = skip
          if (early.length > 0) {
            bytes = [...bytes, ...early]
            early = []
          }
        }
      }
      return { bytes, ended: false }
    }
  }
}
