/** "RDWF": marks the file as ours in the header of the database. */
export const applicationId = 0x52445746

/** Raised with every change of the tables below. */
export const schemaVersion = 3

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
 * Former versions: one row for each object that has any. `placed` is when the row was put at its place, by which they are ordered, and
 * `changed` when it was written last, in milliseconds since the epoch; `bytes` are the versions (see historyRow).
 */
export const createHistory = `
CREATE TABLE history (
  id INTEGER PRIMARY KEY,
  placed INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  key TEXT NOT NULL UNIQUE,
  bytes BLOB NOT NULL
) STRICT;
`

export const createCounter = `
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO counter VALUES ('history_bytes', 0), ('reserved', 0);
`

/** Versions that are written behind: each segment holds many, packed. */
const segment = "CREATE TABLE segment (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;"

const mark = `
PRAGMA application_id = ${applicationId};
PRAGMA user_version = ${schemaVersion};
`

export const create = `${version}${createHistory}${createCounter}${segment}${mark}`

/** What leads to the tables of schema 2 from those of schema 1. The history of schema 2 had one row for each version. */
export const upgradeTo2 = `
DROP INDEX version_by_key;
ALTER TABLE version ADD COLUMN origin TEXT;
${createCounter}${segment}
CREATE TABLE history (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL, revision INTEGER NOT NULL, create_revision INTEGER NOT NULL, type INTEGER NOT NULL,
  replaced INTEGER NOT NULL, origin TEXT NOT NULL, base INTEGER, bytes BLOB NOT NULL
) STRICT;
`

/** What comes before and after the rows of schema 2 are joined to those of schema 3. */
export const beginUpgradeTo3 = `ALTER TABLE history RENAME TO history_2; ${createHistory}`
export const endUpgradeTo3 = `DROP TABLE history_2; ${mark}`

const insertOf = (rows: number): string =>
  `INSERT INTO version (revision, key, type, create_revision, previous_revision, bytes, origin) VALUES ${
    Array.from({ length: rows }, () => "(?, ?, ?, ?, ?, ?, ?)").join(", ")
  }`

export const insert = insertOf(1)

/** One call for so many versions takes a good deal less than as many calls. */
export const rowsAtOnce = 8

export const insertMany = insertOf(rowsAtOnce)

export const lastRevision =
  "SELECT max(coalesce((SELECT max(revision) FROM version), 0), (SELECT revision FROM compaction)) AS revision"

export const compacted = "SELECT revision FROM compaction"

/** All versions in the order of revisions, without their bytes. */
export const records = "SELECT revision, key, type, create_revision, previous_revision FROM version ORDER BY revision"

export const content = "SELECT bytes, origin FROM version WHERE revision = ?"

export const drop = "DELETE FROM version WHERE revision = ?"

/** The same, with what `content` would have answered. */
export const take = "DELETE FROM version WHERE revision = ? RETURNING bytes, origin"

export const setCompacted = "UPDATE compaction SET revision = ?"

export const segments = "SELECT bytes FROM segment ORDER BY id"

export const insertSegment = "INSERT INTO segment (bytes) VALUES (?)"

export const dropSegments = "DELETE FROM segment WHERE id <= ?"

export const lastSegment = "SELECT coalesce(max(id), 0) AS id FROM segment"

export const counter = "SELECT value FROM counter WHERE name = ?"

export const setCounter = "UPDATE counter SET value = ? WHERE name = ?"
