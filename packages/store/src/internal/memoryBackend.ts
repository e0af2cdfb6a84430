import { DatabaseSync } from "node:sqlite"
import type { Backend, Content } from "./backend.js"
import { missing } from "./backend.js"
import * as HistoryTable from "./historyTable.js"
import { createCounter, createHistory } from "./sqliteSchema.js"
import type { VersionRecord } from "./versionIndex.js"

const contentOf = (record: VersionRecord): Content => {
  if (record.bytes === undefined) throw missing(record.revision)
  return { bytes: record.bytes, origin: record.origin }
}

/** Keeps the versions in the records themselves, and the history, once there is any, in a database that is in memory too. */
export const make = (limits: HistoryTable.Limits) => {
  let opened: { readonly db: DatabaseSync; readonly table: HistoryTable.HistoryTable } | undefined
  const open = () => {
    const db = new DatabaseSync(":memory:")
    db.exec(createHistory + createCounter)
    return { db, table: HistoryTable.make(db, limits) }
  }
  const table = (): HistoryTable.HistoryTable => (opened ??= open()).table

  const history: HistoryTable.HistoryTable = {
    replaced: (...all) => {
      if (all[1].origin !== undefined) table().replaced(...all)
    },
    deleted: (...all) => {
      if (all[1].origin !== undefined) table().deleted(...all)
    },
    flush: (now) => opened?.table.flush(now),
    undo: () => opened?.table.undo(),
    of: (...all) => opened?.table.of(...all) ?? [],
    keys: (...all) => opened?.table.keys(...all) ?? [],
    trim: (...all) => opened?.table.trim(...all) ?? 0,
    bytes: () => opened?.table.bytes() ?? 0
  }

  const backend: Backend = {
    append: () => {},
    content: contentOf,
    compact: (records, now) => {
      for (const record of records) {
        const { older } = record
        if (older !== undefined && !older.dropped && older.type !== "delete") {
          history.replaced(older, contentOf(older), record, contentOf(record), now)
        }
        if (record.type === "delete") history.deleted(record, contentOf(record), now)
      }
      history.flush(now)
      return records.length
    },
    tidy: (now) => history.trim(now, 128) === 128,
    reserve: () => {}
  }

  return { backend, history, close: () => opened?.db.close() }
}
