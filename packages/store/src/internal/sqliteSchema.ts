/** "RDWF": marks the file as ours in the header of the database. */
export const applicationId = 0x52445746

/** Raised with every change of the tables below. */
export const schemaVersion = 2

// Every version is one row, appended in the order of revisions: no index, so that a write touches the end of one tree
// whatever else is stored. What an index would answer is in memory (see versionIndex). `type` is 1 create, 2 update,
// 3 delete; `origin` tells who made the version, as JSON. Compaction keeps its position so that revisions never go back when
// it drops the newest row.
const version = `
CREATE TABLE version (
  revision INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  type INTEGER NOT NULL CHECK (type IN (1, 2, 3)),
  create_revision INTEGER NOT NULL,
  previous_revision INTEGER,
  bytes BLOB NOT NULL,
  origin TEXT
) STRICT;
CREATE TABLE compaction (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL) STRICT;
INSERT INTO compaction VALUES (1, 0);
`

/**
 * Former versions of objects, in the order in which they were replaced. `base` is the revision of the version that `bytes` are
 * a difference to; without it they are whole. `replaced` is when, in milliseconds since the epoch.
 */
export const createHistory = `
CREATE TABLE IF NOT EXISTS history (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  revision INTEGER NOT NULL,
  create_revision INTEGER NOT NULL,
  type INTEGER NOT NULL CHECK (type IN (1, 2, 3)),
  replaced INTEGER NOT NULL,
  origin TEXT NOT NULL,
  base INTEGER,
  bytes BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS history_by_key ON history (key, revision);
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO counter VALUES ('history_bytes', 0), ('reserved', 0);
`

/** Versions that are written behind: each segment holds many, packed. */
const segment = "CREATE TABLE segment (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;"

const mark = `
PRAGMA application_id = ${applicationId};
PRAGMA user_version = ${schemaVersion};
`

export const create = `${version}${createHistory}${segment}${mark}`

/** What leads to the present tables from those of an older schema. */
export const upgrades: Readonly<Record<number, string>> = {
  1: `DROP INDEX version_by_key; ALTER TABLE version ADD COLUMN origin TEXT;${createHistory}${segment}${mark}`
}

export const insert =
  "INSERT INTO version (revision, key, type, create_revision, previous_revision, bytes, origin) VALUES (?, ?, ?, ?, ?, ?, ?)"

export const lastRevision =
  "SELECT max(coalesce((SELECT max(revision) FROM version), 0), (SELECT revision FROM compaction)) AS revision"

export const compacted = "SELECT revision FROM compaction"

/** All versions in the order of revisions, without their bytes. */
export const records = "SELECT revision, key, type, create_revision, previous_revision FROM version ORDER BY revision"

export const content = "SELECT bytes, origin FROM version WHERE revision = ?"

export const drop = "DELETE FROM version WHERE revision = ?"

export const setCompacted = "UPDATE compaction SET revision = ?"

export const segments = "SELECT bytes FROM segment ORDER BY id"

export const insertSegment = "INSERT INTO segment (bytes) VALUES (?)"

export const dropSegments = "DELETE FROM segment WHERE id <= ?"

export const lastSegment = "SELECT coalesce(max(id), 0) AS id FROM segment"

export const counter = "SELECT value FROM counter WHERE name = ?"

export const setCounter = "UPDATE counter SET value = ? WHERE name = ?"
