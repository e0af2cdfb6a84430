/**
 * All kept versions without their bytes: the newest of each key, what it replaced, and the order of the changes. The state at
 * any kept revision is found here; the database is only asked for bytes.
 */
import * as Key from "../Key.js"
import type { ChangeType, Origin } from "../ObjectStore.js"
import { partition } from "./sortedKeys.js"
import * as SortedKeys from "./sortedKeys.js"

/** One kept version of a key. */
export class VersionRecord {
  readonly key: string
  readonly type: ChangeType
  readonly revision: number
  readonly createRevision: number
  readonly previousRevision: number | undefined
  /** Absent when the database has them. */
  bytes: Uint8Array | undefined
  readonly origin: Origin | undefined
  /** The version that this one replaced, as long as it is kept. */
  older: VersionRecord | undefined
  /** No longer kept: only the order of changes still knows of it. */
  dropped = false

  constructor(
    key: string,
    type: ChangeType,
    revision: number,
    createRevision: number,
    previousRevision: number | undefined,
    bytes: Uint8Array | undefined,
    origin: Origin | undefined
  ) {
    this.key = key
    this.type = type
    this.revision = revision
    this.createRevision = createRevision
    this.previousRevision = previousRevision
    this.bytes = bytes
    this.origin = origin
  }
}

export interface RangeQuery {
  readonly prefix: string
  readonly startAfter: string
  readonly revision: number
  readonly limit: number
}

export interface VersionIndex {
  /** The newest version of a key; may be a deletion. */
  readonly newest: (key: string) => VersionRecord | undefined
  /** The newest version of a key that exists. */
  readonly current: (key: string) => VersionRecord | undefined
  /** Adds the next change. */
  readonly append: (record: VersionRecord) => void
  /** How many objects exist. */
  readonly size: () => number
  readonly range: (query: RangeQuery) => { readonly items: ReadonlyArray<VersionRecord>; readonly remaining: number }
  /** The newest versions under a prefix, deletions too, after a key. */
  readonly under: (prefix: string, startAfter: string) => Iterable<VersionRecord>
  /** The kept changes above a revision and up to another, oldest first. */
  readonly changes: (after: number, upTo: number, limit: number) => ReadonlyArray<VersionRecord>
  /** The first changes up to a revision that were not compacted yet. */
  readonly compactable: (upTo: number, limit: number) => ReadonlyArray<VersionRecord>
  /** Forgets what the first `count` changes have superseded. Answers how many versions that were. */
  readonly compacted: (count: number) => number
  /** Lets go of a superseded version ahead of its time. */
  readonly dropOlder: (record: VersionRecord) => void
}

const stateAt = (newest: VersionRecord | undefined, revision: number): VersionRecord | undefined => {
  let record = newest
  while (record !== undefined && record.revision > revision) record = record.older
  return record === undefined || record.type === "delete" ? undefined : record
}

/**
 * How many keys follow a page. The state at a revision never changes, so what one page has found out, the next page of the
 * same list need not count again.
 */
const makeRemaining = () => {
  const known = new Map<string, number>()
  const name = (query: RangeQuery, after: string): string => `${query.revision}\0${query.prefix}\0${after}`
  return (query: RangeQuery, lastKey: string, count: () => number): number => {
    const before = known.get(name(query, query.startAfter))
    const remaining = before === undefined ? count() : before - query.limit
    if (known.size >= 256) known.delete(known.keys().next().value ?? "")
    known.set(name(query, lastKey), remaining)
    return remaining
  }
}

/** An index of versions given by revision; the order of changes begins after `compacted`. */
export const make = (records: ReadonlyArray<VersionRecord>, compacted: number): VersionIndex => {
  const byKey = new Map<string, VersionRecord>()
  const sorted = SortedKeys.make((key) => byKey.has(key))
  const remainingAfter = makeRemaining()
  let log: Array<VersionRecord> = []
  // Compacted changes at the head of the log; cut off from time to time.
  let head = 0
  let objects = 0

  const append = (record: VersionRecord): void => {
    const before = byKey.get(record.key)
    if (before === undefined) sorted.add(record.key)
    if (before !== undefined && before.type !== "delete") objects--
    if (record.type !== "delete") objects++
    record.older = before
    byKey.set(record.key, record)
    if (record.revision > compacted) log.push(record)
  }
  for (const record of records) append(record)

  /** The keys from the first one in a prefix, after a key. */
  const keysFrom = (prefix: string, startAfter: string): () => string | undefined =>
    sorted.from((key) => Key.compare(key, prefix) < 0 || startAfter !== "" && Key.compare(key, startAfter) <= 0)

  const drop = (record: VersionRecord | undefined): number => {
    if (record === undefined || record.dropped) return 0
    record.dropped = true
    record.bytes = undefined
    record.older = undefined
    return 1
  }

  const forget = (record: VersionRecord): number => {
    let count = drop(record.older)
    record.older = undefined
    if (record.type !== "delete") return count
    count += drop(record)
    if (byKey.get(record.key) === record) {
      byKey.delete(record.key)
      sorted.remove(record.key)
    }
    return count
  }

  function* under(prefix: string, startAfter: string) {
    const nextKey = keysFrom(prefix, startAfter)
    for (let key = nextKey(); key?.startsWith(prefix) === true; key = nextKey()) {
      const record = byKey.get(key)
      if (record !== undefined) yield record
    }
  }

  return {
    newest: (key) => byKey.get(key),
    current: (key) => {
      const record = byKey.get(key)
      return record?.type === "delete" ? undefined : record
    },
    append,
    size: () => objects,
    under,
    range: (query) => {
      const items: Array<VersionRecord> = []
      const nextKey = keysFrom(query.prefix, query.startAfter)
      const next = (): VersionRecord | undefined => {
        for (let key = nextKey(); key?.startsWith(query.prefix) === true; key = nextKey()) {
          const record = stateAt(byKey.get(key), query.revision)
          if (record !== undefined) return record
        }
        return undefined
      }
      let record = next()
      while (record !== undefined && items.length < query.limit) {
        items.push(record)
        record = next()
      }
      const last = items.at(-1)
      if (record === undefined || last === undefined) return { items, remaining: record === undefined ? 0 : 1 }
      const remaining = remainingAfter(query, last.key, () => {
        let count = 1
        while (next() !== undefined) count++
        return count
      })
      return { items, remaining }
    },
    changes: (after, upTo, limit) => {
      const found: Array<VersionRecord> = []
      for (let i = partition(log, (record) => record.revision <= after, head); i < log.length && found.length < limit; i++) {
        const record = log[i]
        if (record === undefined || record.revision > upTo) break
        if (!record.dropped) found.push(record)
      }
      return found
    },
    compactable: (upTo, limit) => {
      const end = Math.min(partition(log, (record) => record.revision <= upTo, head), head + limit)
      return log.slice(head, end)
    },
    compacted: (count) => {
      let dropped = 0
      for (const end = head + count; head < end; head++) {
        const record = log[head]
        if (record !== undefined) dropped += forget(record)
      }
      if (head > 1024 && head * 2 > log.length) {
        log = log.slice(head)
        head = 0
      }
      return dropped
    },
    dropOlder: (record) => {
      drop(record.older)
      record.older = undefined
    }
  }
}
