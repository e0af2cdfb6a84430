import * as Key from "../Key.js"
import type { Change, Version } from "../ObjectStore.js"
import type { Backend } from "./backend.js"
import { missing } from "./backend.js"

/** Position of the first element for which `isBelow` is false; `isBelow` must be true for a head of the array only. */
const partition = <A>(array: ReadonlyArray<A>, isBelow: (a: A) => boolean): number => {
  let low = 0
  let high = array.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const at = array[middle]
    if (at !== undefined && isBelow(at)) low = middle + 1
    else high = middle
  }
  return low
}

/** Keeps the versions in maps and arrays: the semantics of the database without its durability. */
export const make = (): Backend => {
  const versions = new Map<number, Change>()
  // Revisions in ascending order; those that compaction dropped are filtered out with each compaction.
  let log: Array<number> = []
  // Per key, its versions in ascending order.
  const byKey = new Map<string, Array<Change>>()
  let sortedKeys: Array<string> | undefined = []

  const keys = (): ReadonlyArray<string> => sortedKeys ??= [...byKey.keys()].sort(Key.compare)

  const stateAt = (key: string, revision: number): Version | undefined => {
    const history = byKey.get(key)
    if (history === undefined) return undefined
    const found = history[partition(history, (version) => version.revision <= revision) - 1]
    if (found === undefined || found.type === "delete") return undefined
    return { key, revision: found.revision, createRevision: found.createRevision, bytes: found.bytes }
  }

  const drop = (change: Change): number => {
    if (!versions.delete(change.revision)) return 0
    const history = byKey.get(change.key)
    if (history === undefined) return 0
    history.splice(partition(history, (version) => version.revision < change.revision), 1)
    if (history.length === 0) {
      byKey.delete(change.key)
      sortedKeys = undefined
    }
    return 1
  }

  return {
    append: (changes) => {
      for (const change of changes) {
        // The decoded form belongs to the feed; what is kept must not change when its owner errs.
        const { object: _, ...kept } = change
        versions.set(kept.revision, kept)
        log.push(kept.revision)
        const history = byKey.get(kept.key)
        if (history === undefined) {
          byKey.set(kept.key, [kept])
          sortedKeys = undefined
        } else history.push(kept)
      }
    },
    bytes: (revision) => {
      const version = versions.get(revision)
      if (version === undefined) throw missing(revision)
      return version.bytes
    },
    range: ({ prefix, startAfter, revision, limit }) => {
      const all = keys()
      const items: Array<Version> = []
      let remaining = 0
      const first = Math.max(
        partition(all, (key) => Key.compare(key, prefix) < 0),
        partition(all, (key) => Key.compare(key, startAfter) <= 0)
      )
      for (let i = first; i < all.length; i++) {
        const key = all[i]
        if (key === undefined || !key.startsWith(prefix)) break
        const version = stateAt(key, revision)
        if (version === undefined) continue
        if (items.length < limit) items.push(version)
        else remaining++
      }
      return { items, remaining }
    },
    changes: (after, upTo, limit) =>
      log.slice(partition(log, (revision) => revision <= after), partition(log, (revision) => revision <= upTo))
        .slice(0, limit)
        .flatMap((revision) => versions.get(revision) ?? []),
    compact: (from, to) => {
      let dropped = 0
      for (let i = partition(log, (revision) => revision <= from); i < log.length; i++) {
        const change = versions.get(log[i] ?? 0)
        // A version that an earlier turn of this loop has dropped.
        if (change === undefined) continue
        if (change.revision > to) break
        const previous = change.previousRevision === undefined ? undefined : versions.get(change.previousRevision)
        if (previous !== undefined) dropped += drop(previous)
        if (change.type === "delete") dropped += drop(change)
      }
      if (dropped > 0) log = log.filter((revision) => versions.has(revision))
      return dropped
    }
  }
}
