import type { ObjectStore } from "@reddwarf/store"
import type { CacheEntry, CacheEvent, CacheEventType } from "../CacheEvent.js"

const decoder = new TextDecoder()

class Entry implements CacheEntry {
  readonly key: string
  readonly revision: number
  readonly createRevision: number
  readonly bytes: Uint8Array
  #object: unknown

  constructor(version: ObjectStore.Committed) {
    this.key = version.key
    this.revision = version.revision
    this.createRevision = version.createRevision
    this.bytes = version.bytes
    this.#object = version.object
  }

  get object(): unknown {
    return this.#object ??= JSON.parse(decoder.decode(this.bytes))
  }
}

/** An entry for a stored version; parses the bytes when its object is asked for and was not handed over. */
export const makeEntry = (version: ObjectStore.Committed): CacheEntry => new Entry(version)

/** An event with what it costs to keep it. */
export interface KeptEvent extends CacheEvent {
  /** Bytes of the object and of the encodings made so far. */
  readonly size: number
  /** Told of each encoding that is added while the event is in the history. */
  onGrowth: ((bytes: number) => void) | undefined
}

class Event implements KeptEvent {
  readonly type: CacheEventType
  readonly key: string
  readonly revision: number
  readonly entry: CacheEntry
  readonly previous: CacheEntry | undefined
  size: number
  onGrowth: ((bytes: number) => void) | undefined
  #encodings: Map<string, Uint8Array> | undefined

  constructor(type: CacheEventType, entry: CacheEntry, previous: CacheEntry | undefined) {
    this.type = type
    this.key = entry.key
    this.revision = entry.revision
    this.entry = entry
    this.previous = previous
    this.size = entry.bytes.length
    this.onGrowth = undefined
  }

  readonly encoded = (kind: string, make: () => Uint8Array): Uint8Array => {
    const known = this.#encodings?.get(kind)
    if (known !== undefined) return known
    const bytes = make()
    this.#encodings ??= new Map()
    this.#encodings.set(kind, bytes)
    this.size += bytes.length
    this.onGrowth?.(bytes.length)
    return bytes
  }
}

/** An event that shows `entry` after `previous`. */
export const makeEvent = (type: CacheEventType, entry: CacheEntry, previous?: CacheEntry): KeptEvent =>
  new Event(type, entry, previous)
