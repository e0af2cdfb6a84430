import type { DatabaseSync } from "node:sqlite"
import type { Change, ChangeType } from "../ObjectStore.js"
import type { Backend, Content, Recovered } from "./backend.js"
import { BackendFault, missing } from "./backend.js"
import type { HistoryTable } from "./historyTable.js"
import * as Origins from "./origins.js"
import * as Segment from "./segment.js"
import * as Sql from "./sqliteSchema.js"
import { blob, integer, primaryCode, SqliteCode, text } from "./sqliteValue.js"
import { VersionRecord } from "./versionIndex.js"

const codeOf: Readonly<Record<ChangeType, number>> = { create: 1, update: 2, delete: 3 }
const typeOf = (code: number): ChangeType => code === 1 ? "create" : code === 2 ? "update" : "delete"

const detailOf = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause)

const byRevision = (a: VersionRecord, b: VersionRecord): number => a.revision - b.revision

const toRecord = ({ bytes, createRevision, key, revision, type }: Segment.Entry): VersionRecord =>
  new VersionRecord(key, type, revision, createRevision, undefined, bytes, undefined)

const rowOf = (change: Change) => [
  change.revision,
  change.key,
  codeOf[change.type],
  change.createRevision,
  change.previousRevision ?? null,
  change.bytes,
  change.origin === undefined ? null : Origins.encode(change.origin)
]

/** The newest version of each key that is written behind. */
const readSegments = (db: DatabaseSync): Map<string, VersionRecord> => {
  const newest = new Map<string, VersionRecord>()
  for (const row of db.prepare(Sql.segments).iterate()) {
    for (const entry of Segment.read(blob(row["bytes"]))) {
      if (entry.type === "delete") newest.delete(entry.key)
      else newest.set(entry.key, toRecord(entry))
    }
  }
  return newest
}

/** Writes all segments anew. */
const replaceSegments = (db: DatabaseSync, records: Iterable<VersionRecord>): void => {
  const last = integer(db.prepare(Sql.lastSegment).get()?.["id"])
  const insert = db.prepare(Sql.insertSegment)
  for (const encoded of Segment.split(entriesOf(records))) insert.run(Segment.packSync(encoded))
  db.prepare(Sql.dropSegments).run(last)
}

function* entriesOf(records: Iterable<VersionRecord>): Iterable<Segment.Entry> {
  for (const { bytes, createRevision, key, revision, type } of records) {
    if (bytes !== undefined) yield { key, type, revision, createRevision, bytes }
  }
}

/**
 * Which versions are written behind is a matter of the keys, which may have been another one when the file was written last:
 * brings every version to where it belongs now.
 */
const settle = (
  db: DatabaseSync,
  rows: ReadonlyArray<VersionRecord>,
  behind: Map<string, VersionRecord>,
  isBehind: (key: string) => boolean
): ReadonlyArray<VersionRecord> => {
  const leaving = rows.filter((record) => isBehind(record.key))
  const arriving = [...behind.values()].filter((record) => !isBehind(record.key))
  if (leaving.length === 0 && arriving.length === 0) return rows
  const content = db.prepare(Sql.content)
  const drop = db.prepare(Sql.drop)
  const insert = db.prepare(Sql.insert)
  db.exec("BEGIN IMMEDIATE")
  for (const { createRevision, key, revision, type } of leaving) {
    const bytes = blob(content.get(revision)?.["bytes"])
    if (type === "delete") behind.delete(key)
    else behind.set(key, new VersionRecord(key, type, revision, createRevision, undefined, bytes, undefined))
    drop.run(revision)
  }
  for (const { bytes, createRevision, key, revision, type } of arriving) {
    behind.delete(key)
    insert.run(revision, key, codeOf[type], createRevision, null, bytes ?? new Uint8Array(0), null)
  }
  replaceSegments(db, behind.values())
  db.exec("COMMIT")
  const stored = arriving.map(({ createRevision, key, revision, type }) =>
    new VersionRecord(key, type, revision, createRevision, undefined, undefined, undefined)
  )
  return rows.filter((record) => !isBehind(record.key)).concat(stored).sort(byRevision)
}

