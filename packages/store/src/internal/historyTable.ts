/**
 * The former versions of objects, with who made them: one row for each object. A row that changes stays at its place, which is what
 * costs least; whoever trims the table from its beginning gives rows that have changed since another place, at the end.
 *
 * The rows of deleted objects that a controller had made are kept for a shorter time, so they have a beginning and an end of their own:
 * their ids are negative, the oldest nearest to zero.
 */
import type { DatabaseSync } from "node:sqlite"
import * as Key from "../Key.js"
import type { ChangeType, Origin } from "../ObjectStore.js"
import type { Content } from "./backend.js"
import * as Row from "./historyRow.js"
import * as Origins from "./origins.js"
import { blob, integer, text } from "./sqliteValue.js"
import * as Delta from "./versionDelta.js"
import type { VersionRecord } from "./versionIndex.js"

/** How much is kept. */
export interface Limits {
  readonly versions: number
  readonly objectBytes: number
  readonly bytes: number
  readonly ageMillis: number
  /** As `ageMillis`, for deleted objects that a controller had made. */
  readonly derivedMillis: number
}

/** A former version. */
export interface Former extends Content {
  readonly revision: number
  readonly createRevision: number
  readonly type: ChangeType
  readonly origin: Origin
}

/** An entry whose bytes are unpacked when they are asked for: lists of versions do without. */
class LazyFormer implements Former {
  readonly revision: number
  readonly createRevision: number
  readonly type: ChangeType
  readonly origin: Origin
  #bytes: Uint8Array | undefined
  readonly #packed: Delta.Packed
  readonly #follower: { readonly bytes: Uint8Array } | undefined

  constructor(entry: Row.Entry, origin: Origin, follower: { readonly bytes: Uint8Array } | undefined) {
    this.revision = entry.revision
    this.createRevision = entry.createRevision
    this.type = entry.type
    this.origin = origin
    this.#packed = entry
    this.#follower = follower
  }

  get bytes(): Uint8Array {
    return this.#bytes ??= Delta.unpack(this.#packed, this.#follower?.bytes)
  }
}

export interface HistoryTable {
  /**
   * Takes over a version that `next` has replaced. Nothing is kept of a version without an origin. What is taken over is in memory
   * until `flush`, so that of many versions of one object only those are packed and written that are kept.
   */
  readonly replaced: (record: VersionRecord, content: Content, next: VersionRecord, follower: Content, now: number) => void
  /** Takes over the last state of a deleted object. */
  readonly deleted: (record: VersionRecord, content: Content, now: number) => void
  /** Writes what was taken over. */
  readonly flush: (now: number) => void
  /** Forgets what was taken over since the last `flush`, and what a transaction that was undone has changed. */
  readonly undo: () => void
  /** What is kept of a key, oldest first. `later` gives the versions that are not in the history. */
  readonly of: (
    key: string,
    later: (revision: number) => { readonly bytes: Uint8Array } | undefined,
    now: number
  ) => ReadonlyArray<Former>
  /** The keys in a prefix, after a key, of which anything is kept. */
  readonly keys: (prefix: string, startAfter: string, limit: number) => ReadonlyArray<string>
  /** Drops the rows that are too old or too much, those that have not changed for long before others. Goes through `limit` rows at most; answers through how many. */
  readonly trim: (now: number, limit: number) => number
  readonly bytes: () => number
}

/** A version on its way into a row; what it is a difference to may change until it is written. */
interface Added {
  readonly type: ChangeType
  readonly revision: number
  readonly createRevision: number
  readonly replaced: number
  readonly origin: string
  /** The object was made by a controller, and is gone. */
  readonly leftover: boolean
  readonly bytes: Uint8Array
  base: { readonly revision: number; readonly bytes: Uint8Array } | undefined
}

/** What one object's row will be: the new versions, oldest first, before the row from `from` on. */
interface Change {
  readonly id: number | undefined
  readonly row: Buffer
  from: number
  readonly added: Array<Added>
}

