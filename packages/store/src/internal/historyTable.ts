/**
 * The former versions of objects, with who made them. Rows come in the order in which versions were replaced, so what is oldest
 * of all is at the beginning, and nothing that is kept depends on it.
 */
import type { DatabaseSync } from "node:sqlite"
import * as Key from "../Key.js"
import type { ChangeType, Origin } from "../ObjectStore.js"
import type { Content } from "./backend.js"
import * as Origins from "./origins.js"
import { blob, integer, text } from "./sqliteValue.js"
import * as Delta from "./versionDelta.js"
import type { VersionRecord } from "./versionIndex.js"

const codeOf: Readonly<Record<ChangeType, number>> = { create: 1, update: 2, delete: 3 }
const typeOf = (code: number): ChangeType => code === 1 ? "create" : code === 2 ? "update" : "delete"

/** How much is kept. */
export interface Limits {
  readonly versions: number
  readonly objectBytes: number
  readonly bytes: number
  readonly ageMillis: number
}

/** A former version. */
export interface Former extends Content {
  readonly revision: number
  readonly createRevision: number
  readonly type: ChangeType
  readonly origin: Origin
}

/** A row whose bytes are unpacked when they are asked for: lists of versions do without. */
class LazyFormer implements Former {
  readonly revision: number
  readonly createRevision: number
  readonly type: ChangeType
  readonly origin: Origin
  #bytes: Uint8Array | undefined
  readonly #packed: Uint8Array
  readonly #follower: { readonly bytes: Uint8Array } | undefined

  constructor(
    row: Omit<Former, "bytes">,
    packed: Uint8Array,
    follower: { readonly bytes: Uint8Array } | undefined
  ) {
    this.revision = row.revision
    this.createRevision = row.createRevision
    this.type = row.type
    this.origin = row.origin
    this.#packed = packed
    this.#follower = follower
  }

  get bytes(): Uint8Array {
    return this.#bytes ??= Delta.unpack(this.#packed, this.#follower?.bytes)
  }
}

export interface HistoryTable {
  /** Takes over a version that `next` has replaced. Nothing is kept of a version without an origin. */
  readonly replaced: (record: VersionRecord, content: Content, next: VersionRecord, follower: Content, now: number) => void
  /** Takes over the last state of a deleted object. */
  readonly deleted: (record: VersionRecord, content: Content, now: number) => void
  /** What is kept of a key, oldest first. `later` gives the versions that are not in the history. */
  readonly of: (key: string, later: (revision: number) => { readonly bytes: Uint8Array } | undefined) => ReadonlyArray<Former>
  /** The keys in a prefix, after a key, of which anything is kept. */
  readonly keys: (prefix: string, startAfter: string, limit: number) => ReadonlyArray<string>
  /** Drops what is too old, or too much, at most `limit` rows. Answers how many. */
  readonly trim: (now: number, limit: number) => number
  readonly bytes: () => number
}

/** What each row costs beside its bytes: key, origin, numbers, and its place in the index. */
const overhead = 160