/** How many versions are looked at before others get a turn. */
const rowsAtOnce = 4096

/** What is in the database: one pass over its versions, in steps between which others may do something else. */
export function* recover(db: DatabaseSync, isBehind: (key: string) => boolean): Generator<void, Recovered> {
  const rows: Array<VersionRecord> = []
  for (const row of db.prepare(Sql.records).iterate()) {
    if (rows.length % rowsAtOnce === rowsAtOnce - 1) yield
    rows.push(
      new VersionRecord(
        text(row["key"]),
        typeOf(integer(row["type"])),
        integer(row["revision"]),
        integer(row["create_revision"]),
        row["previous_revision"] === null ? undefined : integer(row["previous_revision"]),
        undefined,
        undefined
      )
    )
  }
  const behind = readSegments(db)
  const reserved = integer(db.prepare(Sql.counter).get("reserved")?.["value"])
  const durable = integer(db.prepare(Sql.lastRevision).get()?.["revision"])
  const settled = settle(db, rows, behind, isBehind)
  const records = behind.size === 0 ? settled : settled.concat(...behind.values()).sort(byRevision)
  return {
    records,
    revision: Math.max(durable, reserved, records.at(-1)?.revision ?? 0),
    compacted: integer(db.prepare(Sql.compacted).get()?.["revision"])
  }
}

/** How long one transaction of a compaction may take, of which one half is reading, and how many free pages it gives back. */
const stepMillis = 5
const vacuumPages = 64

/** So many free pages, or this part of the file, are left in it for what comes next: to give them back and take them again costs more. */
const sparePages = 256
const sparePart = 1 / 4

export interface SqliteBackend extends Backend {
  /** Adds packed versions; with `instead`, they are all there are. */
  readonly appendSegments: (packed: ReadonlyArray<Uint8Array>, instead: boolean, reserved: number | undefined) => void
}

