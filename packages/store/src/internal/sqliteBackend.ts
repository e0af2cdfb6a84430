import type { DatabaseSync } from "node:sqlite"
import * as Key from "../Key.js"
import type { Change, ChangeType, Version } from "../ObjectStore.js"
import type { Backend, IndexEntry, RangeQuery, Recovered } from "./backend.js"
import { BackendFault, missing } from "./backend.js"
import { blob, integer, primaryCode, SqliteCode, text } from "./sqliteValue.js"
import * as Sql from "./sqliteSchema.js"

type Row = Readonly<Record<string, unknown>>

const codeOf: Readonly<Record<ChangeType, number>> = { create: 1, update: 2, delete: 3 }
const typeOf = (code: number): ChangeType => code === 1 ? "create" : code === 2 ? "update" : "delete"

const toVersion = (row: Row): Version => ({
  key: text(row["key"]),
  revision: integer(row["revision"]),
  createRevision: integer(row["create_revision"]),
  bytes: blob(row["bytes"])
})

const toChange = (row: Row): Change => ({
  type: typeOf(integer(row["type"])),
  ...toVersion(row),
  ...(row["previous_revision"] === null ? {} : { previousRevision: integer(row["previous_revision"]) })
})

const detailOf = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause)

/** What is in the database: one pass over the index, no object is read. */
export const recover = (db: DatabaseSync): Recovered => {
  const index = new Map<string, IndexEntry>()
  for (const row of db.prepare(Sql.index).iterate()) {
    const key = text(row["key"])
    // The versions of a key come in ascending order, so the last one stays.
    if (integer(row["type"]) === codeOf.delete) index.delete(key)
    else index.set(key, { revision: integer(row["revision"]), createRevision: integer(row["create_revision"]) })
  }
  return {
    index,
    revision: integer(db.prepare(Sql.lastRevision).get()?.["revision"]),
    compacted: integer(db.prepare(Sql.compacted).get()?.["revision"])
  }
}

/**
 * How many keys follow a page. The state at a revision never changes, so what one page has found out, the next page of the
 * same list need not count again.
 */
const makeRemaining = (count: (query: RangeQuery) => number) => {
  const known = new Map<string, number>()
  const name = (query: RangeQuery, after: string): string => `${query.revision}\0${query.prefix}\0${after}`
  return (query: RangeQuery, lastKey: string): number => {
    const before = known.get(name(query, query.startAfter))
    const remaining = before === undefined ? count({ ...query, startAfter: lastKey }) : before - query.limit
    if (known.size >= 256) known.delete(known.keys().next().value ?? "")
    known.set(name(query, lastKey), remaining)
    return remaining
  }
}

const read = <A>(body: () => A): A => {
  try {
    return body()
  } catch (cause) {
    if (cause instanceof BackendFault) throw cause
    throw new BackendFault("InputOutput", `the database could not be read: ${detailOf(cause)}`, cause)
  }
}

/** Keeps the versions in an open database. Every call is one transaction. */
export const make = (db: DatabaseSync): Backend => {
  const insert = db.prepare(Sql.insert)
  const lastRevision = db.prepare(Sql.lastRevision)
  const bytesOf = db.prepare(Sql.bytes)
  const range = db.prepare(Sql.range)
  const countAfter = db.prepare(Sql.count)
  const changes = db.prepare(Sql.changes)
  const dropSuperseded = db.prepare(Sql.dropSuperseded)
  const dropDeletions = db.prepare(Sql.dropDeletions)
  const setCompacted = db.prepare(Sql.setCompacted)

  const rows = (statement: typeof range, query: RangeQuery, ...rest: ReadonlyArray<number>) =>
    statement.all(query.prefix, Key.prefixEnd(query.prefix), query.startAfter, query.revision, ...rest)

  const remainingAfter = makeRemaining((query) => integer(rows(countAfter, query)[0]?.["count"]))

  /** Runs `body` in a transaction. `before` is the last revision that must be found when it had to be undone. */
  const transact = <A>(before: number | undefined, body: () => A): A => {
    try {
      db.exec("BEGIN IMMEDIATE")
      const result = body()
      db.exec("COMMIT")
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
      const whole = before === undefined || integer(lastRevision.get()?.["revision"]) === before
      if (primaryCode(cause) === SqliteCode.full && whole) {
        return new BackendFault("NoSpace", `disk or quota is full (${detail}): compact the store or make room, then retry`, cause)
      }
    } catch (second) {
      return new BackendFault("Failed", `${detail}, and undoing it failed: ${detailOf(second)}`, cause)
    }
    return new BackendFault("Failed", detail, cause)
  }

  return {
    append: (group) =>
      transact((group[0]?.revision ?? 1) - 1, () => {
        for (const change of group) {
          insert.run(
            change.revision,
            change.key,
            codeOf[change.type],
            change.createRevision,
            change.previousRevision ?? null,
            change.bytes
          )
        }
      }),
    bytes: (revision) =>
      read(() => {
        const row = bytesOf.get(revision)
        if (row === undefined) throw missing(revision)
        return blob(row["bytes"])
      }),
    range: (query) =>
      read(() => {
        // One row more than asked for tells whether anything follows.
        const found = rows(range, query, Number.isFinite(query.limit) ? query.limit + 1 : -1)
        const items = found.slice(0, query.limit).map(toVersion)
        const last = items.at(-1)
        return { items, remaining: found.length <= items.length || last === undefined ? 0 : remainingAfter(query, last.key) }
      }),
    changes: (after, upTo, limit) =>
      read(() => changes.all(after, upTo, Number.isFinite(limit) ? limit : -1).map(toChange)),
    compact: (from, to) =>
      transact(undefined, () => {
        const superseded = dropSuperseded.run(from, to)
        const deletions = dropDeletions.run(from, to)
        setCompacted.run(to)
        return Number(superseded.changes) + Number(deletions.changes)
      })
  }
}