/** Must be called inside of transactions of its caller. */
export const make = (db: DatabaseSync, limits: Limits): HistoryTable => {
  const insert = db.prepare(
    "INSERT OR REPLACE INTO history (key, revision, create_revision, type, replaced, origin, base, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
  )
  const rowsOf = db.prepare("SELECT id, revision, create_revision, type, origin, base, bytes FROM history WHERE key = ? ORDER BY revision")
  const sizesOf = db.prepare("SELECT id, length(bytes) AS size FROM history WHERE key = ? ORDER BY revision DESC")
  const newestOf = db.prepare("SELECT id, revision, base, bytes FROM history WHERE key = ? ORDER BY revision DESC LIMIT 1")
  const rebase = db.prepare("UPDATE history SET base = ?, bytes = ? WHERE id = ?")
  const remove = db.prepare("DELETE FROM history WHERE id = ?")
  const oldest = db.prepare("SELECT id, replaced, length(bytes) AS size FROM history ORDER BY id LIMIT ?")
  const keys = db.prepare("SELECT key FROM history WHERE key >= ? AND key < ? AND key > ? GROUP BY key ORDER BY key LIMIT ?")
  const setBytes = db.prepare("UPDATE counter SET value = ? WHERE name = 'history_bytes'")
  let total = integer(db.prepare("SELECT value FROM counter WHERE name = 'history_bytes'").get()?.["value"])

  const count = (difference: number): void => {
    total = Math.max(0, total + difference)
    setBytes.run(total)
  }

  const bound = (key: string): void => {
    let versions = 0
    let bytes = 0
    for (const row of sizesOf.all(key)) {
      const size = integer(row["size"]) + overhead
      versions++
      bytes += size
      if (versions <= limits.versions && (versions === 1 || bytes <= limits.objectBytes)) continue
      remove.run(integer(row["id"]))
      count(-size)
    }
  }

  const add = (record: VersionRecord, origin: Origin, base: number | undefined, bytes: Uint8Array, now: number): void => {
    insert.run(
      record.key,
      record.revision,
      record.createRevision,
      codeOf[record.type],
      now,
      Origins.encode(origin),
      base ?? null,
      bytes
    )
    count(bytes.length + overhead)
    bound(record.key)
  }

  /** `gone` will not be kept: what was packed with it is packed with its follower instead. */
  const skip = (key: string, gone: VersionRecord, content: Content, follower: { revision: number; bytes: Uint8Array } | undefined) => {
    const row = newestOf.get(key)
    if (row === undefined || row["base"] !== gone.revision) return
    const packed = blob(row["bytes"])
    const again = Delta.pack(Delta.unpack(packed, content.bytes), follower?.bytes)
    rebase.run(again.isDelta ? follower?.revision ?? null : null, again.bytes, integer(row["id"]))
    count(again.bytes.length - packed.length)
  }

  return {
    replaced: (record, content, next, follower, now) => {
      if (limits.versions === 0) return
      const kept = follower.origin === undefined ? undefined : { revision: next.revision, bytes: follower.bytes }
      if (content.origin === undefined) return
      if (Origins.isRun(content.origin, follower.origin)) return skip(record.key, record, content, kept)
      const packed = Delta.pack(content.bytes, kept?.bytes)
      add(record, content.origin, packed.isDelta ? kept?.revision : undefined, packed.bytes, now)
    },
    deleted: (record, content, now) => {
      if (limits.versions === 0 || content.origin === undefined) return
      add(record, content.origin, undefined, Delta.pack(content.bytes, undefined).bytes, now)
    },
    of: (key, later) => {
      const known = new Map<number, Former>()
      const found: Array<Former> = []
      for (const row of rowsOf.all(key).toReversed()) {
        const revision = integer(row["revision"])
        const base = row["base"] === null ? undefined : integer(row["base"])
        const follower = base === undefined ? undefined : known.get(base) ?? later(base)
        // Its follower went with a fault of the machine: what depends on it cannot be shown.
        if (base !== undefined && follower === undefined) break
        const origin = Origins.decode(text(row["origin"]))
        if (origin === undefined) break
        const head = { revision, createRevision: integer(row["create_revision"]), type: typeOf(integer(row["type"])), origin }
        const former = new LazyFormer(head, blob(row["bytes"]), follower)
        known.set(revision, former)
        found.push(former)
      }
      return found.toReversed()
    },
    keys: (prefix, startAfter, limit) => keys.all(prefix, Key.prefixEnd(prefix), startAfter, limit).map((row) => text(row["key"])),
    trim: (now, limit) => {
      let removed = 0
      for (const row of oldest.all(limit)) {
        const isOld = integer(row["replaced"]) < now - limits.ageMillis
        if (!isOld && total <= limits.bytes) break
        remove.run(integer(row["id"]))
        count(-(integer(row["size"]) + overhead))
        removed++
      }
      return removed
    },
    bytes: () => total
  }
}