/** Must be called inside of transactions of its caller. */
export const make = (db: DatabaseSync, limits: Limits): HistoryTable => {
  const rowOf = db.prepare("SELECT id, bytes FROM history WHERE key = ?")
  const insert = db.prepare("INSERT INTO history (id, placed, changed, key, bytes) VALUES (?, ?, ?, ?, ?)")
  const update = db.prepare("UPDATE history SET changed = ?, bytes = ? WHERE id = ?")
  const replace = db.prepare("UPDATE history SET id = ?, placed = ?, changed = ?, bytes = ? WHERE id = ?")
  const move = db.prepare("UPDATE history SET id = ?, placed = ? WHERE id = ?")
  const remove = db.prepare("DELETE FROM history WHERE id = ?")
  const first = db.prepare("SELECT id, placed, changed, length(bytes) AS size FROM history WHERE id > 0 ORDER BY id LIMIT ?")
  const firstLeft = db.prepare("SELECT id, placed, changed, length(bytes) AS size FROM history WHERE id < 0 ORDER BY id DESC LIMIT ?")
  const keys = db.prepare("SELECT key FROM history WHERE key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?")
  const lastId = db.prepare("SELECT coalesce(max(id), 0) AS id, coalesce(min(id), 0) AS left FROM history")
  const getBytes = db.prepare("SELECT value FROM counter WHERE name = 'history_bytes'")
  const setBytes = db.prepare("UPDATE counter SET value = ? WHERE name = 'history_bytes'")

  let changes = new Map<string, Change>()
  let total = integer(getBytes.get()?.["value"])
  /** The ids that were given last, of all rows and of those of leftovers. */
  let last = 0
  let lastLeft = 0
  const readIds = () => {
    const found = lastId.get()
    last = Math.max(0, integer(found?.["id"]))
    lastLeft = Math.min(0, integer(found?.["left"]))
  }
  readIds()

  const change = (key: string): Change => {
    const known = changes.get(key)
    if (known !== undefined) return known
    const found = rowOf.get(key)
    const made: Change = {
      id: found === undefined ? undefined : integer(found["id"]),
      row: found === undefined ? Buffer.alloc(0) : Row.bufferOf(blob(found["bytes"])),
      from: 0,
      added: []
    }
    changes.set(key, made)
    return made
  }

  const add = (record: VersionRecord, origin: Origin, bytes: Uint8Array, base: Added["base"], now: number): void => {
    const { added } = change(record.key)
    added.push({
      type: record.type,
      revision: record.revision,
      createRevision: record.createRevision,
      replaced: now,
      origin: Origins.encode(origin),
      leftover: origin.derived === true && record.type === "delete",
      bytes,
      base
    })
    // Those before it will not be kept: they need not wait in memory.
    if (added.length > limits.versions) added.shift()
  }

  /** `gone` will not be kept: what is a difference to it becomes one to its follower. */
  const skip = (gone: VersionRecord, content: Content, follower: Added["base"]): void => {
    const row = change(gone.key)
    const newest = row.added.at(-1)
    if (newest !== undefined) {
      if (newest.base?.revision === gone.revision) newest.base = follower
      return
    }
    if (row.from >= row.row.length) return
    const entry = Row.read(row.row, row.from)
    if (entry.base !== gone.revision) return
    row.from = Row.endOf(row.row, row.from)
    row.added.push({ ...entry, leftover: false, bytes: Delta.unpack(entry, content.bytes), base: follower })
  }

  const pack = (added: Added): Buffer => {
    const packed = Delta.pack(added.bytes, added.base?.bytes)
    const base = Delta.needsFollower(packed.packing) ? added.base?.revision : undefined
    return Row.encode({ ...added, ...packed, base })
  }

  /** What is kept of an object, the newest version first. */
  const partsOf = ({ added, from, row }: Change, now: number): ReadonlyArray<Buffer> => {
    const parts: Array<Buffer> = []
    let bytes = 0
    const fits = (size: number, replaced: number): boolean => {
      bytes += size
      return parts.length === 0 || parts.length < limits.versions && bytes <= limits.objectBytes && replaced >= now - limits.ageMillis
    }
    for (const one of added.toReversed()) {
      const packed = pack(one)
      if (!fits(packed.length, one.replaced)) return parts
      parts.push(packed)
    }
    for (let at = from; at < row.length;) {
      const end = Row.endOf(row, at)
      if (!fits(end - at, Row.replacedOf(row, at))) return parts
      parts.push(row.subarray(at, end))
      at = end
    }
    return parts
  }

  const write = (key: string, before: Change, now: number): void => {
    if (before.added.length === 0) return
    const bytes = Buffer.concat(partsOf(before, now))
    total += bytes.length - before.row.length
    const leftover = before.added.at(-1)?.leftover === true
    if (before.id === undefined) {
      insert.run(leftover ? --lastLeft : ++last, now, now, key, bytes)
      total += Row.overhead
    } else if (leftover) {
      replace.run(--lastLeft, now, now, bytes, before.id)
    } else {
      update.run(now, bytes, before.id)
    }
  }

  /** Removes what is too old or too much from the beginning on; what has changed since it was placed goes to the end. */
  const trimRows = (rows: ReadonlyArray<Record<string, unknown>>, now: number, ageMillis: number): number => {
    let done = 0
    let removed = 0
    for (const row of rows) {
      const id = integer(row["id"])
      const placed = integer(row["placed"])
      const changed = integer(row["changed"])
      if (placed >= now - ageMillis && total <= limits.bytes) break
      done++
      if (changed > placed) {
        // Of leftovers only one that has come back changes.
        move.run(++last, changed, id)
        continue
      }
      remove.run(id)
      total -= integer(row["size"]) + Row.overhead
      removed++
    }
    if (removed > 0) setBytes.run(Math.max(0, total))
    return done
  }

  return {
    replaced: (record, content, next, follower, now) => {
      if (limits.versions === 0 || content.origin === undefined) return
      const base = follower.origin === undefined ? undefined : { revision: next.revision, bytes: follower.bytes }
      if (Origins.isRun(content.origin, follower.origin)) skip(record, content, base)
      else add(record, content.origin, content.bytes, base, now)
    },
    deleted: (record, content, now) => {
      if (limits.versions === 0 || content.origin === undefined) return
      add(record, content.origin, content.bytes, undefined, now)
    },
    flush: (now) => {
      if (changes.size === 0) return
      for (const [key, one] of changes) write(key, one, now)
      changes = new Map()
      setBytes.run(Math.max(0, total))
    },
    undo: () => {
      changes = new Map()
      total = integer(getBytes.get()?.["value"])
      readIds()
    },
    of: (key, later, now) => {
      const found = rowOf.get(key)
      const formers: Array<Former> = []
      if (found === undefined) return formers
      const known = new Map<number, Former>()
      for (const entry of Row.entries(Row.bufferOf(blob(found["bytes"])))) {
        if (entry.replaced < now - limits.ageMillis) break
        const follower = entry.base === undefined ? undefined : known.get(entry.base) ?? later(entry.base)
        const origin = Origins.decode(entry.origin)
        // Its follower went with a fault of the machine: what depends on it cannot be shown.
        if (origin === undefined || entry.base !== undefined && follower === undefined) break
        const former = new LazyFormer(entry, origin, follower)
        known.set(entry.revision, former)
        formers.push(former)
      }
      return formers.toReversed()
    },
    keys: (prefix, startAfter, limit) => keys.all(prefix, Key.prefixEnd(prefix), startAfter, limit).map((row) => text(row["key"])),
    trim: (now, limit) => {
      const left = trimRows(firstLeft.all(limit), now, limits.derivedMillis)
      return left === limit ? left : left + trimRows(first.all(limit - left), now, limits.ageMillis)
    },
    bytes: () => total
  }
}
