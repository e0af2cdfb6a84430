/** "RDWF": marks the file as ours in the header of the database. */
export const applicationId = 0x52445746

/** Raised with every change of the tables below. */
export const schemaVersion = 1

// Every version is one row. The index holds all that is needed to find the state at a revision without touching a blob;
// `type` is 1 create, 2 update, 3 delete. Compaction keeps its position so that revisions never go back when it drops
// the newest row.
export const create = `
CREATE TABLE version (
  revision INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  type INTEGER NOT NULL CHECK (type IN (1, 2, 3)),
  create_revision INTEGER NOT NULL,
  previous_revision INTEGER,
  bytes BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX version_by_key ON version (key, revision, type, create_revision);
CREATE TABLE compaction (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL) STRICT;
INSERT INTO compaction VALUES (1, 0);
PRAGMA application_id = ${applicationId};
PRAGMA user_version = ${schemaVersion};
`

export const insert =
  "INSERT INTO version (revision, key, type, create_revision, previous_revision, bytes) VALUES (?, ?, ?, ?, ?, ?)"

export const lastRevision =
  "SELECT max(coalesce((SELECT max(revision) FROM version), 0), (SELECT revision FROM compaction)) AS revision"

export const compacted = "SELECT revision FROM compaction"

/** All versions, in the order of keys, from the index alone. */
export const index = "SELECT key, revision, type, create_revision FROM version ORDER BY key, revision"

export const bytes = "SELECT bytes FROM version WHERE revision = ?"

// `type` is that of the row with the greatest revision: SQLite defines bare columns beside max() so.
const latest = "SELECT key, max(revision) AS revision, type FROM version INDEXED BY version_by_key " +
  "WHERE key >= ?1 AND key < ?2 AND key > ?3 AND revision <= ?4 GROUP BY key HAVING type <> 3 ORDER BY key"

// CROSS JOIN keeps the order of the inner query, which reads the index and stops at the limit.
export const range = `SELECT version.key AS key, version.revision AS revision, create_revision, bytes ` +
  `FROM (${latest} LIMIT ?5) AS latest CROSS JOIN version ON version.revision = latest.revision`

export const count = `SELECT count(*) AS count FROM (${latest})`

export const changes = "SELECT revision, key, type, create_revision, previous_revision, bytes FROM version " +
  "WHERE revision > ? AND revision <= ? ORDER BY revision LIMIT ?"

// What a change has made superfluous is the version that it replaced, and itself when it is a deletion.
export const dropSuperseded =
  "DELETE FROM version WHERE revision IN (SELECT previous_revision FROM version WHERE revision > ? AND revision <= ? AND previous_revision IS NOT NULL)"

export const dropDeletions = "DELETE FROM version WHERE revision > ? AND revision <= ? AND type = 3"

export const setCompacted = "UPDATE compaction SET revision = ?"
