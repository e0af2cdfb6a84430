/**
 * What a watcher has waiting, as pieces for its connection. Joining events to one piece is what makes a watch that is behind cheap to
 * serve: a write on a connection costs as much as some ten events. Plain code: it runs for every watcher and change.
 */
import type { CacheEvent, WatchCache } from "@reddwarf/event-bus"
import type { EventEncoder } from "../WatchStream.js"
import * as chunks from "./chunks.js"

/** Takes what is next from a watcher, as one piece; undefined: it has nothing to send. */
export type NextPiece = (watcher: WatchCache.Watcher) => Uint8Array | undefined

type Event = CacheEvent.CacheEvent

interface Piece {
  readonly prefix: string
  readonly first: Event
  readonly last: Event
  readonly count: number
  readonly bytes: Uint8Array
}

// A piece of this size is full; longer ones would only hold more memory where a receiver is slow.
const fullBytes = 64 * 1024

// Bounds of what is kept to be shared, of all prefixes together.
const keptBytes = 4 * 1024 * 1024
const keptPieces = 256

/** The latest pieces by prefix and first event, and all of them in the order in which they were made. */
const byPrefix = new Map<string, Map<Event, Piece>>()
const made: Array<Piece> = []
let bytesMade = 0

const forgetOldest = (): void => {
  const piece = made.shift()
  if (piece === undefined) return
  bytesMade -= piece.bytes.length
  const pieces = byPrefix.get(piece.prefix)
  if (pieces?.get(piece.first) !== piece) return
  pieces.delete(piece.first)
  if (pieces.size === 0) byPrefix.delete(piece.prefix)
}

const isTooMuch = (): boolean => made.length > keptPieces || bytesMade > keptBytes

const keep = (piece: Piece): void => {
  const pieces = byPrefix.get(piece.prefix)
  if (pieces === undefined) byPrefix.set(piece.prefix, new Map([[piece.first, piece]]))
  else pieces.set(piece.first, piece)
  made.push(piece)
  bytesMade += piece.bytes.length
  while (isTooMuch()) forgetOldest()
}

const isFull = (piece: Piece | undefined): boolean => piece !== undefined && piece.bytes.length >= fullBytes

/**
 * Whether a watcher is sent a piece that was made for another one at the same place. More may have happened since, which then comes
 * with the next piece: so those who stand together stay together, and nobody's events are joined for him alone. Only whoever is
 * much further behind would not get on with small pieces.
 */
const suits = (piece: Piece, events: ReadonlyArray<Event>): boolean =>
  piece.count <= events.length && events[piece.count - 1] === piece.last && (events.length <= 4 * piece.count + 8 || isFull(piece))

/**
 * Joins the first events to a piece. It is over when it is full, or where a full piece begins that was made for others: from there on
 * a watcher that is behind goes the way of those before it.
 */
const join = (
  events: ReadonlyArray<Event>,
  lineOf: (event: Event) => Uint8Array | undefined,
  others: ReadonlyMap<Event, Piece> | undefined
) => {
  const lines: Array<Uint8Array> = []
  let count = 0
  let size = 0
  for (const event of events) {
    if (size >= fullBytes || count > 0 && isFull(others?.get(event))) break
    count++
    const line = lineOf(event)
    if (line === undefined) continue
    lines.push(line)
    size += line.length
  }
  return { count, bytes: chunks.nextChunk(lines.values(), Infinity) }
}

/** For watches that see everything under `prefix` in the same form: each piece is made once for all of them. */
export const shared = (prefix: string, encoder: EventEncoder): NextPiece => (watcher) => {
  const events = watcher.waiting()
  const [first] = events
  const pieces = byPrefix.get(prefix)
  const known = first === undefined ? undefined : pieces?.get(first)
  if (known !== undefined && suits(known, events)) {
    watcher.takeNow(known.count)
    return known.bytes
  }
  const { bytes, count } = join(events, encoder.event, pieces)
  const last = events[count - 1]
  watcher.takeNow(count)
  if (bytes !== undefined && first !== undefined && last !== undefined) keep({ prefix, first, last, count, bytes })
  return bytes
}

/** For a watch with a view of its own. */
export const own = (lineOf: (event: Event) => Uint8Array | undefined): NextPiece => (watcher) => {
  const { bytes, count } = join(watcher.waiting(), lineOf, undefined)
  watcher.takeNow(count)
  return bytes
}
