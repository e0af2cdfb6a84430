import type { ObjectStore } from "@reddwarf/store"
import type { CacheEntry, CacheEvent, CacheEventType } from "../CacheEvent.js"
import * as Recent from "./recent.js"
import type * as Slabs from "./slabs.js"

const decoder = new TextDecoder()

// A parsed object takes two to three times its bytes, so most objects are bytes alone.
const parsedObjects = 256
const parsedBytes = 8 * 1024 * 1024

// Whoever walks through all objects must not push those out that are asked for again and again: an object is kept when it was
// parsed before within so many parsings.
const soon = parsedObjects

/** What the entries of one cache share. */
interface Parsing {
  readonly recent: Recent.Recent
  /** How often an object was parsed. */
  count: number
  /** The object that was parsed last: several who are shown one entry after the other look at it in turn. */
  entry: Entry | undefined
  object: unknown
}

class Entry implements CacheEntry, Recent.Holder, Slabs.Placed {
  readonly key: string
  readonly revision: number
  readonly createRevision: number
  bytes: Uint8Array
  slab: Slabs.Slab | undefined
  used = false
  #object: unknown
  /** The count at which it was parsed last. */
  #parsedAt = -soon
  readonly #parsing: Parsing

  constructor(version: ObjectStore.Committed, parsing: Parsing) {
    this.key = version.key
    this.revision = version.revision
    this.createRevision = version.createRevision
    this.bytes = version.bytes
    this.slab = undefined
    this.#parsing = parsing
    if (version.object !== undefined) this.#hold(version.object)
  }

  get object(): unknown {
    this.used = true
    return this.#object ?? this.#parse()
  }

  get held(): number {
    return this.bytes.length
  }

  drop(): void {
    this.#object = undefined
  }

  remember(): void {
    if (this.#object !== undefined) return
    const object = this.#parse()
    if (this.#object === undefined) this.#hold(object)
  }

  #parse(): unknown {
    const parsing = this.#parsing
    if (parsing.entry === this) return parsing.object
    const object: unknown = JSON.parse(decoder.decode(this.bytes))
    const isAgain = parsing.count - this.#parsedAt < soon
    this.#parsedAt = parsing.count++
    if (isAgain) return this.#hold(object)
    parsing.entry = this
    parsing.object = object
    return object
  }

  #hold(object: unknown): unknown {
    this.#object = object
    this.#parsing.recent.add(this)
    return object
  }
}

/** Makes the entries of one cache, which share the bound of what is kept parsed. */
export type MakeEntry = (version: ObjectStore.Committed) => PlacedEntry

/** An entry whose bytes can be moved. */
export interface PlacedEntry extends Omit<CacheEntry, "bytes">, Slabs.Placed {}

/** Entries for stored versions; the bytes are parsed when the object is asked for and is not, or no longer, at hand. */
export const entries = (): MakeEntry => {
  const parsing: Parsing = { recent: Recent.make(parsedObjects, parsedBytes), count: 0, entry: undefined, object: undefined }
  return (version) => new Entry(version, parsing)
}

/** An event with what it costs to keep it. */
export interface KeptEvent extends CacheEvent {
  /** Bytes of the object and of the encodings that it holds. */
  readonly size: number
  /** Told of encodings that are added, and of those that are let go of (negative), while the event is in the history. */
  onGrowth: ((bytes: number) => void) | undefined
}

// Watchers take an event within moments; who replays history later has it encoded again.
const encodedEvents = 512
const encodedBytes = 2 * 1024 * 1024

class Event implements KeptEvent, Recent.Holder {
  readonly type: CacheEventType
  readonly entry: CacheEntry
  readonly previous: CacheEntry | undefined
  held = 0
  used = false
  onGrowth: ((bytes: number) => void) | undefined
  #kind: string | undefined
  #bytes: Uint8Array | undefined
  #more: Map<string, Uint8Array> | undefined
  readonly #recent: Recent.Recent

  constructor(type: CacheEventType, entry: CacheEntry, previous: CacheEntry | undefined, recent: Recent.Recent) {
    this.type = type
    this.entry = entry
    this.previous = previous
    this.onGrowth = undefined
    this.#recent = recent
  }

  get key(): string {
    return this.entry.key
  }

  get revision(): number {
    return this.entry.revision
  }

  get size(): number {
    return this.entry.bytes.length + this.held
  }

  encoded(kind: string, make: () => Uint8Array): Uint8Array {
    // Nearly all events have one encoding.
    const known = this.#kind === kind ? this.#bytes : this.#more?.get(kind)
    if (known !== undefined) return known
    const bytes = make()
    const isFirst = this.held === 0
    if (this.#kind === undefined) {
      this.#kind = kind
      this.#bytes = bytes
    } else {
      this.#more ??= new Map()
      this.#more.set(kind, bytes)
    }
    // Those that come later are small beside the first, and go with it.
    if (isFirst) {
      this.held = bytes.length
      this.onGrowth?.(bytes.length)
      this.#recent.add(this)
    }
    return bytes
  }

  drop(): void {
    this.onGrowth?.(-this.held)
    this.held = 0
    this.#kind = undefined
    this.#bytes = undefined
    this.#more = undefined
  }
}

/** Makes the events of one cache. */
export type MakeEvent = (type: CacheEventType, entry: CacheEntry, previous?: CacheEntry) => KeptEvent

/** Events that show `entry` after `previous`. Their encodings are kept for the latest of them. */
export const events = (): MakeEvent => {
  const recent = Recent.make(encodedEvents, encodedBytes)
  return (type, entry, previous) => new Event(type, entry, previous, recent)
}
