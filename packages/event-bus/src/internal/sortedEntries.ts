/**
 * The current entries by key and in the order of keys. The order is kept in runs of at most `runLength` entries, so that an
 * insertion moves some hundred references at most, however many entries there are, and a range is a few array copies.
 */
import { Key } from "@reddwarf/store"
import type { CacheEntry } from "../CacheEvent.js"
import { resourceOf } from "./keyPath.js"

const runLength = 512

// Plain loops: every read and every write goes through them.

/** Position of the first entry whose key is not below `key`. */
const lowerBound = (entries: ReadonlyArray<CacheEntry>, key: string): number => {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const at = entries[middle]
    if (at !== undefined && Key.compare(at.key, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** The last run that begins at or before `key`, or the first one. */
const runOf = (runs: ReadonlyArray<ReadonlyArray<CacheEntry>>, key: string): number => {
  let low = 0
  let high = runs.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const first = runs[middle]?.[0]
    if (first !== undefined && Key.compare(first.key, key) <= 0) low = middle + 1
    else high = middle
  }
  return Math.max(0, low - 1)
}

interface Position {
  readonly run: number
  readonly offset: number
}

export interface SortedEntries<E extends CacheEntry = CacheEntry> {
  readonly get: (key: string) => E | undefined
  readonly set: (entry: E) => void
  readonly delete: (key: string) => void
  readonly list: (prefix: string) => ReadonlyArray<E>
  readonly count: (prefix: string) => number
  readonly size: () => number
}

export const make = <E extends CacheEntry = CacheEntry>(): SortedEntries<E> => {
  const byKey = new Map<string, E>()
  // No run is empty.
  const runs: Array<Array<E>> = []
  // How many entries each resource has. Every write asks for the objects of some resources of which most clusters have none.
  const sizes = new Map<string, number>()

  const count = (key: string, change: number): void => {
    const resource = resourceOf(key)
    if (resource === undefined) return
    const size = (sizes.get(resource) ?? 0) + change
    if (size === 0) sizes.delete(resource)
    else sizes.set(resource, size)
  }

  const isEmpty = (prefix: string): boolean => {
    const resource = resourceOf(prefix)
    return resource !== undefined && !sizes.has(resource)
  }

  /** Where `key` is, or belongs: in the last run that begins at or before it. */
  const locate = (key: string): Position => {
    const run = runOf(runs, key)
    return { run, offset: lowerBound(runs[run] ?? [], key) }
  }

  const insert = (entry: E): void => {
    const { run, offset } = locate(entry.key)
    const entries = runs[run]
    if (entries === undefined) {
      runs.push([entry])
    } else if (entries.length < runLength) {
      entries.splice(offset, 0, entry)
    } else if (offset === entries.length) {
      // Keys that arrive in order, as at the start, fill their runs.
      runs.splice(run + 1, 0, [entry])
    } else {
      runs.splice(run + 1, 0, entries.splice(runLength / 2))
      insert(entry)
    }
  }

  return {
    get: (key) => byKey.get(key),
    set: (entry) => {
      const isNew = !byKey.has(entry.key)
      byKey.set(entry.key, entry)
      if (isNew) {
        count(entry.key, 1)
        return insert(entry)
      }
      const { run, offset } = locate(entry.key)
      const entries = runs[run]
      if (entries !== undefined) entries[offset] = entry
    },
    delete: (key) => {
      if (!byKey.delete(key)) return
      count(key, -1)
      const { run, offset } = locate(key)
      const entries = runs[run]
      entries?.splice(offset, 1)
      if (entries?.length === 0) runs.splice(run, 1)
    },
    list: (prefix) => {
      if (isEmpty(prefix)) return []
      const from = locate(prefix)
      const to = locate(Key.prefixEnd(prefix))
      if (from.run === to.run) return runs[from.run]?.slice(from.offset, to.offset) ?? []
      const head = runs[from.run]?.slice(from.offset) ?? []
      const tail = runs[to.run]?.slice(0, to.offset) ?? []
      return head.concat(...runs.slice(from.run + 1, to.run), tail)
    },
    count: (prefix) => {
      const from = locate(prefix)
      const to = locate(Key.prefixEnd(prefix))
      let count = to.offset - from.offset
      for (let run = from.run; run < to.run; run++) count += runs[run]?.length ?? 0
      return count
    },
    size: () => byKey.size
  }
}
