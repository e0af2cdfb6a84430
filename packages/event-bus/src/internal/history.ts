/** The latest events, bounded in number and bytes; per resource, so that a replay does not walk through the others. */
import type { CacheEvent } from "../CacheEvent.js"
import type { KeptEvent } from "./event.js"
import { resourceOf } from "./keyPath.js"

/** A queue in an array: what was shifted out is let go at once, its place from time to time. */
class Deque {
  #items: Array<KeptEvent | undefined> = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  push(event: KeptEvent): void {
    this.#items.push(event)
  }

  shift(): KeptEvent | undefined {
    const event = this.#items[this.#head]
    if (event === undefined) return undefined
    this.#items[this.#head++] = undefined
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return event
  }

  /** The events above a revision that lie under a prefix. */
  after(revision: number, prefix: string): Array<CacheEvent> {
    let low = this.#head
    let high = this.#items.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#items[middle]?.revision ?? 0) <= revision) low = middle + 1
      else high = middle
    }
    const events: Array<CacheEvent> = []
    for (let i = low; i < this.#items.length; i++) {
      const event = this.#items[i]
      if (event?.key.startsWith(prefix) === true) events.push(event)
    }
    return events
  }
}

export interface History {
  readonly push: (event: KeptEvent) => void
  /** The kept events above a revision that is not below `oldest`. */
  readonly after: (revision: number, prefix: string) => Array<CacheEvent>
  /** Everything above this revision is kept. */
  readonly oldest: () => number
  readonly bytes: () => number
}

export const make = (start: number, maxEvents: number, maxBytes: number): History => {
  const all = new Deque()
  const byResource = new Map<string, Deque>()
  let oldest = start
  let bytes = 0
  const grow = (added: number): void => {
    bytes += added
  }

  const ofResource = (resource: string): Deque => {
    const known = byResource.get(resource)
    if (known !== undefined) return known
    const fresh = new Deque()
    byResource.set(resource, fresh)
    return fresh
  }

  const evict = (): void => {
    const event = all.shift()
    if (event === undefined) return
    event.onGrowth = undefined
    bytes -= event.size
    oldest = event.revision
    const resource = resourceOf(event.key) ?? ""
    // The oldest event of all is also the oldest of its resource.
    const events = byResource.get(resource)
    events?.shift()
    if (events?.length === 0) byResource.delete(resource)
  }

  const isOver = (): boolean => all.length > 0 && (all.length > maxEvents || bytes > maxBytes)

  return {
    push: (event) => {
      all.push(event)
      ofResource(resourceOf(event.key) ?? "").push(event)
      event.onGrowth = grow
      bytes += event.size
      while (isOver()) evict()
    },
    after: (revision, prefix) => {
      const resource = resourceOf(prefix)
      return resource === undefined ? all.after(revision, prefix) : byResource.get(resource)?.after(revision, prefix) ?? []
    },
    oldest: () => oldest,
    bytes: () => bytes
  }
}
