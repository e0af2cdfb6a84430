/** Brings the history of an older release, which had one row for each version, to one row for each object. */
import type { DatabaseSync } from "node:sqlite"
import type { ChangeType } from "../ObjectStore.js"
import * as Row from "./historyRow.js"
import * as Sql from "./sqliteSchema.js"
import { blob, integer, text } from "./sqliteValue.js"
import { Packing } from "./versionDelta.js"

const typeOf = (code: number): ChangeType => code === 1 ? "create" : code === 2 ? "update" : "delete"

/** The objects in the order in which their newest version was replaced, and the versions of one, the newest first. */
const versions = `
SELECT key, newest, revision, create_revision, type, replaced, origin, base, bytes
FROM (SELECT *, max(id) OVER (PARTITION BY key) AS newest FROM history_2)
ORDER BY newest, revision DESC
`

/** Runs inside of the transaction of its caller. What was compressed stays as it is. */
export const joinRows = (db: DatabaseSync): void => {
  db.exec(Sql.beginUpgradeTo3)
  const insert = db.prepare("INSERT INTO history (id, placed, changed, key, bytes) VALUES (?, ?, ?, ?, ?)")
  let total = 0
  let key = ""
  let id = 0
  let changed = 0
  let parts: Array<Buffer> = []
  const write = (): void => {
    if (parts.length === 0) return
    const bytes = Buffer.concat(parts)
    insert.run(id, changed, changed, key, bytes)
    total += bytes.length + Row.overhead
    parts = []
  }
  for (const row of db.prepare(versions).iterate()) {
    if (text(row["key"]) !== key) {
      write()
      key = text(row["key"])
      id = integer(row["newest"])
      changed = integer(row["replaced"])
    }
    const base = row["base"] === null ? undefined : integer(row["base"])
    parts.push(Row.encode({
      type: typeOf(integer(row["type"])),
      revision: integer(row["revision"]),
      createRevision: integer(row["create_revision"]),
      replaced: integer(row["replaced"]),
      base,
      origin: text(row["origin"]),
      packing: base === undefined ? Packing.zstdWhole : Packing.zstdDelta,
      bytes: blob(row["bytes"])
    }))
  }
  write()
  db.prepare(Sql.setCounter).run(total, "history_bytes")
  db.exec(Sql.endUpgradeTo3)
}