/** Keeps the versions in an open database. Every call is one transaction. */
export const make = (db: DatabaseSync, history: HistoryTable): SqliteBackend => {
  const insert = db.prepare(Sql.insert)
  const insertMany = db.prepare(Sql.insertMany)
  const lastRevision = db.prepare(Sql.lastRevision)
  const contentOf = db.prepare(Sql.content)
  const takeContent = db.prepare(Sql.take)
  const drop = db.prepare(Sql.drop)
  const setCompacted = db.prepare(Sql.setCompacted)
  const setCounter = db.prepare(Sql.setCounter)
  const insertSegment = db.prepare(Sql.insertSegment)
  const dropSegments = db.prepare(Sql.dropSegments)
  const lastSegment = db.prepare(Sql.lastSegment)
  const begin = db.prepare("BEGIN IMMEDIATE")
  const commit = db.prepare("COMMIT")
  const freePages = db.prepare("PRAGMA freelist_count")
  const allPages = db.prepare("PRAGMA page_count")

  /** Runs `body` in a transaction. `before` is the last revision in use when it had to be undone. */
  const transact = <A>(before: number | undefined, body: () => A): A => {
    try {
      begin.run()
      const result = body()
      commit.run()
      return result
    } catch (cause) {
      throw undo(before, cause)
    }
  }

  // A full disk is undone and survived. After any other fault nobody can say what reached the disk (a failed fsync is not
  // repeated by the kernel), so the store stops; what is on the disk decides at the next start.
  const undo = (before: number | undefined, cause: unknown): BackendFault => {
    const detail = detailOf(cause)
    try {
      if (db.isTransaction) db.exec("ROLLBACK")
      history.undo()
      const whole = before === undefined || integer(lastRevision.get()?.["revision"]) <= before
      if (primaryCode(cause) === SqliteCode.full && whole) {
        return new BackendFault("NoSpace", `disk or quota is full (${detail}): compact the store or make room, then retry`, cause)
      }
    } catch (second) {
      return new BackendFault("Failed", `${detail}, and undoing it failed: ${detailOf(second)}`, cause)
    }
    return new BackendFault("Failed", detail, cause)
  }

  const toContent = (row: Readonly<Record<string, unknown>> | undefined, record: VersionRecord): Content => {
    if (row === undefined) throw missing(record.revision)
    const origin = row["origin"]
    return { bytes: blob(row["bytes"]), origin: typeof origin === "string" ? Origins.decode(origin) : undefined }
  }

  const content = (record: VersionRecord): Content =>
    record.bytes === undefined ? toContent(contentOf.get(record.revision), record) : { bytes: record.bytes, origin: record.origin }

  /** Goes through changes of a compaction; reads each version once, as most follow a version and are followed by another. */
  const makeCompactor = (now: number) => {
    const read = new Map<number, Content>()
    const contentFor = (record: VersionRecord): Content => {
      const found = read.get(record.revision) ?? content(record)
      read.set(record.revision, found)
      return found
    }
    /** The content of a version that is dropped with it. */
    const take = (record: VersionRecord): Content => {
      const known = read.get(record.revision)
      if (known === undefined) return toContent(takeContent.get(record.revision), record)
      read.delete(record.revision)
      drop.run(record.revision)
      return known
    }
    return (record: VersionRecord): void => {
      // What is written behind has no rows.
      if (record.dropped || record.bytes !== undefined) return
      const { older } = record
      if (older !== undefined && !older.dropped && older.type !== "delete") {
        history.replaced(older, take(older), record, contentFor(record), now)
      }
      if (record.type === "delete") history.deleted(record, take(record), now)
    }
  }

  return {
    append: (group, before) =>
      transact(before, () => {
        let at = 0
        for (; at + Sql.rowsAtOnce <= group.length; at += Sql.rowsAtOnce) {
          insertMany.run(...group.slice(at, at + Sql.rowsAtOnce).flatMap(rowOf))
        }
        for (const change of group.slice(at)) insert.run(...rowOf(change))
      }),
    content: (record) => {
      try {
        return content(record)
      } catch (cause) {
        if (cause instanceof BackendFault) throw cause
        throw new BackendFault("InputOutput", `the database could not be read: ${detailOf(cause)}`, cause)
      }
    },
    compact: (records, now) => {
      // Heartbeats alone are no reason to touch the disk.
      if (records.every((record) => record.dropped || record.bytes !== undefined)) return records.length
      return transact(undefined, () => {
        const started = performance.now()
        const supersede = makeCompactor(now)
        let done = 0
        for (const record of records) {
          supersede(record)
          done++
          if ((done & 15) === 0 && performance.now() - started > stepMillis / 2) break
        }
        history.flush(now)
        setCompacted.run(records[done - 1]?.revision ?? 0)
        return done
      })
    },
    tidy: (now) =>
      transact(undefined, () => {
        const trimmed = history.trim(now, 128)
        const free = integer(freePages.get()?.["freelist_count"])
        const spare = Math.max(sparePages, integer(allPages.get()?.["page_count"]) * sparePart)
        if (free > spare) db.exec(`PRAGMA incremental_vacuum(${vacuumPages})`)
        return trimmed === 128 || free > spare + vacuumPages
      }),
    reserve: (revision) => transact(undefined, () => void setCounter.run(revision, "reserved")),
    appendSegments: (packed, instead, reserved) =>
      transact(undefined, () => {
        const last = instead ? integer(lastSegment.get()?.["id"]) : 0
        for (const bytes of packed) insertSegment.run(bytes)
        if (instead) dropSegments.run(last)
        if (reserved !== undefined) setCounter.run(reserved, "reserved")
      })
  }
}
