/**
 * Opening a database file: whose it is, whether it is whole, and that nobody else has it.
 * node:fs is used directly: node:sqlite opens its files itself and synchronously, so no FileSystem could stand in for it.
 */
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { StoreOpenError } from "../StoreError.js"
import { StoreCorrupt, StoreForeign, StoreLocked, StoreTooNew, StoreUnavailable } from "../StoreError.js"
import { integer, primaryCode, SqliteCode, text } from "./sqliteValue.js"
import * as HistoryUpgrade from "./historyUpgrade.js"
import * as Sql from "./sqliteSchema.js"

export interface OpenOptions {
  readonly path: string
  readonly lockTimeoutMillis: number
  readonly maxFileBytes: number | undefined
}

// Checkpoints move at most about this many pages, inside the commit that crosses the mark; the log is cut back to
// `walKeepBytes` afterwards. So neither the pause nor the file grows with the load.
const walPages = 1000
const walKeepBytes = 16 * 1024 * 1024

const detailOf = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause)

/** What an exception of node:fs or node:sqlite means for the one who wants to open `path`. */
export const toOpenError = (path: string, cause: unknown): StoreOpenError => {
  if (
    cause instanceof StoreCorrupt || cause instanceof StoreForeign || cause instanceof StoreLocked ||
    cause instanceof StoreTooNew || cause instanceof StoreUnavailable
  ) return cause
  const code = primaryCode(cause)
  if (code === SqliteCode.busy || code === SqliteCode.locked) return new StoreLocked({ path })
  if (code === SqliteCode.corrupt) return new StoreCorrupt({ path, detail: detailOf(cause) })
  if (code === SqliteCode.notADatabase) return new StoreForeign({ path, detail: "not a SQLite database" })
  return new StoreUnavailable({ path, detail: detailOf(cause), cause })
}

/** Makes the file with its final mode and its directory entry durable; SQLite gives its log the mode of the file. */
const createFile = (path: string): void => {
  NodeFs.closeSync(NodeFs.openSync(path, "wx", 0o600))
  const directory = NodeFs.openSync(NodePath.dirname(path), "r")
  try {
    NodeFs.fsyncSync(directory)
  } finally {
    NodeFs.closeSync(directory)
  }
}

// The file is only looked at, never opened here: closing any descriptor of it would drop the locks that a store in this
// process may hold on it.
const checkPath = (path: string): void => {
  const stat = NodeFs.statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return createFile(path)
  if (stat.isDirectory()) throw new StoreForeign({ path, detail: "it is a directory" })
  if (!stat.isFile()) throw new StoreForeign({ path, detail: "it is not a regular file" })
}

const pragma = (db: DatabaseSync, name: string): number => integer(db.prepare(`PRAGMA ${name}`).get()?.[name])

/** True for a file without content, false for one of ours; throws for all others. Reads only. */
const isNew = (db: DatabaseSync, path: string): boolean => {
  const application = pragma(db, "application_id")
  const version = pragma(db, "user_version")
  const tables = integer(db.prepare("SELECT count(*) AS count FROM sqlite_schema").get()?.["count"])
  if (application === 0 && version === 0 && tables === 0) return true
  if (application !== Sql.applicationId) {
    throw new StoreForeign({ path, detail: `a SQLite database of another application, id 0x${application.toString(16)}` })
  }
  if (version > Sql.schemaVersion) throw new StoreTooNew({ path, version, supported: Sql.schemaVersion })
  if (version < 1) throw new StoreCorrupt({ path, detail: `schema version ${version} was never released` })
  return false
}

/** Brings the tables of an older release up to date. The space that they needed more is given back. */
const upgrade = (db: DatabaseSync): void => {
  const version = pragma(db, "user_version")
  if (version === Sql.schemaVersion) return
  db.exec("BEGIN EXCLUSIVE")
  if (version < 2) db.exec(Sql.upgradeTo2)
  HistoryUpgrade.joinRows(db)
  db.exec("COMMIT")
  db.exec("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
}

const prepare = (db: DatabaseSync, options: OpenOptions): void => {
  const { path } = options
  // Without shared memory: the lock is kept from the first read until close, and the kernel drops it when we die.
  db.exec("PRAGMA locking_mode = EXCLUSIVE")
  const fresh = isNew(db, path)
  // An existing file may have been copied with another mode, which the log took over when it was read just now.
  for (const file of [path, `${path}-wal`]) if (NodeFs.existsSync(file)) NodeFs.chmodSync(file, 0o600)
  // Has an effect as long as there is no table only.
  if (fresh) db.exec("PRAGMA auto_vacuum = INCREMENTAL")
  if (db.prepare("PRAGMA journal_mode = WAL").get()?.["journal_mode"] !== "wal") {
    throw new StoreUnavailable({ path, detail: "its file system does not support a write-ahead log" })
  }
  db.exec(`
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = ${walPages};
    PRAGMA journal_size_limit = ${walKeepBytes};
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF;
    BEGIN EXCLUSIVE;
    ${fresh ? Sql.create : ""}
    COMMIT;
  `)
  const finding = fresh ? "ok" : text(db.prepare("PRAGMA quick_check(1)").get()?.["quick_check"])
  if (finding !== "ok") throw new StoreCorrupt({ path, detail: finding })
  if (!fresh) upgrade(db)
  if (options.maxFileBytes !== undefined) {
    db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(options.maxFileBytes / pragma(db, "page_size")))}`)
  }
}

/** Opens or creates the database; throws what `toOpenError` understands, with nothing left open. */
export const open = (options: OpenOptions): DatabaseSync => {
  checkPath(options.path)
  const db = new DatabaseSync(options.path, {
    timeout: options.lockTimeoutMillis,
    allowExtension: false,
    enableForeignKeyConstraints: false
  })
  try {
    prepare(db, options)
    return db
  } catch (cause) {
    db.close()
    throw cause
  }
}
